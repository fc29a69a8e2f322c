"""Assignment is sticky, even, unrelated between experiments, and moves as few units as the weights allow."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from heatbath.experiments import Experiment
from heatbath.experiments.assign import arm_at, point, stretches

UNITS = [f"user-{place}" for place in range(40_000)]


def shares_of(cut, arms):
    held, start = [0.0] * arms, 0.0
    for end, arm in cut:
        held[arm] += end - start
        start = end
    return held


def test_points_are_even_and_a_wrong_share_would_be_seen():
    places = np.array([point("salt", unit) for unit in UNITS])
    counts = np.histogram(places, bins=50, range=(0, 1))[0]
    assert chisquare(counts).pvalue > 1e-3
    assert chisquare(np.histogram(places**1.05, bins=50, range=(0, 1))[0]).pvalue < 1e-3


def test_arms_get_their_weights_and_other_weights_would_be_seen():
    weights = [0.2, 0.3, 0.5]
    cut = stretches(weights)
    counts = np.bincount([arm_at(cut, point("poem", unit)) for unit in UNITS])
    assert chisquare(counts, np.array(weights) * len(UNITS)).pvalue > 1e-3
    assert chisquare(counts, np.array([0.21, 0.315, 0.475]) * len(UNITS)).pvalue < 1e-3


def test_experiments_are_unrelated_unless_they_share_a_salt():
    def table(first, second):
        arms = [(point(first, unit) < 0.5, point(second, unit) < 0.5) for unit in UNITS]
        return [[sum(pair == (a, b) for pair in arms) + 1 for b in (True, False)] for a in (True, False)]

    assert chi2_contingency(table("poem", "prose")).pvalue > 1e-3
    assert chi2_contingency(table("poem", "poem")).pvalue < 1e-300


def test_salt_and_unit_are_told_apart():
    assert point("a", "bc") != point("ab", "c")
    assert point("a", "\ud800") != point("a", "\ud801")


weights_of = st.lists(st.integers(0, 20), min_size=2, max_size=5).filter(any)


@given(st.lists(weights_of, min_size=1, max_size=6))
def test_as_few_move_as_the_weights_allow(rounds):
    cut = ()
    for given_weights in rounds:
        weights = [each / sum(given_weights) for each in given_weights]
        new = stretches(weights, cut)
        arms = max(len(weights), *(arm + 1 for _, arm in (*new, *cut)))
        wanted = np.array(weights + [0.0] * (arms - len(weights)))
        assert shares_of(new, arms) == pytest.approx(wanted, abs=1e-9)
        assert new[-1][0] == 1.0
        assert [end for end, _ in new] == sorted({end for end, _ in new})
        if cut:
            ends = sorted({end for end, _ in (*cut, *new)})
            moved = sum(
                end - start
                for start, end in zip([0.0, *ends], ends, strict=False)
                if arm_at(cut, (start + end) / 2) != arm_at(new, (start + end) / 2)
            )
            least = np.abs(wanted - shares_of(cut, arms)).sum() / 2
            assert moved == pytest.approx(least, abs=1e-9)
        cut = new


def test_an_experiment_assigns_the_same_every_time_and_says_by_which_chance():
    experiment = Experiment.define(
        "poem", task="poem", arms={"a": "fixed(0.7)", "b": "fixed(1)"}, metric="liked", weights={"a": 1, "b": 3}
    )
    first = [experiment.assign(unit) for unit in UNITS[:1000]]
    again = Experiment.of_record(experiment.record())
    shuffled = random.Random(1).sample(range(1000), 1000)
    assert all(again.assign(UNITS[place]) == first[place] for place in shuffled)
    assert dict(first) == {0: 0.25, 1: 0.75}
    other = experiment.reweighted([1, 2])
    moved = [
        before.arm for before, unit in zip(first, UNITS[:1000], strict=True) if other.assign(unit).arm != before.arm
    ]
    assert set(moved) == {1}
    assert len(moved) < 120
