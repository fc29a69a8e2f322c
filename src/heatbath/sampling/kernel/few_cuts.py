"""The steps that compare options with a number of the whole row, or with their rank, where few options are left.

Number for number what the reference computes, up to the rounding that its slack covers.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.cuts import floor_of
from heatbath.sampling.kernel.few import by_mass, copy, keep_from, largest, sort
from heatbath.sampling.kernel.maps import surprisal
from heatbath.sampling.kernel.ops import XTC
from heatbath.sampling.kernel.sweeps import jit
from heatbath.sampling.kernel.weights import exact
from heatbath.sampling.mass import REACHED, SLACK


@jit
def weigh_few(q: Any, number: Any, m: Any) -> Any:
    """Weights in m; the best score, and the sums of w, w e and w w."""
    top = largest(q, number)
    total, ones, squares = 0.0, 0.0, 0.0
    for i in range(number):
        m[i] = exact(q[i] - top)
        total += m[i]
        ones += m[i] * (q[i] - top) if m[i] > 0.0 else 0.0
        squares += m[i] * m[i]
    return top, total, ones, squares


@jit
def keep_between(ids: Any, q: Any, number: Any, top: Any, low: Any, high: Any) -> Any:
    """Keep what has ``low <= q - top <= high``; how many those are."""
    left = 0
    for i in range(number):
        if low <= q[i] - top <= high:
            ids[left], q[left] = ids[i], q[i]
            left += 1
    return left


@jit
def above_floor(ids: Any, q: Any, number: Any, op: Any, given: Any, protected: Any, m: Any) -> Any:
    """Keep what is above the floor of a step, and the best; how many are left. Of xtc: what it leaves."""
    top, total, ones, squares = weigh_few(q, number, m)
    floor = floor_of(op, given, total, ones, squares, np.float64(number))
    if op != XTC:
        return keep_between(ids, q, number, top, min(floor, 0.0), 0.0)
    last = np.inf
    for i in range(number):
        if q[i] - top >= floor:
            last = min(last, q[i])
    for i in range(number):
        for j in range(protected.shape[0]):
            if ids[i] == np.int64(protected[j]) and q[i] > last:
                return number
    return keep_between(ids, q, number, 0.0, -np.inf, last)


@jit
def typical(ids: Any, q: Any, number: Any, p: Any, v: Any, m: Any) -> Any:
    """Keep the narrowest band around the entropy with mass p; how many are left."""
    if p == 1.0:
        return number
    top, total, ones, _ = weigh_few(q, number, m)
    mean = ones / total
    for i in range(number):
        v[i] = -abs(q[i] - top - mean)
    widest, _, _ = by_mass(v, m, number, p * REACHED * total)
    if widest == np.inf:
        widest = largest(v, number)
    return keep_between(ids, q, number, top, mean + widest - SLACK, mean - widest + SLACK)


@jit
def n_sigma(ids: Any, q: Any, number: Any, n: Any, sample: Any) -> Any:
    """Keep what is within n deviations of the best; how many are left, or -1 where the numbers leave their range."""
    top = largest(q, number)
    mean, squares = 0.0, 0.0
    for i in range(number):
        mean += (top - q[i]) / number
    for i in range(number):
        squares += (top - q[i] - mean) ** 2
    sigma = np.sqrt(squares / max(number - sample, 1.0))
    if not sigma < 1e150:
        return -1
    left = 0
    for i in range(number):
        if n * sigma >= (top - q[i]) * REACHED:
            ids[left], q[left] = ids[i], q[i]
            left += 1
    return left


@jit
def tail_free(ids: Any, q: Any, number: Any, z: Any, v: Any, m: Any) -> Any:
    """Keep ranks until they have shown more than z of the curvature; how many are left."""
    if number < 3:
        return number
    copy(v, q, number)
    sort(v, number)
    whole = 0.0
    for rank in range(number):
        m[rank] = exact(v[number - 1 - rank] - v[number - 1])
    for rank in range(number - 2):
        whole += _bend(m, rank)
    shown, last = 0.0, 0
    for rank in range(1, number):
        if rank < number - 1:  # before the last rank comes no further bend
            shown += _bend(m, rank - 1)
        if z * whole >= shown * REACHED:
            last = rank
    return keep_from(ids, q, number, v[number - 1 - last])


@jit
def _bend(m: Any, rank: Any) -> Any:
    bend = abs((m[rank + 1] - m[rank + 2]) - (m[rank] - m[rank + 1]))
    return bend if bend > 1e-12 else 0.0


@jit
def top_h(ids: Any, q: Any, number: Any, h: Any, v: Any, m: Any) -> Any:
    """Keep ranks while they have no more than h of the entropy; how many are left."""
    top, total, _, _ = weigh_few(q, number, m)
    copy(v, q, number)
    sort(v, number)
    log_total, whole = np.log(total), 0.0
    for i in range(number):
        q_ranked = v[number - 1 - i]
        weight = exact(q_ranked - top)
        m[i] = weight * surprisal(log_total, q_ranked, top) if weight > 0.0 else 0.0
        whole += m[i]
    shown, last = 0.0, 0
    for i in range(number):
        shown += m[i]
        if h * whole >= shown * REACHED:
            last = i
    return keep_from(ids, q, number, v[number - 1 - last])


@jit
def min_k(ids: Any, q: Any, number: Any, tau: Any, v: Any) -> Any:
    """Cut at the steepest fall of the ranked scores; how many are left."""
    copy(v, q, number)
    sort(v, number)
    span = v[number - 1] - v[0]
    if not span > 0.0:
        return number
    least, steepest = np.floor(tau / span / REACHED), 0.0
    for rank in range(1, number):
        steepest = max(steepest, (v[number - rank] - v[number - rank - 1]) / rank)
    peak = 0
    for rank in range(1, number):
        if (v[number - rank] - v[number - rank - 1]) / rank >= steepest * REACHED:
            peak = rank - 1
            break
    last = min(max(peak + 1.0, least), np.float64(number))
    return keep_from(ids, q, number, v[number - np.int64(last)])
