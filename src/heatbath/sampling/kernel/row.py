"""One row through a chain: the interpreter.

**A chain moves two boundaries.** Every step either maps scores in an order-preserving way or removes options from an
end of that order. So what is left of a row is always a band of its *own* scores, ``low <= x[i] <= high``, and the row
itself is never copied or sorted. The maps so far, ``q = (q - shift) / scale`` one after the other as the reference
computes them, are applied to single numbers: :func:`lowest` finds by bisection the smallest score that is mapped to a
wanted q or above, which makes a comparison in q exactly one in x, rounding included.

**Sums over many options are fast and know their error** (:mod:`weights`). A decision nearer to its boundary than that
error is made again with exact sums. The same holds for the draw.

**As soon as few options are left they are gathered**, and :mod:`few` goes on with plain loops.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel import few
from heatbath.sampling.kernel.bits import BLOCK, float_of_key64, key64
from heatbath.sampling.kernel.many import MANY, best, few_of, neighbour
from heatbath.sampling.kernel.nucleus import scale_of, weighed_nucleus
from heatbath.sampling.kernel.sweeps import (
    add_up,
    at_least,
    fill_tail,
    gather,
    jit,
    peak,
    weigh_exactly,
    weigh_exactly_from,
    weigh_only,
)
from heatbath.sampling.kernel.weights import LIMIT, LOG2E, exact
from heatbath.sampling.mass import REACHED

TEMPERATURE, TOP_K, TOP_P, MIN_P = range(4)
"""The steps; their number in ``numbers`` is T, k, p, ln p."""

NAN, INFINITE, NOTHING, GIVE_UP = -1, -2, -3, -4
"""What stands in place of a choice: the row cannot be drawn from, or the reference has to do it."""

MOST = 1.7976931348623157e308
MAPS = 16
"""At most so many temperature steps."""


@jit
def mapped(score: Any, shift: Any, scale: Any, maps: Any) -> Any:
    """The score as the temperature steps so far have made it."""
    q = score
    for i in range(maps):
        q = (q - shift[i]) / scale[i]
    return q


@jit
def lowest(q: Any, top: Any, shift: Any, scale: Any, maps: Any) -> Any:
    """The smallest float64 up to top that is mapped to q or above; top where none is."""
    if maps == 0:
        return q
    left, right = key64(-MOST), key64(top)
    if mapped(-MOST, shift, scale, maps) >= q:
        return -MOST
    while right > left + 1:
        middle = (left >> 1) + (right >> 1) + (left & right & 1)  # their distance may not fit
        if mapped(float_of_key64(middle), shift, scale, maps) >= q:
            right = middle
        else:
            left = middle
    return float_of_key64(right)


@jit
def draw_row(x: Any, ops: Any, numbers: Any, uniform: Any, work: Any, told: Any) -> Any:
    """The choice, or one of the negative codes. ``told`` gets T, the options kept, and the choice's probability."""
    tail, tops, w, over, sums, ids, base, q, v, m, shift, scale = work
    fill_tail(x, tail)
    top = np.float64(peak(x, tail, tops))
    if np.isnan(top):
        return NAN
    if top == np.inf:
        return INFINITE
    if top == -np.inf:
        return NOTHING
    low, high = -MOST, top
    number = -1  # of gathered options; -1: they are still many
    maps, per, temperature = 0, 1.0, 1.0
    valid, total, doubt = False, 0.0, 0.0  # whether sums are those of now
    for step in range(ops.shape[0]):
        op, given = ops[step], numbers[step]
        if op == TEMPERATURE:
            temperature = 0.0 if (temperature == 0.0) | (given == 0.0) else temperature * given
        if number >= 0:
            if op == TEMPERATURE:
                number = few.temper(ids, q, number, given)
            elif op == TOP_K:
                number = few.top_k(ids, q, number, np.int64(given), v)
            elif op == TOP_P:
                number = few.top_p(ids, q, number, given, v, m)
            elif op == MIN_P:
                number = few.keep_from(ids, q, number, few.largest(q, number) + given)
            else:
                return GIVE_UP
            continue
        leading = mapped(top, shift, scale, maps)
        if op == TEMPERATURE:
            if given == 0.0:
                low = lowest(leading, top, shift, scale, maps)
                number = _first(x, low)
                ids[0], q[0], number = number, 0.0, 1
                continue
            if maps == MAPS:
                return GIVE_UP
            if given != 1.0 or leading != 0.0:
                shift[maps], scale[maps] = leading, given
                maps += 1
            if given != 1.0:
                per, valid = per / given, False
            low = max(low, lowest(-MOST, top, shift, scale, maps))
        elif op == MIN_P:
            low, valid = max(low, lowest(leading + given, top, shift, scale, maps)), False
        elif op == TOP_K:
            if given < x.shape[0]:
                kth, start, number = best(
                    x, tail, tops, at_least(x, low), at_least(x, high), np.int64(given), w, ids, base, v, m, q
                )
                if np.isnan(kth):
                    return GIVE_UP
                low, valid = max(low, lowest(mapped(kth, shift, scale, maps), top, shift, scale, maps)), False
                if number == MANY:
                    number = -1
                    continue
                number = few.keep_from(ids, base, number, low) if number >= 0 and low >= start else -1
        elif op == TOP_P:
            if given < 1.0:
                if not _weighable(top, per):
                    low, number = _near(x, tail, tops, low, top, per, shift, scale, maps, ids, base, q)
                    if number < 0:
                        return GIVE_UP
                    number = few.top_p(ids, q, number, given, v, m)
                    continue
                edge, valid = _weighed_nucleus(
                    x, tail, tops, low, high, top, per, given, w, sums, over, ids, base, q, v, m
                )
                if np.isnan(edge):
                    return GIVE_UP
                low = max(low, lowest(mapped(edge, shift, scale, maps), top, shift, scale, maps))
                if valid and at_least(x, low) >= at_least(x, edge):
                    sums[:] = over
                    total, doubt = add_up(sums)
                    continue
                valid = False
        else:
            return GIVE_UP
        if op != TEMPERATURE:
            if number < 0:
                number = gather(x, tail, tops, at_least(x, low), at_least(x, high), ids[: few_of(x)], base)
            few.map_all(q, number, base, shift, scale, maps)
    told[0] = temperature
    if number < 0 and not _weighable(top, per):
        low, number = _near(x, tail, tops, low, top, per, shift, scale, maps, ids, base, q)
        if number < 0:
            return GIVE_UP
    if number >= 0:
        told[1] = number
        choice, told[2] = few.draw(ids, q, number, uniform, m)
        return choice
    if not valid:
        end = x.dtype.type(np.inf) if high == top else at_least(x, high)
        total, doubt = weigh_only(x, tail, at_least(x, low), end, scale_of(top, per)[0], sums)
    return _draw_many(x, tail, low, high, top, per, total, doubt, sums, uniform, told)


