import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import betabinom, binom

from heatbath.stats import from_sums, rate, rate_difference

PATHS, LENGTH = 1000, 600


def evidence(n, s, m):
    """Of one arm, from SciPy's distributions."""
    return betabinom.logpmf(s, n, 0.5, 0.5) - binom.logpmf(s, n, m)


def profile(one, two, d):
    """The least evidence of both arms among all pairs with this difference, by search."""
    low, high = max(0, -d) + 1e-13, min(1, 1 - d) - 1e-13
    search = minimize_scalar(
        lambda m: evidence(*one, m) + evidence(*two, m + d),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return search.fun


@pytest.mark.parametrize(("n", "s"), [(50, 48), (1000, 3), (7, 3)])
def test_one_rate_is_where_the_evidence_reaches_its_limit(n, s):
    found = rate(from_sums(n, s), null=0.4)
    assert found.log_e == pytest.approx(evidence(n, s, 0.4))
    for end in (found.low, found.high):
        assert evidence(n, s, end) == pytest.approx(np.log(20), abs=1e-6)


@pytest.mark.parametrize(("one", "two"), [((900, 410), (880, 489)), ((10, 0), (12, 3)), ((1000, 3), (200, 9))])
def test_the_path_of_pairs_finds_what_a_search_finds(one, two):
    found = rate_difference(from_sums(*one), from_sums(*two), null=0.03)
    assert found.log_e == pytest.approx(profile(one, two, 0.03), abs=1e-6)
    estimate = two[1] / two[0] - one[1] / one[0]
    ends = [brentq(lambda d: profile(one, two, d) - np.log(20), *b) for b in ((-0.98, estimate), (estimate, 0.98))]
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-7)


COUNTS = st.integers(0, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(COUNTS, COUNTS)
def test_arms_and_outcomes_may_be_named_the_other_way_round(one, two):
    found = rate_difference(from_sums(*one), from_sums(*two))
    swapped = rate_difference(from_sums(*two), from_sums(*one))
    assert (found.low, found.high) == pytest.approx((-swapped.high, -swapped.low), abs=1e-7)
    assert found.log_e == pytest.approx(swapped.log_e, abs=1e-7)
    negated = rate_difference(from_sums(one[0], one[0] - one[1]), from_sums(two[0], two[0] - two[1]))
    assert (found.low, found.high) == pytest.approx((-negated.high, -negated.low), abs=1e-7)
    assert -1 <= found.low <= found.high <= 1
    assert (found.p_value <= 0.05) == (not found.low <= 0 <= found.high) or found.p_value == pytest.approx(0.05)


def test_before_anything_is_seen_everything_is_possible():
    found = rate_difference(from_sums(0, 0), from_sums(5, 2))
    assert (found.low, found.high, found.p_value) == (-1, 1, 1)
    alone = rate(from_sums(0, 0))
    assert (alone.low, alone.high, alone.p_value) == pytest.approx((0, 1, 1))


def test_no_difference_is_the_limit_of_small_ones_and_the_ends_are_legal():
    arms = from_sums(50, 10), from_sums(60, 30)
    at_zero, near = (rate_difference(*arms, null=null).log_e for null in (0.0, 1e-9))
    assert near == pytest.approx(at_zero, abs=1e-6)
    assert rate_difference(*arms, null=1.0).p_value == rate_difference(*arms, null=-1.0).p_value == 0
    assert rate_difference(from_sums(5, 0), from_sums(5, 5), null=1.0).p_value == 1


def test_one_side_is_a_bound():
    two = (from_sums(400, 100), from_sums(400, 160))
    above, below = (rate_difference(*two, side=side) for side in ("above", "below"))
    both = rate_difference(*two)
    assert (above.low, above.high, above.log_e) == (both.low, 1, both.log_e)
    assert (below.low, below.high, below.p_value) == (-1, both.high, 1)


LOOKS = np.unique(np.geomspace(1, LENGTH, 80).astype(int))
"""Every trial at first, then farther and farther apart: the evidence hardly moves in between."""


def looks(rng, truth, paths=PATHS):
    return from_sums(LOOKS.astype(float), np.cumsum(rng.random((paths, LENGTH)) < truth, axis=-1)[:, LOOKS - 1])


@pytest.mark.parametrize("truth", [0.5, 0.03])
def test_looked_at_from_the_first_trial_on(truth, rng, at_most):
    one, two = looks(rng, truth), looks(rng, truth)
    for found, true in ((rate(one, null=truth), truth), (rate_difference(one, two), 0.0)):
        assert at_most((found.p_value <= 0.05).any(axis=-1), 0.05)
        assert at_most(~found.covers(true).all(axis=-1), 0.05)


def test_evidence_against_less_than_there_is_grows_past_the_limit(rng, at_least):
    """The same bet at a null that is off by a tenth must be won: it is not idle."""
    one, two = looks(rng, 0.5, 200), looks(rng, 0.7, 200)
    assert at_least((rate(one, null=0.4).p_value <= 0.05).any(axis=-1), 0.9)
    found = rate_difference(one, two)
    assert at_least((found.low > 0).any(axis=-1), 0.9)
    assert at_least(found.covers(0.2).all(axis=-1), 0.95)


def test_a_learner_that_chases_the_winner_is_no_excuse(rng, at_most):
    """Arms are assigned by what was seen; equal rates, and the pair of bets stays fair."""
    trials, wins = np.zeros((2, PATHS)), np.zeros((2, PATHS))
    ever = np.zeros(PATHS, dtype=bool)
    for seen in range(250):
        greedy = (wins[1] + 1) / (trials[1] + 2) > (wins[0] + 1) / (trials[0] + 2)
        arm = np.where(rng.random(PATHS) < 0.1, rng.random(PATHS) < 0.5, greedy).astype(int)
        trials[arm, np.arange(PATHS)] += 1
        wins[arm, np.arange(PATHS)] += rng.random(PATHS) < 0.3
        if seen % 5 and seen > 20:
            continue
        ever |= rate_difference(from_sums(trials[0], wins[0]), from_sums(trials[1], wins[1])).p_value <= 0.05
    assert at_most(ever, 0.05)
