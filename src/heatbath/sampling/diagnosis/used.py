"""The temperature at which tokens were drawn, estimated from the scores and the choices.

At T the option i of a decision has ``p_i = exp(z_i / T) / Z(T)``: an exponential family in 1/T, whose sufficient
statistic is the score of what was chosen. The likelihood is largest where the scores chosen add up to what they are
expected to, ``pull(T) = sum_t (z_chosen - <z>_T) = 0``, a sum that rises with T. Its variance is ``sum_t Var_T(z) =
T^2 sum_t C_t(T)``, so that the heat capacity C is the Fisher information of ln T. The interval holds every T that the
score test does not reject, ``|pull(T)| <= z sqrt(sum_t Var_T(z))``; it needs no estimate of the error at the estimate,
which would be 0 where only best options were chosen.

The terms ``z_chosen - <z>_T`` are differences of a martingale, whatever the tokens before did to the scores, so that
the tokens of one text may be used together.

Reference: C. R. Rao, "Large sample tests of statistical hypotheses concerning several parameters", 1948.
"""

import math
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import has_float64
from heatbath.sampling.diagnosis.search import crossing
from heatbath.types import Array


class Estimate(NamedTuple):
    """A number, and the interval that holds the true one with the stated confidence."""

    value: float
    low: float
    high: float


class Drawn(NamedTuple):
    """Decisions: their scores ``(N, V)``, in float32 or wider, and what was chosen, ``(N,)``."""

    scores: Array
    choice: Array


def quantile(level: float) -> float:
    """How many standard errors an interval reaches to either side, by the normal distribution."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def used_temperature(drawn: Sequence[Drawn], level: float) -> Estimate | None:
    """The T that was used, with its interval; None where no decision had two options of different score.

    >>> import numpy as np
    >>> rows = np.tile([2.0, 1.0, 0.0], (300, 1))
    >>> choice = np.repeat([0, 1, 2], [200, 73, 27])  # as softmax([2, 1, 0]) has it
    >>> used_temperature([Drawn(rows, choice)], 0.95).value.__round__(2)
    1.0
    """
    falls = [_measure(each) for each in drawn]
    spread = max((each.farthest for each in falls), default=0.0)
    if spread == 0:
        return None
    reach = quantile(level)

    @cache
    def score(t: float) -> float:
        """The pull in standard errors: below 0 where T is too cold for what was chosen, above 0 where it is too hot."""
        parts = [_pull(each, t) for each in falls]
        off, variance = sum(p for p, _ in parts), sum(v for _, v in parts)
        return off / math.sqrt(variance) if variance else math.copysign(math.inf, off) if off else 0.0

    hottest = score(math.inf)
    if not any(each.chosen for each in falls):  # nothing but best options
        value = low = 0.0
    elif hottest <= 0:
        value = math.inf
        low = math.inf if hottest < -reach else crossing(score, -reach, spread, 0.5)
    else:
        value = crossing(score, 0.0, spread, 2.0 if score(spread) < 0 else 0.5, precise=1e-7)
        low = crossing(score, -reach, value, 0.8)
    high = math.inf if hottest <= reach else crossing(score, reach, value or spread / 1000, 1.25)
    return Estimate(value, low, high)


class _Falls(NamedTuple):
    """How far the options of decisions lie below the best one of each."""

    fall: Array
    """``(N, V)``, never positive; 0 where forbidden."""
    shut: Array | None
    """What is forbidden; None where nothing is."""
    chosen: float
    """How far the choices do, in all."""
    farthest: float
    """The largest distance between two options of a decision."""


def _measure(drawn: Drawn) -> _Falls:
    xp, scores = namespace(drawn.scores), drawn.scores
    shut = scores == -math.inf
    fall = xp.where(shut, 0.0, scores - xp.max(scores, axis=-1, keepdims=True))
    chosen = xp.take_along_axis(fall, drawn.choice[:, None], axis=-1)
    return _Falls(fall, shut if bool(xp.any(shut)) else None, float(xp.sum(chosen)), -float(xp.min(fall)))


def _pull(falls: _Falls, t: float) -> tuple[float, float]:
    """The pull of a temperature above 0, and its variance; added up in float64 where there is one."""
    xp, fall = namespace(falls.fall), falls.fall
    wide = xp.float64 if has_float64(xp, fall) else fall.dtype
    with np.errstate(over="ignore", under="ignore"):  # as cold as that, only the best options have a weight
        weights = xp.exp(fall / t)
    if falls.shut is not None:
        weights = xp.where(falls.shut, 0.0, weights)
    total = xp.sum(weights, axis=-1, dtype=wide)
    first = weights * fall
    mean = xp.sum(first, axis=-1, dtype=wide) / total
    variance = xp.sum(first * fall, axis=-1, dtype=wide) / total - mean * mean
    return falls.chosen - float(xp.sum(mean)), float(xp.sum(xp.clip(variance, min=0.0)))