@jit
def _first(x: Any, low: Any) -> Any:
    i = 0
    while not x[i] >= low:
        i += 1
    return i


@jit
def _weighable(top: Any, per: Any) -> Any:
    return (per < 1e30) & (abs(top) * per * LOG2E < LIMIT)


@jit
def _near(
    x: Any, tail: Any, tops: Any, low: Any, top: Any, per: Any, shift: Any, scale: Any, maps: Any, ids: Any, base: Any,
    q: Any,
) -> Any:  # fmt: skip
    """Gather what has any weight at all, where T is tiny or scores are huge."""
    low = max(low, lowest(mapped(top, shift, scale, maps) - 800.0, top, shift, scale, maps))
    number = gather(x, tail, tops, at_least(x, low), at_least(x, top), ids, base)
    few.map_all(q, number, base, shift, scale, maps)
    return low, number


@jit
def _weighed_nucleus(
    x: Any, tail: Any, tops: Any, low: Any, high: Any, top: Any, per: Any, p: Any, w: Any, sums: Any, over: Any,
    ids: Any, base: Any, q: Any, v: Any, m: Any,
) -> Any:  # fmt: skip
    """The smallest score of the nucleus among many, NaN where it was not found, and whether over has its sums."""
    band = at_least(x, low), at_least(x, high)
    score, above, own, number, target, off, summed = weighed_nucleus(
        x, tail, tops, band, top, per, p, w, sums, over, ids, base, q, v, m
    )
    if np.isnan(score) or (target - above > off and above + own - target > off):
        return score, summed
    return _exact_edge(x, tail, band, top, per, p, score, sums, base, number), False


@jit
def _exact_edge(
    x: Any, tail: Any, band: Any, top: Any, per: Any, p: Any, score: Any, sums: Any, v: Any, number: Any
) -> Any:  # fmt: skip
    """The smallest score of the nucleus, where fast sums have found it or a neighbour, of which v has some."""
    total, reached = weigh_exactly_from(x, tail, band[0], band[1], at_least(x, score), top, per, sums)
    target = p * REACHED * total
    for _ in range(8):  # the doubt is worth a few options at most
        own, mine = 0.0, exact((score - top) * per)
        for i in range(number):
            own += mine if v[i] == score else 0.0
        if reached < target:
            score = neighbour(v, number, score, False)
            mine = exact((score - top) * per)
            for i in range(number):
                reached += mine if v[i] == score else 0.0
        elif reached - own >= target:
            score, reached = neighbour(v, number, score, True), reached - own
        else:
            return score
        if np.isnan(score):
            return score
    return np.nan


@jit
def _draw_many(
    x: Any, tail: Any, low: Any, high: Any, top: Any, per: Any, total: Any, doubt: Any, sums: Any, uniform: Any,
    told: Any,
) -> Any:  # fmt: skip
    """Draw by the sums of the blocks. Fast ones of the mass before the option and behind it are off by at most their
    doubts, and ``u (before + behind) - before`` by ``u`` and ``1 - u`` times those: less than the larger one, that of
    all.
    """
    blocks = sums.shape[0]
    heavy = scale_of(top, per)[1]
    for attempt in range(2):
        if attempt == 1:
            total, doubt, heavy = weigh_exactly(x, tail, at_least(x, low), at_least(x, high), top, per, sums), 0.0, 1.0
        target, passed, b = uniform * total, 0.0, 0
        while b < blocks - 1 and passed + sums[b] <= target:
            passed += sums[b]
            b += 1
        if attempt == 0 and target - passed < doubt and b > 0:
            continue
        last = -1
        for i in range(b * BLOCK, min(b * BLOCK + BLOCK, x.shape[0])):
            score = np.float64(x[i])
            if low <= score <= high:
                value = exact((score - top) * per) * heavy
                if passed + value > passed:
                    last = i
                passed += value
                if passed > target:
                    if attempt == 0 and (passed - target < doubt or target - (passed - value) < doubt):
                        break
                    told[1], told[2] = -1.0, value / total
                    return i
        if attempt == 1:
            if last >= 0:
                return last
            return GIVE_UP
    return GIVE_UP
