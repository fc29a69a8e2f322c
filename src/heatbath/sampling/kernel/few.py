"""The steps where few options are left: plain loops in float64, number for number what the reference computes.

``ids`` holds the options in their order and ``q`` their scores as the chain has made them so far.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.bits import BLOCK
from heatbath.sampling.kernel.maps import jit_to_the_bit
from heatbath.sampling.kernel.sweeps import jit
from heatbath.sampling.kernel.weights import exact
from heatbath.sampling.mass import REACHED


@jit
def copy(v: Any, q: Any, number: Any) -> None:
    """Copy the first numbers of q to v: an assignment of slices takes a second to compile."""
    for i in range(number):
        v[i] = q[i]


@jit
def sort(v: Any, number: Any) -> None:
    """Sort the first numbers, the smallest first (Shell's method): that of NumPy takes two seconds to compile."""
    gap = 1
    while gap < number // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, number):
            one, place = v[i], i
            while place >= gap and v[place - gap] > one:
                v[place] = v[place - gap]
                place -= gap
            v[place] = one
        gap //= 3


@jit
def largest(q: Any, number: Any) -> Any:
    """The largest score."""
    top = q[0]
    for i in range(1, number):
        top = max(top, q[i])
    return top


@jit_to_the_bit
def temper(ids: Any, q: Any, number: Any, temperature: Any) -> Any:
    """``(q - max q) / T``; how many options are left."""
    top = largest(q, number)
    if temperature == 0.0:
        first = 0
        while q[first] != top:
            first += 1
        ids[0], q[0] = ids[first], 0.0
        return 1
    for i in range(number):
        q[i] = (q[i] - top) / temperature
    return keep_from(ids, q, number, -1.7976931348623157e308)


@jit
def keep_from(ids: Any, q: Any, number: Any, low: Any) -> Any:
    """Keep the scores >= low; how many those are."""
    left = 0
    for i in range(number):
        stays = q[i] >= low
        ids[left], q[left] = ids[i], q[i]  # a jump would be foreseen less often than a copy costs
        left += stays
    return left


@jit
def kth_largest(v: Any, number: Any, k: Any) -> Any:
    """The k-th largest of ``v[:number]``, whose order is lost (Hoare's selection)."""
    left, right, place = 0, number - 1, k - 1
    while left < right:
        a, b, c = v[left], v[(left + right) // 2], v[right]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = left, right
        while i <= j:
            while v[i] > pivot:
                i += 1
            while v[j] < pivot:
                j -= 1
            if i <= j:
                v[i], v[j] = v[j], v[i]
                i += 1
                j -= 1
        if place <= j:
            right = j
        elif place >= i:
            left = i
        else:
            break
    return v[place]


@jit
def by_mass(v: Any, m: Any, number: Any, target: Any) -> Any:
    """The smallest score that stays in the nucleus, and the masses strictly above it and from it on.

    ``m`` are the masses of the scores ``v``. It is the smallest score with less than the target strictly above it; the
    scores are partitioned as in Hoare's selection, and their order is lost.
    """
    left, right, before = 0, number - 1, 0.0
    lowest, above, reached = np.inf, 0.0, 0.0
    while left <= right:
        a, b, c = v[left], v[(left + right) // 2], v[right]
        pivot = max(min(a, b), min(max(a, b), c))
        i, at, end = left, left, right  # larger | equal | not seen | smaller
        larger, equal = 0.0, 0.0
        while at <= end:
            if v[at] > pivot:
                larger += m[at]
                v[at], v[i] = v[i], v[at]
                m[at], m[i] = m[i], m[at]
                i += 1
                at += 1
            elif v[at] < pivot:
                v[at], v[end] = v[end], v[at]
                m[at], m[end] = m[end], m[at]
                end -= 1
            else:
                equal += m[at]
                at += 1
        if before + larger < target or i == 0:  # the pivot stays
            lowest, above, reached = pivot, before + larger, before + larger + equal
            before += larger + equal
            left = end + 1
        else:
            right = i - 1
    return lowest, above, reached


@jit
def top_p(ids: Any, q: Any, number: Any, p: Any, v: Any, m: Any) -> Any:
    """Keep the nucleus; how many options are left."""
    if p == 1.0:
        return number
    top = largest(q, number)
    total = 0.0
    for i in range(number):
        v[i], m[i] = q[i], exact(q[i] - top)
        total += m[i]
    lowest, _, _ = by_mass(v, m, number, p * REACHED * total)
    return keep_from(ids, q, number, min(lowest, top))


@jit
def top_k(ids: Any, q: Any, number: Any, k: Any, v: Any) -> Any:
    """Keep the k best and what ties with the last; how many are left."""
    if k >= number:
        return number
    copy(v, q, number)
    return keep_from(ids, q, number, kth_largest(v, number, k))


@jit
def draw(ids: Any, q: Any, number: Any, uniform: Any, m: Any) -> Any:
    """The first option whose cumulated weight exceeds ``uniform`` times the whole, and the probability of it."""
    top = largest(q, number)
    total = 0.0
    for i in range(number):
        m[i] = exact(q[i] - top)
    for i in range(number):
        total += m[i]
    passed, last, start, part = 0.0, 0, 0, 0.0
    while start + BLOCK < number:  # blocks that end before what is looked for, beyond any rounding
        part = 0.0
        for i in range(start, start + BLOCK):
            part += m[i]
        if not passed + part < uniform * total * (1 - 1e-12):
            break
        passed, start = passed + part, start + BLOCK
    for i in range(start, number):
        if passed + m[i] > passed:  # else it is too small to be drawn, also by the last of the uniform numbers
            passed, last = passed + m[i], i
            if passed > uniform * total:
                break
    return ids[last], m[last] / total
