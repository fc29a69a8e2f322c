"""Passes over a row that give more than the sum of its weights: entropies, agreement, deviation, and ends of a band."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from heatbath.sampling.kernel.bits import (
    BLOCK,
    between,
    bits_set,
    float_of_key32,
    float_of_key64,
    fma,
    key32,
    key64,
)
from heatbath.sampling.kernel.sweeps import OPTIONS, at_least, jit, jit_sums
from heatbath.sampling.kernel.weights import ERROR, LOG2E, exact, weight

FOUR = 4 * BLOCK

COMMON = 2e-7
"""How far all weights of a row may be off together, where they lie within few octaves."""


def at_most(x: Any, bound: Any) -> Any:
    """The largest number of the row's type that is <= bound."""
    raise NotImplementedError


@overload(at_most, jit_options=OPTIONS)
def _at_most(x: Any, bound: Any) -> Any:
    def double(x: Any, bound: Any) -> Any:
        return np.float64(bound)

    def single(x: Any, bound: Any) -> Any:
        near = np.float32(min(np.float64(bound), 3.4028234663852886e38))
        if near <= bound:
            return near
        return np.float32(float_of_key32(key32(near) - np.int32(1)) if near != 0.0 else -1.401298464324817e-45)

    return single if x.dtype == types.float32 else double


@jit
def scale_of(top: Any, per: Any) -> Any:
    """``(c_high, c_low, k, floor)`` for :func:`heatbath.sampling.kernel.weights.weight`, and the weight of the top."""
    c = LOG2E * per
    c_high = np.float64(np.float32(c))
    k = np.floor(top * c + 0.5)
    floor = (k - 125.0) / c if c > 0.0 else -3.4e38
    return (c_high, c - c_high, k, max(floor, -3.4e38)), 2.0 ** (top * c - k)


@jit_sums
def _moments_block(block: Any, low: Any, high: Any, top: Any, per: Any, scale: Any) -> Any:
    c_high, c_low, k, floor = scale
    zero, one, two, square = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for i in range(BLOCK):
        score = max(block[i], floor)
        value = weight(score, c_high, c_low, k)
        value = value if (block[i] >= low) & (block[i] <= high) else np.float32(0)
        e = np.float32(score - top) * per
        first = value * e
        zero += value
        one += first
        two += first * e
        square += value * value
    return zero, one, two, square


@jit_sums
def moments(x: Any, tail: Any, low: Any, high: Any, top: Any, per: Any, scale: Any, w: Any, sums: Any) -> Any:
    """Of the band: the sums of its fast weights w, of w e, of w e e and of w w, and the doubt of each but the third.

    ``e = (x - top) per``. ``w`` and ``sums`` are filled as :func:`heatbath.sampling.kernel.sweeps.weigh` does.
    """
    c_high, c_low, k, floor = scale
    whole, floor = x.shape[0] // BLOCK, at_least(x, floor)
    scale, best, low, high = (c_high, c_low, k, floor), at_most(x, top), at_least(x, low), at_most(x, high)
    step: Any = np.float32(per)
    zeros, ones, twos, squares = np.float64(0), np.float64(0), np.float64(0), np.float64(0)
    spread_0, spread_1, spread_2 = 0.0, 0.0, 0.0
    for b in range(sums.shape[0]):
        if b < whole:
            block, out = x[b * BLOCK : b * BLOCK + BLOCK], w[b * BLOCK : b * BLOCK + BLOCK]
            zero, one, two, square = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for i in range(BLOCK):  # written out: as a function of the block it takes longer
                score = max(block[i], floor)
                value = weight(score, c_high, c_low, k)
                value = value if (block[i] >= low) & (block[i] <= high) else np.float32(0)
                e = np.float32(score - best) * step
                first = value * e
                out[i] = value
                zero += value
                one += first
                two += first * e
                square += value * value
        else:
            zero, one, two, square = _moments_block(tail, low, high, best, step, scale)
            for i in range(BLOCK):
                inside = (tail[i] >= low) & (tail[i] <= high)
                w[b * BLOCK + i] = weight(max(tail[i], floor), c_high, c_low, k) if inside else np.float32(0)
        sums[b] = zero
        zeros, ones, twos, squares = zeros + zero, ones + one, twos + two, squares + square
        spread_0 += np.float64(zero) * zero
        spread_1 += np.float64(one) * one
        spread_2 += np.float64(square) * square
    exactly = per / np.float64(step) if step > 0 else 1.0
    ones, twos = ones * exactly, twos * exactly * exactly
    mean = ones / max(zeros, 1e-300)
    common = 1e-8 if twos / max(zeros, 1e-300) - mean * mean > 1.0 else COMMON
    random = ERROR + 1.2e-6
    return (
        (zeros, ones, twos, squares),
        (
            random * np.sqrt(spread_0) + common * zeros,
            random * np.sqrt(spread_1) * exactly - common * ones,
            2 * random * np.sqrt(spread_2) + 2 * common * squares,
        ),
    )


