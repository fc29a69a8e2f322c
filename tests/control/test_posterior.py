import numpy as np
import pytest
from scipy import stats as scipy_stats

from heatbath.control.axis import Axis
from heatbath.control.posterior import LENGTHS, RATIOS, SCALE, SHAPE, Prior, Sums, normals, nothing


def told(prior, rows, rewards, weights=None):
    sums = nothing(prior.size)
    for row, reward, weight in zip(rows, rewards, np.ones(len(rows)) if weights is None else weights, strict=True):
        sums = sums.told(row, reward, weight)
    return sums


def some_rewards(prior, count, seed=0, noise=0.3):
    rng = np.random.default_rng(seed)
    at, features = rng.uniform(0, 2, count), rng.uniform(-1, 1, (count, prior.features))
    return prior.row(at, features), 0.3 * np.sin(2 * at) + noise * rng.normal(size=count)


@pytest.mark.parametrize("features", [0, 2])
def test_each_model_is_the_closed_form_of_bayesian_regression(features):
    prior = Prior(Axis(0.0, 2.0, 6), features)
    x, r = some_rewards(prior, 40)
    found = prior.posterior(told(prior, x, r))
    logs = []
    for number, root in enumerate(prior.roots):
        v = root @ root.T
        among = np.eye(len(r)) + x @ v @ x.T  # the same by the rewards' own covariance: nothing is shared with the code
        gain = v @ x.T @ np.linalg.inv(among)
        shape, scale = SHAPE + len(r) / 2, SCALE + r @ np.linalg.solve(among, r) / 2
        np.testing.assert_allclose(found.mean[number], gain @ r, atol=1e-8)
        covariance = scale / (shape - 1) * (v - gain @ x @ v)
        np.testing.assert_allclose(found.root[number] @ found.root[number].T, covariance, atol=1e-8)
        evidence = scipy_stats.multivariate_t(np.zeros(len(r)), SCALE / SHAPE * among, df=2 * SHAPE).logpdf(r)
        logs.append(evidence + prior.log_share[number])
    share = np.exp(np.array(logs) - max(logs))
    np.testing.assert_allclose(found.share, share / share.sum(), atol=1e-9)


def test_with_many_rewards_it_is_least_squares():
    prior = Prior(Axis(0.0, 2.0, 5))
    x, r = some_rewards(prior, 20_000)
    sums = Sums(len(r), r @ r, x.T @ r, x.T @ x)
    wanted = np.linalg.lstsq(x, r, rcond=None)[0]
    found = prior.posterior(sums)
    np.testing.assert_allclose(found.share @ found.mean, wanted, atol=2e-3)
    assert np.abs(found.share @ found.mean - 1.05 * wanted).max() > 2e-3


def test_order_does_not_matter_and_weights_are_repetitions():
    prior = Prior(Axis(0.0, 2.0, 5), 1)
    x, r = some_rewards(prior, 30)
    forward, backward = told(prior, x, r), told(prior, x[::-1], r[::-1])
    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    twice, doubled = told(prior, np.repeat(x, 2, axis=0), np.repeat(r, 2)), told(prior, x, r, np.full(30, 2.0))
    for one, other in zip(twice, doubled, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_fading_is_a_weight():
    prior = Prior(Axis(0.0, 2.0, 5))
    x, r = some_rewards(prior, 10)
    for one, other in zip(told(prior, x, r).faded(0.25), told(prior, x, r, np.full(10, 0.25)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("rough", [False, True])
def test_the_evidence_tells_a_smooth_curve_from_a_rough_one(rough):
    prior, rng = Prior(Axis(0.0, 2.0, 9, steps=9)), np.random.default_rng(4)
    curve = np.resize([0.2, 0.8], 9) if rough else 0.8 - 0.5 * (np.linspace(0, 2, 9) - 0.9) ** 2
    place = rng.integers(0, 9, 1500)
    r = (rng.random(1500) < curve[place]) - 0.5
    x = prior.row(place / 4, np.empty((1500, 0)))
    share = prior.posterior(Sums(1500.0, r @ r, x.T @ r, x.T @ x)).share.reshape(len(LENGTHS), len(RATIOS)).sum(axis=1)
    assert share[0] > 0.99 if rough else share[0] < 0.01  # each knot by itself


def test_streams_side_by_side_are_as_if_alone():
    prior = Prior(Axis(0.0, 2.0, 5))
    alone = [told(prior, *some_rewards(prior, 20, seed)) for seed in range(3)]
    together = prior.posterior(Sums(*(np.stack(parts) for parts in zip(*alone, strict=True))))
    seeds, numbers = np.array([3, 4, 5], np.uint64), np.array([7, 7, 8], np.uint64)
    drawn = together.draw(seeds, numbers, 16)
    for row, sums in enumerate(alone):
        one = prior.posterior(sums)
        np.testing.assert_allclose(together.share[row], one.share, atol=1e-12)
        np.testing.assert_allclose(drawn[row], one.draw(int(seeds[row]), int(numbers[row]), 16), atol=1e-10)


def test_draws_have_the_mean_and_covariance_of_the_mixture():
    prior = Prior(Axis(0.0, 2.0, 4))
    found = prior.posterior(told(prior, *some_rewards(prior, 25)))
    drawn = np.concatenate([found.draw(1, number, 1000) for number in range(40)])
    mean = found.share @ found.mean
    apart = found.mean - mean
    covariance = np.einsum("m,mij,mkj->ik", found.share, found.root, found.root)
    covariance += np.einsum("m,mi,mj->ij", found.share, apart, apart)
    error = np.sqrt(np.diag(covariance) / len(drawn))
    assert np.all(np.abs(drawn.mean(axis=0) - mean) < 6 * error)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.06 * covariance.max())


def test_each_model_is_drawn_by_its_share():
    found = Prior(Axis(0.0, 2.0, 4)).posterior(nothing(4))
    told_apart = found._replace(mean=np.arange(found.share.size)[:, None] * 100.0 + np.zeros(4), root=0 * found.root)
    drawn = np.rint(told_apart.draw(1, 0, 700)[:, 0] / 100).astype(int)
    counts = np.bincount(drawn, minlength=found.share.size)
    assert np.all(np.abs(counts - 700 * found.share) <= 1)


def test_the_table_is_normal():
    table = normals()
    assert scipy_stats.kstest(table, "norm").pvalue > 0.01
    assert scipy_stats.kstest(1.05 * table, "norm").pvalue < 1e-6
    assert abs(np.corrcoef(table[:-1], table[1:])[0, 1]) < 0.02
