"""Each step against its definition, written as the loop that a reader would check."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb

INF = math.inf

# Few distinct values, so that ties and exact boundaries are common; -inf is a forbidden option.
rows = st.lists(st.sampled_from([-INF, -3.0, -1.0, 0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=12).filter(
    lambda row: max(row) > -INF
)


def kept(step, row):
    scores = hb.chain(step).scores((), np.array(row)).scores
    for before, after in zip(row, scores, strict=True):
        assert after in (before, -INF)
    return [i for i, score in enumerate(scores) if score > -INF]


@given(rows, st.integers(1, 15))
def test_top_k_keeps_what_fewer_than_k_options_beat(row, k):
    expected = [i for i, score in enumerate(row) if score > -INF and sum(other > score for other in row) < k]
    assert kept(hb.top_k(k), row) == expected


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12).filter(any), st.integers(1, 100))
def test_top_p_keeps_what_less_than_p_of_the_mass_beats(weights, percent):
    p = Fraction(percent, 100)
    total = sum(weights)
    row = [math.log(w) if w else -INF for w in weights]
    expected = [i for i, w in enumerate(weights) if w and sum(v for v in weights if v > w) < p * total]
    assert kept(hb.top_p(percent / 100), row) == expected  # exact hits included


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12).filter(any), st.integers(1, 100))
def test_top_p_without_the_reaching_option_keeps_at_most_p_of_the_mass(weights, percent):
    p = Fraction(percent, 100)
    total = sum(weights)
    row = [math.log(w) if w else -INF for w in weights]
    step = hb.top_p(percent / 100, reaching=False)
    expected = [
        i for i, w in enumerate(weights) if w and (w == max(weights) or sum(v for v in weights if v >= w) <= p * total)
    ]
    assert kept(step, row) == expected
    assert step.op is None, "the compiled kernel has the other rule"


def test_whether_p_must_be_reached_is_true_or_false():
    with pytest.raises(hb.InputError, match=r"making top_p on top_p\(0.9, reaching=1\): reaching is True or False"):
        hb.top_p(0.9, reaching=1)


@pytest.mark.parametrize(("weights", "p", "expected"), [([6, 2, 1, 1], 0.6, [0]), ([4, 3, 2, 1], 0.4, [0])])
def test_an_exact_hit_does_not_depend_on_rounding(weights, p, expected):
    # summed as they come, the weights of these rows stay one bit below p
    assert kept(hb.top_p(p), np.log(weights)) == expected


def test_top_p_is_the_smallest_set_that_reaches_p():
    row = np.log([0.5, 0.25, 0.125, 0.125])
    assert kept(hb.top_p(0.5), row) == [0]
    assert kept(hb.top_p(0.51), row) == [0, 1]
    assert kept(hb.top_p(0.75), row) == [0, 1]
    assert kept(hb.top_p(0.76), row) == [0, 1, 2, 3]  # the two that tie share one fate
    assert kept(hb.top_p(1e-300), row) == [0]


def test_top_p_of_one_keeps_options_too_small_to_add_up():
    row = np.array([0.0, -100.0, -700.0, -INF])
    assert kept(hb.top_p(1.0), row) == [0, 1, 2]
    assert kept(hb.top_p(1.0 - 2**-53), row) == [0]


@given(rows, st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.9, 1.0]))
def test_min_p_keeps_what_is_p_times_as_likely_as_the_best(row, p):
    best = max(row)
    floor = best + (math.log(p) if p else -INF)
    assert kept(hb.min_p(p), row) == [i for i, score in enumerate(row) if score > -INF and score >= floor]


def test_min_p_keeps_on_equality():
    assert kept(hb.min_p(math.exp(-1.0)), [1.0, 0.0, -0.001]) == [0, 1]
    for weights, p in (([10, 7], 0.7), ([10, 3], 0.3), ([100, 7], 0.07), ([49, 7, 1], 1 / 7)):
        assert kept(hb.min_p(p), np.log(weights)) == [0, 1]


@given(rows, st.sampled_from([0.1, 0.25, 0.5]), st.sampled_from([0.5, 2.0, 4.0]))
def test_min_p_behind_a_temperature_is_another_min_p_before_it(row, p, t):
    behind = hb.chain(hb.temperature(t), hb.min_p(p)).scores((), np.array(row)).scores
    before = kept(hb.min_p(p**t), row)
    # equal in exact arithmetic; a score on the boundary may fall either way by rounding
    margin = [abs((max(row) - score) / t + math.log(p)) < 1e-9 for score in row]
    for i, score in enumerate(behind):
        assert margin[i] or (score > -INF) == (i in before)


@pytest.mark.parametrize("step", [hb.top_k, hb.top_p, hb.min_p], ids=lambda step: step.__name__)
@pytest.mark.parametrize("value", [-1, math.nan, INF, "1", None, 1.5, True, [], [[1]], 1j])
def test_illegal_parameters_are_refused_in_four_parts(step, value):
    with pytest.raises(hb.InputError) as caught:
        step(value)
    said = str(caught.value)
    assert said.startswith(f"making {step.__name__} on {step.__name__}(")
    assert "must" in said
    assert "write for example" in said
    assert caught.value.field == step.__name__


def test_zero_is_legal_only_where_the_mathematics_accepts_it():
    assert kept(hb.min_p(0), [0.0, -INF, -1e9]) == [0, 2]
    for step in (hb.top_k, hb.top_p):
        with pytest.raises(hb.InputError):
            step(0)


@pytest.mark.parametrize(
    ("step", "values"), [(hb.top_k, [1, 2, 3]), (hb.top_p, [0.2, 0.7, 1.0]), (hb.min_p, [0.9, 0.3, 0.0])]
)
def test_every_row_may_have_its_own_parameter(step, values):
    logits = np.log([[0.5, 0.3, 0.2]] * 3)
    together = hb.chain(step(values)).scores((), logits).scores
    for row, value in enumerate(values):
        assert np.array_equal(together[row], hb.chain(step(value)).scores((), logits[row]).scores)
    with pytest.raises(hb.InputError, match="one number per row"):
        hb.chain(step(values)).scores((), logits[:2])
    with pytest.raises(hb.InputError, match="there are 3 numbers for 1 row"):
        hb.chain(step(values)).scores((), logits[:1])
