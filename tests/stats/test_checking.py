import numpy as np
import pytest
from scipy.stats import betabinom, binom, chi2, dirichlet_multinomial, multinomial

from heatbath.stats import feedback_rate, sample_ratio

PATHS, LENGTH = 800, 1000


def test_the_evidence_is_a_ratio_of_two_likelihoods():
    counts, plan = [30, 51, 19], np.array([0.3, 0.5, 0.2])
    expected = dirichlet_multinomial.logpmf(counts, 40 * plan, 100) - multinomial.logpmf(counts, 100, plan)
    assert sample_ratio(counts, [3, 5, 2], strength=40).log_e == pytest.approx(expected)
    n, s = np.array([30, 50]), np.array([3, 11])
    mixed = betabinom.logpmf(s, n, 0.5, 0.5).sum()
    assert feedback_rate(s, n).log_e == pytest.approx(mixed - binom.logpmf(s, n, 14 / 80).sum())


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (3, 2, 1)], ids=str)
def test_units_assigned_as_planned_raise_no_alarm_at_any_time(weights, rng, at_most):
    q = np.array(weights) / sum(weights)
    arm = rng.choice(len(q), p=q, size=(PATHS, LENGTH))
    counts = np.cumsum(arm[..., None] == np.arange(len(q)), axis=1)
    found = sample_ratio(counts, weights, alpha=0.05)
    assert at_most(~found.passed.all(axis=-1), 0.05)
    eager = sample_ratio(counts, weights, alpha=0.05, strength=100)  # reacts to the first units
    assert at_most(~eager.passed.all(axis=-1), 0.05)
    n = np.arange(1, LENGTH + 1)[:, None]
    fixed = chi2.sf(((counts - n * q) ** 2 / (n * q)).sum(axis=-1), len(q) - 1)  # the negative control
    assert not at_most((fixed[:, 50:] <= 0.05).any(axis=-1), 0.05)


def test_fifty_one_to_forty_nine_is_found(rng, at_least):
    steps = np.arange(1, 61) * 2000
    first = np.cumsum(rng.binomial(2000, 0.51, size=(300, 60)), axis=-1)
    counts = np.stack([first, steps - first], axis=-1)
    found = sample_ratio(counts, [1, 1])
    assert at_least(~found.passed[:, -1], 0.95)  # 120,000 units
    assert np.array_equal(found.running().passed[:, -1], found.passed.all(axis=-1))


def test_stretches_with_different_weights_add_up(rng, at_most):
    first, second = rng.binomial(500, 0.5, size=PATHS), rng.binomial(500, 0.2, size=PATHS)
    added = sum(
        sample_ratio(np.stack([n, 500 - n], axis=-1), weights, strength=100).log_e
        for n, weights in ((first, [1, 1]), (second, [1, 4]))
    )
    assert at_most(added >= np.log(20), 0.05)
    pooled = sample_ratio(np.stack([first + second, 1000 - first - second], axis=-1), [1, 1])
    assert not at_most(pooled.p_value <= 0.05, 0.05)


@pytest.mark.parametrize("arms", [2, 4])
@pytest.mark.parametrize("r", [0.05, 0.5])
def test_equal_rates_of_feedback_raise_no_alarm_at_any_time(arms, r, rng, at_most):
    answered = np.cumsum(rng.random((PATHS, 500, arms)) < r, axis=1)
    asked = np.broadcast_to(np.arange(1, 501)[:, None], answered.shape)
    assert at_most(~feedback_rate(answered, asked, alpha=0.05).passed.all(axis=-1), 0.05)


def test_unequal_rates_of_feedback_are_found(rng, at_least):
    answered = rng.binomial(10_000, [0.05, 0.075], size=(300, 2))
    assert at_least(~feedback_rate(answered, np.full((300, 2), 10_000)).passed, 0.95)


def test_nothing_yet_is_no_alarm():
    assert sample_ratio([0, 0], [1, 1]).p_value == pytest.approx(1)
    assert feedback_rate([0, 0], [0, 0]).p_value == pytest.approx(1)
    assert sample_ratio([0, 0], [1, 1]).passed is True


def test_the_order_of_the_arms_does_not_matter():
    assert sample_ratio([5, 9, 30], [1, 2, 3]).log_e == pytest.approx(sample_ratio([30, 5, 9], [3, 1, 2]).log_e)
    assert feedback_rate([5, 9], [20, 30]).log_e == pytest.approx(feedback_rate([9, 5], [30, 20]).log_e)
