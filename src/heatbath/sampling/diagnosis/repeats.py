"""How a text repeats itself: the share of its runs that came before, and the passage that it wrote again."""

import re
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RUN = 4
"""Tokens (or words) of a run; fewer come again in every text."""

Ids = npt.NDArray[np.int64]


class Repeats(NamedTuple):
    """What repeats in one text."""

    again: npt.NDArray[np.bool_]
    """Of each run of four tokens in turn, whether the text had written it before."""
    passage: tuple[Hashable, ...]
    """The passage that came again, without its own repetitions; empty where none is as long as a run."""
    times: int
    """How often it stands in the text, without overlap."""

    @property
    def share(self) -> float:
        """The share of runs that came before; 0 for a text too short to have any."""
        return float(self.again.mean()) if self.again.size else 0.0


def repeats(tokens: Sequence[Hashable]) -> Repeats:
    """What repeats in a text.

    >>> found = repeats("so the king said the king said the king said the king said no".split())
    >>> round(found.share, 2), found.passage, found.times
    (0.55, ('the', 'king', 'said'), 4)
    """
    ids = numbered(tokens)
    start, length = longest_again(ids)
    unit = period(ids[start : start + length].tolist())
    if length < RUN:
        return Repeats(runs_again(ids), (), 0)
    return Repeats(runs_again(ids), tuple(tokens[start : start + unit]), _count(ids, ids[start : start + unit]))


WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


def words(text: str) -> list[str]:
    """What stands between blanks, and every Chinese or Japanese character by itself.

    >>> words("the king, 国王说")
    ['the', 'king,', '国', '王', '说']
    """
    return WORD.findall(text)


def numbered(tokens: Sequence[Hashable]) -> Ids:
    """The tokens as numbers, equal where they are."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(token, len(known)) for token in tokens], dtype=np.int64)


def runs_again(ids: Ids) -> npt.NDArray[np.bool_]:
    """Of each run of :data:`RUN` tokens, whether it had come before."""
    if len(ids) < RUN:
        return np.zeros(0, bool)
    runs = np.lib.stride_tricks.sliding_window_view(ids, RUN)
    _, first = np.unique(runs, axis=0, return_index=True)
    again = np.ones(len(runs), bool)
    again[first] = False
    return again


def longest_again(ids: Ids) -> tuple[int, int]:
    """Start and length of the longest passage that the text wrote twice without overlap.

    Passages of 1, 2, 4, ... tokens are numbered, equal ones alike; from these the longest is put together, since what
    a repeated passage begins with is repeated as well. The time is that of sorting, times the logarithm of the length.
    """
    half = len(ids) // 2
    if not half:
        return 0, 0
    numbers = [ids]
    while 2 ** len(numbers) <= half:
        numbers.append(_joined(numbers[-1], numbers[-1], 2 ** (len(numbers) - 1)))
    here, length, start = np.zeros(len(ids) + 1, np.int64), 0, 0
    for power in reversed(range(len(numbers))):
        longer = length + 2**power
        if longer > half:
            continue
        tried = _joined(here, numbers[power], length)
        place = _twice(tried, longer)
        if place is not None:
            here, length, start = tried, longer, place
    return start, length


def _joined(first: Ids, second: Ids, gap: int) -> Ids:
    """Numbers of the passages that begin like the first and go on, ``gap`` tokens later, like the second."""
    count = len(second) - gap
    pairs = first[:count] * (int(second.max()) + 1) + second[gap:]
    return np.asarray(np.unique(pairs, return_inverse=True)[1], dtype=np.int64)


def _twice(numbers: Ids, length: int) -> int | None:
    """Where a passage stands that comes again at least its own length later."""
    places = np.arange(len(numbers))
    first, last = np.full(numbers.max() + 1, len(numbers)), np.zeros(numbers.max() + 1, np.int64)
    np.minimum.at(first, numbers, places)
    np.maximum.at(last, numbers, places)
    found = np.flatnonzero(last - first >= length)
    return int(first[found].min()) if found.size else None


def period(passage: Sequence[int]) -> int:
    """The length of the shortest piece whose repetition, the last one perhaps cut short, makes the passage.

    >>> period([1, 2, 3, 1, 2, 3, 1]), period([1, 2, 3])
    (3, 3)

    Reference: Knuth, Morris and Pratt, "Fast pattern matching in strings", 1977: its length less its longest border.
    """
    border = [0] * (len(passage) + 1)
    matched = 0
    for place in range(1, len(passage)):
        while matched and passage[place] != passage[matched]:
            matched = border[matched]
        matched += passage[place] == passage[matched]
        border[place + 1] = matched
    return len(passage) - border[-1]


def _count(ids: Ids, piece: Ids) -> int:
    begins = np.flatnonzero((np.lib.stride_tricks.sliding_window_view(ids, len(piece)) == piece).all(axis=-1))
    count, free = 0, 0
    for begin in begins.tolist():
        if begin >= free:
            count, free = count + 1, begin + len(piece)
    return count
