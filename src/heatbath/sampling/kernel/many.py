"""Finding a boundary among many options without sorting them.

A mass or a rank is reached somewhere in the order of the scores: at the smallest score with less than a target strictly
above it, where a rank gives every option the mass 1. A small sample says about where. A pass over the row, a few
microseconds for a hundred thousand options, tells the mass above a guess; and what lies between two guesses is gathered
and looked at alone.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.bits import BLOCK, between, float_of_key32, key32, lowest_bit
from heatbath.sampling.kernel.few import by_mass
from heatbath.sampling.kernel.sweeps import above, at_least, below, count_from, gather, jit, jit_sums
from heatbath.sampling.kernel.weights import exact, weight

SAMPLE = 256
BRACKET = 2048
"""So many options are looked at one by one."""
ROUNDS = 24
HANDFUL = 64
"""So few are partitioned one by one: a processor foresees none of the jumps of that."""
MOST_FEW = 12288
MANY = -2
"""Stands for a number of options that are too many to be gathered."""


@jit
def few_of(x: Any) -> Any:
    """So many options of a row are gathered and handled one by one; of more, passes over the row take less time."""
    return max(1024, min(x.shape[0] // 12, MOST_FEW))


@jit
def guess_top(tops: Any, wanted: Any, v: Any) -> Any:
    """A score that about ``wanted`` of the blocks reach, from every n-th of them."""
    blocks = tops.shape[0]
    stride, number = max(1, blocks // 64), 0
    for b in range(0, blocks, stride):
        v[number] = tops[b]
        number += 1
    return _with_rank(v, number, min(number, max(1, int(np.ceil(wanted / blocks * number)))))


@jit_sums
def _with_rank(v: Any, number: Any, k: Any) -> Any:
    """The k-th largest of a handful: all pairs are compared, which has no jumps to foresee."""
    kth = np.inf
    for i in range(number):
        larger = 0
        for j in range(number):
            larger += v[j] > v[i]
        kth = min(kth, v[i] if larger < k else np.inf)
    return kth


@jit
def sample(x: Any, low: Any, high: Any, v: Any) -> Any:
    """Scores of the band at even distances, as float32; how many, and how many options of the row one stands for.

    At most every other option, so that a row's worth of room has place for their weights behind them.
    """
    stride, number, seen = max(2, x.shape[0] // max(1024, x.shape[0] // 64)), 0, 0
    for i in range(stride // 2, x.shape[0], stride):
        v[number] = x[i]
        number += (x[i] >= low) & (x[i] <= high)
        seen += 1
    return number, x.shape[0] / max(seen, 1)


@jit
def weights_of(v: Any, number: Any, top: Any, per: Any, heavy: Any, m: Any) -> Any:
    """Put the weights of some scores into ``m``, in the scale where the top weighs ``heavy``; their sum."""
    total = 0.0
    for i in range(number):
        m[i] = exact((v[i] - top) * per) * heavy
        total += m[i]
    return total


@jit
def fast_weights_of(v: Any, number: Any, scale: Any, m: Any) -> Any:
    """Put the fast weights of a sample into ``m``; their sum."""
    c_high, c_low, k, floor = scale
    total, floor = 0.0, at_least(v, floor)
    for i in range(number):
        m[i] = weight(max(v[i], floor), c_high, c_low, k)
        total += m[i]
    return total


@jit_sums
def ends_of(v: Any, number: Any) -> Any:
    """The key of the least score of a sample, and one above that of the largest."""
    least, most = np.int32(2**31 - 1), np.int32(-(2**31))
    for i in range(number):
        least, most = min(least, key32(v[i])), max(most, key32(v[i]))
    return least, most + np.int32(1)


@jit_sums
def mass_from(v: Any, m: Any, number: Any, low: Any) -> Any:
    """The mass of the scores >= low of a sample."""
    total = np.float32(0)
    for i in range(number):
        total += m[i] if v[i] >= low else np.float32(0)
    return total


@jit
def quantile(v: Any, m: Any, number: Any, target: Any, doubt: Any) -> Any:
    """A score from which on a sample has the target, or up to ``doubt`` more; its end where it has less."""
    left, right = ends_of(v, number)
    return quantile_between(v, m, number, target, doubt, left, right)


@jit
def quantile_between(v: Any, m: Any, number: Any, target: Any, doubt: Any, left: Any, right: Any) -> Any:
    """As :func:`quantile`, where it is known between which keys.

    Every other time the bits of float32 are bisected, so that no scale has to be known; and every other time the
    numbers, which takes fewer rounds once there is one.
    """
    reached, passed, by_bits = np.inf, 0.0, True
    while right > left + 1 and reached - passed > doubt:
        middle = (left >> 1) + (right >> 1) + (left & right & 1)
        if not by_bits:
            half = key32(np.float32(0.5) * float_of_key32(left) + np.float32(0.5) * float_of_key32(right))
            middle = half if left < half < right else middle
        by_bits = not by_bits
        mass = mass_from(v, m, number, float_of_key32(middle))
        if mass >= target:
            left, reached = middle, mass
        else:
            right, passed = middle, mass
    return np.float64(float_of_key32(left))


@jit_sums
def _around(v: Any, m: Any, number: Any, high: Any, low: Any) -> Any:
    """The masses from high and from low on, and how many those are."""
    one, two, some, more = 0.0, 0.0, 0, 0
    for i in range(number):
        one += m[i] if v[i] >= high else 0.0
        two += m[i] if v[i] >= low else 0.0
        some += v[i] >= high
        more += v[i] >= low
    return one, two, some, more


@jit
def edge(v: Any, m: Any, number: Any, ends: Any, guesses: Any, whole: Any, target: Any, s: Any, t: Any) -> Any:
    """The smallest of some scores with less than the target strictly above; the mass above it, and from it on.

    ``v`` and ``m``, of whole blocks, begin with the scores, all within the ``ends``, and their masses, ``whole``
    together; they stay as they are, and ``s`` and ``t`` are room for as many. Where the target is above the whole, the
    smallest score is the edge.

    Two guesses, first those given and then where the mass would reach the target if it grew evenly from end to end, a
    little more and a little less, cut the bracket; a loop without jumps tells what lies above them. What is left after
    that is partitioned.
    """
    low, high = ends  # low <= score < high, but high itself where none was passed
    first, second = guesses
    passed, reached, before, inside, margin = 0.0, whole, 0, number, 0.04
    for _ in range(ROUNDS):
        if inside <= HANDFUL:
            break
        if low < second <= first < high:
            one, two, some, more = _around(v, m, number, first, second)
            margin = 0.04 if one < target <= two else min(3.0 * margin, 0.3)
            if two < target:
                inside -= more - before
                passed, high, before = two, second, more
            elif one < target:
                inside = more - some
                passed, high, before, reached, low = one, first, some, two, second
            else:
                inside = some - before
                reached, low = one, first
        elif not low < 0.5 * (low + high) < high:
            break
        share = (target - passed) / (reached - passed)
        first = high - (high - low) * max(share - margin, 0.01)
        second = high - (high - low) * min(share + margin, 0.99)
    last, left = (high if before == 0 else np.nextafter(high, -np.inf)), 0
    for b in range(0, number, BLOCK):
        found = between(v, b, low, last)
        if number - b < BLOCK:
            found &= (np.uint64(1) << np.uint64(number - b)) - np.uint64(1)
        while found:
            i = b + lowest_bit(found)
            s[left], t[left] = v[i], m[i]
            left += 1
            found &= found - np.uint64(1)
    lowest, over, own = by_mass(s, t, left, target - passed)
    return lowest, passed + over, passed + own


@jit
def best(
    x: Any, tail: Any, tops: Any, low: Any, high: Any, k: Any, w: Any, ids: Any, base: Any, v: Any, m: Any, t: Any
) -> Any:  # fmt: skip
    """The k-th largest score of the band; the smallest where there are fewer; NaN where it was not found.

    Also a score, and how many options ``ids`` and ``base`` have gathered from there on; -1 where not all of them, and
    MANY where that is not worth it. The scores from ``upper`` on are ``known`` in number and fewer than k. Below lies
    the bracket that is searched.
    """
    upper, known = np.float64(high), 0
    over = np.inf
    if k * 3 < tops.shape[0]:
        guess = max(guess_top(tops, 1.5 * k + 8 * np.sqrt(1.0 * k), v), np.float64(low))
    else:
        number, each = sample(x, low, high, w)
        ones = w[number : 2 * number]
        for i in range(number):
            ones[i] = 1
        place, spread = k / each, 3 * np.sqrt(k / each) + 2
        guess, doubt = np.float64(low), 0.1 * spread
        if place + spread < number:
            guess = max(quantile(w, ones, number, place + spread, doubt), guess)
        if spread < place < number + spread:
            over = quantile(w, ones, number, place - spread, doubt)
            if k > few_of(x):
                inside = count_from(x, tail, tops, at_least(x, over), high)
                if inside < k:
                    upper, known = below(x, over), inside
    for _ in range(ROUNDS):
        number = gather(x, tail, tops, at_least(x, guess), at_least(x, upper), ids, base)
        if number < 0:  # too many at once: look at the upper half of the bracket
            middle = 0.5 * (guess + upper)
            inside = count_from(x, tail, tops, at_least(x, middle), at_least(x, upper))
            if not guess < middle < upper:
                return np.nan, guess, -1
            if known + inside < k:
                upper, known = below(x, middle), known + inside
            else:
                guess = middle
            continue
        if known + number >= k:
            for i in range(number):
                m[i] = 1.0
            kth, _, _ = edge(base, m, number, (guess, upper), (over, over), 1.0 * number, 1.0 * (k - known), v, t)
            return kth, guess, number if upper == high else MANY if k > few_of(x) else -1
        if guess <= low:
            return np.float64(low), guess, -1
        known, upper = known + number, below(x, guess)
        guess = max(low, guess - 2.0 * max(high - guess, 1e-3 * abs(high) + 1e-6))
    return np.nan, guess, -1


@jit
def rank(x: Any, tail: Any, tops: Any, low: Any, high: Any, k: Any, ids: Any, v: Any) -> Any:
    """The k-th largest score of the band alone, see :func:`best`."""
    part = v.shape[0] // 4
    w = ids[part:].view(np.float32)
    if x.shape[0] // 32 + 2048 > w.shape[0] and k * 3 >= tops.shape[0]:  # no room for a sample
        return np.nan
    one, two, three, four = v[:part], v[part : 2 * part], v[2 * part : 3 * part], v[3 * part : 4 * part]
    return best(x, tail, tops, low, high, k, w, ids[:part], one, two, three, four)[0]


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
    known = weights_of(v, max(number, 0), top, per, heavy, m)
    if number > 0 and (known >= target * 1.00001 or guess <= low):
        lowest, over, reached = by_mass(v, m, number, target)
        return lowest, over, reached - over, number
    upper, passed = (np.float64(guess), known) if number >= 0 else (np.inf, 0.0)  # upper itself is passed
    lower, reached = np.float64(low), total
    number, first, second = np.int64(0), 0.5 * (lower + min(upper, high)), lower
    for i in range(0, x.shape[0], max(1, x.shape[0] // SAMPLE)):
        if low <= x[i] <= high and x[i] < upper:
            v[number] = x[i]
            number += 1
    if number:
        mass = weights_of(v, number, top, per, heavy, m)
        part, spread = (target - passed) / max(total - passed, 1e-300), 1.0 / np.sqrt(number)
        first, _, _ = by_mass(v, m, number, (part - spread) * mass)
        second, _, _ = by_mass(v, m, number, (part + spread) * mass)
        first, second = min(first, upper), max(second, lower)
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
    number = gather(x, tail, tops, at_least(x, lower), at_least(x, min(below(x, upper), np.float64(high))), ids, v)
    if number <= 0:
        return np.nan, 0.0, 0.0, 0
    weights_of(v, number, top, per, heavy, m)
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