def _heating(second: bool) -> Any:
    """A pass that adds up w, w e and w e e or, where that ``second`` moment is not wanted, counts the options."""

    @jit_sums
    def heat_block(block: Any, low: Any, high: Any, step: Any, shift: Any, scale: Any) -> Any:
        c_high, c_low, k, floor = scale
        zero, one, two = np.float32(0), np.float32(0), np.float32(0)
        for i in range(BLOCK):
            score = max(block[i], floor)
            value = weight(score, c_high, c_low, k)
            value = value if (block[i] >= low) & (block[i] <= high) else np.float32(0)
            e = np.float32(fma(score, step, shift))
            first = value * e
            zero += value
            one += first
            if second:
                two += first * e
            else:
                two += np.float32(1) if (block[i] >= low) & (block[i] <= high) else np.float32(0)
        return zero, one, two

    @jit_sums
    def heat_all(
        x: Any, tail: Any, tops: Any, low: Any, high: Any, bounded: Any, top: Any, per: Any, scale: Any
    ) -> Any:  # fmt: skip
        c_high, c_low, k, floor = scale
        whole, floor = x.shape[0] // BLOCK, at_least(x, floor)
        # What is below the floor weighs nothing, be it in the band or not; at the least float it may weigh more.
        open_, low, high = bounded & (low <= floor) & (floor > -3.3e38), at_least(x, low), at_most(x, high)
        scale, best = (c_high, c_low, k, floor), at_most(x, top)
        step = x.dtype.type(np.float32(per))
        shift = x.dtype.type(-np.float64(best) * step)
        zeros, ones, twos, b = np.float64(0), np.float64(0), np.float64(0), 0
        while b < tops.shape[0]:
            start = b * BLOCK
            if open_ & (b + 4 <= whole) and max(tops[b], tops[b + 1], tops[b + 2], tops[b + 3]) <= high:
                four = x[start : start + FOUR]
                zero, one, two = np.float32(0), np.float32(0), np.float32(0)
                for i in range(FOUR):  # written out: as a function of the blocks it takes longer
                    score = max(four[i], floor)
                    value = weight(score, c_high, c_low, k)
                    e = np.float32(fma(score, step, shift))
                    first = value * e
                    zero += value
                    one += first
                    if second:
                        two += first * e
                    else:
                        two += np.float32(1) if four[i] >= low else np.float32(0)
                b += 4
            elif tops[b] < low:
                b += 1
                continue
            else:
                here = x[start : start + BLOCK] if b < whole else tail
                zero, one, two = heat_block(here, low, high, step, shift, scale)
                b += 1
            zeros, ones, twos = zeros + zero, ones + one, twos + two
        off = -np.float64(best) * step - np.float64(shift)  # what the shift lacks in every e
        if second:
            twos += off * (2.0 * ones + off * zeros)
        ones += off * zeros
        exactly = per / np.float64(step) if step > 0 else 1.0
        return zeros, ones * exactly, twos * exactly * exactly if second else twos

    return heat_all


heat = _heating(True)
"""The first three of :func:`moments`, which keeps nothing and is faster: whole blocks outside of the band are left out,
and those inside of it are not compared with its ends. For that ``tops`` has to bound all scores of each block, as it
does where the band is ``bounded`` by the row itself, or else those of the band."""

warmth = _heating(False)
"""The first two, and how many options there are."""


@jit_sums
def _moments_exactly(block: Any, low: Any, high: Any, top: Any, per: Any) -> Any:
    zero, one, two, square = 0.0, 0.0, 0.0, 0.0
    for i in range(BLOCK):
        inside = (block[i] >= low) & (block[i] <= high)
        e = (np.float64(block[i]) - top) * per if inside else 0.0
        value = exact(e) if inside else 0.0
        zero += value
        one += value * e
        two += value * e * e
        square += value * value
    return zero, one, two, square


