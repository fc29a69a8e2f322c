import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.sampling.diagnosis.repeats import RUN, longest_again, numbered, period, repeats, runs_again

TEXTS = st.lists(st.integers(0, 2), max_size=24)


def studio(tokens, length=RUN):
    """The studio's ``repeated`` in surprise.js."""
    seen, again = set(), 0
    for i in range(len(tokens) - length + 1):
        run = tuple(tokens[i : i + length])
        again += run in seen
        seen.add(run)
    return again


@given(TEXTS)
def test_the_share_of_runs_is_the_studios(tokens):
    again = runs_again(np.array(tokens, dtype=np.int64))
    assert again.sum() == studio(tokens)
    assert len(again) == max(0, len(tokens) - RUN + 1)
    assert repeats(tokens).share == (again.mean() if len(again) else 0)


@given(TEXTS)
def test_the_longest_passage_is_the_longest(tokens):
    start, length = longest_again(np.array(tokens, dtype=np.int64))

    def comes_again(begin, size):
        piece = tokens[begin : begin + size]
        return any(tokens[i : i + size] == piece for i in range(begin + size, len(tokens) - size + 1))

    if length:
        assert comes_again(start, length)
    longer = length + 1
    assert not any(comes_again(begin, longer) for begin in range(len(tokens) - 2 * longer + 1))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_the_period_is_the_shortest_piece_that_makes_the_passage(passage):
    size = period(passage)
    made = [passage[i % size] for i in range(len(passage))]
    assert made == passage
    assert not any([passage[i % s] for i in range(len(passage))] == passage for s in range(1, size))


def test_a_loop_is_named_once_with_its_count():
    found = repeats(["so", *["the", "king", "said"] * 5, "no"])
    assert (found.passage, found.times) == (("the", "king", "said"), 5)
    assert found.share == pytest.approx(9 / 14)


def test_a_text_that_repeats_nothing_has_no_passage():
    assert repeats(list(range(50)))[1:] == ((), 0)
    assert repeats([])[1:] == ((), 0)
    assert repeats(["a", "b", "a", "b"]).passage == (), "shorter than a run"


def test_tokens_may_be_anything_that_compares():
    assert numbered(["a", "b", "a", 1]).tolist() == [0, 1, 0, 2]


def test_long_texts_take_no_quadratic_time():
    tokens = list(np.random.default_rng(0).integers(0, 50, 20_000)) * 2
    assert longest_again(np.array(tokens)) == (0, 20_000)
