import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.stats import difference, from_sums, moments

NUMBERS = st.lists(st.floats(-1e3, 1e3), max_size=12)


@given(NUMBERS, NUMBERS)
def test_merging_is_observing_both(one, two):
    merged, both = moments(one).merged(moments(two)), moments(one + two)
    assert merged.count == both.count
    assert merged.mean == pytest.approx(both.mean, abs=1e-9, nan_ok=True)
    assert merged.variance == pytest.approx(both.variance, abs=1e-6)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12))
def test_running_is_taking_moments_of_each_beginning(values):
    running = moments(values, running=True)
    for n in range(1, len(values) + 1):
        each = moments(values[:n])
        assert running.count[n - 1] == n
        assert running.mean[n - 1] == pytest.approx(each.mean, abs=1e-9)
        assert running.variance[n - 1] == pytest.approx(each.variance, abs=1e-6)


def test_running_keeps_its_digits_far_from_zero(rng):
    values = rng.normal(size=1000)
    near, far = moments(values, running=True), moments(values + 1e8, running=True)
    assert far.variance[1:] == pytest.approx(near.variance[1:], rel=1e-5)


def test_sums_are_enough(rng):
    values = rng.integers(0, 5, size=(3, 40))
    ours, direct = from_sums([40] * 3, values.sum(1), (values**2).sum(1)), moments(values)
    np.testing.assert_allclose(ours.mean, direct.mean)
    np.testing.assert_allclose(ours.variance, direct.variance)
    flags = values > 2
    np.testing.assert_allclose(from_sums([40] * 3, flags.sum(1)).variance, moments(flags).variance)


def test_nothing_and_one_observation_say_that_nothing_is_known():
    nothing, one = moments([]), moments([3.0])
    assert nothing.count == 0
    assert np.isnan(nothing.mean)
    assert nothing.variance == one.variance == np.inf
    assert one.standard_error == np.inf
    assert nothing.merged(one) == one


def test_a_difference_has_the_variance_of_two_independent_means(rng):
    a, b = rng.normal(size=30), rng.normal(2, 3, size=50)
    effect = difference(moments(a), moments(b))
    assert effect.mean == pytest.approx(b.mean() - a.mean())
    assert effect.standard_error**2 == pytest.approx(a.var(ddof=1) / 30 + b.var(ddof=1) / 50)
    assert effect.rests_on == 30
    assert difference(moments([1.0]), moments(b)).variance == np.inf


def test_scaling_is_scaling_the_observations(rng):
    a = rng.normal(size=30)
    ours, direct = moments(a).scaled(-2, 5), moments(5 - 2 * a)
    assert ours.mean == pytest.approx(direct.mean)
    assert ours.variance == pytest.approx(direct.variance)
