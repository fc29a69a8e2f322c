"""Kullback-Leibler divergence: support, limits, gradients."""

from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from heatbath.core import kl, log_softmax, softmax
from heatbath.errors import InputError

pairs = hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(1, 8)), elements=st.floats(-30, 30, width=32))


@given(pairs, st.floats(0.1, 10), st.floats(0.1, 10))
def test_definition(pair, t, other_t):
    p = softmax(pair[0], t)
    expected = (p * (log_softmax(pair[0], t) - log_softmax(pair[1], other_t))).sum()
    assert kl(pair[0], pair[1], t, other_t) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert kl(pair[0], pair[1], t, other_t) >= 0
    assert kl(pair[0], pair[0], t) == 0
    assert kl(pair[0], pair[1], t) == kl(pair[0], pair[1], t, t)


def test_support(library):
    p, q = library.array([1.0, 1.0, -inf]), library.array([1.0, -inf, 0.0])
    assert float(kl(p, q)) == inf
    assert float(kl(q, library.array([1.0, 5.0, 0.0]))) < inf
    # allowed by p, though too small for any floating-point type
    assert float(kl(library.array([0.0, -1e4]), library.array([0.0, -inf]))) == inf


def test_limits(library):
    p, q = library.array([2.0, 2.0, 0.0]), library.array([0.0, 0.0, 0.0])
    assert float(kl(p, q, 0)) == pytest.approx(log(3 / 2), rel=1e-6)  # half and half, against thirds
    assert float(kl(q, p, inf, 0)) == inf  # thirds, against half and half
    assert float(kl(p, q, inf)) == pytest.approx(0, abs=1e-6)


def test_one_t_per_row_of_either(library):
    p, q = library.array([[2.0, 0.0], [2.0, 0.0]]), library.array([1.0, 0.0])
    values = np.asarray(kl(p, q, [1.0, 2.0], other_temperature=1))
    assert values[1] == pytest.approx(0, abs=1e-6)
    assert values[0] > 0.05


@pytest.mark.parametrize("z", [[1.0, 0.5, -inf], [1.0, 0.5, 0.0]])
def test_gradients(torch, z):
    p = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.3, 0.1, -0.5], dtype=torch.float64, requires_grad=True)
    t = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    other_t = torch.tensor(1.4, dtype=torch.float64, requires_grad=True)
    kl(p, q, t, other_t).backward()
    assert all(x.grad.isfinite().all() for x in (p, q, t, other_t))
    if -inf not in z:
        assert torch.autograd.gradcheck(kl, (p, q, t, other_t))


def test_errors():
    with pytest.raises(InputError, match="2 options on one side and 3 on the other"):
        kl([1.0, 0.0], [1.0, 0.0, 2.0])
    with pytest.raises(InputError, match="other_temperature=-1"):
        kl([1.0, 0.0], [1.0, 0.0], 1, -1)
    with pytest.raises(InputError, match="other_logits, position 1: the score is NaN"):
        kl([1.0, 0.0], [1.0, np.nan])
    with pytest.raises(InputError, match="rows of logits and other_logits"):
        kl(np.zeros((2, 3)), np.zeros((4, 3)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_near_distributions(library, dtype):
    """Never negative, and with digits where the sum of p (ln p - ln q) has none: half the variance of the logarithm."""
    rng = np.random.default_rng(0)
    with library.holding(dtype):
        for near in (1e-9, 1e-6, 1e-5):
            for _ in range(10):
                row = 3 * rng.normal(size=1000)
                p, q = (library.array(values.astype(dtype)) for values in (row, row + near * rng.normal(size=1000)))
                value = float(kl(p, q))
                assert value >= 0
                assert float(kl(p, p)) == 0
                if dtype == "float64":
                    weights, change = softmax(row), np.asarray(p) - np.asarray(q)
                    expected = 0.5 * (weights * (change - (weights * change).sum()) ** 2).sum()
                    assert value == pytest.approx(expected, rel=1e-4 if near > 1e-7 else 1e-3)


def test_far_distributions(library):
    """Terms of which the one factor underflows and the other overflows."""
    p, q = library.array([0.0, -800.0, -1e4, -inf]), library.array([-800.0, 0.0, -1.0, 3.0])
    expected = float(np.logaddexp.reduce([-800.0, 0.0, -1.0, 3.0])) + 800
    assert float(kl(p, q)) == pytest.approx(expected, rel=1e-6)
    assert float(kl(p, library.array([0.0, -800.0, -1e4, -50.0]))) == pytest.approx(np.exp(-50.0), rel=1e-5)
