import csv
import gzip

import numpy as np
import pytest
from scipy.stats import beta

from heatbath.stats import (
    asymptotic,
    doubly_robust,
    effective_sample_size,
    fixed_n,
    importance_weights,
    ips,
    judge,
    kernel_bias,
    kernel_weights,
    moments,
    off_policy_bounds,
    self_normalised,
)

LOGS, ROWS = 400, 600
REWARD = np.array([[0.2, 0.5, 0.7], [0.6, 0.4, 0.1]])  # by context and arm
BEHAVIOUR = np.array([[0.5, 0.3, 0.2], [0.2, 0.4, 0.4]])
TARGET = np.array([[0.1, 0.1, 0.8], [0.7, 0.2, 0.1]])
VALUE = (REWARD * TARGET).sum(axis=1).mean()


def simulated(rng, logs=LOGS, rows=ROWS):
    context = rng.integers(2, size=(logs, rows))
    arm = (rng.random((logs, rows, 1)) > np.cumsum(BEHAVIOUR, axis=1)[context]).sum(axis=-1)
    reward = (rng.random((logs, rows)) < REWARD[context, arm]) * 1.0
    return context, arm, reward, importance_weights(TARGET[context, arm], BEHAVIOUR[context, arm])


def estimates(context, arm, reward, w, running=False):
    guess = np.array([[0.3, 0.3, 0.6], [0.5, 0.5, 0.2]])  # a model that is wrong
    return {
        "ips": ips(reward, w, running=running),
        "self-normalised": self_normalised(reward, w, running=running),
        "doubly robust": doubly_robust(
            reward, w, guess[context, arm], (guess * TARGET).sum(axis=1)[context], running=running
        ),
    }


def test_every_estimator_finds_the_value_and_knows_its_error(rng, at_most):
    log = simulated(rng)
    for name, found in estimates(*log).items():
        assert found.mean.mean() == pytest.approx(VALUE, abs=4 * found.mean.std() / np.sqrt(LOGS)), name
        assert np.mean(found.standard_error) == pytest.approx(found.mean.std(), rel=0.15), name
        assert at_most(~fixed_n(found).covers(VALUE), 0.06), name
    for name, found in estimates(*log, running=True).items():
        assert at_most(~asymptotic(found, tuned_for=ROWS).covers(VALUE).all(axis=-1), 0.05), name
        direct = estimates(*log)[name]
        np.testing.assert_allclose(found.mean[:, -1], direct.mean)
        np.testing.assert_allclose(found.rests_on[:, -1], direct.rests_on)


def test_a_better_model_helps_and_a_wrong_one_does_no_harm(rng):
    context, arm, reward, w = simulated(rng)
    right = doubly_robust(reward, w, REWARD[context, arm], (REWARD * TARGET).sum(axis=1)[context])
    assert right.mean.std() < 0.75 * ips(reward, w).mean.std()
    absurd = doubly_robust(reward, w, np.full(reward.shape, 5.0), np.full(reward.shape, 5.0))
    assert absurd.mean.mean() == pytest.approx(VALUE, abs=4 * absurd.mean.std() / np.sqrt(LOGS))


def test_wrong_weights_are_noticed_by_these_tests(rng):
    """The negative control: the behaviour's own probabilities forgotten."""
    context, arm, reward, _ = simulated(rng)
    wrong = ips(reward, 3 * TARGET[context, arm])
    assert abs(wrong.mean.mean() - VALUE) > 10 * wrong.mean.std() / np.sqrt(LOGS)


def test_exact_bounds_hold_from_the_first_row_on(rng, at_most):
    _, _, reward, w = simulated(rng, logs=200)
    found = off_policy_bounds(reward, w, resolution=40)
    assert at_most(~found.covers(VALUE).all(axis=-1), 0.05)
    assert (found.high - found.low)[:, -1].mean() < 0.45  # of 1
    heavy = np.where(rng.random((300, 400)) < 0.01, 100.0, 0.0)  # weights of mean 1 that are seldom seen
    found = off_policy_bounds(np.full(heavy.shape, 0.5), heavy, resolution=20)
    assert at_most(~found.covers(0.5).all(axis=-1), 0.05)


