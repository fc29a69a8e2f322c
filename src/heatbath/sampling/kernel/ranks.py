"""Cuts by rank among many options: found among the best of them, where that decides."""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.few import sort
from heatbath.sampling.kernel.many import guess_top
from heatbath.sampling.kernel.maps import map_all, mapped, surprisal
from heatbath.sampling.kernel.moments import at_most, moments, moments_exactly, scale_of, smallest_from
from heatbath.sampling.kernel.sweeps import at_least, gather, jit
from heatbath.sampling.kernel.weights import exact
from heatbath.sampling.mass import REACHED


@jit
def _best(row: Any, low: Any, high: Any, maps: Any, count: Any, ids: Any, base: Any, q: Any) -> Any:
    """Gather the best and sort them, the best last; how many, or -1."""
    x, tail, tops = row
    guess = max(at_least(x, low), at_least(x, guess_top(tops, 512.0, q)))
    number = gather(x, tail, tops, guess, at_most(x, high), ids, base)
    if number > 0:
        sort(base, number)
        map_all(q, number, base, maps, count)
    return number


@jit
def top_h_among_many(
    row: Any, band: Any, h: Any, maps: Any, count: Any, w: Any, sums: Any, ids: Any, base: Any, q: Any
) -> Any:
    """The smallest score of the best that have no more than h of the entropy; NaN where that was not found."""
    x, tail, _ = row
    low, high, top, per = band
    number = _best(row, low, high, maps, count, ids, base, q)
    if number < 2:
        return np.nan
    scale, heavy = scale_of(top, per)
    (total, ones, _, _), (doubt, doubt_ones, _) = moments(x, tail, low, high, top, per, scale, w, sums)
    total, ones, doubt, doubt_ones = total / heavy, ones / heavy, doubt / heavy, doubt_ones / heavy
    for attempt in range(2):
        if attempt == 1:
            total, ones, _, _ = moments_exactly(x, tail, at_least(x, low), at_most(x, high), top, per, sums)
            doubt, doubt_ones = 0.0, 0.0
        log_total = np.log(total)
        whole = h * (total * log_total - ones)
        off = 2 * (doubt * (log_total + 2) + doubt_ones)
        shown, sure = 0.0, True
        for i in range(number - 1, -1, -1):
            shown += exact(q[i] - q[number - 1]) * surprisal(log_total, q[i], q[number - 1])
            sure = sure and abs(shown - whole) > off
            if not sure:
                break
            if not whole >= shown * REACHED:
                return base[min(i + 1, number - 1)]
        if sure:
            return np.nan
    return np.nan


@jit
def min_k_among_many(
    row: Any, band: Any, tau: Any, maps: Any, count: Any, ids: Any, base: Any, q: Any
) -> Any:  # fmt: skip
    """The smallest score above the steepest fall; NaN where that was not found among the best."""
    x, tail, tops = row
    low, high, _, _ = band
    number = _best(row, low, high, maps, count, ids, base, q)
    if number < 3:
        return np.nan
    end = mapped(smallest_from(x, tail, tops, at_least(x, low), at_most(x, high)), maps, count)
    span = q[number - 1] - end
    if not span > 0.0:
        return np.nan
    least, steepest = np.floor(tau / span / REACHED), 0.0
    for place in range(1, number):
        steepest = max(steepest, (q[number - place] - q[number - place - 1]) / place)
    if least >= number or not steepest * REACHED > (q[0] - end) / number:
        return np.nan
    peak = 0
    while not (q[number - 1 - peak] - q[number - 2 - peak]) / (peak + 1) >= steepest * REACHED:
        peak += 1
    return base[number - max(peak + 1, np.int64(least))]
