"""The nucleus of many options, in the pass that weighs them.

An option stays iff those with a strictly larger score have less than p of the whole mass. The whole is known only after
a pass over the row; but a sample tells beforehand where the edge is to within some percent of the options. So the one
pass adds up two masses, the whole and that above a guess. Then it is known how far the guess is off, and to which side;
the options on that side of it, a little more of them than will be needed, are gathered; and the edge is looked for
among them. What they change is added to the sums that the pass has left of each block, or taken from them, which are
then those of the nucleus: the draw needs no further pass.

The sample is of two kinds. The largest score of each block is known, and stands for itself; of the others, a few stand
for all. So the heavy options, which are few and would make a sample err, are counted one by one.

How far the second guess is to be from the first: between them is to lie a mass M, for which the sample has n weights of
about w = M / n; their sum has the deviation ``w sqrt(n) = sqrt(M w)``, of which it is taken two and a half further.
Such a guess misses less than once in a hundred rows, which are then searched with more passes.

How far rounding may be off: fast sums A and B of the weights above the guess and below are off by D(A) and D(B) at
most, see :func:`heatbath.sampling.kernel.sweeps.add_up`, so ``p (A + B) - A`` is by ``(1 - p) D(A) + p D(B)``. An edge
nearer to the target than that is decided again with exact sums.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.bits import float_of_key32, key32
from heatbath.sampling.kernel.many import (
    edge,
    ends_of,
    fast_weights_of,
    guess_top,
    mass_from,
    nucleus,
    quantile,
    quantile_between,
    weights_of,
)
from heatbath.sampling.kernel.moments import scale_of
from heatbath.sampling.kernel.sweeps import (
    add_up,
    at_least,
    below,
    built_in,
    doubt_of,
    gather,
    jit,
    jit_sums,
    weigh,
    weigh_from,
    weigh_only,
)
from heatbath.sampling.kernel.weights import exact
from heatbath.sampling.mass import REACHED


@built_in
def weighed_nucleus(
    x: Any, tail: Any, tops: Any, band: Any, top: Any, per: Any, p: Any, w: Any, sums: Any, over: Any, ids: Any,
    base: Any, q: Any, v: Any, m: Any,
) -> Any:  # fmt: skip
    """The smallest score of the nucleus of the band, NaN where it was not found; the mass above it, and its own.

    Then how many options ``base`` holds, among which the score and its neighbours are; the mass to be reached, and how
    far its distance to the other two may be off; and the doubt of the sums of the nucleus in each block, which ``over``
    has, or -1 where it has them not.
    """
    low, high, end = band
    scale, heavy = scale_of(top, per)
    others, each = _sample(x, tops, low, high, w)
    seen = others + tops.shape[0]
    shares = w[seen:]
    largest, whole = _weigh_sample(w, others, tops, low, high, each, scale, shares)
    peaked = others < 8 or not p * whole > largest  # the nucleus may end among the largest
    guess, known, number = np.float64(low), 0.0, 0
    if peaked:
        guess = max(guess, guess_top(tops, 256.0, v))
        number = gather(x, tail, tops, at_least(x, guess), high, ids, base)
        known = weights_of(base, max(number, 0), top, per, heavy, m)
        rest = (whole - mass_from(w, shares, seen, np.float32(guess))) * each
        peaked = others < 8 or p * (known + 1.5 * rest) < known  # also if the rest has half as much again
    if peaked:
        total, doubt = weigh_only(x, tail, low, end, scale, sums)
        target = p * REACHED * total
        if number > 0 and (known >= target * 1.00001 or guess <= low):
            lowest, above, reached = edge(base, m, number, (guess, top), (np.inf, np.inf), known, target, v, q)
            return lowest, above, reached - above, number, target, p * doubt, -1.0
    else:
        first = max(quantile(w, shares, seen, p * whole, p * whole / 256), np.float64(low))
        total, doubt = weigh_from(x, tail, low, end, at_least(x, first), scale, sums, over)
        passed, doubt_above = add_up(over)
        target = p * REACHED * total
        typical = exact((first - top) * per) * heavy
        second = _further(w, shares, seen, first, (target - passed) / each, typical)
        if passed < target:
            second = max(second, np.float64(low))
            ends, start, stop = (second, first), at_least(x, second), below(x, first)
        else:
            second = min(second, np.float64(high))
            ends, start, stop = (first, second), at_least(x, first), second
        number = gather(x, tail, tops, start, at_least(x, stop), ids, base)
        mass = weights_of(base, max(number, 0), top, per, heavy, m)
        before = passed if passed < target else passed - mass
        if number > 0 and before < target and before + mass >= target:
            lowest, above, reached = edge(base, m, number, ends, (np.inf, np.inf), mass, target - before, v, q)
            off = (1 - p) * doubt_above + p * _doubt_of_rest(sums, over, total - passed)
            _add_to_blocks(over, ids, base, m, number, lowest, passed >= target)
            return lowest, before + above, reached - above, number, target, off, doubt_above
    weigh(x, tail, low, high, scale, w, sums)
    lowest, above, own, number = nucleus(
        x, tail, tops, w, (low, high), (top, per, heavy, total, doubt), target, ids, base, m
    )  # fmt: skip
    return lowest, above, own, number, target, 2 * doubt, -1.0


@jit_sums
def _doubt_of_rest(sums: Any, over: Any, rest: Any) -> Any:
    squares = 0.0
    for b in range(sums.shape[0]):
        squares += (sums[b] - over[b]) ** 2
    return doubt_of(rest, squares)


@jit
def _add_to_blocks(over: Any, ids: Any, base: Any, m: Any, number: Any, lowest: Any, inside: Any) -> None:
    """Add what stays of some options to the sums of their blocks; take from them what does not, if all were inside.

    Neighbours are of the same block, and one sum would have to wait for the other; so four distant ones take turns.
    """
    for i in range(number):
        stays = base[i] >= lowest
        m[i] = (0.0 if stays else -m[i]) if inside else (m[i] if stays else 0.0)
    quarter = number // 4
    for i in range(quarter):
        over[ids[i] >> 6] += m[i]
        over[ids[i + quarter] >> 6] += m[i + quarter]
        over[ids[i + 2 * quarter] >> 6] += m[i + 2 * quarter]
        over[ids[i + 3 * quarter] >> 6] += m[i + 3 * quarter]
    for i in range(4 * quarter, number):
        over[ids[i] >> 6] += m[i]


@jit_sums
def _sample(x: Any, tops: Any, low: Any, high: Any, v: Any) -> Any:
    """Some scores of the band at even distances, as float32, and behind them the largest of each block.

    How many the former are, and how many options of the row one of them stands for. At most every third option, so that
    a row's worth of room has place for their weights behind them.
    """
    stride, others = max(3, x.shape[0] // max(1024, x.shape[0] // 64)), np.uint64(0)
    for place in range(stride // 2, x.shape[0], stride):
        i = np.uint64(place)  # with a sign, each index would be asked whether it counts from the end
        v[others] = x[i]
        others += np.uint64((x[i] >= low) & (x[i] <= high) & (x[i] < tops[i >> np.uint64(6)]))
    number = np.int64(others)
    largest = v[number:]
    for b in range(tops.shape[0]):
        largest[b] = max(min(tops[b], high), low)
    return number, np.float64(stride)


@jit_sums
def _weigh_sample(v: Any, others: Any, tops: Any, low: Any, high: Any, each: Any, scale: Any, m: Any) -> Any:
    """Put the fast weights of a sample into ``m``, the largest of each block as a part of ``each``.

    Given back are the mass of those, and of all.
    """
    fast_weights_of(v, others + tops.shape[0], scale, m)
    rest, mass, part = 0.0, 0.0, np.float32(1.0 / each)
    for i in range(others):
        rest += m[i]
    largest = m[others:]
    for b in range(tops.shape[0]):
        largest[b] = largest[b] * part if (tops[b] >= low) & (tops[b] <= high) else np.float32(0)
        mass += largest[b]
    return mass, rest + mass


@jit
def _further(v: Any, q: Any, seen: Any, first: Any, wanted: Any, typical: Any) -> Any:
    """A score between which and the first there is a little more than the wanted mass by a sample v of weights q.

    It is below the first where the wanted mass is positive, else above; and one float32 beyond a score of the sample,
    so that what ties with that is between them, rounding included.
    """
    before, key = np.float64(mass_from(v, q, seen, np.float32(first))), key32(np.float32(first))
    more = 2.5 * np.sqrt(abs(wanted) * typical) + 2.0 * typical
    least, most = ends_of(v, seen)
    if wanted > 0.0:
        score = quantile_between(v, q, seen, before + wanted + more, 0.2 * more, min(least, key), key)
    else:
        score = quantile_between(v, q, seen, before + wanted - more, 0.2 * more, key, max(most, key))
    return np.float64(float_of_key32(key32(np.float32(score)) + np.int32(-1 if wanted > 0.0 else 1)))
