"""One row through a chain: the interpreter.

**A chain moves two boundaries.** Nearly every step either maps scores in an order-preserving way or removes options
from an end of that order. So what is left of a row is a band of its *own* scores, ``low <= x[i] <= high``, and the row
itself is never copied or sorted. The maps so far, one after the other as the reference computes them, are applied to
single numbers: :mod:`maps` finds by bisection the smallest score that is mapped to a wanted q or above, which makes a
comparison in q exactly one in x, rounding included.

**Sums over many options are fast and know their error** (:mod:`weights`, :mod:`moments`). A decision nearer to its
boundary than that error is made again with exact sums. The same holds for the draw.

**As soon as few options are left they are gathered**, and :mod:`few` goes on with plain loops. What cannot be done
among many, such as ranking all of them, is given up, and the reference does it.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel import few, few_cuts
from heatbath.sampling.kernel.band import typical_among_many
from heatbath.sampling.kernel.chance import uniform
from heatbath.sampling.kernel.cuts import best_or, floor_among_many, floor_of, is_floor, next_top, obvious, sigma_cut
from heatbath.sampling.kernel.draw import point
from heatbath.sampling.kernel.left import Left, near, weighable
from heatbath.sampling.kernel.many import MANY, best, few_of, neighbour
from heatbath.sampling.kernel.maps import (
    BENT,
    MAPS,
    MOST,
    NEARED,
    SCALED,
    add_map,
    lowest,
    lowest_exponent,
    map_all,
    mapped,
)
from heatbath.sampling.kernel.moments import moments, scale_of
from heatbath.sampling.kernel.nucleus import weighed_nucleus
from heatbath.sampling.kernel.ops import (
    ADAPTIVE_P,
    GIVE_UP,
    MIN_K,
    MIN_P,
    MORE,
    P_LESS_NORMALISED,
    SAMPLE_SIGMA,
    SMOOTHING,
    SURPRISAL,
    TAIL_FREE,
    TEMPERATURE,
    TOP_H,
    TOP_K,
    TOP_N_SIGMA,
    TOP_P,
    TYPICAL,
    XTC,
)
from heatbath.sampling.kernel.ranks import min_k_among_many, top_h_among_many
from heatbath.sampling.kernel.sweeps import add_up, at_least, built_in, gather, jit, weigh_exactly_from
from heatbath.sampling.kernel.weights import exact
from heatbath.sampling.mass import REACHED


@jit
def _given_up(top: Any) -> Any:
    return Left(GIVE_UP, top, top, top, top, -1, 0, 1.0, -1.0, -1.0, 0.0)


@jit
def _lowest_kept(q: Any, number: Any) -> Any:
    low = q[0]
    for i in range(1, number):
        low = min(low, q[i])
    return low


@jit
def _plainly_among_few(
    ids: Any, q: Any, number: Any, op: Any, given: Any, _more: Any, maps: Any, count: Any, v: Any, m: Any
) -> Any:
    """One plain step on gathered options: how many are left, or -1; and how many maps there are."""
    if op == TEMPERATURE:
        if given > 0.0:
            count = add_map(maps, count, SCALED, few.largest(q, number), given, 0.0)
        return few.temper(ids, q, number, given), count
    if op == TOP_K:
        return few.top_k(ids, q, number, np.int64(given), v), count
    if op == TOP_P:
        return few.top_p(ids, q, number, given, v, m), count
    if op == MIN_P:
        return few.keep_from(ids, q, number, few.largest(q, number) + given), count
    return -1, count


@jit
def _among_few(
    ids: Any, q: Any, number: Any, op: Any, given: Any, more: Any, maps: Any, count: Any, v: Any, m: Any
) -> Any:
    """One step on gathered options, see :func:`_plainly_among_few`."""
    if op in (TEMPERATURE, TOP_K, TOP_P, MIN_P):
        return _plainly_among_few(ids, q, number, op, given, more, maps, count, v, m)
    if op in (SMOOTHING, ADAPTIVE_P):
        top, total, _, _ = few_cuts.weigh_few(q, number, m)
        if op == SMOOTHING:
            count = add_map(maps, count, BENT, top, given, more[0])
        else:
            count = add_map(maps, count, NEARED, top, total, given)
        map_all(q, number, q, maps[count - 1 :], np.int64(1))
        return few.keep_from(ids, q, number, -MOST), count
    if op == TYPICAL:
        return few_cuts.typical(ids, q, number, given, v, m), count
    if op in (TOP_N_SIGMA, SAMPLE_SIGMA):
        return few_cuts.n_sigma(ids, q, number, given, 1.0 if op == SAMPLE_SIGMA else 0.0), count
    if is_floor(op):
        return few_cuts.above_floor(ids, q, number, op, given, more, m), count
    if op == TAIL_FREE:
        return few_cuts.tail_free(ids, q, number, given, v, m), count
    if op == TOP_H:
        return few_cuts.top_h(ids, q, number, given, v, m), count
    if op == MIN_K:
        return few_cuts.min_k(ids, q, number, given, v), count
    return -1, count


@jit
def _first(x: Any, low: Any, high: Any) -> Any:
    i = 0
    while not low <= x[i] <= high:
        i += 1
    return i


@jit
def _nucleus(
    row: Any, band: Any, top: Any, per: Any, p: Any, w: Any, sums: Any, over: Any, ids: Any, base: Any, q: Any, v: Any,
    m: Any,
) -> Any:  # fmt: skip
    """The smallest score of the nucleus among many, NaN where it was not found; the doubt of its sums, or -1."""
    x, tail, tops = row
    low, high, end = at_least(x, band[0]), at_least(x, band[1]), at_least(x, band[2])
    score, above, own, number, target, off, known = weighed_nucleus(
        x, tail, tops, (low, high, end), top, per, p, w, sums, over, ids, base, q, v, m
    )
    if np.isnan(score) or (target - above > off and above + own - target > off):
        return score, known
    return _exact_edge(x, tail, (low, high), top, per, p, score, sums, base, number), -1.0


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


def _interpreter(every: bool, among_few: Any) -> Any:
    """What runs a chain of any steps, or of plain ones alone: a step that is not among them is given up.

    Most chains are plain, and what runs only those is compiled in a third of the time.
    """

    @built_in
    def run(
        x: Any, ops: Any, numbers: Any, seed: Any, position: Any, top: Any, tops: Any, wanted: Any, work: Any
    ) -> Any:
        """A row through the steps; ``top`` and ``tops`` are those of :func:`first_look`."""
        tail, w, sums, over, ids, base, q, v, m, maps = (
            work.tail, work.w, work.sums, work.over, work.ids, work.base, work.q, work.v, work.m, work.maps
        )  # fmt: skip
        row = (x, tail, tops)
        low, high, end, per = -MOST, top, np.inf, 1.0
        number: Any = np.int64(-1)  # a plain -1 is a type of its own, for which all would be compiled again
        count: Any = np.int64(0)
        total, doubt = -1.0, 0.0
        last = -1.0  # the per of the weights that were computed last; -1 where there are none, or the top was another
        for step in range(ops.shape[0]):
            op, given = ops[step], numbers[step]
            more = numbers[step:step]
            if every:
                if op == MORE:
                    continue
                if wanted[step]:
                    left = Left(0, low, high, end, top, number, count, per, last, total, doubt)
                    if not point(x, tops, left, step, work):
                        return _given_up(top)
                    total = -1.0
                after = step + 1
                while after < ops.shape[0] and ops[after] == MORE:
                    after += 1
                more = numbers[step + 1 : after]
                if op == XTC:
                    acts = uniform(seed, position, np.int64(more[1])) < more[0]
                    more = more[2:]
                    if more.shape[0] and few.largest(more, more.shape[0]) >= x.shape[0]:
                        return _given_up(top)
                    if not acts:
                        continue
            if count >= MAPS - 2:
                return _given_up(top)
            if number >= 0:
                number, count = among_few(ids, q, number, op, given, more, maps, count, v, m)
                if number < 0:
                    return _given_up(top)
                continue
            if op in (TOP_P, TYPICAL, TOP_H) and given == 1.0:
                continue
            leading, found, total = mapped(top, maps, count), True, -1.0
            if op == TEMPERATURE:
                if given == 0.0:
                    low = lowest(leading, top, maps, count)
                    number = _first(x, low, high)
                    ids[0], base[0], q[0], number = number, x[number], 0.0, 1
                    continue
                if given != 1.0 or leading != 0.0:
                    count = add_map(maps, count, SCALED, leading, given, 0.0)
                if given != 1.0:
                    per = per / given
                low = max(low, lowest(-MOST, top, maps, count))
                continue
            if every and op == SMOOTHING:
                count = add_map(maps, count, BENT, leading, given, more[0])
                per, low = np.nan, max(low, lowest(-MOST, top, maps, count))
                continue
            if op == MIN_P:
                low = max(low, lowest(leading + given, top, maps, count))
            elif op == TOP_K:
                if given < x.shape[0]:
                    kth, start, number = best(
                        x, tail, tops, at_least(x, low), at_least(x, high), np.int64(given), w, ids, base, v, m, q
                    )
                    found, last = not np.isnan(kth), -1.0
                    low = max(low, lowest(mapped(kth, maps, count), top, maps, count)) if found else low
                    if found and number == MANY:
                        number = -1
                        continue
                    number = few.keep_from(ids, base, number, low) if found and number >= 0 and low >= start else -1
            elif every and op in (TOP_N_SIGMA, SAMPLE_SIGMA):
                cut = sigma_cut(row, (low, high, top, per), given, 1.0 if op == SAMPLE_SIGMA else 0.0, maps, count)
                found = not np.isnan(cut)
                low = max(low, cut) if found else low
            elif every and op == MIN_K:
                cut = min_k_among_many(row, (low, high, top, per), given, maps, count, ids, base, q)
                found = not np.isnan(cut)
                low = max(low, lowest(mapped(cut, maps, count), top, maps, count)) if found else low
            elif every and op in (TAIL_FREE, ADAPTIVE_P):
                found = False  # every option counts, however far down
            elif not weighable(top, per):
                number = near(row, low, high, top, maps, count, ids, base, q)
                before = number
                if number >= 0:
                    number, count = among_few(ids, q, number, op, given, more, maps, count, v, m)
                # What was left out has no weight. But xtc keeps it, a normalised p_less counts it, and so does a floor
                # so low, and a top_h of nothing.
                if every and (op in (XTC, P_LESS_NORMALISED) or (op == TOP_H and number == before)):
                    number = -1
                if every and is_floor(op) and number > 0:
                    number = number if _lowest_kept(q, number) > few.largest(q, number) - 700.0 else -1
                if number >= 0:
                    continue
                found = False
            elif every and op == TOP_H:
                cut = top_h_among_many(row, (low, high, top, per), given, maps, count, w, sums, ids, base, q)
                found = not np.isnan(cut)
                low = max(low, lowest(mapped(cut, maps, count), top, maps, count)) if found else low
                last = per
            elif op == TOP_P:
                edge, kept = _nucleus(row, (low, high, end), top, per, given, w, sums, over, ids, base, q, v, m)
                found, last = not np.isnan(edge), -1.0
                low = max(low, lowest(mapped(edge, maps, count), top, maps, count)) if found else low
                if found and kept >= 0.0 and at_least(x, low) >= at_least(x, edge):
                    for b in range(sums.shape[0]):  # an assignment of slices takes a second to compile
                        sums[b] = over[b]
                    total, doubt = add_up(sums)
                    doubt = max(doubt, kept)
                    continue
            elif every and op == SURPRISAL and wanted[step]:
                cut = lowest_exponent(
                    floor_of(op, given, np.exp(work.points[step, 0]), 0.0, 0.0, 0.0), top, maps, count
                )
                low = max(low, best_or(cut, top, maps, count))
            elif every and (is_floor(op) or op == TYPICAL):
                scale, heavy = scale_of(top, per)
                band = (low, high, top, per)
                measured, doubts = moments(x, tail, low, high, top, per, scale, w, sums)
                last = per
                if op == TYPICAL:
                    known = measured[0], measured[1], heavy
                    lower, upper = typical_among_many(
                        row, band, given, known, doubts, maps, count, w, sums, ids, base, v, m
                    )
                    found = not np.isnan(lower)
                    low, high = (max(low, lower), min(high, upper)) if found else (low, high)
                else:
                    weighed = (measured[0], measured[1], measured[3], heavy)
                    cut = floor_among_many(row, band, op, given, weighed, doubts, maps, count, sums)
                    if op == XTC:
                        high = obvious(row, max(low, cut), high, top, maps, count, more)
                    else:
                        low = max(low, best_or(cut, top, maps, count))
                if high < top:
                    top, last = next_top(row, low, high), -1.0
                    high, end = top, top
            else:
                return _given_up(top)
            if number < 0:
                room = few_of(x) if found else ids.shape[0]
                number = gather(x, tail, tops, at_least(x, low), at_least(x, high), ids[:room], base)
            map_all(q, number, base, maps, count)
            if not found:
                if number >= 0:
                    number, count = among_few(ids, q, number, op, given, more, maps, count, v, m)
                if number < 0:
                    return _given_up(top)
        return Left(0, low, high, end, top, number, count, per, last, total, doubt)

    return run


run, run_plainly = _interpreter(True, _among_few), _interpreter(False, _plainly_among_few)