def test_properties_of_the_estimators(rng):
    reward, w = rng.random(50), rng.exponential(size=50)
    assert self_normalised(reward, 7 * w).mean == pytest.approx(self_normalised(reward, w).mean)
    assert self_normalised(reward + 3, w).mean == pytest.approx(self_normalised(reward, w).mean + 3)
    assert ips(2 * reward, w).mean == pytest.approx(2 * ips(reward, w).mean)
    on_policy = ips(reward, np.ones(50))
    assert (on_policy.mean, on_policy.variance) == pytest.approx(moments(reward)[1:3])
    assert self_normalised(reward, np.ones(50)).mean == pytest.approx(reward.mean())
    order = rng.permutation(50)
    assert ips(reward[order], w[order]).variance == pytest.approx(ips(reward, w).variance)
    assert self_normalised(reward, np.zeros(50)).variance == np.inf


def test_no_bounds_where_a_handful_of_rows_carries_everything():
    w = np.full(5000, 0.01)
    w[:20] = 50.0
    found = ips(np.tile([0.0, 1.0], 2500), w)
    assert effective_sample_size(w) < 25
    assert asymptotic(found).low == -np.inf
    assert effective_sample_size(np.zeros(5)) == 0
    assert effective_sample_size(np.ones((2, 7))).tolist() == [7, 7]


def curve(temperature):
    return 0.8 - 0.4 * (temperature - 0.7) ** 2


@pytest.mark.parametrize("kernel", ["epanechnikov", "uniform"])
@pytest.mark.parametrize("target", [0.7, 0.02])
def test_kernel_weights_evaluate_the_smoothed_policy_exactly(kernel, target, rng):
    """Against the integral over the smoothed policy, near an end of the range, too."""
    h = 0.3
    grid = np.linspace(max(0, target - h), min(2, target + h), 20_001)
    shape = 1 - ((grid - target) / h) ** 2 if kernel == "epanechnikov" else np.ones(grid.size)
    smoothed = np.average(curve(grid), weights=shape)
    played = 2 * rng.beta(1.2, 1.5, size=(300, 2000))  # not uniform: the density matters
    density = beta.pdf(played / 2, 1.2, 1.5) / 2
    reward = (rng.random(played.shape) < curve(played)) * 1.0
    w = kernel_weights(np.full(played.shape, target), played, density, bandwidth=h, low=0, high=2, kernel=kernel)
    for found in (ips(reward, w), self_normalised(reward, w)):
        assert found.mean.mean() == pytest.approx(smoothed, abs=4 * found.mean.std() / np.sqrt(300) + 5e-4)
    if target == 0.7:
        assert abs(smoothed - curve(target)) == pytest.approx(kernel_bias(h, 0.8, kernel=kernel), rel=1e-3)


CAMPAIGNS = ("men", "women")


def rows(data, policy, campaign):
    with gzip.open(data / "open-bandit-small" / f"{policy}-{campaign}.csv.gz", "rt") as file:
        read = list(csv.DictReader(file))
    columns = (("item_id", int), ("position", int), ("click", float), ("propensity_score", float))
    return [np.array([kind(row[name]) for row in read]) for name, kind in columns]


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_real_logs_the_uniform_policy_from_the_learner_s_log(campaign, data):
    """Two policies ran at the same time in a shop; the log of the learner tells what the uniform one earned, or says
    that it cannot: one row of the women's log has a propensity of a millionth, and outweighs all others.
    """
    _, _, truth, uniform = rows(data, "random", campaign)
    _, _, click, p = rows(data, "bts", campaign)
    w = importance_weights(np.full(p.size, uniform[0]), p)
    on_policy = moments(truth)
    bounds = off_policy_bounds(click, w, resolution=200).at()
    assert bounds.low <= on_policy.mean <= bounds.high
    for found in (ips(click, w), self_normalised(click, w)):
        apart = abs(found.mean - on_policy.mean)
        assert apart < 3.3 * np.hypot(found.standard_error, on_policy.standard_error)
        verdict = judge(asymptotic(found), effective_sample_size=found.rests_on)
        if campaign == "men":
            assert found.rests_on > 600
            assert asymptotic(found).covers(on_policy.mean)
            assert verdict.decision == "better"  # than nothing: some click
        else:
            assert found.rests_on < 3
            assert verdict.reason == "effective_sample_size"


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_real_logs_a_uniform_log_and_its_own_policy(data, campaign):
    item, _, click, p = rows(data, "random", campaign)
    assert ips(click, importance_weights(p, p)).mean == click.mean()
    half = item % 2 == 0  # a policy that plays only every second item: its rows, plainly averaged, are the truth
    w = importance_weights(np.where(half, 2 * p, 0.0), p)
    assert self_normalised(click, w).mean == pytest.approx(click[half].mean())
    assert ips(click, w).rests_on == pytest.approx(half.sum())
