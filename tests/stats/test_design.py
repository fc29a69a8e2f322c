import numpy as np
import pytest
from scipy.stats import norm

from heatbath.stats import asymptotic, difference, minimum_effect, moments, power, sample_size


@pytest.mark.parametrize("effect", [0.1, -0.07])
def test_one_look_is_the_textbook_s_formula(effect):
    plan = sample_size(effect, sd=2.0, peeking="never")
    z = norm.ppf(0.975) + norm.ppf(0.8)
    assert plan.per_arm[0] == pytest.approx(2 * (z * 2.0 / effect) ** 2, abs=1)
    assert power(effect, plan.units, sd=2.0, peeking="never").power == pytest.approx(0.8, abs=1e-3)
    assert plan.expected_units == plan.fixed_units == plan.units


@pytest.mark.parametrize("peeking", ["always", "never"])
@pytest.mark.parametrize("outcome", [{"sd": 1.5}, {"rate": 0.2}])
def test_size_power_and_effect_are_three_readings_of_one_number(peeking, outcome):
    plan = sample_size(0.05, **outcome, power=0.9, peeking=peeking)
    again = {**outcome, "peeking": peeking}
    assert power(0.05, plan.units, **again).power == pytest.approx(0.9, abs=2e-3)
    assert minimum_effect(plan.units, **again, power=0.9).effect == pytest.approx(0.05, rel=1e-3)


@pytest.mark.parametrize("effect", [0.2, 0.0])
def test_the_promised_power_and_stopping_time_are_what_a_simulation_finds(effect, rng):
    """Looked at all the time; also the chance of a false claim, which the plan's own sum says is below alpha."""
    plan = sample_size(0.2, sd=1.0)
    paths, length = 1500, plan.per_arm[0]
    one = moments(rng.normal(size=(paths, length)), running=True)
    two = moments(rng.normal(effect, 1, size=(paths, length)), running=True)
    found = asymptotic(difference(one, two), tuned_for=plan.tuned_for, alpha=plan.alpha, least=2)
    ever = (found.low > 0).any(axis=-1)
    if effect:
        assert ever.mean() == pytest.approx(0.8, abs=0.045)  # the variance is known to the plan, and estimated here
        stop = np.where(ever, (found.low > 0).argmax(axis=-1) + 1, length)
        assert 2 * stop.mean() == pytest.approx(plan.expected_units, rel=0.06)
    else:
        assert ever.mean() < 0.025


def test_peeking_costs_and_says_how_much():
    always, never = (sample_size(0.05, rate=0.5, peeking=each) for each in ("always", "never"))
    assert always.fixed_units == never.units
    assert never.units < always.units < 2 * never.units
    assert always.expected_units < 1.1 * never.units
    assert "Looking all the time costs 61 %" in str(always)
    assert "at one look at the end" in str(never)


def test_more_arms_share_alpha_and_units():
    two, five = sample_size(0.1, sd=1.0), sample_size(0.1, sd=1.0, weights=[1, 1, 1, 1, 1])
    assert five.alpha == pytest.approx(0.05 / 4)
    assert five.per_arm[0] > two.per_arm[0]
    assert five.tuned_for == five.per_arm[0] + five.per_arm[1]
    skewed = sample_size(0.1, sd=1.0, weights=[9, 1])
    assert skewed.units > two.units
    assert skewed.per_arm[0] == pytest.approx(9 * skewed.per_arm[1], abs=9)


def test_power_at_one_look_for_rates_is_what_a_simulation_finds(rng, at_least, at_most):
    plan = sample_size(0.04, rate=0.1, peeking="never")
    n = plan.per_arm[0]
    one, two = rng.binomial(n, 0.1, 4000) / n, rng.binomial(n, 0.14, 4000) / n
    z = (two - one) / np.sqrt((one * (1 - one) + two * (1 - two)) / n)
    assert (z > 1.96).mean() == pytest.approx(0.8, abs=0.03)
