"""Passes over a row: each reads it once, from end to end, in blocks of 64 that a compiler turns into vector code.

A row ``x`` is float32 or float64. Its options beyond the last whole block are copied to ``tail``, filled up with -inf,
so that every block has 64 options. What survives of a row is always a band, ``low <= x[i] <= high`` with finite ends,
so that -inf never does.
"""

from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import overload

from heatbath.sampling.kernel.bits import (
    BLOCK,
    FAST,
    between,
    bits_set,
    float_of_key32,
    float_of_key64,
    inner,
    key32,
    key64,
    largest_of_four,
    lowest_bit,
)
from heatbath.sampling.kernel.weights import ERROR, exact, weight

OPTIONS = {"fastmath": FAST, "error_model": "numpy", "boundscheck": False, "nogil": True}
"""How everything in this room is compiled."""

jit = inner(**OPTIONS)

built_in = inner(inline="always", **OPTIONS)
"""For what is called in one place: it saves a round of the optimiser over all that it calls."""

jit_sums = inner(**{**OPTIONS, "fastmath": FAST | {"nnan"}})
"""For sums over rows in which no NaN was found: a comparison then needs no second look."""


NO_WEIGHTS = np.empty(0, np.float32)


@jit
def fill_tail(x: Any, tail: Any) -> None:
    """Copy what follows the last whole block."""
    whole = x.shape[0] // BLOCK * BLOCK
    for i in range(BLOCK):
        tail[i] = x[whole + i] if whole + i < x.shape[0] else -np.inf


@jit_sums
def _largest32(tops: Any) -> Any:
    best = np.int32(-(2**31))
    for b in range(tops.shape[0]):
        best = max(best, key32(tops[b]))
    return float_of_key32(best)


@jit_sums
def _largest64(tops: Any) -> Any:
    best = np.int64(-(2**63))
    for b in range(tops.shape[0]):
        best = max(best, key64(tops[b]))
    return float_of_key64(best)


def peak(x: Any, tail: Any, tops: Any) -> Any:
    """The largest score, or NaN where there is a NaN; ``tops`` gets the largest of each block."""
    raise NotImplementedError


@overload(peak, jit_options=OPTIONS)
def _peak(x: Any, tail: Any, tops: Any) -> Any:
    largest = _largest32 if x.dtype == types.float32 else _largest64

    def best(x: Any, tail: Any, tops: Any) -> Any:
        whole, strange = x.shape[0] // BLOCK, np.uint64(0)
        fours = whole // 4 * 4
        for b in range(0, fours, 4):
            strange |= largest_of_four(x, b * BLOCK, tops, b)
        for b in range(fours, tops.shape[0]):
            block, top = x[b * BLOCK : b * BLOCK + BLOCK] if b < whole else tail, x.dtype.type(-np.inf)
            for i in range(BLOCK):
                strange |= np.uint64(np.isnan(block[i]))
                top = max(top, block[i])
            tops[b] = top
        return x.dtype.type(np.nan) if strange else largest(tops)

    return best


def at_least(x: Any, bound: Any) -> Any:
    """The smallest number of the row's type that is >= bound."""
    raise NotImplementedError


@overload(at_least, jit_options=OPTIONS)
def _at_least(x: Any, bound: Any) -> Any:
    def double(x: Any, bound: Any) -> Any:
        return np.float64(bound)

    def single(x: Any, bound: Any) -> Any:
        near = np.float32(max(np.float64(bound), -3.4028234663852886e38))
        return near if near >= bound else float_of_key32(key32(near) + np.int32(1))

    return single if x.dtype == types.float32 else double


def below(x: Any, number: Any) -> Any:
    """The largest number of the row's type that is less."""
    raise NotImplementedError


@overload(below, jit_options=OPTIONS)
def _below(x: Any, number: Any) -> Any:
    def double(x: Any, number: Any) -> Any:
        return float_of_key64(key64(np.float64(number)) - np.int64(1)) if number != 0.0 else -5e-324

    def single(x: Any, number: Any) -> Any:
        less = float_of_key32(key32(np.float32(number)) - np.int32(1))
        return np.float64(less) if number != 0.0 else -1.401298464324817e-45  # one below 0 is -0, which is no less

    return single if x.dtype == types.float32 else double


