import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import Moment
from heatbath.sampling.past import check_span, latest, occurrences, repeats

TEXTS = st.lists(st.integers(0, 2), max_size=40) | st.builds(
    lambda part, times, rest: part * times + rest,
    st.lists(st.integers(0, 2), max_size=6),
    st.integers(0, 6),
    st.lists(st.integers(0, 2), max_size=4),
)


@given(TEXTS)
def test_before_each_token_as_many_repeat_the_end_as_a_reader_counts(text):
    def before(place):
        return max(n for n in range(place + 1) if text[place - n : place] == text[len(text) - n :])

    assert repeats(text) == [before(place) for place in range(len(text))]


def test_a_text_of_one_token_is_compared_in_linear_time():
    class Counted(int):
        looks = 0

        def __eq__(self, other):
            Counted.looks += 1
            return int(self) == int(other)

        __hash__ = int.__hash__

    length = 2000
    assert repeats([Counted(7)] * length) == list(range(length))
    assert Counted.looks < 4 * length


def counted(history, span, options=4, drawn=0):
    count, last = occurrences(Moment(np.zeros((*np.shape(history)[:-1], options)), np.array(history), drawn), span)
    return count.tolist(), last.tolist()


def test_every_token_of_the_span_counts():
    history = [-1, 3, 1, 1, 0]
    assert counted(history, check_span(None, True, 0)) == ([1, 2, 0, 1], [1, 1, 0, 1])
    assert counted(history, check_span(2, True, 0)) == ([1, 1, 0, 0], [1, 1, 0, 0])
    assert counted(history, check_span(None, False, 0), drawn=2) == ([1, 1, 0, 0], [1, 1, 0, 0])
    assert counted(history, check_span(1, False, 0), drawn=2) == ([1, 0, 0, 0], [1, 0, 0, 0])
    assert counted([[-1, 3], [0, 0]], check_span(None, False, 0), drawn=np.array([1, 1])) == (
        [[0, 0, 0, 1], [1, 0, 0, 0]],
        [[0, 0, 0, 1], [1, 0, 0, 0]],
    )


def test_before_the_window_the_weight_falls_to_nothing():
    assert check_span(2, True, 4).weights(8).tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert counted([3, 2, 1, 1, 0, 0], check_span(1, True, 4)) == ([2, 1.25, 0.25, 0], [1, 0.75, 0.25, 0])


def test_tokens_that_are_no_options_count_for_nothing():
    assert counted([9, 4, 3], check_span(None, True, 0)) == ([0, 0, 0, 1], [0, 0, 0, 1])


def test_what_is_looked_back_at():
    moment = Moment(np.zeros((2, 3)), np.array([[-1, 1, 2], [0, 1, 2]]))
    assert latest(moment, math.inf).tolist() == [[-1, 1, 2], [0, 1, 2]]
    assert latest(moment, 2).tolist() == [[1, 2], [1, 2]]
    assert latest(moment, 9).shape == (2, 3)
    assert latest(Moment(np.zeros(3), np.empty(0, int)), math.inf).shape == (1, 0)


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ((0, True, 0), "window", "whole number >= 1"),
        ((2.5, True, 0), "window", "whole number >= 1"),
        ((True, True, 0), "window", "whole number >= 1"),
        ((4, 1, 0), "prompt", "True or False"),
        ((4, "yes", 0), "prompt", "True or False"),
        ((4, True, -1), "decay", "whole number >= 0"),
        ((None, True, 3), "decay", "no meaning without a window"),
    ],
)
def test_spans_that_mean_nothing_are_refused(given, field, why):
    with pytest.raises(hb.InputError, match=why) as caught:
        check_span(*given)
    assert caught.value.field == field
    assert caught.value.instead
