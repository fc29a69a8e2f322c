import numpy as np
import pytest

from heatbath.stats import adjusted_difference, asymptotic, by_unit, difference, joint, moments, ratio


def test_one_number_is_what_moments_say_and_running_is_each_beginning(rng):
    y, x = rng.normal(size=(2, 3, 30))
    whole, running = joint(y, x), joint(y, x, running=True)
    np.testing.assert_allclose(whole.covariance[0], np.cov(y[0], x[0]))
    np.testing.assert_allclose(running.covariance[:, -1], whole.covariance)
    np.testing.assert_allclose(running.mean[1, 6], joint(y[1, :7], x[1, :7]).mean)
    combined, direct = whole.combined([2.0, -1.0]), moments(2 * y - x)
    np.testing.assert_allclose(combined.variance, direct.variance)
    np.testing.assert_allclose(combined.mean, direct.mean)


def test_merging_is_observing_both(rng):
    y, x = rng.normal(5, 1, size=(2, 40))
    for cut in (0, 1, 2, 17, 40):
        merged = joint(y[:cut], x[:cut]).merged(joint(y[cut:], x[cut:]))
        np.testing.assert_allclose(merged.covariance, np.cov(y, x))
        np.testing.assert_allclose(merged.mean, [y.mean(), x.mean()])
        assert merged.count == 40


def arms(rng, n0, n1, effect=0.3):
    x0, x1 = rng.normal(size=(n0, 2)), rng.normal(size=(n1, 2))
    y0 = x0 @ [1.0, 0.5] + rng.normal(0, 0.6, n0)
    y1 = effect + x1 @ [2.0, 0.0] + rng.normal(0, 0.6, n1)
    return (y0, *x0.T), (y1, *x1.T)


def test_lin_s_estimator_is_a_regression_with_interactions(rng):
    control, treatment = arms(rng, 150, 90)
    found = adjusted_difference(joint(*control), joint(*treatment))
    y = np.concatenate([control[0], treatment[0]])
    x = np.concatenate([np.stack(control[1:], -1), np.stack(treatment[1:], -1)])
    x, t = x - x.mean(axis=0), np.repeat([0.0, 1.0], [150, 90])
    design = np.column_stack([np.ones(240), t, x, t[:, None] * x])
    assert found.mean == pytest.approx(np.linalg.lstsq(design, y, rcond=None)[0][1])
    pooled = np.linalg.lstsq(np.column_stack([np.ones(240), t, x]), y, rcond=None)[0][1]
    assert adjusted_difference(joint(*control), joint(*treatment), slopes="pooled").mean == pytest.approx(pooled)


@pytest.mark.parametrize("slopes", ["each", "pooled"])
def test_its_spread_is_the_true_one_and_smaller(slopes, rng):
    found, plain = [], []
    for _ in range(600):
        control, treatment = arms(rng, 200, 200)
        found.append(adjusted_difference(joint(*control), joint(*treatment), slopes=slopes))
        plain.append(difference(moments(control[0]), moments(treatment[0])))
    means = np.array([each.mean for each in found])
    assert means.mean() == pytest.approx(0.3, abs=4 * means.std() / np.sqrt(600))
    said = np.mean([each.standard_error**2 for each in found])
    assert said == pytest.approx(means.var(), rel=0.2)
    assert said < 0.55 * np.mean([each.standard_error**2 for each in plain])


def test_adjusted_arms_looked_at_all_the_time(rng, at_most, at_least):
    x, noise = rng.normal(size=(2, 2, 500, 600))
    y = x + 0.5 * noise
    one, two = (joint(y[arm], x[arm], running=True) for arm in (0, 1))
    found = asymptotic(adjusted_difference(one, two), tuned_for=1200)
    assert at_most(~found.covers(0.0).all(axis=-1), 0.05)
    better = asymptotic(adjusted_difference(one, joint(y[1] + 0.15, x[1], running=True)), tuned_for=1200)
    assert at_least((better.low[:, -1] > 0), 0.85)
    plain = asymptotic(difference(moments(y[0], running=True), moments(y[1] + 0.15, running=True)), tuned_for=1200)
    assert (plain.low[:, -1] > 0).mean() < 0.5


def test_a_covariate_that_does_not_vary_is_no_covariate(rng):
    y = rng.normal(size=(2, 50))
    found = adjusted_difference(joint(y[0], np.ones(50)), joint(y[1], np.ones(50)))
    assert found.mean == pytest.approx(y[1].mean() - y[0].mean())
    early = adjusted_difference(joint(y[0][:2], y[1][:2]), joint(y[1], y[0]))
    assert early.variance == np.inf


def test_units_of_a_covariate_do_not_matter(rng):
    control, treatment = arms(rng, 80, 80)
    one = adjusted_difference(joint(*control), joint(*treatment))
    other = adjusted_difference(*(joint(y, 1e3 * x + 7, z) for y, x, z in (control, treatment)))
    assert (other.mean, other.variance) == pytest.approx((one.mean, one.variance))


def test_the_spread_of_a_ratio_is_that_of_its_residuals(rng):
    x = 1 + rng.poisson(5, 4000)
    y = x * rng.beta(2, 3, 4000)
    found = ratio(joint(y, x))
    r = y.sum() / x.sum()
    assert found.variance == pytest.approx(np.var(y - r * x, ddof=1) / x.mean() ** 2)
    left_out = (y.sum() - y) / (x.sum() - x)  # the jackknife
    assert found.standard_error == pytest.approx(np.sqrt(3999 * left_out.var()), rel=0.01)


def test_a_ratio_over_units_covers_and_over_rows_does_not(rng, at_most):
    """Users with many alike answers; a textbook look at the end, so that it is the variance alone that is tested."""
    missed = {"units": [], "rows": []}
    for _ in range(400):
        users = 300
        answers = 1 + rng.poisson(6, users)
        liking = rng.beta(0.6, 0.4, users)
        unit = np.repeat(np.arange(users), answers)
        thumbs = rng.random(unit.size) < liking[unit]
        each = by_unit(unit, thumbs, roster=np.arange(users))
        of_units, of_rows = ratio(joint(each.total, each.rows)), moments(thumbs)
        assert of_units.mean == pytest.approx(of_rows.mean)
        for name, found in (("units", of_units), ("rows", of_rows)):
            missed[name].append(abs(found.mean - 0.6) > 1.96 * found.standard_error)
    assert at_most(missed["units"], 0.06)  # the normal distribution is itself approximate
    assert not at_most(missed["rows"], 0.06)


def test_a_ratio_with_an_empty_denominator_says_nothing():
    assert ratio(joint([0.0, 0.0], [0.0, 0.0])).variance == np.inf
