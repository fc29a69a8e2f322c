"""The nucleus of many options, in the pass that weighs them.

An option stays iff those with a strictly larger score have less than p of the whole mass. The whole is known only after
a pass over the row; but a sample tells beforehand where the edge is to within some percent of the options. So the one
pass adds up two masses, the whole and that above a guess a little too high. Then it is known how much is short of the
target; the options below the guess, a little more of them than will be needed, are gathered; and the edge is looked for
among them. What stays of them is added to the sums that the pass has left of each block, which are then those of the
nucleus: the draw needs no further pass.

How far the first guess is off: with scores taken at random, the mass A above a threshold less p times the whole,
``(1 - p) A - p B``, has the variance ``(1 - p)**2 sum(a**2) + p**2 sum(b**2)`` over the weights above and below. It is
taken two and a half deviations above the edge. The second guess is to lie a mass M below the first, for which the
sample has n weights of about w = M / n; their sum has the deviation ``w sqrt(n) = sqrt(M w)``, of which it is taken two
and a half further down. A guess misses about once in a hundred rows, which are then searched with more passes.

The same difference tells how far rounding may be off: fast sums A and B of the weights above the guess and below are
off by D(A) and D(B) at most, see :func:`heatbath.sampling.kernel.sweeps.add_up`, so ``p (A + B) - A`` is by
``(1 - p) D(A) + p D(B)``. An edge nearer to the target than that is decided again with exact sums.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.many import edge, fast_weights_of, guess_top, nucleus, quantile, sample, weights_of
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
from heatbath.sampling.mass import REACHED


@built_in
def weighed_nucleus(
    x: Any, tail: Any, tops: Any, band: Any, top: Any, per: Any, p: Any, w: Any, sums: Any, over: Any, ids: Any,
    base: Any, q: Any, v: Any, m: Any,
) -> Any:  # fmt: skip
    """The smallest score of the nucleus of the band, NaN where it was not found; the mass above it, and its own.

    Then how many options ``base`` holds, among which the score and its neighbours are; the mass to be reached, and how
    far its distance to the other two may be off; and whether ``over`` has the sums of the nucleus in each block.
    """
    low, high, end = band
    scale, heavy = scale_of(top, per)
    guess = max(np.float64(low), guess_top(tops, 256.0, v))
    number, known, upper = gather(x, tail, tops, at_least(x, guess), high, ids, base), 0.0, np.inf
    if number >= 0:
        known, upper = weights_of(base, number, top, per, heavy, m), below(x, guess)
    seen, each = sample(x, low, at_least(x, min(upper, np.float64(high))), w)
    shares = w[seen:]
    mass = fast_weights_of(w, seen, scale, shares)
    short = p * (known + mass * each) - known  # so much of the rest is in the nucleus, it seems
    if seen < 8 or short + 0.5 * p * mass * each < 0.0:  # none, also if the rest has half as much again
        total, doubt = weigh_only(x, tail, low, end, scale, sums)
        target = p * REACHED * total
        if number > 0 and (known >= target * 1.00001 or guess <= low):
            lowest, above, reached = edge(base, m, number, (guess, top), (np.inf, np.inf), known, target, v, q)
            return lowest, above, reached - above, number, target, p * doubt, False
    else:
        first = max(min(_too_high(w, shares, seen, short / each, p), upper), np.float64(low))
        total, doubt = weigh_from(x, tail, low, end, at_least(x, first), scale, sums, over)
        passed, doubt_above = add_up(over)
        target = p * REACHED * total
        if passed < target:
            second = max(_too_low(w, shares, seen, first, (target - passed) / each), np.float64(low))
            number = gather(x, tail, tops, at_least(x, second), below(x, first), ids, base)
            mass = weights_of(base, max(number, 0), top, per, heavy, m)
            if number > 0 and passed + mass >= target:
                ends = second, first
                lowest, above, reached = edge(base, m, number, ends, (np.inf, np.inf), mass, target - passed, v, q)
                off = (1 - p) * doubt_above + p * _doubt_of_rest(sums, over, total - passed)
                _add_to_blocks(over, ids, base, m, number, lowest)
                return lowest, passed + above, reached - above, number, target, off, True
    weigh(x, tail, low, high, scale, w, sums)
    lowest, above, own, number = nucleus(
        x, tail, tops, w, (low, high), (top, per, heavy, total, doubt), target, ids, base, m
    )  # fmt: skip
    return lowest, above, own, number, target, 2 * doubt, False


@jit_sums
def _doubt_of_rest(sums: Any, over: Any, rest: Any) -> Any:
    squares = 0.0
    for b in range(sums.shape[0]):
        squares += (sums[b] - over[b]) ** 2
    return doubt_of(rest, squares)


@jit
def _add_to_blocks(over: Any, ids: Any, base: Any, m: Any, number: Any, lowest: Any) -> None:
    """Add what stays of some options to the sums of their blocks.

    Neighbours are of the same block, and one sum would have to wait for the other; so four distant ones take turns.
    """
    for i in range(number):
        m[i] = m[i] if base[i] >= lowest else 0.0
    quarter = number // 4
    for i in range(quarter):
        for j in range(i, 4 * quarter, quarter):
            over[ids[j] >> 6] += m[j]
    for i in range(4 * quarter, number):
        over[ids[i] >> 6] += m[i]


@jit_sums
def _too_high(v: Any, q: Any, seen: Any, wanted: Any, p: Any) -> Any:
    """A score from which on there is a little less than the wanted mass, by a sample v of weights q."""
    smallest = np.float32(quantile(v, q, seen, wanted, wanted / 64))
    above, under = np.float32(0), np.float32(0)
    for i in range(seen):
        square = q[i] * q[i]
        above += square if v[i] >= smallest else np.float32(0)
        under += square if v[i] < smallest else np.float32(0)
    spread = 2.5 * np.sqrt((1 - p) ** 2 * above + p**2 * under)
    return quantile(v, q, seen, wanted - spread, 0.1 * spread)


@jit_sums
def _too_low(v: Any, q: Any, seen: Any, first: Any, wanted: Any) -> Any:
    """A score down to which there is a little more than the wanted mass below the first, by the same sample."""
    before, squares, mass = np.float32(0), np.float32(0), np.float32(0)
    for i in range(seen):
        before += q[i] if v[i] >= np.float32(first) else np.float32(0)
        mass += q[i] if v[i] < np.float32(first) else np.float32(0)
        squares += q[i] * q[i] if v[i] < np.float32(first) else np.float32(0)
    typical = squares / max(mass, np.float32(1e-30))
    more = 2.5 * np.sqrt(wanted * typical) + 2.0 * typical
    return quantile(v, q, seen, before + wanted + more, 0.2 * more)
