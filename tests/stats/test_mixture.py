"""Against the integrals that the formulas stand for, and against what a simulation of impatient people finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm, ttest_1samp

from heatbath.stats import Moments, asymptotic, difference, fixed_n, mixture_rho, moments, normal_mixture

PATHS, LENGTH = 1500, 1200


@pytest.mark.parametrize("side", ["both", "above", "below"])
@pytest.mark.parametrize("mean", [-0.3, 0.0, 0.2])
def test_the_evidence_is_the_stake_spread_over_all_alternatives(side, mean):
    n, sd, null = 50, 2.0, 0.1
    rho = mixture_rho(80, 0.05, side=side)
    total = n * (mean - null) / sd
    ends = {"both": (-9, 9), "above": (0, 9), "below": (-9, 0)}[side]
    times = 1 if side == "both" else 2

    def stake(z):
        bet = z * rho
        return times * norm.pdf(z) * np.exp(bet * total - n * bet**2 / 2)

    found = normal_mixture(Moments(n, mean, 1.0), sd=sd, null=null, side=side, tuned_for=80)
    assert found.log_e == pytest.approx(np.log(quad(stake, *ends, points=[0])[0]), abs=1e-7)


@given(st.floats(-2, 2), st.floats(0.1, 3), st.integers(1, 10**5), st.sampled_from(["both", "above", "below"]))
def test_the_p_value_reaches_alpha_where_the_interval_ends(mean, sd, n, side):
    observed = Moments(n, mean, sd**2)
    found = asymptotic(observed, side=side, least=0)
    for end in (found.low, found.high):
        if np.isfinite(end):
            there = asymptotic(observed, side=side, least=0, null=float(end))
            assert there.p_value == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.001])
def test_the_tuned_interval_is_the_shortest_at_its_size(alpha):
    def width(log_rho):
        v = 700 * np.exp(2 * log_rho)
        return (1 + 1 / v) * (np.log1p(v) + 2 * np.log(1 / alpha))

    best = minimize_scalar(width, bounds=(-8, 3), method="bounded", options={"xatol": 1e-9})
    assert mixture_rho(700, alpha) == pytest.approx(np.exp(best.x), rel=1e-4)
    closed = np.sqrt((-2 * np.log(alpha) + np.log(-2 * np.log(alpha)) + 1) / 700)
    assert mixture_rho(700, alpha) == pytest.approx(closed, rel=0.1)  # the approximation of the paper


@pytest.mark.parametrize("side", ["both", "above", "below"])
def test_tuning_for_the_size_that_comes_is_best(side):
    observed = Moments(900, 0.0, 1.0)
    right, *wrong = (asymptotic(observed, side=side, tuned_for=900 * times) for times in (1, 0.6, 1.6))
    for other in wrong:
        assert max(abs(other.low), 0) > abs(right.low) or side == "below"
        assert max(abs(other.high), 0) > abs(right.high) or side == "above"


def test_the_paper_s_interval():
    n, alpha, rho = 400, 0.05, mixture_rho(5000)
    found = asymptotic(Moments(n, 1.0, 4.0))
    half = 2 * np.sqrt(2 * (n * rho**2 + 1) / (n * rho) ** 2 * np.log(np.sqrt(n * rho**2 + 1) / alpha))
    assert found.high - 1 == pytest.approx(half)
    assert 1 - found.low == pytest.approx(half)


@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_a_change_of_units_changes_the_units_only(factor, shift):
    observed = Moments(300, 0.4, 2.0)
    plain, other = asymptotic(observed, null=0.1), asymptotic(observed.scaled(factor, shift), null=0.1 * factor + shift)
    assert other.low == pytest.approx(plain.low * factor + shift, abs=1e-9 * (abs(shift) + factor))
    assert other.log_e == pytest.approx(plain.log_e, rel=1e-6, abs=1e-6)


def test_swapping_the_arms_mirrors_the_interval(rng):
    a, b = moments(rng.normal(size=300)), moments(rng.normal(0.1, 2, size=200))
    one, two = asymptotic(difference(a, b)), asymptotic(difference(b, a))
    assert (one.low, one.high, one.log_e) == pytest.approx((-two.high, -two.low, two.log_e))
    assert asymptotic(difference(a, b), side="above").low == pytest.approx(
        -asymptotic(difference(b, a), side="below").high
    )


def test_a_smaller_alpha_contains_the_interval_of_a_larger_one_and_one_side_is_tighter():
    observed = Moments(1000, 0.3, 1.0)
    wide, narrow = asymptotic(observed, alpha=0.01), asymptotic(observed, alpha=0.1)
    assert wide.low < narrow.low
    assert wide.high > narrow.high
    assert asymptotic(observed, side="above").low > asymptotic(observed).low


def test_running_intervals_are_nested_and_what_was_excluded_stays_excluded(rng):
    shown = asymptotic(moments(rng.normal(0.2, 1, size=(5, 2000)), running=True)).running()
    assert (np.diff(shown.low[:, 99:], axis=-1) >= 0).all()
    assert (np.diff(shown.high[:, 99:], axis=-1) <= 0).all()
    assert (np.diff(shown.p_value, axis=-1) <= 0).all()


def test_nothing_is_said_before_enough_was_seen():
    for observed in (Moments(99, 5.0, 1.0), Moments(4000, 5.0, 1.0, fewest=99), Moments(4000, 5.0, 0.0)):
        found = asymptotic(observed)
        assert (found.low, found.high, found.p_value) == (-np.inf, np.inf, 1.0)
    assert asymptotic(Moments(100, 5.0, 1.0)).low > 0
    assert normal_mixture(moments([]), sd=1.0).high == np.inf


def test_one_look_agrees_with_the_t_test(rng):
    values = rng.normal(0.1, 1, size=3000)
    found, theirs = fixed_n(moments(values)), ttest_1samp(values, 0.0)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=0.01)
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval(), abs=1e-4)
    assert not found.anytime
    assert fixed_n(moments(values, running=True)).running() is not None


OUTCOMES = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "booleans": lambda rng, shape: (rng.random(shape) < 0.3) * 1.0,
    "waiting times": lambda rng, shape: rng.exponential(size=shape),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_two_equal_arms_looked_at_all_the_time(outcome, rng, at_most):
    """False positives and coverage at all times are one thing here: the truth is 0."""
    one, two = (moments(OUTCOMES[outcome](rng, (PATHS, LENGTH)), running=True) for _ in range(2))
    effect = difference(one, two)
    found = asymptotic(effect, tuned_for=2 * LENGTH)
    ever = ~found.covers(0.0).all(axis=-1)
    assert at_most(ever, 0.05)
    assert ever.any()  # not by being infinitely wide
    assert np.array_equal(ever, (found.running().p_value[:, -1] <= 0.05))
    for side in ("above", "below"):
        assert at_most(~asymptotic(effect, tuned_for=2 * LENGTH, side=side).covers(0.0).all(axis=-1), 0.05)
    looks = slice(99, None)  # the negative control: textbook intervals, from the hundredth observation on
    assert not at_most((~fixed_n(effect).covers(0.0))[:, looks].any(axis=-1), 0.05)
    assert at_most(~fixed_n(effect).covers(0.0)[:, -1], 0.05)  # and one look at the end, for which they are made


def test_a_known_spread_holds_from_the_first_observation(rng, at_most):
    flags = moments(rng.random((PATHS, LENGTH)) < 0.2, running=True)
    assert at_most(~normal_mixture(flags, sd=0.5, tuned_for=300).covers(0.2).all(axis=-1), 0.05)
    sharp = moments(rng.normal(size=(PATHS, LENGTH)), running=True)
    assert at_most(~normal_mixture(sharp, sd=1.0, tuned_for=300).covers(0.0).all(axis=-1), 0.05)
    assert not at_most(~normal_mixture(sharp, sd=0.7, tuned_for=300).covers(0.0).all(axis=-1), 0.05)


def test_a_real_effect_is_found(rng, at_least):
    effect = difference(
        moments(rng.normal(size=(500, LENGTH)), running=True), moments(rng.normal(0.2, 1, (500, LENGTH)), running=True)
    )
    found = asymptotic(effect, tuned_for=2 * LENGTH)
    assert at_least((found.low > 0).any(axis=-1), 0.95)
    assert at_least(found.covers(0.2).all(axis=-1), 0.95)
