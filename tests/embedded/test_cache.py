"""The cache is a value: rows leave, repeat and join, and each keeps its own keys, values, mask and positions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.embedded.cache import KeyValueCache
from heatbath.errors import InputError

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def cache(lengths: list[int], first: int = 0) -> KeyValueCache:
    """Row r has the key 100 (first + r) + position at each position."""
    room = max(lengths)
    keys = np.full((len(lengths), 2, room, 3), np.nan, dtype=np.float32)
    for row, length in enumerate(lengths):
        keys[row, :, room - length :] = (100 * (first + row) + np.arange(length))[:, None]
    return KeyValueCache((keys, -keys), tuple(lengths))


def texts(value: KeyValueCache) -> list[list[float]]:
    """What each row remembers, padding left out."""
    room = max(value.lengths, default=0)
    assert all(part.shape[0] == len(value.lengths) and part.shape[2] == room for part in value.past)
    np.testing.assert_array_equal(value.past[0], -value.past[1])
    return [value.past[0][row, 1, room - length :, 2].tolist() for row, length in enumerate(value.lengths)]


@given(LENGTHS, st.data())
def test_rows_keep_what_they_remember(lengths: list[int], data: st.DataObject) -> None:
    keep = data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=6))
    before = cache(lengths)
    assert texts(before.rows(keep)) == [texts(before)[row] for row in keep]
    assert texts(before) == texts(cache(lengths))


@given(LENGTHS, LENGTHS)
def test_joined_rows_keep_what_they_remember(lengths: list[int], others: list[int]) -> None:
    one, other = cache(lengths), cache(others, first=len(lengths))
    assert texts(one.join(other)) == texts(one) + texts(other)
    assert texts(one.rows([]).join(other)) == texts(other)


@given(LENGTHS, st.integers(1, 3))
def test_the_mask_hides_the_padding_and_positions_count_tokens(lengths: list[int], new: int) -> None:
    value = cache(lengths)
    mask, positions = value.attention_mask(new), value.positions(new)
    for row, length in enumerate(lengths):
        assert mask[row].tolist() == [0] * (max(lengths) - length) + [1] * (length + new)
        assert positions[row].tolist() == list(range(length, length + new))


@pytest.mark.parametrize("row", [2, -1])
def test_a_row_that_is_not_there_is_refused(row: int) -> None:
    with pytest.raises(InputError, match=f"keeping rows of a cache on row {row}: the cache has rows 0 to 1"):
        cache([1, 2]).rows([0, row])
