"""Each step against its definition, published values, and transformers."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import epsilon, eta, p_less, top_a
from tests.sampling.kept import kept, mask, random_rows, transformers_mask

WEIGHTS = st.lists(st.integers(0, 12), min_size=1, max_size=12).filter(any)
PERCENT = st.integers(1, 99)


def scores(weights):
    return [math.log(w) if w else -math.inf for w in weights]


def from_probability(weights, threshold):
    """What is at least as likely as that, in exact fractions, and the best."""
    total = sum(weights)
    return [i for i, w in enumerate(weights) if w and (Fraction(w, total) >= threshold or w == max(weights))]


@given(WEIGHTS, PERCENT)
def test_epsilon_is_one_threshold(weights, percent):
    assert kept(epsilon(percent / 100), scores(weights)) == from_probability(weights, Fraction(percent, 100))


@given(WEIGHTS, PERCENT)
def test_top_a_is_the_square_of_the_best(weights, percent):
    best = Fraction(max(weights), sum(weights))
    assert kept(top_a(percent / 100), scores(weights)) == from_probability(weights, Fraction(percent, 100) * best**2)


@given(WEIGHTS)
def test_p_less_is_the_probability_that_two_draws_agree(weights):
    total, options = sum(weights), sum(w > 0 for w in weights)
    agree = sum(Fraction(w, total) ** 2 for w in weights)
    assert kept(p_less(), scores(weights)) == from_probability(weights, agree)
    normalised = (options * agree - 1) / (options - 1) if options > 1 else 0
    assert kept(p_less(normalised=True), scores(weights)) == from_probability(weights, normalised)


@given(WEIGHTS, PERCENT)
def test_eta_is_lower_where_the_row_is_open(weights, percent):
    total, eps = sum(weights), percent / 100
    p = [w / total for w in weights]
    entropy = -sum(q * math.log(q) for q in p if q)
    threshold = min(eps, math.sqrt(eps) * math.exp(-entropy))
    found = kept(eta(eps), scores(weights))
    for i, q in enumerate(p):
        if q and abs(q - threshold) > 1e-9:
            assert (i in found) == (q >= threshold or q == max(p))


def test_eta_at_the_exact_threshold():
    # H = ln 4, sqrt(1/16) exp(-H) = 1/16 = eps: both sides of the minimum
    assert kept(eta(1 / 16), np.log([0.25] * 4)) == [0, 1, 2, 3]
    # H = 2 ln 2, and sqrt(1/4) / 4 = 1/8 is the probability of the last two options
    assert kept(eta(1 / 4), np.log([1 / 2, 1 / 8, 1 / 8, 1 / 8, 1 / 8])) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("step", "p", "expected"),
    [  # transformers, tests/generation/test_logits_process.py
        (epsilon(0.1), [0.87, 0.099, 0.001, 0.03], [0]),
        (epsilon(0.1), [0.4, 0.299, 0.101, 0.2], [0, 1, 2, 3]),
        (eta(0.0625), [0.0, 0.1, 0.8, 0.1], [1, 2, 3]),
        (eta(0.0625), [0.01, 0.04, 0.9, 0.05], [2]),
        # llama.cpp, tests/test-sampling.cpp of the branch with p-less
        (p_less(), [0.1, 0.15, 0.2, 0.25, 0.3], [3, 4]),
        (p_less(), [0.2] * 5, [0, 1, 2, 3, 4]),
    ],
)
def test_published_values(step, p, expected):
    with np.errstate(divide="ignore"):
        assert kept(step, np.log(p)) == expected


@pytest.mark.parametrize("eps", [3e-4, 9e-4, 0.01, 0.2])
def test_transformers_keeps_the_same(eps):
    rows = random_rows()
    np.testing.assert_array_equal(mask(epsilon(eps), rows), transformers_mask("EpsilonLogitsWarper", rows, eps))
    np.testing.assert_array_equal(mask(eta(eps), rows), transformers_mask("EtaLogitsWarper", rows, eps))


@pytest.mark.parametrize("step", [epsilon(0.2), eta(0.2), top_a(0.9), p_less(), p_less(normalised=True)], ids=repr)
def test_forbidden_options_do_not_matter(step):
    row = np.log([0.6, 0.3, 0.08, 0.02])
    assert kept(step, [-math.inf, *row, -math.inf]) == [i + 1 for i in kept(step, row)]
    assert 0 < len(kept(step, row)) < 4
    assert kept(step, [-math.inf, 3.0]) == [1]


def test_the_normalised_threshold_is_lower():
    row = np.log([0.5, 0.26, 0.12, 0.12])
    assert kept(p_less(), row) == [0]
    assert kept(p_less(normalised=True), row) == [0, 1]


@pytest.mark.parametrize("make", [epsilon, eta, top_a], ids=lambda make: make.__name__)
def test_every_row_may_have_its_own_number(make):
    rows, numbers = np.log([[0.5, 0.3, 0.12, 0.08]] * 3), [0.01, 0.35, 0.9]
    together = mask(make(numbers), rows)
    for row, number in enumerate(numbers):
        assert np.flatnonzero(together[row]).tolist() == kept(make(number), rows[row])
    assert len({tuple(row) for row in together.tolist()}) > 1


@pytest.mark.parametrize("make", [epsilon, eta, top_a], ids=lambda make: make.__name__)
@pytest.mark.parametrize("value", [0, -0.1, 1.01, math.nan, math.inf, "1", None, True, []])
def test_what_is_no_threshold_is_refused(make, value):
    with pytest.raises(hb.InputError) as caught:
        make(value)
    said = str(caught.value)
    assert said.startswith(f"making {make.__name__} on {make.__name__}(")
    assert "must lie in (0, 1" in said
    assert f"leave {make.__name__} out" in said
    assert caught.value.field == make.__name__


def test_p_less_takes_no_number():
    with pytest.raises(hb.InputError, match=r"making p_less on p_less\(normalised=0.1\): normalised is True or False"):
        p_less(normalised=0.1)
