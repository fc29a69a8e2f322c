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
    bits32,
    bits64,
    bits_set,
    float_of_key32,
    float_of_key64,
    key32,
    key64,
    lowest_bit,
)
from heatbath.sampling.kernel.weights import ERROR, exact, weight

OPTIONS = {"fastmath": FAST, "error_model": "numpy", "boundscheck": False, "nogil": True}
"""How everything in this room is compiled."""

jit = numba.njit(cache=True, **OPTIONS)

jit_sums = numba.njit(cache=True, **{**OPTIONS, "fastmath": FAST | {"nnan"}})
"""For sums over rows in which no NaN was found: a comparison then needs no second look."""


@jit
def fill_tail(x: Any, tail: Any) -> None:
    """Copy what follows the last whole block."""
    whole = x.shape[0] // BLOCK * BLOCK
    for i in range(BLOCK):
        tail[i] = x[whole + i] if whole + i < x.shape[0] else -np.inf


@jit_sums
def _peak32_block(block: Any) -> Any:
    top, size = np.int32(-(2**31)), np.int32(0)
    for i in range(BLOCK):
        top = max(top, key32(block[i]))
        size = max(size, bits32(block[i]) & np.int32(0x7FFFFFFF))
    return top, size


@jit
def _peak32(x: Any, tail: Any, tops: Any) -> Any:
    whole = x.shape[0] // BLOCK
    best, largest = np.int32(-(2**31)), np.int32(0)
    for b in range(whole):
        top, size = _peak32_block(x[b * BLOCK : b * BLOCK + BLOCK])
        tops[b], best, largest = float_of_key32(top), max(best, top), max(largest, size)
    if whole < tops.shape[0]:
        top, size = _peak32_block(tail)
        tops[whole], best, largest = float_of_key32(top), max(best, top), max(largest, size)
    # 0x7F800000 are the bits of inf; those of NaN are above, whatever its sign
    return np.float32(np.nan) if largest > np.int32(0x7F800000) else float_of_key32(best)


@jit_sums
def _peak64_block(block: Any) -> Any:
    top, size = np.int64(-(2**63)), np.int64(0)
    for i in range(BLOCK):
        top = max(top, key64(block[i]))
        size = max(size, bits64(block[i]) & np.int64(0x7FFFFFFFFFFFFFFF))
    return top, size


@jit
def _peak64(x: Any, tail: Any, tops: Any) -> Any:
    whole = x.shape[0] // BLOCK
    best, largest = np.int64(-(2**63)), np.int64(0)
    for b in range(whole):
        top, size = _peak64_block(x[b * BLOCK : b * BLOCK + BLOCK])
        tops[b], best, largest = float_of_key64(top), max(best, top), max(largest, size)
    if whole < tops.shape[0]:
        top, size = _peak64_block(tail)
        tops[whole], best, largest = float_of_key64(top), max(best, top), max(largest, size)
    return np.nan if largest > np.int64(0x7FF0000000000000) else float_of_key64(best)


def peak(x: Any, tail: Any, tops: Any) -> Any:
    """The largest score, or NaN where there is a NaN; ``tops`` gets the largest of each block."""
    raise NotImplementedError


@overload(peak, jit_options=OPTIONS)
def _peak(x: Any, tail: Any, tops: Any) -> Any:
    kind = _peak32 if x.dtype == types.float32 else _peak64

    def best(x: Any, tail: Any, tops: Any) -> Any:
        return kind(x, tail, tops)

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


@jit_sums
def _weigh_block(block: Any, low: Any, high: Any, c_high: Any, c_low: Any, k: Any, floor: Any, out: Any) -> Any:
    part = np.float32(0)
    for i in range(BLOCK):
        score = block[i]
        value = weight(max(score, floor), c_high, c_low, k)
        value = value if (score >= low) & (score <= high) else np.float32(0)
        out[i] = value
        part += value
    return part


@jit_sums
def weigh(x: Any, tail: Any, low: Any, high: Any, scale: Any, w: Any, sums: Any) -> Any:
    """Fast weights of the band, 0 outside; their sum in each block and in all, and a bound of the error of the sum.

    ``scale`` is ``(c_high, c_low, k, floor)``; a score below floor weighs less than 2**-125 and counts as floor.
    """
    c_high, c_low, k, floor = scale
    whole, floor = x.shape[0] // BLOCK, at_least(x, floor)
    for b in range(whole):
        block, out = x[b * BLOCK : b * BLOCK + BLOCK], w[b * BLOCK : b * BLOCK + BLOCK]
        part = np.float32(0)
        for i in range(BLOCK):  # written out: as a function of the block it takes three times as long
            score = block[i]
            value = weight(max(score, floor), c_high, c_low, k)
            value = value if (score >= low) & (score <= high) else np.float32(0)
            out[i] = value
            part += value
        sums[b] = part
    if whole < sums.shape[0]:
        sums[whole] = _weigh_block(tail, low, high, c_high, c_low, k, floor, w[whole * BLOCK :])
    return _add_up(sums)


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
    return _add_up(sums)


@jit_sums
def _add_up(sums: Any) -> Any:
    """The sum of fast weights, and its doubt."""
    total, squares = 0.0, 0.0
    for b in range(sums.shape[0]):
        total += sums[b]
        squares += sums[b] * sums[b]
    return total, _doubt(total, squares)


@numba.njit(inline="always")
def _doubt(total: Any, squares: Any) -> Any:
    """How far a sum of fast weights may be off.

    One block is off by at most ERROR of its sum for the weights and 4.2e-7 for adding them up, which takes seven
    roundings. In practice it is off by less than a tenth of that, to either side, so the errors of many blocks cancel
    like the steps of a random walk; what all weights have in common, 4e-9, does not. So 1e-6 times the root of the sum
    of squares is above the most for one block, and ten times the spread for many.
    """
    return (ERROR + 7e-7) * np.sqrt(squares) + 1e-8 * total


@jit_sums
def _exact_block(block: Any, low: Any, high: Any, top: Any, per: Any) -> Any:
    part = 0.0
    for i in range(BLOCK):
        inside = (block[i] >= low) & (block[i] <= high)
        part += exact((np.float64(block[i]) - top) * per) if inside else 0.0
    return part


@jit_sums
def weigh_exactly(x: Any, tail: Any, low: Any, high: Any, top: Any, per: Any, sums: Any) -> Any:
    """The sums of ``exp((x - top) * per)`` over the band, in float64."""
    whole, total = x.shape[0] // BLOCK, 0.0
    for b in range(whole):
        sums[b] = _exact_block(x[b * BLOCK : b * BLOCK + BLOCK], low, high, top, per)
        total += sums[b]
    if whole < sums.shape[0]:
        sums[whole] = _exact_block(tail, low, high, top, per)
        total += sums[whole]
    return total


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

    ``tops`` bounds each block from above.
    """
    whole, number = x.shape[0] // BLOCK, 0
    for b in range(tops.shape[0]):
        if tops[b] >= low:
            found = between(x, b * BLOCK, low, high) if b < whole else between(tail, 0, low, high)
            if number + bits_set(found) > ids.shape[0]:
                return -1
            while found:
                i = b * BLOCK + lowest_bit(found)
                ids[number] = i
                base[number] = x[i]
                number += 1
                found &= found - np.uint64(1)
    return number