def _weighing(keep: bool, two: bool, every: bool) -> Any:
    """A pass that adds up weights in each block: keeping them all in ``w``, or a second sum in ``over``, or neither.

    ``every`` leaves out the comparison with the band.
    """

    @jit_sums
    def weigh_all(x: Any, tail: Any, band: Any, first: Any, scale: Any, w: Any, sums: Any, over: Any) -> Any:
        (low, high), (c_high, c_low, k, floor) = band, scale
        whole, floor = x.shape[0] // BLOCK, at_least(x, floor)
        for b in range(sums.shape[0]):
            block = x[b * BLOCK : b * BLOCK + BLOCK] if b < whole else tail
            if keep:
                out = w[b * BLOCK : b * BLOCK + BLOCK]
            part, more = np.float32(0), np.float32(0)
            for i in range(BLOCK):
                score = block[i]
                value = weight(max(score, floor), c_high, c_low, k)
                if not every:
                    value = value if (score >= low) & (score <= high) else np.float32(0)
                if keep:
                    out[i] = value
                if two:
                    more += value if score >= first else np.float32(0)
                    part += value if score < first else np.float32(0)
                else:
                    part += value
            sums[b] = np.float64(part) + np.float64(more)
            if two:
                over[b] = more
        return add_up(sums)

    return weigh_all


_weigh_and_keep = _weighing(True, False, False)
_weigh_band, _weigh_every = _weighing(False, False, False), _weighing(False, False, True)
_weigh_band_from, _weigh_every_from = _weighing(False, True, False), _weighing(False, True, True)


@jit
def weigh(x: Any, tail: Any, low: Any, high: Any, scale: Any, w: Any, sums: Any) -> Any:
    """Fast weights of the band, 0 outside; their sum in each block and in all, and a bound of the error of the sum.

    ``scale`` is ``(c_high, c_low, k, floor)``; a score below floor weighs less than 2**-125 and counts as floor.
    """
    return _weigh_and_keep(x, tail, (low, high), low, scale, w, sums, sums)


@jit
def _is_every(low: Any, high: Any, floor: Any) -> Any:
    """Whether what is outside the band, -inf included, weighs 2**-125 at most; at the least float it may weigh more."""
    return (high == np.inf) & (low <= floor) & (floor > -3.3e38)


@jit
def weigh_only(x: Any, tail: Any, low: Any, high: Any, scale: Any, sums: Any) -> Any:
    """As :func:`weigh`, where the weights themselves are not needed: they would take the row's place in the cache.

    With high = inf and low below floor, where weights are nothing beside the sum, options need not be told apart.
    """
    if _is_every(low, high, scale[3]):
        return _weigh_every(x, tail, (low, high), low, scale, NO_WEIGHTS, sums, sums)
    return _weigh_band(x, tail, (low, high), low, scale, NO_WEIGHTS, sums, sums)


@jit
def weigh_from(x: Any, tail: Any, low: Any, high: Any, first: Any, scale: Any, sums: Any, over: Any) -> Any:
    """As :func:`weigh_only`, and ``over`` gets the sums of the weights of the scores >= first in each block.

    The rest of each block is added up by itself, so that ``sums - over`` is off by no more than its own doubt.
    """
    if _is_every(low, high, scale[3]):
        return _weigh_every_from(x, tail, (low, high), first, scale, NO_WEIGHTS, sums, over)
    return _weigh_band_from(x, tail, (low, high), first, scale, NO_WEIGHTS, sums, over)


@jit_sums
def _again_block(block: Any, low: Any, high: Any, known: Any) -> Any:
    part = np.float32(0)
    for i in range(BLOCK):
        part += known[i] if (block[i] >= low) & (block[i] <= high) else np.float32(0)
    return part


@jit_sums
def weigh_again(x: Any, tail: Any, low: Any, high: Any, w: Any, sums: Any) -> Any:
    """As :func:`weigh`, where the weights are known and only the band has become smaller."""
    whole = x.shape[0] // BLOCK
    for b in range(whole):
        span = slice(b * BLOCK, b * BLOCK + BLOCK)
        sums[b] = _again_block(x[span], low, high, w[span])
    if whole < sums.shape[0]:
        sums[whole] = _again_block(tail, low, high, w[whole * BLOCK :])
    return add_up(sums)


@jit_sums
def add_up(sums: Any) -> Any:
    """The sum of fast weights, and its doubt."""
    total, squares = 0.0, 0.0
    for b in range(sums.shape[0]):
        total += sums[b]
        squares += sums[b] * sums[b]
    return total, doubt_of(total, squares)


