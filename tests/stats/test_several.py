from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.stats import asymptotic, bonferroni, difference, e_bh, e_holm, holm, moments

P = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def closed(values, reject):
    """By the closure principle: the worst over every set of questions with this one among them."""
    which = range(len(values))
    sets = [chosen for size in range(1, len(values) + 1) for chosen in combinations(which, size)]
    return [reject([[values[i] for i in chosen] for chosen in sets if k in chosen]) for k in which]


@given(P)
def test_holm_is_the_closure_of_bonferroni(p):
    expected = closed(p, lambda sets: max(min(1, len(each) * min(each)) for each in sets))
    np.testing.assert_allclose(holm(p), expected, atol=1e-12)
    assert (holm(p) <= bonferroni(p) + 1e-12).all()


@given(st.lists(st.floats(-5, 8), min_size=1, max_size=6))
def test_e_holm_is_the_closure_of_the_mean(log_e):
    expected = closed(np.exp(log_e), lambda sets: min(np.mean(each) for each in sets))
    np.testing.assert_allclose(np.exp(e_holm(log_e)), expected, rtol=1e-9)


@given(st.lists(st.floats(-2, 8), min_size=1, max_size=8), st.permutations(range(8)))
def test_e_bh_claims_the_largest_set_that_is_good_enough_in_any_order(log_e, order):
    e = np.sort(np.exp(log_e))[::-1]
    k = max([k for k in range(1, len(e) + 1) if k * e[k - 1] >= len(e) / 0.05 * (1 - 1e-12)], default=0)
    found = e_bh(log_e)
    assert found.sum() == k
    assert k == 0 or np.exp(log_e)[found].min() >= np.exp(log_e)[~found].max(initial=0)
    order = [i for i in order if i < len(log_e)]
    np.testing.assert_allclose(np.exp(e_holm(np.array(log_e)[order])), np.exp(e_holm(log_e)[order]))


def test_evidence_of_nothing_at_all_is_legal():
    assert e_holm([-np.inf, 5.0]).tolist() == [-np.inf, pytest.approx(5.0 - np.log(2))]
    assert e_bh([-np.inf, 9.0]).tolist() == [False, True]


def test_five_arms_against_one_control_under_peeking(rng, at_most, at_least):
    """Three arms are equal to the control, two are better: false claims of any kind, at any time."""
    effects, paths, length = np.array([0, 0, 0, 0.25, 0.25]), 300, 1000
    control = moments(rng.normal(size=(paths, length)), running=True)
    arms = [moments(rng.normal(each, 1, (paths, length)), running=True) for each in effects]
    found = [asymptotic(difference(control, arm), tuned_for=2000) for arm in arms]
    p = np.stack([each.running().p_value for each in found], axis=-1)
    log_e = np.stack([each.log_e for each in found], axis=-1)
    null = effects == 0
    for adjusted in (bonferroni(p), holm(p)):
        assert at_most((adjusted[..., null] <= 0.05).any(axis=(1, 2)), 0.05)
        assert at_least((adjusted[:, -1, ~null] <= 0.05).all(axis=-1), 0.7)
    assert at_most((e_holm(log_e)[..., null] >= np.log(20)).any(axis=(1, 2)), 0.05)
    claims = e_bh(log_e, alpha=0.1)
    false = (claims & null).sum(-1) / np.maximum(claims.sum(-1), 1)
    assert false.mean(axis=0).max() <= 0.1 + 4 * false.std(axis=0).max() / np.sqrt(paths)


def test_without_a_correction_the_claims_are_false_too_often(rng, at_most):
    """The negative control: the smallest of twenty p-values of nulls."""
    p = rng.random((1000, 20))
    assert not at_most((p <= 0.05).any(axis=-1), 0.05)
    assert at_most((holm(p) <= 0.05).any(axis=-1), 0.05)
