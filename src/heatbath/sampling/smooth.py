"""The step that bends the scores instead of scaling them."""

from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import overflowing
from heatbath.errors import while_doing
from heatbath.made import Made, maker
from heatbath.sampling.parameters import check_argument, per_row
from heatbath.sampling.step import Step, stateless
from heatbath.types import Array


@maker("step")
def smoothing(factor: Any, curve: Any = 1.0) -> Step:
    """Make scores fall with the square of their distance d to the best: ``-factor (k d^2 + s d^3)``.

    k = (3 - curve) / 2 and s = (curve - 1) / 2: a parabola for curve = 1, a cubic for curve = 3. Like a temperature it
    keeps the order of the options and all that tie; unlike one it brings those near the best together and sends those
    far from it away.

    Arguments:
        factor: a finite number > 0, or one per row.
        curve: 1 <= curve <= 3, or one per row.

    At the boundaries: nothing is removed, except where a new score is beyond the type and becomes -inf. Options with
    d < 1 / factor gain on the best, those beyond lose (curve = 1).

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.smoothing(0.5)).scores((), np.array([3.0, 2.0, -1.0, -np.inf])).scores
    array([ 0. , -0.5, -8. , -inf])

    How to choose: 0.2 to 0.5, alone or with a small :func:`min_p`, for variety among the best without a tail. No
    published comparison shows a gain over :func:`min_p` with a temperature behind it.

    Reference: kalomaze, "Quadratic sampling", text-generation-webui, 2024. There curve may be up to 10; above 3 options
    near the best overtake it, and below 1 the far tail does, so both are refused. That program takes the maximum over
    all rows of a batch; here each row has its own.
    """
    with while_doing("making smoothing", Made("smoothing", ((None, factor), (None, curve)))):
        strength = check_argument(
            factor,
            "factor",
            lambda n: (n > 0) & np.isfinite(n),
            "a finite number > 0 (to change nothing leave smoothing out)",
            0.3,
        )
        bend = check_argument(curve, "curve", lambda n: (n >= 1) & (n <= 3), "a number from 1 to 3", 1.0)

    def bent(scores: Array) -> Array:
        xp = namespace(scores)
        steepness, c = per_row(strength, scores, "factor"), per_row(bend, scores, "curve")
        open_ = scores > -xp.inf
        with overflowing():  # a difference or product beyond the type is -inf, its limit
            # What is forbidden is set to 0 before and to -inf after, so that no gradient meets inf * 0.
            d = xp.where(open_, xp.max(scores, axis=-1, keepdims=True) - scores, xp.zeros_like(scores))
            fallen = steepness * (d * d * ((3 - c) / 2 + (c - 1) / 2 * d))
        return xp.where(open_, 0.0 - fallen, xp.full_like(scores, -xp.inf))

    return stateless(bent, "smoothing", strength, bend)
