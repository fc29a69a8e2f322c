import numpy as np
import pytest

from heatbath.stats import aipw, asymptotic, betting, difference, moments

PATHS, LENGTH = 500, 1500


def drifting(rng, effect=0.0, paths=PATHS):
    """Outcomes rise for everybody while more and more units get the new arm."""
    time = np.linspace(0, 1, LENGTH)
    p_new = np.broadcast_to(0.2 + 0.6 * time, (paths, LENGTH))
    new = rng.random((paths, LENGTH)) < p_new
    outcome = (rng.random((paths, LENGTH)) < 0.2 + 0.5 * time + effect * new) * 1.0
    return outcome, new, np.where(new, p_new, 1 - p_new)


@pytest.mark.parametrize("augmented", [True, False])
def test_the_effect_is_right_where_the_probabilities_change(augmented, rng, at_most):
    outcome, new, p = drifting(rng, effect=0.1)
    increments = aipw(outcome, new, p, augmented=augmented)
    means = increments.mean(axis=-1)
    assert means.mean() == pytest.approx(0.1, abs=4 * means.std() / np.sqrt(PATHS))
    found = asymptotic(moments(increments, running=True), tuned_for=LENGTH)
    assert at_most(~found.covers(0.1).all(axis=-1), 0.05)


def test_plain_means_are_not(rng, at_most):
    """The negative control: the same data, compared as if the probabilities had been constant."""
    outcome, new, _ = drifting(rng)
    arms = [moments(outcome[0][new[0] == arm]) for arm in (0, 1)]
    assert asymptotic(difference(*arms)).low > 0


def test_what_is_known_of_the_arms_makes_it_sharper(rng):
    outcome, new, p = drifting(rng)
    plain, augmented = (aipw(outcome, new, p, augmented=each).var() for each in (False, True))
    assert augmented < 0.8 * plain


def test_a_bandit_s_log_is_no_excuse(rng, at_most):
    """Two-armed greedy assignment with a floor, equal arms: plain means are biased, weighted ones are not."""
    wins, trials = np.ones((2, PATHS)), 2 * np.ones((2, PATHS))
    rows = []
    for _ in range(800):
        leading = wins[1] / trials[1] > wins[0] / trials[0]
        p_new = np.where(leading, 0.9, 0.1)
        new = rng.random(PATHS) < p_new
        outcome = (rng.random(PATHS) < 0.4) * 1.0
        wins[new.astype(int), np.arange(PATHS)] += outcome
        trials[new.astype(int), np.arange(PATHS)] += 1
        rows.append((outcome, new, np.where(new, p_new, 1 - p_new)))
    outcome, new, p = (np.stack(column, axis=-1) for column in zip(*rows, strict=True))
    increments = aipw(outcome, new, p)
    means = increments.mean(axis=-1)
    assert abs(means.mean()) < 4 * means.std() / np.sqrt(PATHS)
    found = asymptotic(moments(increments, running=True), tuned_for=800)
    assert at_most(~found.covers(0.0).all(axis=-1), 0.05)
    exact = betting(increments[:100], low=-10, high=10, null=0.0, resolution=1)
    assert at_most((exact.p_value <= 0.05).any(axis=-1), 0.05)
    first = np.where(new, outcome, 0).sum(-1) / np.maximum(new.sum(-1), 1)
    assert first.mean() < 0.4 - 4 * first.std() / np.sqrt(PATHS)  # plain means: the arm that began badly stays low


def test_rows_of_a_third_arm_leave_the_mean_right(rng):
    arm = rng.choice([0, 1, 2], size=60_000, p=[0.5, 0.3, 0.2])
    outcome = rng.normal(size=60_000) + np.array([0.0, 0.5, 9.0])[arm]
    increments = aipw(outcome, arm, np.array([0.5, 0.3, 0.2])[arm])
    assert increments.mean() == pytest.approx(0.5, abs=0.05)
    with_names = aipw(
        outcome, np.array(["a", "b", "c"])[arm], np.array([0.5, 0.3, 0.2])[arm], treatment="b", control="a"
    )
    np.testing.assert_array_equal(with_names, increments)
