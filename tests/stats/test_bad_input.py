"""Whatever cannot be used is refused in words that say what was being done, on what, why not, and what to write."""

import re
import subprocess
import sys

import numpy as np
import pytest

from heatbath import stats
from heatbath.errors import InputError

SOME = stats.moments([0.2, 0.4, 0.9])
TRUE = stats.from_sums(10, 3)
BAD = [
    lambda: stats.moments(3.0),
    lambda: stats.moments([0.1, np.nan]),
    lambda: stats.moments(["a"]),
    lambda: stats.moments([[1.0], [1.0, 2.0]]),
    lambda: stats.from_sums(10, 11),
    lambda: stats.from_sums(-1, 0),
    lambda: stats.from_sums(2.5, 1),
    lambda: stats.from_sums(10, 30, 5),
    lambda: stats.asymptotic(SOME, alpha=1.0),
    lambda: stats.asymptotic(SOME, alpha="5 %"),
    lambda: stats.asymptotic(SOME, side="left"),
    lambda: stats.asymptotic(SOME, tuned_for=0),
    lambda: stats.asymptotic(SOME, least=-1),
    lambda: stats.asymptotic(SOME, null=[0.0, 1.0]),
    lambda: stats.normal_mixture(SOME, sd=0.0),
    lambda: stats.fixed_n(SOME, alpha=0),
    lambda: stats.rate(SOME),
    lambda: stats.rate(TRUE, null=1.2),
    lambda: stats.rate(TRUE, prior=(0.5,)),
    lambda: stats.rate_difference(TRUE, SOME),
    lambda: stats.rate_difference(TRUE, TRUE, prior=(0, 1)),
    lambda: stats.rate_difference(TRUE, TRUE, null=-1.5),
    lambda: stats.betting([0.5, 1.5]),
    lambda: stats.betting([0.5], low=1, high=0),
    lambda: stats.betting([0.5], null=3.0),
    lambda: stats.betting([0.5], resolution=0),
    lambda: stats.betting(0.5),
    lambda: stats.bet_above([-0.1]),
    lambda: stats.aipw([1, 0], [0, 1], [0.5, 0.0]),
    lambda: stats.aipw([1, 0], [0, 1], [0.5]),
    lambda: stats.aipw([1, 0], [0, 1], [0.5, 0.5], treatment=2),
    lambda: stats.sample_ratio([5, 5], [1, 1, 1]),
    lambda: stats.sample_ratio([5, 5], [1, 0]),
    lambda: stats.sample_ratio(5, [1]),
    lambda: stats.feedback_rate([5, 30], [20, 20]),
    lambda: stats.feedback_rate([5, 3], [20, 20], prior="flat"),
    lambda: stats.bonferroni([0.5, 1.5]),
    lambda: stats.holm([]),
    lambda: stats.e_holm([np.nan]),
    lambda: stats.e_bh([1.0], alpha=2),
    stats.joint,
    lambda: stats.joint([1.0], [1.0, 2.0]),
    lambda: stats.ratio(stats.joint([1.0, 2.0])),
    lambda: stats.adjusted_difference(stats.joint([1.0, 2.0]), stats.joint([1.0, 2.0])),
    lambda: stats.adjusted_difference(*[stats.joint([1.0, 2.0], [1.0, 2.0])] * 2, slopes="none"),
    lambda: stats.by_unit(["a"], [1.0, 2.0], roster=["a"]),
    lambda: stats.non_inferior(SOME, margin=0),
    lambda: stats.judge(stats.asymptotic(SOME), better="more"),
    lambda: stats.judge(stats.asymptotic(stats.moments(np.ones((2, 3)), running=True))),
    lambda: stats.sample_size(0.0, sd=1),
    lambda: stats.sample_size(0.1),
    lambda: stats.sample_size(0.1, sd=1, rate=0.5),
    lambda: stats.sample_size(0.9, rate=0.5),
    lambda: stats.sample_size(0.1, sd=1, weights=[1]),
    lambda: stats.sample_size(0.1, sd=1, power=0.01),
    lambda: stats.sample_size(0.1, sd=1, peeking="sometimes"),
    lambda: stats.power(0.1, 0, sd=1),
    lambda: stats.minimum_effect(3, rate=0.9),
    lambda: stats.importance_weights([0.5], [0.0]),
    lambda: stats.kernel_weights([0.5], [2.5], [1.0], bandwidth=0.1, low=0, high=2),
    lambda: stats.kernel_weights([0.5], [0.5], [1.0], bandwidth=0),
    lambda: stats.kernel_weights([0.5], [0.5], [1.0], bandwidth=1, kernel="box"),
    lambda: stats.kernel_bias(0.1, -1),
    lambda: stats.ips([1, 0], [1.0]),
    lambda: stats.ips(1.0, 1.0),
    lambda: stats.self_normalised([1, 0], [1.0, -1.0]),
    lambda: stats.doubly_robust([1, 0], [1.0, 1.0], [0.5], [0.5, 0.5]),
    lambda: stats.off_policy_bounds([2.0], [1.0]),
    lambda: stats.mixture_rho(-5),
]


@pytest.mark.parametrize("call", BAD, ids=range(len(BAD)))
def test_it_is_refused_in_four_parts(call):
    with pytest.raises(InputError) as refused:
        call()
    error = refused.value
    assert all((error.doing, error.on, error.why, error.instead))
    assert not re.search(r"np\.(float|int|str|bool)", error.why)


def test_scipy_comes_with_the_first_use_and_is_named_where_it_is_missing():
    script = """
import sys
import heatbath as hb
hb.stats.asymptotic(hb.stats.moments([0.1, 0.2]))
assert "scipy" not in sys.modules
sys.modules["scipy"] = None
try:
    hb.stats.rate(hb.stats.from_sums(3, 1))
except hb.MissingExtraError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'heatbath[stats]'" in ran.stdout
