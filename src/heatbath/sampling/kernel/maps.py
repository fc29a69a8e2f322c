"""What the steps so far have made of a single score.

Each row of ``maps`` is one map: its kind and up to three numbers. The first two kinds keep the order of the scores, so
that a comparison behind them is one of the row's own scores, found by bisection with their rounding included. Nothing
here may be reordered or fused by the compiler: it computes what the reference computes, to the last bit.
"""

from typing import Any

import numpy as np

from heatbath.sampling.adaptive import PEAK, SHARPNESS, WIDTH
from heatbath.sampling.kernel.bits import float_of_key64, inner, key64
from heatbath.sampling.kernel.weights import exact

MOST = 1.7976931348623157e308
MAPS = 32
"""At most so many maps."""

SCALED, BENT, NEARED = 0.0, 1.0, 2.0
"""``(q - a) / b``; smoothing with the best score a, the factor b and the curve c; adaptive_p with the best score a, the
sum of the weights b and the aim c."""

# without a word on fastmath, a function gets the freedoms of the first that calls it
jit_to_the_bit = inner(fastmath=set(), error_model="numpy", boundscheck=False, nogil=True)


@jit_to_the_bit
def surprisal(log_total: Any, q: Any, best: Any) -> Any:
    """``log_total - (q - best)``. With the freedoms of the rest a compiler adds best to the sum first, and nothing is
    left of the sum where scores are large and tie.
    """
    return log_total - (q - best)


@jit_to_the_bit
def one_map(q: Any, kind: Any, a: Any, b: Any, c: Any) -> Any:
    """What one map makes of a score."""
    if kind == SCALED:
        return (q - a) / b
    if kind == BENT:
        d = a - q
        return 0.0 - b * (d * d * ((3 - c) / 2 + (c - 1) / 2 * d))
    distance = abs(exact(q - a) / b - c) / WIDTH
    return PEAK - SHARPNESS * (distance * distance) / (1 + distance)


@jit_to_the_bit
def mapped(score: Any, maps: Any, number: Any) -> Any:
    """What the first maps make of a score."""
    q = score
    for i in range(number):
        q = one_map(q, maps[i, 0], maps[i, 1], maps[i, 2], maps[i, 3])
    return q


@jit_to_the_bit
def map_all(q: Any, options: Any, base: Any, maps: Any, number: Any) -> None:
    """What the first maps make of many scores."""
    for i in range(options):
        q[i] = base[i]
    for j in range(number):
        kind, a, b, c = maps[j, 0], maps[j, 1], maps[j, 2], maps[j, 3]
        if kind == SCALED:
            for i in range(options):
                q[i] = (q[i] - a) / b
        else:
            for i in range(options):
                q[i] = one_map(q[i], kind, a, b, c)


@jit_to_the_bit
def map_band(out: Any, x: Any, low: Any, high: Any, maps: Any, number: Any) -> None:
    """What the first maps make of the scores of a row in a band; -inf of the others."""
    if number == 1 and maps[0, 0] == SCALED:  # nearly always: one loop that is vector code
        a, b = maps[0, 1], maps[0, 2]
        for i in range(x.shape[0]):
            score = np.float64(x[i])
            out[i] = (score - a) / b if low <= score <= high else -np.inf
        return
    for i in range(x.shape[0]):
        score = np.float64(x[i])
        out[i] = mapped(score, maps, number) if low <= score <= high else -np.inf


@jit_to_the_bit
def add_map(maps: Any, number: Any, kind: Any, a: Any, b: Any, c: Any) -> Any:
    """One map more; how many there are."""
    maps[number, 0], maps[number, 1], maps[number, 2], maps[number, 3] = kind, a, b, c
    return number + 1


@jit_to_the_bit
def lowest(q: Any, top: Any, maps: Any, number: Any) -> Any:
    """The smallest float64 up to top that is mapped to q or above; top where none is."""
    if number == 0:
        return q
    left, right = key64(-MOST), key64(top)
    if mapped(-MOST, maps, number) >= q:
        return -MOST
    while right > left + 1:
        middle = (left >> 1) + (right >> 1) + (left & right & 1)  # their distance may not fit
        if mapped(float_of_key64(middle), maps, number) >= q:
            right = middle
        else:
            left = middle
    return float_of_key64(right)


@jit_to_the_bit
def highest(q: Any, top: Any, maps: Any, number: Any) -> Any:
    """The largest float64 up to top that is mapped to q or below; -MOST where none is."""
    if number == 0:
        return min(q, top)
    if mapped(top, maps, number) <= q:
        return top
    above = lowest(np.nextafter(q, np.inf), top, maps, number)
    if above == 0.0:
        return -5e-324  # one below 0 is -0, which is no less
    return float_of_key64(key64(above) - 1) if above > -MOST else -MOST


@jit_to_the_bit
def lowest_exponent(e: Any, top: Any, maps: Any, number: Any) -> Any:
    """The smallest float64 up to top with ``q - (q of top) >= e``."""
    return lowest(e, top, maps, add_map(maps, number, SCALED, mapped(top, maps, number), 1.0, 0.0))


@jit_to_the_bit
def highest_exponent(e: Any, top: Any, maps: Any, number: Any) -> Any:
    """The largest float64 up to top with ``q - (q of top) <= e``."""
    return highest(e, top, maps, add_map(maps, number, SCALED, mapped(top, maps, number), 1.0, 0.0))
