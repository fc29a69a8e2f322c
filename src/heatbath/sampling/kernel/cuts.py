"""Where the steps cut that compare every option with a number of the whole row, such as its entropy.

Those numbers come from one pass with fast weights and a known error. Where a score lies so near to the cut that the
error could decide, they are computed again in float64, whose rounding the slack of 1e-12 covers.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.maps import highest, lowest, lowest_exponent, mapped
from heatbath.sampling.kernel.moments import (
    at_most,
    holds,
    largest_from,
    middle,
    moments_exactly,
    smallest_from,
    spread,
)
from heatbath.sampling.kernel.ops import EPSILON, ETA, P_LESS, P_LESS_NORMALISED, SURPRISAL, TOP_A, XTC
from heatbath.sampling.kernel.sweeps import at_least, count_from, jit
from heatbath.sampling.mass import REACHED, SLACK

TINY = 2.2250738585072014e-308


@jit
def is_floor(op: Any) -> Any:
    """Whether the step keeps what is above a floor of ``q - max q``, or begins with that."""
    return (
        (op == EPSILON) | (op == ETA) | (op == TOP_A) | (op == P_LESS) | (op == P_LESS_NORMALISED) | (op == SURPRISAL)
        | (op == XTC)
    )  # fmt: skip


@jit
def floor_of(op: Any, given: Any, total: Any, ones: Any, squares: Any, options: Any) -> Any:
    """The floor, from the sums of w, w e and w w, and the number of options; the rounding that is allowed included."""
    log_total = np.log(total)
    if op in (EPSILON, XTC):
        floor = log_total + given
    elif op == ETA:
        floor = log_total + min(given, given / 2 - (log_total - ones / total))
    elif op == TOP_A:
        floor = given - log_total
    elif op == SURPRISAL:
        floor = log_total - given
    else:
        agreeing = squares / total
        if op == P_LESS_NORMALISED:
            agreeing = (options * agreeing - total) / max(options - 1.0, 1.0)
        floor = np.log(max(agreeing, TINY))
    return floor - SLACK


@jit
def floor_doubt(op: Any, sums: Any, doubts: Any, options: Any) -> Any:
    """How far the floor of :func:`floor_of` may be off."""
    total, ones, squares = sums
    share = doubts[0] / total
    if op == ETA:
        return 2 * share + (doubts[1] - ones * share) / total
    if op == P_LESS:
        return share + doubts[2] / squares
    if op == P_LESS_NORMALISED:
        agreeing = options * squares / total
        return (agreeing * (share + doubts[2] / squares) + total * share) / max(agreeing - total, 1e-300)
    return share


@jit
def floor_among_many(
    row: Any, band: Any, op: Any, given: Any, weighed: Any, doubts: Any, maps: Any, number: Any, sums: Any
) -> Any:
    """The smallest score that is above the floor; ``weighed`` and ``doubts`` are those of :func:`moments`, the first
    in the scale of its weights, of which the top has the last number.
    """
    x, tail, tops = row
    low, high, top, per = band
    zeros, ones, squares, heavy = weighed
    options = 0.0
    if op == P_LESS_NORMALISED:
        options = np.float64(count_from(x, tail, tops, at_least(x, low), at_most(x, high)))
    floor = floor_of(op, given, zeros / heavy, ones / heavy, squares / heavy / heavy, options)
    doubt = floor_doubt(op, (zeros, ones, squares), doubts, options) + 1e-13
    under = lowest_exponent(floor - doubt, top, maps, number)
    over = lowest_exponent(floor + doubt, top, maps, number)
    if holds(x, tail, tops, at_least(x, max(low, under)), at_most(x, min(high, np.nextafter(over, -np.inf)))):
        zeros, ones, _, squares = moments_exactly(x, tail, at_least(x, low), at_most(x, high), top, per, sums)
        return lowest_exponent(floor_of(op, given, zeros, ones, squares, options), top, maps, number)
    return under


@jit
def best_or(under: Any, top: Any, maps: Any, number: Any) -> Any:
    """The cut, or the smallest score that counts as the best where the cut is above that."""
    return min(under, lowest(mapped(top, maps, number), top, maps, number))


@jit
def obvious(row: Any, low: Any, high: Any, top: Any, maps: Any, number: Any, protected: Any) -> Any:
    """The largest score that xtc leaves, where those from ``low`` on are obvious; high where it removes nothing.

    Scores above the last of them that are mapped to the same tie with it, and stay.
    """
    x, tail, tops = row
    last = smallest_from(x, tail, tops, at_least(x, low), at_most(x, high))
    if np.isnan(last):
        return high
    end = mapped(last, maps, number)
    for i in range(protected.shape[0]):
        score = np.float64(x[np.int64(protected[i])])
        if score <= high and mapped(score, maps, number) > end:
            return high
    return min(high, max(last, highest(end, top, maps, number)))


@jit
def sigma_cut(row: Any, band: Any, n: Any, sample: Any, maps: Any, number: Any) -> Any:
    """The smallest score within n deviations of the best; NaN where the numbers leave their range."""
    x, tail, _ = row
    low, high, top, per = band
    bottom, end = at_least(x, low), at_most(x, high)
    options, squares = spread(x, tail, bottom, end, middle(x, bottom, end))
    sigma = np.sqrt(squares / max(options - sample, 1.0)) * per
    if not (sigma < 1e150 and (sigma > 1e-150 or squares == 0.0)):
        return np.nan
    if sigma == 0.0:
        return lowest_exponent(0.0, top, maps, number)
    return lowest_exponent(-n * sigma / REACHED, top, maps, number)


@jit
def next_top(row: Any, low: Any, high: Any) -> Any:
    """The largest score of what is left, where the upper end has moved."""
    x, tail, tops = row
    return np.float64(largest_from(x, tail, tops, at_least(x, low), at_most(x, high)))