@jit_sums
def moments_exactly(x: Any, tail: Any, low: Any, high: Any, top: Any, per: Any, sums: Any) -> Any:
    """The sums of w, w e, w e e and w w in float64, where the top weighs 1; ``sums`` gets those of w."""
    whole, zeros, ones, twos, squares = x.shape[0] // BLOCK, 0.0, 0.0, 0.0, 0.0
    for b in range(sums.shape[0]):
        block = x[b * BLOCK : b * BLOCK + BLOCK] if b < whole else tail
        zero, one, two, square = _moments_exactly(block, low, high, top, per)
        sums[b] = zero
        zeros, ones, twos, squares = zeros + zero, ones + one, twos + two, squares + square
    return zeros, ones, twos, squares


@jit_sums
def _spread_block(block: Any, low: Any, high: Any, center: Any) -> Any:
    number, one, two = 0.0, 0.0, 0.0
    for i in range(BLOCK):
        inside = (block[i] >= low) & (block[i] <= high)
        d = np.float64(block[i]) - center if inside else 0.0
        number += 1.0 if inside else 0.0
        one += d
        two += d * d
    return number, one, two


@jit_sums
def spread(x: Any, tail: Any, low: Any, high: Any, center: Any) -> Any:
    """How many scores the band has, and the sum of their squared distances to their mean; exact in float64.

    ``center`` is any number near the mean, so that nothing cancels.
    """
    whole, number, one, two = x.shape[0] // BLOCK, 0.0, 0.0, 0.0
    for b in range(whole + 1):
        block = x[b * BLOCK : b * BLOCK + BLOCK] if b < whole else tail
        more, first, second = _spread_block(block, low, high, center)
        number, one, two = number + more, one + first, two + second
    return number, max(two - one * one / max(number, 1.0), 0.0)


@jit
def middle(x: Any, low: Any, high: Any) -> Any:
    """The mean of some scores of the band."""
    number, total = 0, 0.0
    for i in range(0, x.shape[0], max(1, x.shape[0] // 256)):
        if low <= x[i] <= high:
            number += 1
            total += x[i]
    return total / number if number else np.float64(high)


def _largest(block: Any, low: Any, high: Any) -> Any:
    """The largest score of a block that lies in the band, low where none does."""
    raise NotImplementedError


@overload(_largest, jit_options=OPTIONS)
def _largest_key(block: Any, low: Any, high: Any) -> Any:
    key, back = (key32, float_of_key32) if block.dtype == types.float32 else (key64, float_of_key64)

    def largest(block: Any, low: Any, high: Any) -> Any:
        least = key(low)
        best = least
        for i in range(BLOCK):  # of whole numbers, for a maximum of floats does not become vector code
            inside = (block[i] >= low) & (block[i] <= high)
            best = max(best, key(block[i]) if inside else least)
        return back(best)

    return largest


@jit_sums
def largest_from(x: Any, tail: Any, tops: Any, low: Any, high: Any) -> Any:
    """The largest score of a band that has one; ``tops``, the largest of each block, are made those of the band.

    Where a block has none of the band, they are less than or equal to low.
    """
    whole, best = x.shape[0] // BLOCK, low
    for b in range(tops.shape[0]):
        if tops[b] > high:
            tops[b] = _largest(x[b * BLOCK : b * BLOCK + BLOCK] if b < whole else tail, low, high)
        best = max(best, tops[b])
    return best


@jit_sums
def largest_in(x: Any, tail: Any, tops: Any, low: Any, high: Any) -> Any:
    """The largest score of a band that has one. ``tops`` bounds each block from above: few have to be looked at."""
    whole, best = x.shape[0] // BLOCK, low
    for b in range(tops.shape[0]):
        if tops[b] > best:
            best = max(best, _largest(x[b * BLOCK : b * BLOCK + BLOCK] if b < whole else tail, low, high))
    return best


@jit
def smallest_from(x: Any, tail: Any, tops: Any, low: Any, high: Any) -> Any:
    """The smallest score of the band; NaN where it has none."""
    whole, best, found = x.shape[0] // BLOCK, np.float64(high), False
    for b in range(tops.shape[0]):
        if tops[b] >= low:
            block = x[b * BLOCK : b * BLOCK + BLOCK] if b < whole else tail
            for i in range(BLOCK):
                if low <= block[i] <= high:
                    best, found = min(best, np.float64(block[i])), True
    return best if found else np.nan


@jit
def holds(x: Any, tail: Any, tops: Any, low: Any, high: Any) -> Any:
    """Whether any score is in the band, whose ends are of the row's type."""
    whole = x.shape[0] // BLOCK
    for b in range(tops.shape[0]):
        if tops[b] >= low and bits_set(between(x, b * BLOCK, low, high) if b < whole else between(tail, 0, low, high)):
            return True
    return False
