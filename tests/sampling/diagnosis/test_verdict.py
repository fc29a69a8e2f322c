import numpy as np
import pytest

from heatbath.sampling.diagnosis.verdict import mean_interval, share_interval
from tests.sampling.diagnosis.worlds import at_most

TRIALS = 600


@pytest.mark.parametrize("level", [0.9, 0.99])
@pytest.mark.parametrize("length", [40, 400])
def test_the_interval_of_a_share_covers_the_mean_probability_of_outcomes_that_hang_together(level, length):
    """Each probability depends on the outcomes before, as in a text that falls into loops and out of them."""
    rng = np.random.default_rng(length)
    missed = wrong = 0
    for _ in range(TRIALS):
        p, chances, outcomes = 0.2, [], []
        for u in rng.random(length):
            chances.append(p)
            outcomes.append(float(u < p))
            p = 0.6 if outcomes[-1] else 0.15
        interval = share_interval(np.array(outcomes), level)
        missed += not interval.low <= np.mean(chances) <= interval.high
        wrong += not interval.low <= np.mean(chances) + 0.2 <= interval.high
    assert at_most(missed, TRIALS, 1 - level)
    assert length < 400 or not at_most(wrong, TRIALS, 1 - level), "the control: 20 points off must be noticed"


def test_the_interval_of_a_share_stays_in_its_range():
    assert share_interval(np.zeros(50), 0.99)[:2] == (0.0, 0.0)
    assert share_interval(np.ones(50), 0.99).high == 1.0
    assert 0.05 < share_interval(np.zeros(50), 0.99).high < 0.2


@pytest.mark.parametrize("level", [0.9, 0.99])
def test_the_interval_of_a_mean_covers_expectations_that_hang_together(level):
    rng = np.random.default_rng(1)
    missed = wrong = 0
    for _ in range(TRIALS):
        noise, expected, means = rng.exponential(size=200) - 1, 0.0, []
        for each in noise:
            means.append(expected)
            expected = 0.5 * (expected + each)
        values, mean = np.array(means) + noise, np.mean(means)
        interval = mean_interval(values - mean, values - mean, level)
        missed += not interval.low <= 0 <= interval.high
        wrong += not interval.low <= 0.5 <= interval.high
    assert at_most(missed, TRIALS, 1 - level)
    assert not at_most(wrong, TRIALS, 1 - level)


def test_what_is_known_between_bounds_widens_the_interval():
    values = np.arange(100.0)
    narrow, wide = mean_interval(values, values, 0.99), mean_interval(values - 1, values + 2, 0.99)
    assert wide.low == pytest.approx(narrow.low - 1)
    assert wide.high == pytest.approx(narrow.high + 2)
    assert wide.value == pytest.approx(narrow.value + 0.5)
