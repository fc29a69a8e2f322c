"""Finding a boundary among many options without sorting them.

A mass or a rank is reached somewhere in the order of the scores. A small sample says about where; passes over the row,
each a few microseconds for a hundred thousand options, narrow that down to a bracket of some hundred options; and those
are looked at one by one.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.few import by_mass, kth_largest
from heatbath.sampling.kernel.sweeps import above, at_least, below, count_from, gather, jit
from heatbath.sampling.kernel.weights import exact

SAMPLE = 256
BRACKET = 2048
"""So many options are looked at one by one."""
ROUNDS = 24


@jit
def guess_top(tops: Any, wanted: Any, v: Any) -> Any:
    """A score that about ``wanted`` of the blocks reach, from every n-th of them."""
    blocks = tops.shape[0]
    stride, number = max(1, blocks // 64), 0
    for b in range(0, blocks, stride):
        v[number] = tops[b]
        number += 1
    return kth_largest(v, number, min(number, max(1, int(np.ceil(wanted / blocks * number)))))


@jit
def _sample(x: Any, low: Any, high: Any, size: Any, v: Any) -> Any:
    """Scores of the band at even distances, sorted; how many, and the share of the row that one stands for."""
    stride, number, seen = max(1, x.shape[0] // size), 0, 0
    for i in range(stride // 2, x.shape[0], stride):
        seen += 1
        if low <= x[i] <= high:
            v[number] = x[i]
            number += 1
    v[:number].sort()
    return number, x.shape[0] / max(seen, 1)


@jit
def rank(x: Any, tail: Any, tops: Any, low: Any, high: Any, k: Any, ids: Any, v: Any) -> Any:
    """The k-th largest score of the band; the smallest where there are fewer; NaN where it was not found.

    The scores from ``upper`` on are ``known`` in number and fewer than k. Below lies the bracket that is searched.
    """
    upper, known = high, 0
    if k * 3 < tops.shape[0]:
        guess = max(guess_top(tops, 1.5 * k + 8 * np.sqrt(1.0 * k), v), low)
    else:
        number, each = _sample(x, low, high, 512, v)
        place, spread = k / each, 3 * np.sqrt(k / each) + 2
        guess = v[number - int(place + spread)] if place + spread < number else low
        if spread < place < number + spread:
            over = v[number - int(place - spread)]
            inside = count_from(x, tail, tops, at_least(x, over), high)
            if inside < k:
                upper, known = below(x, over), inside
    for _ in range(ROUNDS):
        number = gather(x, tail, tops, at_least(x, guess), at_least(x, upper), ids, v)
        if number < 0:  # too many at once: look at the upper half of the bracket
            middle = 0.5 * (guess + upper)
            inside = count_from(x, tail, tops, at_least(x, middle), at_least(x, upper))
            if not guess < middle < upper:
                return np.nan
            if known + inside < k:
                upper, known = below(x, middle), known + inside
            else:
                guess = middle
            continue
        if known + number >= k:
            return kth_largest(v, number, k - known)
        if guess <= low:
            return low
        known, upper = known + number, below(x, guess)
        guess = max(low, guess - 2.0 * max(high - guess, 1e-3 * abs(high) + 1e-6))
    return np.nan


@jit
def nucleus(
    x: Any, tail: Any, tops: Any, w: Any, band: Any, weighing: Any, target: Any, ids: Any, v: Any, m: Any
) -> Any:
    """The smallest score of the nucleus of the band, or NaN where it was not found.

    The band is (low, high). Of ``weighing = (top, per, heavy, total, doubt)``: a score s weighs
    ``heavy exp((s - top) per)``, and the whole band ``total``; ``target`` is the mass to be reached, and ``w`` holds
    the fast weights. Given back are the score; the mass strictly above it; its own mass with what ties with it; and how
    many options ``v`` and ``m`` hold, among which the score and its neighbours are.
    """
    low, high = band
    top, per, heavy, total, _ = weighing
    guess = max(low, guess_top(tops, 256.0, v))
    number = gather(x, tail, tops, at_least(x, guess), at_least(x, high), ids, v)
    known = 0.0
    for i in range(max(number, 0)):
        m[i] = exact((v[i] - top) * per) * heavy
        known += m[i]
    if number > 0 and (known >= target * 1.00001 or guess <= low):
        lowest, over, reached = by_mass(v, m, number, target)
        return lowest, over, reached - over, number
    upper, passed = (np.float64(guess), known) if number >= 0 else (np.inf, 0.0)  # upper itself is passed
    lower, reached = np.float64(low), total
    number, _ = _sample(x, low, below(x, upper), SAMPLE, v)
    first, second = 0.5 * (lower + min(upper, high)), lower
    if number:
        mass = 0.0
        for i in range(number):
            mass += exact((v[i] - top) * per)
        part, mass, at = (target - passed) / max(total - passed, 1e-300) * mass, 0.0, number - 1
        while at > 0 and mass < part:
            mass += exact((v[at] - top) * per)
            at -= 1
        spread = int(np.sqrt(number)) + 1
        first, second = v[min(number - 1, at + spread)], v[max(0, at - spread)]
    for _ in range(ROUNDS):
        one, two = above(x, tail, w, at_least(x, first), at_least(x, second))
        if lower < first < upper:
            if one >= target:
                lower, reached = first, one
            else:
                upper, passed = first, one
        if lower < second < upper:
            if two >= target:
                lower, reached = second, two
            else:
                upper, passed = second, two
        size = heavy * exact((0.5 * (lower + min(upper, high)) - top) * per)
        if reached - passed <= 0.8 * BRACKET * size or at_least(x, lower) >= below(x, upper):
            break
        if lower == low:  # below both guesses: go further down, by more each time
            wide = max(2.0 * (first - second), 1e-6 * abs(second))
            first, second = max(upper - wide, lower), max(upper - 3.0 * wide, lower)
            continue
        share = (target - passed) / (reached - passed)  # the mass is taken to grow evenly from end to end
        end = min(upper, high)
        margin = 0.05 if end - lower < 0.5 / max(per, 1e-300) else 0.2
        first = end - (end - lower) * max(share - margin, 0.01)
        second = end - (end - lower) * min(share + margin, 0.99)
    number = gather(x, tail, tops, at_least(x, lower), below(x, upper), ids, v)
    if number <= 0:
        return np.nan, 0.0, 0.0, 0
    for i in range(number):
        m[i] = exact((v[i] - top) * per) * heavy
    lowest, over, reached = by_mass(v, m, number, target - passed)
    return lowest, passed + over, reached - over, number


@jit
def neighbour(v: Any, number: Any, score: Any, up: Any) -> Any:
    """The next larger (up) or smaller of some scores; NaN where there is none."""
    best = np.nan
    for i in range(number):
        if up and v[i] > score and not v[i] >= best:
            best = v[i]
        if not up and v[i] < score and not v[i] <= best:
            best = v[i]
    return best
