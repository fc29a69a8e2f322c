"""Finding the narrowest band around the entropy among many options, without sorting them.

How far an option lies from the entropy is how far its exponent ``e = q - max q`` lies from the mean of the exponents.
So the band is ``center - d <= x <= center + d`` in the row's own scores, and d is where the mass inside reaches a
target. A sample says about where; passes narrow it down to a ring of some hundred options, which are looked at one by
one.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.bits import BLOCK
from heatbath.sampling.kernel.few import by_mass
from heatbath.sampling.kernel.many import BRACKET, ROUNDS, SAMPLE, guess_top
from heatbath.sampling.kernel.maps import highest_exponent, lowest_exponent, mapped
from heatbath.sampling.kernel.moments import at_most, moments_exactly
from heatbath.sampling.kernel.sweeps import at_least, gather, jit, jit_sums, weigh_exactly
from heatbath.sampling.kernel.weights import exact
from heatbath.sampling.mass import REACHED, SLACK


@jit
def _guess(x: Any, low: Any, high: Any, center: Any, per: Any, top: Any, part: Any, v: Any, m: Any) -> Any:
    """Two distances, below and above that within which a part of the mass lies, from scores at even distances.

    And the smallest of those scores.
    """
    number, total, least = 0, 0.0, np.float64(high)
    for i in range(0, x.shape[0], max(1, x.shape[0] // SAMPLE)):
        if low <= x[i] <= high:
            v[number], m[number] = -abs(x[i] - center), exact((x[i] - top) * per)
            total += m[number]
            number += 1
            least = min(least, np.float64(x[i]))
    if number < 8:
        return np.nan, np.nan, least
    spread = 2.0 / np.sqrt(number)
    near, _, _ = by_mass(v, m, number, max(part - spread, 0.01) * total)
    far, _, _ = by_mass(v, m, number, min(part + spread, 0.99) * total)
    return -near, -far, least


@jit_sums
def _inside(x: Any, tail: Any, w: Any, low: Any, high: Any, lower: Any, higher: Any) -> Any:
    """The sums of the weights of two bands."""
    whole, ones, twos = x.shape[0] // BLOCK, 0.0, 0.0
    for b in range(w.shape[0] // BLOCK):
        block = x[b * BLOCK : b * BLOCK + BLOCK] if b < whole else tail
        known = w[b * BLOCK : b * BLOCK + BLOCK]
        one: Any = np.float32(0)
        two: Any = np.float32(0)
        for i in range(BLOCK):
            one += known[i] if (block[i] >= low) & (block[i] <= high) else np.float32(0)
            two += known[i] if (block[i] >= lower) & (block[i] <= higher) else np.float32(0)
        ones, twos = ones + one, twos + two
    return ones, twos


@jit
def _ring(x: Any, tail: Any, tops: Any, low: Any, high: Any, center: Any, ring: Any, ids: Any, base: Any) -> Any:
    """Gather what lies further from the center than the first number and not further than the second; -1: no room."""
    near, far = ring
    lower, upper = at_least(x, max(low, center - far)), at_most(x, min(high, center + far))
    if near < 0.0:
        return gather(x, tail, tops, lower, upper, ids, base)
    edge = at_most(x, np.nextafter(center - near, -np.inf))
    number = gather(x, tail, tops, lower, edge, ids, base)
    if number < 0:
        return -1
    edge = at_least(x, np.nextafter(center + near, np.inf))
    more = gather(x, tail, tops, edge, upper, ids[number:], base[number:])
    return number + more if more >= 0 else -1


@jit
def typical_among_many(
    row: Any, band: Any, p: Any, weighed: Any, doubts: Any, maps: Any, count: Any, w: Any, sums: Any, ids: Any,
    base: Any, v: Any, m: Any,
) -> Any:  # fmt: skip
    """The ends of the narrowest band with mass p, as scores of the row; NaN where they were not found.

    ``weighed = (total, sum of w e, heavy)`` in the scale of the fast weights w, of which the top has ``heavy``.
    """
    x, tail, tops = row
    low, high, top, per = band
    total, ones, heavy = weighed
    mean = ones / total
    off = (doubts[1] - mean * doubts[0]) / total + 1e-13 * (1 - mean)
    center = top + mean / per
    target = p * REACHED * total
    near, far = -1.0, max(top - center, center - max(low, top - 1e300))  # within near lies less than the target
    passed, reached, number = 0.0, total, -1
    guess = np.float64(max(at_least(x, low), guess_top(tops, 256.0, v)))
    if guess < center:
        number = gather(x, tail, tops, at_least(x, guess), at_most(x, high), ids, base)
        known = 0.0
        for i in range(max(number, 0)):
            if base[i] - center <= center - guess:
                known += exact((base[i] - top) * per) * heavy
        if not (number > 0 and known >= target * 1.00001):
            if number > 0:
                near, passed = center - guess, known
            number = -1
    if number < 0:
        first, second, least = _guess(x, at_least(x, low), at_most(x, high), center, per, top, p, v, m)
        if np.isnan(first):
            return np.nan, np.nan
        few = 0.8 * min(BRACKET, max(64, x.shape[0] // 256))
        for _ in range(ROUNDS):
            one, two = _inside(
                x, tail, w, at_least(x, center - first), at_most(x, center + first), at_least(x, center - second),
                at_most(x, center + second),
            )  # fmt: skip
            if near < first < far:
                if one >= target:
                    far, reached = first, one
                else:
                    near, passed = first, one
            if near < second < far:
                if two >= target:
                    far, reached = second, two
                else:
                    near, passed = second, two
            # The lightest of the ring are at its lower outer end; or, where nearly nothing is so far down, at its upper
            # inner one.
            lightest = center - far if center - far >= least else center + max(near, 0.0)
            if reached - passed <= few * heavy * exact(min((lightest - top) * per, 0.0)):
                number = _ring(x, tail, tops, low, high, center, (near, far), ids, base)
                if number >= 0:
                    break
            share = (target - passed) / (reached - passed)
            start, width = max(near, 0.0), far - max(near, 0.0)
            if width * per > 1e3:  # nothing has been found yet that is far enough
                first, second = start + 4.0 / per, start + 40.0 / per
                continue
            margin = 0.05 if width * per < 0.5 else 0.2
            first = start + width * max(share - margin, 0.01)
            second = start + width * min(share + margin, 0.99)
        if number < 0:
            number = _ring(x, tail, tops, low, high, center, (near, far), ids, base)
        if reached < target or number <= 0:
            return np.nan, np.nan
    else:
        passed, near = 0.0, -1.0
    for attempt in range(2):
        if attempt == 1:
            total, ones, _, _ = moments_exactly(x, tail, at_least(x, low), at_most(x, high), top, per, sums)
            mean, off, heavy, target, passed, doubt = ones / total, 0.0, 1.0, p * REACHED * total, 0.0, 0.0
            if near >= 0.0:
                passed = weigh_exactly(
                    x, tail, at_least(x, max(low, center - near)), at_most(x, min(high, center + near)), top, per, sums
                )
        else:
            doubt = doubts[0]
        best = mapped(top, maps, count)
        for i in range(number):
            v[i] = -abs(mapped(base[i], maps, count) - best - mean)
            m[i] = exact((base[i] - top) * per) * heavy
        widest, over, got = by_mass(v, m, number, target - passed)
        if widest == np.inf or (
            attempt == 1 and not 0.0 < target - passed <= got
        ):  # it lies on the other side of the ring
            return np.nan, np.nan
        if attempt == 0 and (target - passed - over <= 2 * doubt or got - (target - passed) <= 2 * doubt):
            continue
        edge = np.nan
        clear = True
        for i in range(number):
            d = -abs(mapped(base[i], maps, count) - best - mean)
            if attempt == 0 and abs(d - widest) <= 4 * off:
                clear = clear and (np.isnan(edge) or edge == base[i])
                edge = base[i]
        if clear:
            reach = SLACK - widest
            return (
                lowest_exponent(mean - reach, top, maps, count), highest_exponent(mean + reach, top, maps, count)
            )  # fmt: skip
    return np.nan, np.nan
