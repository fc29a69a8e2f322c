from math import log, log1p, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.stats import bet_above, betting


def slowly(values, m, alpha):
    """The capital of both bettors after the last value, one value at a time, from the paper's formulas."""
    up, down, total, squares, variance = 0.0, 0.0, 0.0, 0.0, 0.25
    for t, x in enumerate(values, start=1):
        stake = sqrt(2 * log(2 / alpha) / (variance * t * log(1 + t)))
        up += log1p(min(stake, 0.5 / m) * (x - m))
        down += log1p(-min(stake, 0.5 / (1 - m)) * (x - m))
        total += x
        mean = (0.5 + total) / (t + 1)
        squares += (x - mean) ** 2
        variance = (0.25 + squares) / (t + 1)
    return up, down


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.05, 0.95))
def test_the_capital_is_that_of_a_bettor_who_goes_one_by_one(values, m):
    up, down = slowly(values, m, 0.05)
    assert betting(values, null=m).log_e[-1] == pytest.approx(max(up, down) - log(2), abs=1e-9)


def test_the_interval_is_where_neither_bettor_is_rich(rng):
    values = rng.beta(2, 5, size=300)
    found = betting(values, resolution=200)
    for m in np.arange(1, 200) / 200:
        rich = max(slowly(values, m, 0.05)) >= log(2 / 0.05)
        inside = found.low[-1] < m < found.high[-1]
        assert inside == (not rich) or m in (found.low[-1], found.high[-1])


def test_a_finer_grid_only_shortens_and_never_cuts(rng):
    values = rng.random(200)
    coarse, fine = betting(values, resolution=50), betting(values, resolution=400)
    assert (coarse.low <= fine.low + 1e-12).all()
    assert (coarse.high >= fine.high - 1e-12).all()
    assert coarse.low[-1] > fine.low[-1] - 1 / 50


def test_a_change_of_units_changes_the_units_only(rng):
    values = rng.random(100)
    plain, other = betting(values, null=0.3), betting(4 * values - 2, low=-2, high=2, null=4 * 0.3 - 2)
    np.testing.assert_allclose(other.low, 4 * plain.low - 2, atol=1e-12)
    np.testing.assert_allclose(other.log_e, plain.log_e, atol=1e-9)


@pytest.mark.parametrize("shape", [(0.1, 0.1), (1, 30), (5, 5)], ids=str)
def test_looked_at_from_the_first_value_on(shape, rng, at_most):
    a, b = shape
    values, mean = rng.beta(a, b, size=(2000, 400)), a / (a + b)
    for side in ("both", "above", "below"):
        found = betting(values, null=mean, side=side, resolution=1)
        assert at_most((found.p_value <= 0.05).any(axis=-1), 0.05)
    few = betting(values[:150], resolution=100)
    assert at_most(~few.covers(mean).all(axis=-1), 0.05)


def test_values_with_little_spread_have_short_intervals(rng):
    narrow, wide = betting(0.5 + 0.02 * rng.random(300)), betting(1.0 * (rng.random(300) < 0.5))
    assert (narrow.high - narrow.low)[-1] < 0.5 * (wide.high - wide.low)[-1]


def test_a_bound_below_holds_for_values_without_limit(rng, at_most):
    values = np.where(rng.random((400, 500)) < 0.02, rng.exponential(25, size=(400, 500)), 0.0)  # mean 1/2
    bound = bet_above(values, resolution=50)
    assert at_most((bound > 0.5).any(axis=-1), 0.05)
    assert bound[:, -1].mean() > 0.05
