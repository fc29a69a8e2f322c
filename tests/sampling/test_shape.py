"""Each step against its definition, published values, and the libraries that have it."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import min_k, tail_free, top_h
from tests.sampling.kept import kept, mask, random_rows, transformers_mask

INF = math.inf
WEIGHTS = st.lists(st.integers(0, 12), min_size=1, max_size=12).filter(any)
ROWS = st.lists(st.integers(-6, 6) | st.just(-INF), min_size=1, max_size=12).filter(lambda row: max(row) > -INF)
NEAR = 1 + 1e-9


def scores(weights):
    return [math.log(w) if w else -INF for w in weights]


def from_rank(row, rank):
    """The options that are at least as good as that of the rank; rank 1 is the best."""
    ranked = sorted((score for score in row if score > -INF), reverse=True)
    return [i for i, score in enumerate(row) if score >= ranked[min(rank, len(ranked)) - 1] and score > -INF]


@given(WEIGHTS, st.integers(1, 100))
def test_tail_free_keeps_ranks_until_they_have_shown_the_curvature(weights, percent):
    p = sorted(filter(None, weights), reverse=True)
    bends = [abs(a - 2 * b + c) for a, b, c in zip(p, p[1:], p[2:], strict=False)]
    rank = 1
    for j in range(2, len(p) + 1):  # whole numbers: sums and comparison are exact
        if 100 * sum(bends[: j - 1]) <= percent * sum(bends):
            rank = j
    assert kept(tail_free(percent / 100), scores(weights)) == from_rank(scores(weights), rank)


def test_a_straight_line_has_no_tail():
    assert kept(tail_free(0.1), np.log([0.4, 0.3, 0.2, 0.1])) == [0, 1, 2, 3]
    assert kept(tail_free(0.1), np.log([0.25] * 4)) == [0, 1, 2, 3]
    assert kept(tail_free(0.1), [0.0, -9.0]) == [0, 1]


def test_an_exact_hit_of_the_curvature_is_kept():
    row = np.log([8, 4, 2, 1, 1])  # bends 2, 1, 1
    assert [len(kept(tail_free(z), row)) for z in (0.4999, 0.5, 0.7499, 0.75)] == [1, 2, 2, 3]


@given(WEIGHTS, st.integers(1, 99))
def test_top_h_keeps_ranks_while_they_have_that_much_of_the_entropy(weights, percent):
    p = sorted((w / sum(weights) for w in weights if w), reverse=True)
    parts = [-q * math.log(q) for q in p]
    rank = 1
    for i in range(1, len(p) + 1):
        if sum(parts[:i]) <= percent / 100 * sum(parts) * NEAR:
            rank = i
    assert kept(top_h(percent / 100), scores(weights)) == from_rank(scores(weights), rank)


@pytest.mark.parametrize(
    ("h", "p", "expected"),
    [  # transformers, tests/generation/test_logits_process.py
        (0.3, [0.97, 0.01, 0.01, 0.01], [0]),
        (0.7, [0.4, 0.3, 0.2, 0.1], [0, 1]),
        (1.0, [0.25, 0.25, 0.25, 0.25], [0, 1, 2, 3]),
        (0.4, [0.75, 0.25, 0.0, 0.0], [0]),
    ],
)
def test_published_values_of_top_h(h, p, expected):
    with np.errstate(divide="ignore"):
        assert kept(top_h(h), np.log(p)) == expected


def test_an_exact_hit_of_the_entropy_is_kept():
    row = np.log([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16])  # parts 8, 8, 6, 4, 4 sixteenths of a bit
    assert [len(kept(top_h(h), row)) for h in (16 / 30 - 1e-6, 16 / 30, 22 / 30)] == [1, 2, 3]


@pytest.mark.parametrize("h", [0.1, 0.4, 0.8, 0.99])
@pytest.mark.parametrize("options", [20, 500])
def test_transformers_keeps_the_same_of_its_hundred_best(h, options):
    rows = random_rows(options=options)
    ours = mask([hb.top_k(100), top_h(h)], rows)
    np.testing.assert_array_equal(ours, transformers_mask("TopHLogitsWarper", rows, h))


@given(ROWS, st.sampled_from([0, 0.5, 3.0, 12.0, 1000.0]))
def test_min_k_cuts_at_the_steepest_early_fall(row, tau):
    ranked = sorted((score for score in row if score > -INF), reverse=True)
    steep = [(a - b) / i for i, (a, b) in enumerate(pairwise(ranked), start=1)]
    fall = next((i for i, s in enumerate(steep, start=1) if s * NEAR >= max(steep)), 1)
    span = ranked[0] - ranked[-1]
    least = math.floor(tau / span) if span else len(row)
    assert kept(min_k(tau), row) == from_rank(row, max(fall, least))


def test_min_k_takes_the_first_of_two_equal_peaks():
    assert kept(min_k(0), [10.0, 9.0, 7.0, 4.0, 4.0]) == [0]  # 1/1 = 2/2 = 3/3
    assert kept(min_k(0), [1.0, 0.9, 0.7, 0.4]) == [0]  # the same, not exact in binary
    assert kept(min_k(0), [10.0, 9.0, 6.9, 4.0]) == [0, 1]


def test_min_k_keeps_a_few_where_all_is_nearly_equal():
    row = [0.3, 0.2, 0.15, 0.1, 0.0]
    assert kept(min_k(0), row) == [0]
    assert kept(min_k(0.9), row) == [0, 1, 2]
    ten = [*np.linspace(0.1, 0.0, 10)]
    assert kept(min_k(0.7), ten) == [0, 1, 2, 3, 4, 5, 6]  # 0.7 / 0.1 is just below 7 in binary
    assert kept(min_k(), row) == [0, 1, 2, 3, 4]


@given(ROWS, st.sampled_from([0.5, 3.0, 100.0]))
def test_the_fall_does_not_change_with_a_temperature_before_it(row, t):
    tempered = hb.chain(hb.temperature(t), min_k(0)).scores((), np.array(row, dtype=float)).scores
    assert np.flatnonzero(np.isfinite(tempered)).tolist() == kept(min_k(0), row)


def test_the_least_number_does_change_with_a_temperature_before_it():
    row = np.array([3.0, 1.0, 0.0])
    assert kept(min_k(3.0), row) == [0]
    assert hb.chain(hb.temperature(3.0), min_k(3.0)).scores((), row).scores.tolist() == [0, -2 / 3, -1]


@pytest.mark.parametrize("step", [tail_free(0.5), top_h(0.5), min_k(2.0)], ids=repr)
def test_forbidden_options_do_not_matter(step):
    row = np.log([0.5, 0.25, 0.12, 0.08, 0.05])
    assert kept(step, [-INF, *row, -INF, -INF]) == [i + 1 for i in kept(step, row)]
    assert 0 < len(kept(step, row)) < 5
    assert kept(step, [-INF, 3.0]) == [1]


@pytest.mark.parametrize("make", [tail_free, top_h])
def test_all_of_it_is_everything_that_is_not_forbidden(make):
    assert kept(make(1), [0.0, -1.0, -30.0, -700.0, -INF]) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("make", "numbers"), [(tail_free, [0.1, 0.95, 1.0]), (top_h, [0.1, 0.7, 1.0]), (min_k, [0, 30.0, 300.0])]
)
def test_every_row_may_have_its_own_number(make, numbers):
    rows = np.stack([np.log([0.5, 0.25, 0.12, 0.08, 0.05])] * 3)
    together = mask(make(numbers), rows)
    for row, number in enumerate(numbers):
        assert np.flatnonzero(together[row]).tolist() == kept(make(number), rows[row])
    assert len({tuple(row) for row in together.tolist()}) > 1


@pytest.mark.parametrize("make", [tail_free, top_h, min_k], ids=lambda make: make.__name__)
@pytest.mark.parametrize("value", [-0.1, math.nan, INF, "1", None, True, []])
def test_illegal_numbers_are_refused(make, value):
    with pytest.raises(hb.InputError) as caught:
        make(value)
    said = str(caught.value)
    assert said.startswith(f"making {make.__name__} on {make.__name__}(")
    assert "must" in said
    assert f"leave {make.__name__} out" in said
    assert caught.value.field == make.__name__


@pytest.mark.parametrize("make", [tail_free, top_h])
@pytest.mark.parametrize("value", [0, 1.1])
def test_shares_are_above_nothing_and_at_most_all(make, value):
    with pytest.raises(hb.InputError, match=r"in \(0, 1\]"):
        make(value)
