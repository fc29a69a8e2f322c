"""Where a function that rises with T crosses a number."""

import math
from collections.abc import Callable


def crossing(score: Callable[[float], float], goal: float, start: float, factor: float, precise: float = 1e-4) -> float:
    """Where the score, on the way from the start by a factor a step, first crosses the goal; ``precise`` is
    relative.
    """
    hotter = factor > 1
    inside, outside = start, start * factor
    while (score(inside) > goal) == hotter:  # a start that was a guess
        inside, outside = inside / factor, inside
    while (score(outside) <= goal) == hotter:
        inside, outside = outside, outside * factor
    low, high = sorted((math.log(inside), math.log(outside)))
    below, above = score(math.exp(low)) - goal, score(math.exp(high)) - goal
    side = 0
    while high - low > precise:
        slope = (above - below) / (high - low)
        middle = low - below / slope if math.isfinite(slope) else 0.5 * (low + high)
        now = score(math.exp(middle)) - goal
        if abs(now) <= precise * slope < math.inf:
            return math.exp(middle)
        if now <= 0:
            low, below, above, side = middle, now, above / 2 if side < 0 else above, -1
        else:  # the end that stays twice counts half, or it would stay for ever (the Illinois rule)
            high, above, below, side = middle, now, below / 2 if side > 0 else below, 1
    return math.exp(0.5 * (low + high))
