"""What a row looks like at a temperature, and the temperature at which it looks as wanted: for thermostats.

The best options are counted and only what lies below them is summed with fast weights, so that an entropy near 0 keeps
its digits. Exponents ``e = q - max q`` are those at T = 1.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from heatbath.sampling.kernel import few
from heatbath.sampling.kernel.left import Left, weighable
from heatbath.sampling.kernel.many import guess_top
from heatbath.sampling.kernel.maps import lowest, map_all, mapped
from heatbath.sampling.kernel.moments import at_most, heat, largest_in, moments_exactly, scale_of, warmth
from heatbath.sampling.kernel.sweeps import OPTIONS, at_least, below, count_from, gather, jit, jit_sums
from heatbath.sampling.kernel.weights import exact, weight

RESOLVED = 1e-24
"""Sums below the best up to this share of it are made again in float64: the smallest fast weights are 2**-125."""

SAMPLE = 512
LEAST = 1e-20
"""Nats that fast weights of a sample, which begin at 2**-125, can still tell."""

CLOSE = 0.015
"""A step in ln T up to this leaves an error of some 1e-5: the curve of the sample is as bent as that of the row, to
within some percent."""


@jit
def counts(x: Any, tops: Any, left: Left, work: Any) -> Any:
    """How many options tie for the best, how many there are, and how far below the best the second is."""
    tail, q, maps = work.tail, work.q, work.maps
    if left.number >= 0:
        best, ties, second = few.largest(q, left.number), 0, -np.inf
        for i in range(left.number):
            ties += q[i] == best
            second = max(second, q[i]) if q[i] < best else second
        return 1.0 * ties, 1.0 * left.number, 0.0 if ties > 1 else best - second
    best = mapped(left.top, maps, left.maps)
    edge = lowest(best, left.top, maps, left.maps)
    ties = count_from(x, tail, tops, at_least(x, edge), at_most(x, left.top))
    options = count_from(x, tail, tops, at_least(x, left.low), at_most(x, left.high))
    if ties > 1 or options == 1:
        return 1.0 * ties, 1.0 * options, 0.0 if ties > 1 else np.inf
    second = largest_in(x, tail, tops, at_least(x, left.low), at_most(x, below(x, edge)))
    gap = best - mapped(np.float64(second), maps, left.maps)
    return 1.0 if gap > 0.0 else np.nan, 1.0 * options, gap


def spread_few(v: Any, m: Any, number: Any, ties: Any, t: Any) -> Any:
    """Of ties at 0 and options v below that count m times: ``ln sum exp(v / t)``, and mean and variance of ``v / t``.

    Last comes the sum below the ties, as a share of them. Of options in single precision the weights are fast ones.
    """
    raise NotImplementedError


@overload(spread_few, jit_options=OPTIONS)
def _spread_few(v: Any, m: Any, number: Any, ties: Any, t: Any) -> Any:
    sums = _sums_fast if v.dtype == types.float32 else _sums_exactly

    def spread(v: Any, m: Any, number: Any, ties: Any, t: Any) -> Any:
        rest, one, two = sums(v, m, number, t)
        mean = one / (ties + rest)
        return np.log(ties) + np.log1p(rest / ties), mean, max(two / (ties + rest) - mean * mean, 0.0), rest / ties

    return spread


@jit_sums
def _sums_exactly(v: Any, m: Any, number: Any, t: Any) -> Any:
    rest, one, two = 0.0, 0.0, 0.0
    for i in range(number):
        e = max(v[i] / t, -1000.0)
        value = m[i] * exact(e)
        rest += value
        one += value * e
        two += value * e * e
    return rest, one, two


@jit_sums
def _sums_fast(v: Any, m: Any, number: Any, t: Any) -> Any:
    (c_high, c_low, k, floor), _ = scale_of(0.0, 1.0 / t)
    rest, one, two = np.float32(0), np.float32(0), np.float32(0)
    lowest, step = np.float32(floor), np.float32(1.0 / t)
    for i in range(number):
        score = max(v[i], lowest)
        value = m[i] * weight(score, c_high, c_low, k)
        e = score * step
        first = value * e
        rest += value
        one += first
        two += first * e
    return np.float64(rest), np.float64(one), np.float64(two)


@jit
def below_best(q: Any, number: Any, v: Any, m: Any) -> Any:
    """How far below the best gathered options are, in v, each counted once in m; how many are, and how many tie."""
    best, left = few.largest(q, number), 0
    for i in range(number):
        if q[i] < best:
            v[left], m[left] = q[i] - best, 1.0
            left += 1
    return left, 1.0 * (number - left)


@jit
def look_at(x: Any, tops: Any, left: Left, t: Any, work: Any) -> Any:
    """Of the row at ``0 < T < inf``: ``ln sum exp(e / T)``, the mean of ``e / T`` and its variance.

    NaN where they could not be had.
    """
    tail, q, v, m, maps, number = work.tail, work.q, work.v, work.m, work.maps, left.number
    if number >= 0:
        number, ties = below_best(q, number, v, m)
    else:
        top, per, under = left.top, left.per / t, at_most(x, min(left.high, below(x, left.top)))
        ties = 1.0 * count_from(x, tail, tops, at_least(x, top), at_most(x, top))
        if weighable(top, per):
            scale, heavy = scale_of(top, per)
            zero, one, two = heat(x, tail, tops, left.low, under, left.end == np.inf, top, per, scale)
            if zero < RESOLVED * heavy:
                zero, one, two, _ = moments_exactly(x, tail, at_least(x, left.low), under, top, per, work.sums)
                heavy = 1.0
            rest, whole = zero / heavy, ties + zero / heavy
            mean = one / heavy / whole
            return np.log(ties) + np.log1p(rest / ties), mean, max(two / heavy / whole - mean * mean, 0.0)
        best = mapped(top, maps, left.maps)
        low = max(left.low, lowest(best - 800.0 * t, top, maps, left.maps))
        number = gather(x, tail, tops, at_least(x, low), under, work.ids, work.base)
        if number < 0:
            return np.nan, np.nan, np.nan
        map_all(q, number, work.base, maps, left.maps)
        for i in range(number):
            v[i], m[i] = q[i] - best, 1.0
    log_sum, mean, variance, _ = spread_few(v, m, number, ties, t)
    return log_sum, mean, variance


@jit
def glimpse(x: Any, tops: Any, left: Left, work: Any) -> Any:
    """Of the row at T = 1: ``ln sum exp(e)`` and the mean of e, see :func:`look_at`, and how many options there are."""
    top, per = left.top, left.per
    if left.number < 0 and weighable(top, per):
        ties = 1.0 * count_from(x, work.tail, tops, at_least(x, top), at_most(x, top))
        scale, heavy = scale_of(top, per)
        under = at_most(x, min(left.high, below(x, top)))
        zero, one, number = warmth(x, work.tail, tops, left.low, under, left.end == np.inf, top, per, scale)
        if zero >= RESOLVED * heavy:
            rest = zero / heavy
            return np.log(ties) + np.log1p(rest / ties), one / heavy / (ties + rest), ties + number
    log_sum, mean, _ = look_at(x, tops, left, 1.0, work)
    _, options, _ = counts(x, tops, left, work)
    return log_sum, mean, options


@jit
def root(v: Any, m: Any, number: Any, ties: Any, goal: Any, start: Any, enough: Any) -> Any:
    """The ln T with the entropy ``goal`` of ties and of options v below that count m times.

    -inf or inf where it is out of reach. As :func:`heatbath.temperature_for`: Newton's method on ``ln(x / (R - x))`` in
    a bracket, ended by a step of less than ``enough``: its square is what is left.
    """
    options, least, most = ties, np.inf, 0.0
    for i in range(number):
        options += m[i]
        least, most = min(least, -v[i]), max(most, -v[i])
    reach, goal = np.log(options / ties), goal - np.log(ties)
    if not goal > 0.0:
        return -np.inf
    if not goal < reach:
        return np.inf
    low, high = np.log(least) - 6.7, np.log(most) - 0.5 * np.log(8 * (reach - goal))
    u, last = min(max(start, low), high), high - low
    for _ in range(200):
        _, mean, slope, rest = spread_few(v, m, number, ties, np.exp(u))
        reached, step = np.log1p(rest) - mean, np.nan
        if reached < goal:
            low = u
        else:
            high = u
        if 0.0 < reached < reach and slope > 0.0:
            share = reached * (reach - reached) / (reach * slope)
            step = np.log(goal / reached * ((reach - reached) / (reach - goal))) * share
            if abs(step) < enough:
                return u + step
        if not (low < u + step < high and abs(step) < 0.5 * last):
            step = 0.5 * (low + high) - u
        if high - low < 1e-13 * abs(u) + 1e-300:
            return u
        u, last = u + step, abs(step)
    return u


@jit
def _sample(x: Any, tops: Any, left: Left, v: Any, m: Any, work: Any) -> Any:
    """How far below the top the best options are, in v, counted once in m, and others, which count for the rest."""
    tail, ids, base = work.tail, work.ids, work.base
    top, per, under = left.top, left.per, at_most(x, min(left.high, below(x, left.top)))
    guess, low = (
        at_least(x, max(left.low, guess_top(tops, 256.0 + tops.shape[0] / 16.0, work.v))),
        at_least(x, left.low),
    )
    number = gather(x, tail, tops, guess, under, ids[:8192], base)
    if number < 0:
        guess, number = under, 0
    for i in range(number):
        v[i], m[i] = (base[i] - top) * per, 1.0
    stride = max(1, x.shape[0] // max(SAMPLE, x.shape[0] // 256))
    for i in range(stride // 2, x.shape[0], stride):
        v[number], m[number] = (np.float64(x[i]) - top) * per, 1.0 * stride
        number += low <= x[i] < guess
    return number


@jit
def _solve(x: Any, tops: Any, left: Left, goal: Any, ties: Any, v: Any, m: Any, work: Any) -> Any:
    """The T of :func:`warmth_for` among many options; a sample of them is kept in v and m."""
    top, per = left.top, left.per
    number = _sample(x, tops, left, v, m, work)
    u = root(v, m, number, ties, goal, 0.0, 1e-3)
    u = u if abs(u) < 700.0 else 0.0
    low, high = -np.inf, np.inf
    for _ in range(100):
        t = np.exp(u)
        log_sum, mean, slope = look_at(x, tops, left, t, work)
        if not weighable(top, per / t):  # the sample had to make room
            number = _sample(x, tops, left, v, m, work)
        error = goal - (log_sum - mean)
        if np.isnan(error):
            return np.nan
        if error == 0.0 or high - low < 1e-9:
            return t
        low, high = (u, high) if error > 0 else (low, u)
        log_of, mean_of, slope_of, _ = spread_few(v, m, number, ties, t)
        to = root(v, m, number, ties, log_of - mean_of + error * (slope_of / slope if slope > 0.0 else 1.0), u, 1e-3)
        by_sample = abs(to) < 700.0
        step = to - u if by_sample else error / slope if slope > 0.0 else np.nan
        close = CLOSE if by_sample else 1e-5
        if abs(step) <= close and abs(error) < 2 * close * slope:
            return np.exp(u + step)
        if not abs(step) < 3.0:
            step = 3.0 if error > 0 else -3.0
        if not low < u + step < high:
            step = 0.5 * (low + high) - u
        u += step
    return np.nan


@jit
def warmth_for(x: Any, tops: Any, left: Left, goal: Any, ties: Any, options: Any, work: Any) -> Any:
    """T with the entropy ``goal``; 0 or inf where it is out of reach, 1 where all T are alike, NaN where it was not
    found.

    A sample of the row is solved, and the row itself is looked at there. What the row has more or less than the sample
    is then wanted of the sample less or more, each time, until T hardly moves.
    """
    q, v, m = work.q, work.v, work.m
    if ties == options:
        return 1.0
    if goal <= np.log(ties):
        return 0.0
    if goal >= np.log(options):
        return np.inf
    if left.number >= 0:
        number, _ = below_best(q, left.number, v, m)
        return np.exp(root(v, m, number, ties, goal, 0.0, 1e-6))
    if np.isnan(left.per):
        return np.nan
    if goal - np.log(ties) < LEAST:
        return _solve(x, tops, left, goal, ties, v, m, work)
    room = q.view(np.float32)
    half = room.shape[0] // 2
    return _solve(x, tops, left, goal, ties, room[:half], room[half:], work)