@numba.njit(inline="always")
def doubt_of(total: Any, squares: Any) -> Any:
    """How far a sum of fast weights may be off.

    One block is off by at most ERROR of its sum for the weights and 4.2e-7 for adding them up, which takes seven
    roundings. In practice it is off by less than a tenth of that, to either side, so the errors of many blocks cancel
    like the steps of a random walk; what all weights have in common, 4e-9, does not. So 1e-6 times the root of the sum
    of squares is above the most for one block, and ten times the spread for many.
    """
    return (ERROR + 7e-7) * np.sqrt(squares) + 1e-8 * total


@jit_sums
def _exact_block(block: Any, low: Any, high: Any, first: Any, top: Any, per: Any) -> Any:
    part, more = 0.0, 0.0
    for i in range(BLOCK):
        inside = (block[i] >= low) & (block[i] <= high)
        value = exact((np.float64(block[i]) - top) * per) if inside else 0.0
        part += value
        more += value if block[i] >= first else 0.0
    return part, more


@jit_sums
def weigh_exactly_from(
    x: Any, tail: Any, low: Any, high: Any, first: Any, top: Any, per: Any, sums: Any
) -> Any:  # fmt: skip
    """The sums of ``exp((x - top) * per)`` in float64, over the band and over the scores >= first of it."""
    whole, total, reached = x.shape[0] // BLOCK, 0.0, 0.0
    for b in range(whole):
        sums[b], more = _exact_block(x[b * BLOCK : b * BLOCK + BLOCK], low, high, first, top, per)
        total, reached = total + sums[b], reached + more
    if whole < sums.shape[0]:
        sums[whole], more = _exact_block(tail, low, high, first, top, per)
        total, reached = total + sums[whole], reached + more
    return total, reached


@jit
def weigh_exactly(x: Any, tail: Any, low: Any, high: Any, top: Any, per: Any, sums: Any) -> Any:
    """The sums of ``exp((x - top) * per)`` over the band, in float64."""
    return weigh_exactly_from(x, tail, low, high, low, top, per, sums)[0]


@jit_sums
def _above_block(block: Any, known: Any, first: Any, second: Any) -> Any:
    one, two = np.float32(0), np.float32(0)
    for i in range(BLOCK):
        one += known[i] if block[i] >= first else np.float32(0)
        two += known[i] if block[i] >= second else np.float32(0)
    return one, two


@jit_sums
def above(x: Any, tail: Any, w: Any, first: Any, second: Any) -> Any:
    """The sums of the weights of the scores >= first and >= second."""
    whole, one, two = x.shape[0] // BLOCK, 0.0, 0.0
    for b in range(whole):
        span = slice(b * BLOCK, b * BLOCK + BLOCK)
        more, less = _above_block(x[span], w[span], first, second)
        one, two = one + more, two + less
    if whole * BLOCK < w.shape[0]:
        more, less = _above_block(tail, w[whole * BLOCK :], first, second)
        one, two = one + more, two + less
    return one, two


@jit
def count_from(x: Any, tail: Any, tops: Any, low: Any, high: Any) -> Any:
    """How many scores lie in the band."""
    whole, number = x.shape[0] // BLOCK, 0
    for b in range(tops.shape[0]):
        if tops[b] >= low:
            number += bits_set(between(x, b * BLOCK, low, high) if b < whole else between(tail, 0, low, high))
    return number


@jit
def gather(x: Any, tail: Any, tops: Any, low: Any, high: Any, ids: Any, base: Any) -> Any:
    """The ids and scores of the band, in the order of the ids; their number, or -1 where there is no room for them.

    ``tops`` bounds each block from above. The ids of a block are taken four at a time, some of which may be none and
    are overwritten; so there has to be room for four more. A jump after each would cost more, for how many a block has
    cannot be foreseen.
    """
    whole, number = x.shape[0] // BLOCK, 0
    for b in range(tops.shape[0]):
        if tops[b] >= low:
            found = between(x, b * BLOCK, low, high) if b < whole else between(tail, 0, low, high)
            at, number = number, number + bits_set(found)
            if number + 4 > ids.shape[0]:
                return -1
            while at < number:
                for i in range(4):
                    ids[at + i] = b * BLOCK + lowest_bit(found)
                    found &= found - np.uint64(1)
                at += 4
    for i in range(number):
        base[i] = x[ids[i]]
    return number
