"""Intervals by betting: exact for values in a known range, and as short as their spread allows.

A bettor with capital 1 stakes on "the mean is more than m" by ``K <- K (1 + l (x - m))``, where l is set before x is
seen and never so high that the capital can become negative. If the mean is m the game is fair, and K reaches 1 / alpha
with probability at most alpha, ever. Each m has such a bettor for either side; the values against which neither has
become rich are the interval.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.stats.checks import SIDES, Numbers, as_null, as_numbers, as_one_of, as_share
from heatbath.stats.interval import Interval, p_of
from heatbath.stats.moments import moments

SHARE = 0.5
"""The most of the capital that is staked at once."""


def betting(
    values: Any,
    *,
    low: float = 0.0,
    high: float = 1.0,
    alpha: float = 0.05,
    null: float | None = None,
    side: str = "both",
    resolution: int = 500,
) -> Interval:
    """Confidence sequence for the mean of values in a known range: the hedged capital process.

    For each m of a grid, with x scaled to [0, 1], ``K+ = prod(1 + min(l_t, 1 / (2 m)) (x_t - m))`` and ``K- = prod(1 -
    min(l_t, 1 / (2 (1 - m))) (x_t - m))``, where ``l_t = sqrt(2 ln(2 / alpha) / (s^2_{t-1} t ln(1 + t)))`` and s^2 is
    the variance of what was seen before. The interval after each observation is the m for which neither exceeds 2 /
    alpha.

    Arguments:
        values: in the order in which they came, ``(..., n)``, all within [low, high].
        low: the least that is possible.
        high: the greatest that is possible; the tighter the range, the shorter the interval.
        alpha: the chance of ever missing the truth, between 0 and 1.
        null: the mean that the p-value is about; the middle of the range unless said otherwise.
        side: "both"; "above" for a lower bound only (K+ alone, at 1 / alpha), and evidence that the mean lies above the
            null; "below".
        resolution: points of the grid. Bounds are rounded outwards to it, so that they hold whatever it is.

    Returns:
        :class:`Interval` after each observation, ``(..., n)``.

    Raises:
        InputError: values outside the range, or other arguments out of theirs.

    >>> from heatbath.stats import betting
    >>> print(betting([0.6, 0.7, 0.65, 0.7, 0.6] * 20, null=0.5))
    0.65 (0.602 to 0.676)

    How to choose: few observations of a judge's scores or another bounded metric, where :func:`asymptotic` would have
    to wait. Also for increments of :func:`aipw`
    (``low=-1 / p, high=1 / p`` for outcomes in [0, 1] and probabilities of at least p). Booleans: :func:`rate` needs
    only counts. It reads all values, in time proportional to n times the resolution.

    Reference: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", Journal of the Royal
    Statistical Society B 2024.
    """
    doing = "betting on a mean"
    ends = as_numbers([low, high], "low, high", doing)
    if not ends[0] < ends[1]:
        raise InputError(
            "low lies below high",
            doing=doing,
            on=f"low={low!r}, high={high!r}",
            instead="write the range of the values",
        )
    span, slack = ends[1] - ends[0], 1e-12 * max(abs(ends[0]), abs(ends[1]))  # the ends may have been computed
    x = (as_numbers(values, "values", doing, low=ends[0] - slack, high=ends[1] + slack) - ends[0]) / span
    x = np.clip(x, 0.0, 1.0)
    share, side = as_share(alpha, "alpha", doing), as_one_of(side, "side", doing, SIDES)
    centre = float(ends.mean()) if null is None else as_null(null, doing)
    m = (centre - ends[0]) / span
    if not 0 <= m <= 1:
        raise InputError(
            "null lies within the range", doing=doing, on=f"null={null!r}", instead="write a mean that is possible"
        )
    each = share / 2 if side == "both" else share
    up, down = _Bettor(x, each), _Bettor(1 - x, each)
    log_up, log_down = up.log_capital(m), down.log_capital(1 - m)
    least = up.bound(resolution) if side != "below" else np.zeros(x.shape)
    most = 1 - down.bound(resolution) if side != "above" else np.ones(x.shape)
    hedged = np.maximum(log_up, log_down) - np.log(2)
    log_e = hedged if side == "both" else log_up if side == "above" else log_down
    least, most = (ends[0] + span * part for part in (least, most))
    return Interval(moments(values, running=True).mean, least, most, log_e, p_of(log_e), share, centre)


def bet_above(values: Any, *, alpha: float = 0.05, resolution: int = 500) -> npt.NDArray[np.float64]:
    """Lower confidence sequence for the mean of values >= 0 without any upper limit.

    The bettor on "more than m" of :func:`betting` alone: it never stakes more than ``1 / (2 m)``, so that a value of 0
    does not ruin it, and values may be as large as they like.

    Arguments:
        values: in the order in which they came, ``(..., n)``, all >= 0.
        alpha: the chance that the mean is ever below the bound, between 0 and 1.
        resolution: points of the grid on [0, 1]; the bound is rounded down to it, and is never above 1.

    Returns:
        The bound after each value, ``(..., n)``.

    Raises:
        InputError: negative values, or arguments out of their ranges.

    >>> from heatbath.stats import bet_above
    >>> float(bet_above([0.0, 1.5, 0.5, 1.0] * 25)[-1])
    0.588

    How to choose: importance-weighted rewards, whose mean is at most 1 while single ones may be hundreds
    (:func:`off_policy_bounds`).

    Reference: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", Journal of the Royal
    Statistical Society B 2024.
    """
    doing = "betting on a mean"
    return _Bettor(as_numbers(values, "values", doing, low=0), as_share(alpha, "alpha", doing)).bound(resolution)


class _Bettor:
    """Bets that the mean of x >= 0 is more than m, for any m in [0, 1]."""

    def __init__(self, x: npt.NDArray[np.float64], alpha: float) -> None:
        if x.ndim == 0:
            raise InputError(
                "observations come as a list",
                doing="betting on a mean",
                on=f"values={x!r:.60}",
                instead="write for example betting([0.2, 1.0, 0.7])",
                field="values",
            )
        t = np.arange(1.0, x.shape[-1] + 1)
        mean = (0.5 + np.cumsum(x, axis=-1)) / (t + 1)
        variance = (0.25 + np.cumsum((x - mean) ** 2, axis=-1)) / (t + 1)
        before = np.concatenate([np.full((*x.shape[:-1], 1), 0.25), variance[..., :-1]], axis=-1)
        self.x, self.alpha = x, alpha
        self.stake = np.sqrt(2 * np.log(1 / alpha) / (before * t * np.log1p(t)))

    def log_capital(self, m: float) -> Numbers:
        """After each observation, ``(..., n)``. It falls with m."""
        stake = np.minimum(self.stake, SHARE / m if m > 0 else np.inf)
        return np.cumsum(np.log1p(stake * (self.x - m)), axis=-1)

    def bound(self, resolution: int) -> npt.NDArray[np.float64]:
        """The largest m of the grid that has been rejected, after each observation; 0 where none is."""
        if isinstance(resolution, bool) or not isinstance(resolution, int | np.integer) or not 1 <= resolution <= 10**6:
            raise InputError(
                "resolution is a whole number from 1 to a million",
                doing="betting on a mean",
                on=f"resolution={resolution!r:.60}",
                instead="write for example resolution=500",
                field="resolution",
            )
        found = np.zeros(self.x.shape)
        for step in range(resolution + 1):
            rejected = self.log_capital(step / resolution) >= -np.log(self.alpha)
            if not rejected.any():  # larger m are rejected by fewer
                break
            found[rejected] = step / resolution
        return found
