"""The draw from what is left of a row, and what the surprisal of the choice was at places in the chain."""

from typing import Any

import numpy as np

from heatbath.sampling.kernel import few
from heatbath.sampling.kernel.bits import BLOCK
from heatbath.sampling.kernel.left import Left, near, weigh_left, weighable
from heatbath.sampling.kernel.maps import mapped, surprisal
from heatbath.sampling.kernel.moments import scale_of
from heatbath.sampling.kernel.ops import GIVE_UP
from heatbath.sampling.kernel.sweeps import at_least, built_in, jit, weigh_exactly
from heatbath.sampling.kernel.weights import exact


@jit
def draw_left(x: Any, left: Left, uniform: Any, tops: Any, wanted: Any, told: Any, work: Any) -> Any:
    """The choice among what is left, or :data:`GIVE_UP`.

    ``wanted`` says before which of the steps, and whether behind the last of them, ``told`` gets the surprisal of the
    choice.
    """
    maps, points, end = work.maps, work.points, wanted.shape[0] - 1
    known = left.total
    if wanted[end]:
        if not point(x, tops, left, end, work):
            return GIVE_UP
        known = -1.0  # the sums are others now
    choice = choose(x, left, known, uniform, tops, work)
    if choice >= 0:
        for step in range(end + 1):
            if wanted[step]:
                log_total, best, number = points[step, 0], points[step, 1], np.int64(points[step, 2])
                q = mapped(np.float64(x[choice]), maps, max(number, 0))
                told[step] = surprisal(log_total, q, best) if number >= 0 else 0.0
    return choice


@jit
def choose(x: Any, left: Left, known: Any, uniform: Any, tops: Any, work: Any) -> Any:
    """The choice alone; ``known`` is the sum of the weights, where ``work`` has those of the blocks, else -1."""
    tail, ids, base, q, number = work.tail, work.ids, work.base, work.q, left.number
    if number < 0 and not weighable(left.top, left.per):
        number = near((x, tail, tops), left.low, left.high, left.top, work.maps, left.maps, ids, base, q)
        if number < 0:
            return GIVE_UP
    if number >= 0:
        return few.draw(ids, q, number, uniform, work.m)[0]
    total, doubt = weigh_left(x, left, known, work)
    return _draw_many(x, tail, left.low, left.high, left.top, left.per, total, doubt, work.sums, uniform)


@jit
def point(x: Any, tops: Any, left: Left, step: Any, work: Any) -> Any:
    """Note of a place in the chain what the surprisal of any option there needs; whether that could be had."""
    tail, sums, q, maps, points = work.tail, work.sums, work.q, work.maps, work.points
    number = left.number
    if number == 1:
        points[step, 2] = -1.0
        return True
    points[step, 2] = left.maps
    if number < 0 and weighable(left.top, left.per):
        total = weigh_exactly(x, tail, at_least(x, left.low), at_least(x, left.high), left.top, left.per, sums)
        points[step, 0], points[step, 1] = np.log(total), mapped(left.top, maps, left.maps)
        return True
    if number < 0:
        number = near((x, tail, tops), left.low, left.high, left.top, maps, left.maps, work.ids, work.base, q)
        if number < 0:
            return False
    best = few.largest(q, number)
    total = 0.0
    for i in range(number):
        total += exact(q[i] - best)
    points[step, 0], points[step, 1] = np.log(total), best
    return True


@built_in
def _draw_many(
    x: Any, tail: Any, low: Any, high: Any, top: Any, per: Any, total: Any, doubt: Any, sums: Any, uniform: Any
) -> Any:
    """Draw by the sums of the blocks. Fast ones of the mass before the option and behind it are off by at most their
    doubts, and ``u (before + behind) - before`` by ``u`` and ``1 - u`` times those: less than the larger one, that of
    all.
    """
    blocks = sums.shape[0]
    heavy = scale_of(top, per)[1]
    for attempt in range(2):
        if attempt == 1:
            total, doubt, heavy = weigh_exactly(x, tail, at_least(x, low), at_least(x, high), top, per, sums), 0.0, 1.0
        target, passed, b = uniform * total, 0.0, 0
        while b < blocks - 1 and passed + sums[b] <= target:
            passed += sums[b]
            b += 1
        if attempt == 0 and target - passed < doubt and b > 0:
            continue
        last = -1
        for i in range(b * BLOCK, min(b * BLOCK + BLOCK, x.shape[0])):
            score = np.float64(x[i])
            if low <= score <= high:
                value = exact((score - top) * per) * heavy
                if passed + value > passed:
                    last = i
                passed += value
                if passed > target:
                    if attempt == 0 and (passed - target < doubt or target - (passed - value) < doubt):
                        break
                    return i
        if attempt == 1:
            if last >= 0:
                return last
            return GIVE_UP
    return GIVE_UP
