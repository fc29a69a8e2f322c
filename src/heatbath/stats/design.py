"""Before the start: how many units, which effect can be found, and what looking all the time costs.

In units of its standard error at the planned end, the sum of a test is Brownian motion with drift ``theta = effect
sqrt(n / V)``, ``V / n`` being the variance of the difference. One look at the end finds the effect with probability
``Phi(theta - z)``. A confidence sequence stops at the first time its boundary is crossed; the chance of that before the
end is summed up look by look on a grid. So power, size and effect are one number theta, read three ways.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, sqrt
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.stats.checks import as_numbers, as_one_of, as_positive, as_share, special
from heatbath.stats.mixture import mixture_rho

PEEKING = ("always", "never")
LOOKS = 100
"""Steps in which the chance is summed up that a boundary is crossed before the planned end."""

BETWEEN = 0.5826
"""How far a Brownian path exceeds, between two steps of sd 1, the larger of its values at their ends: the boundary is
lowered by as much, so that few steps stand for looking all the time (Siegmund, "Sequential analysis", 1985)."""


class Plan(NamedTuple):
    """An experiment before its start.

    >>> from heatbath.stats import sample_size
    >>> print(sample_size(0.05, rate=0.5))
    5038 units in 2 arms find an effect of 0.05 with power 80 %. Looking all the time costs 61 % over the 3124 of a
    single look at the end; but it stops after 3092 on average if the effect is there.
    """

    units: int
    """All arms together, until the planned end."""
    per_arm: tuple[int, ...]
    effect: float
    power: float
    expected_units: float
    """On average, if the effect is there and the experiment stops once it is shown; ``units`` without peeking."""
    fixed_units: int
    """What a single look at the end would need for the same power."""
    alpha: float
    """For each comparison with the control, after sharing it among the arms; give it to the interval."""
    tuned_for: int
    """The size of the control and one arm together at the end, to be given to :func:`asymptotic`."""

    def __str__(self) -> str:
        found = f"{self.units} units in {len(self.per_arm)} arms find an effect of {self.effect:.4g}"
        cost = self.units / self.fixed_units - 1
        if self.expected_units >= self.units:
            return f"{found} with power {self.power:.0%}, at one look at the end.".replace("%", " %")
        return (
            f"{found} with power {self.power:.0%}. Looking all the time costs {cost:.0%} over the "
            f"{self.fixed_units} of a single look at the end; but it stops after {self.expected_units:.0f} on average "
            "if the effect is there."
        ).replace("%", " %")


def sample_size(
    effect: float,
    *,
    sd: float | None = None,
    rate: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    weights: Sequence[float] = (1, 1),
    peeking: str = "always",
) -> Plan:
    """How many units find an effect of a given size.

    ``units = theta^2 V / effect^2``, with ``V = v0 / q0 + v1 / q1`` of variances v and shares q of the control and the
    smallest other arm; ``theta = z(1 - alpha / 2) + z(power)`` without peeking, and what crosses the confidence
    sequence with the wanted power with it.

    Arguments:
        effect: the least difference to the control that should be found, not 0.
        sd: standard deviation of the outcome of one unit, > 0; or
        rate: the control's share, if the outcome is a boolean, between 0 and 1; the effect is added to it.
        power: the chance to find the effect, above alpha and below 1.
        alpha: the chance of any false claim; shared equally by all arms but the control.
        weights: proportions of the arms, the control first; any number of arms from two on.
        peeking: "always": :func:`asymptotic` intervals, looked at all the time; "never": one look, :func:`fixed_n`.

    Returns:
        :class:`Plan`.

    Raises:
        InputError: arguments out of their ranges, or not exactly one of sd and rate.

    >>> from heatbath.stats import sample_size
    >>> sample_size(0.1, sd=1.0, peeking="never").per_arm
    (1570, 1570)
    >>> sample_size(0.1, sd=1.0, weights=[1, 1, 1, 1]).per_arm
    (3149, 3149, 3149, 3149)

    How to choose: the least effect that would change what you do. A temperature rarely moves a mean by more than a
    tenth of its standard deviation; plan for that. Users, not answers, are units if users are assigned.

    Reference: for one look, van Belle, "Statistical rules of thumb", 2008; for the sequence, the recursion of Armitage,
    McPherson and Rowe, "Repeated significance tests on accumulating data", Journal of the Royal Statistical Society A
    1969.
    """
    doing = "planning a sample size"
    gap = _effect(effect, doing)
    setting = _Setting.read(sd, rate, alpha, weights, peeking, doing)
    chance = _power(power, setting.alpha, doing)
    theta, once = _drift(setting.alpha, chance, peeking), _drift(setting.alpha, chance, "never")
    scale = setting.spread(gap, doing) / gap**2
    return setting.plan(theta**2 * scale, gap, chance, theta, once**2 * scale)


def power(
    effect: float,
    units: float,
    *,
    sd: float | None = None,
    rate: float | None = None,
    alpha: float = 0.05,
    weights: Sequence[float] = (1, 1),
    peeking: str = "always",
) -> Plan:
    """The chance to find an effect with so many units.

    ``Phi(theta - z(1 - alpha / 2))`` at one look, ``theta = |effect| sqrt(units / V)``; with peeking the chance that
    the confidence sequence ever excludes 0, on the right side, until then.

    Arguments:
        effect: difference to the control, not 0.
        units: all arms together, at the planned end.
        sd: standard deviation of one unit; or
        rate: the control's share of a boolean outcome.
        alpha: the chance of any false claim; shared equally by all arms but the control.
        weights: proportions of the arms, the control first.
        peeking: "always" or "never", see :func:`sample_size`.

    Returns:
        :class:`Plan`.

    Raises:
        InputError: arguments out of their ranges, or not exactly one of sd and rate.

    >>> from heatbath.stats import power
    >>> round(power(0.1, 4000, sd=1.0).power, 2), round(power(0.1, 4000, sd=1.0, peeking="never").power, 2)
    (0.68, 0.89)

    How to choose: the traffic is given. Below a half, "inconclusive" is the most probable result; think of covariates
    (:func:`adjusted_difference`) or of a metric that varies less before you begin.

    Reference: as for :func:`sample_size`.
    """
    doing = "computing power"
    gap, total = _effect(effect, doing), as_positive(units, "units", doing, 1000)
    setting = _Setting.read(sd, rate, alpha, weights, peeking, doing)
    scale = setting.spread(gap, doing) / gap**2
    theta = sqrt(total / scale)
    chance = _chance(setting.alpha, theta, peeking)[0]
    once = theta if peeking == "never" else _drift(setting.alpha, min(max(chance, 2 * alpha / 3), 0.9999), "never")
    return setting.plan(total, gap, chance, theta, once**2 * scale)


def minimum_effect(
    units: float,
    *,
    sd: float | None = None,
    rate: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    weights: Sequence[float] = (1, 1),
    peeking: str = "always",
) -> Plan:
    """The least effect that so many units find: the minimum detectable effect.

    ``effect = theta sqrt(V / units)``, theta as in :func:`sample_size`; upwards, for a rate, where V depends on the
    effect.

    Arguments:
        units: all arms together, at the planned end.
        sd: standard deviation of one unit; or
        rate: the control's share of a boolean outcome.
        power: the chance to find it, above alpha and below 1.
        alpha: the chance of any false claim; shared equally by all arms but the control.
        weights: proportions of the arms, the control first.
        peeking: "always" or "never", see :func:`sample_size`.

    Returns:
        :class:`Plan`.

    Raises:
        InputError: arguments out of their ranges, or a rate that even its largest rise does not lift visibly.

    >>> from heatbath.stats import minimum_effect
    >>> round(minimum_effect(10_000, rate=0.2).effect, 4)
    0.0292

    How to choose: the traffic and the power are given; if the answer is larger than any effect you believe in, do not
    start.

    Reference: as for :func:`sample_size`.
    """
    doing = "computing a minimum detectable effect"
    total = as_positive(units, "units", doing, 1000)
    setting = _Setting.read(sd, rate, alpha, weights, peeking, doing)
    chance = _power(power, setting.alpha, doing)
    theta, once = _drift(setting.alpha, chance, peeking), _drift(setting.alpha, chance, "never")
    if setting.sd is not None:
        gap = theta * sqrt(setting.spread(0.0, doing) / total)
    else:
        low, high = 0.0, 1 - setting.rate
        if theta**2 * setting.spread(high, doing) / high**2 > total:
            raise InputError(
                f"a rate of {setting.rate:g} cannot rise enough to be seen with {total:g} units",
                doing=doing,
                on=f"units={units!r}",
                instead="plan for more units",
                field="units",
            )
        for _ in range(60):
            gap = 0.5 * (low + high)
            enough = theta**2 * setting.spread(gap, doing) <= total * gap**2
            low, high = (low, gap) if enough else (gap, high)
    scale = setting.spread(gap, doing) / gap**2
    return setting.plan(total, gap, chance, theta, once**2 * scale)


class _Setting(NamedTuple):
    sd: float | None
    rate: float
    alpha: float
    shares: tuple[float, ...]
    peeking: str

    @classmethod
    def read(cls, sd: Any, rate: Any, alpha: Any, weights: Any, peeking: Any, doing: str) -> "_Setting":
        if (sd is None) == (rate is None):
            raise InputError(
                "it needs exactly one of sd (an outcome that is a number) and rate (a boolean)",
                doing=doing,
                on=f"sd={sd!r}, rate={rate!r}",
                instead="write for example rate=0.2",
                field="sd",
            )
        q = as_numbers(weights, "weights", doing, above=0)
        if q.ndim != 1 or q.size < 2:
            raise InputError(
                "weights has one entry per arm, the control first, of two arms at least",
                doing=doing,
                on=f"weights={weights!r:.60}",
                instead="write for example weights=[1, 1]",
                field="weights",
            )
        spread = None if sd is None else as_positive(sd, "sd", doing)
        base = 0.5 if rate is None else as_share(rate, "rate", doing, 0.2)
        each = as_share(alpha, "alpha", doing) / (q.size - 1)
        return cls(spread, base, each, tuple((q / q.sum()).tolist()), as_one_of(peeking, "peeking", doing, PEEKING))

    def spread(self, effect: float, doing: str) -> float:
        """V of the control and the smallest other arm."""
        control, other = self.shares[0], min(self.shares[1:])
        if self.sd is not None:
            return self.sd**2 * (1 / control + 1 / other)
        lifted = self.rate + effect
        if not 0 <= lifted <= 1:
            raise InputError(
                f"a rate of {self.rate:g} that changes by {effect:g} leaves the range from 0 to 1",
                doing=doing,
                on=f"effect={effect:g}",
                instead="write the effect as a difference of rates, such as 0.02 for two points",
                field="effect",
            )
        return self.rate * (1 - self.rate) / control + lifted * (1 - lifted) / other

    def plan(self, units: float, effect: float, power: float, theta: float, fixed: float) -> Plan:
        per_arm = tuple(ceil(units * share - 1e-9) for share in self.shares)
        total = sum(per_arm)
        expected = total * (1.0 if self.peeking == "never" else _chance(self.alpha, theta, self.peeking)[1])
        pair = per_arm[0] + min(per_arm[1:])
        once = sum(ceil(fixed * share - 1e-9) for share in self.shares)
        return Plan(total, per_arm, effect, power, expected, once, self.alpha, pair)


@lru_cache(maxsize=256)
def _drift(alpha: float, power: float, peeking: str) -> float:
    """The theta that has this power."""
    if peeking == "never":
        ndtri = special().ndtri
        return float(ndtri(1 - alpha / 2) + ndtri(power))
    low, high = 0.0, 20.0 + 3 * sqrt(-np.log(alpha))
    for _ in range(40):
        theta = 0.5 * (low + high)
        low, high = (low, theta) if _chance(alpha, theta, peeking)[0] >= power else (theta, high)
    return high


@lru_cache(maxsize=256)
def _chance(alpha: float, theta: float, peeking: str) -> tuple[float, float]:
    """The chance that the effect is found until time 1, and the mean time at which the experiment ends."""
    ndtr = special().ndtr
    if peeking == "never":
        return float(ndtr(theta - special().ndtri(1 - alpha / 2))), 1.0
    v = mixture_rho(1.0, alpha) ** 2 * np.arange(1, LOOKS + 1) / LOOKS
    step, sd = 1 / LOOKS, sqrt(1 / LOOKS)
    boundary = np.sqrt((1 + v) * (np.log1p(v) - 2 * np.log(alpha)) / (v[-1])) - BETWEEN * sd
    edge = boundary[-1]
    grid: npt.NDArray[np.float64] = np.linspace(-edge, edge, 361)
    width = grid[1] - grid[0]
    move = np.exp(-0.5 * ((grid[:, None] - grid - theta * step) / sd) ** 2) * width / (sd * sqrt(2 * np.pi))
    density = np.exp(-0.5 * ((grid - theta * step) / sd) ** 2) / (sd * sqrt(2 * np.pi))
    found, mean_time = float(ndtr((theta * step - boundary[0]) / sd)), step
    for look in range(LOOKS):
        inside = np.clip((boundary[look] - np.abs(grid)) / width + 0.5, 0.0, 1.0)  # the outer cells in part
        density = density * inside
        if look == LOOKS - 1:
            break
        mean_time += step * float(density.sum() * width)
        found += float((density * ndtr((grid + theta * step - boundary[look + 1]) / sd)).sum() * width)
        density = move @ density
    return min(found, 1.0), min(mean_time, 1.0)


def _effect(effect: Any, doing: str) -> float:
    number = as_numbers(effect, "effect", doing)
    if number.ndim or number == 0:
        raise InputError(
            "effect is one number that is not 0",
            doing=doing,
            on=f"effect={effect!r:.60}",
            instead="write the least difference that would change what you do",
            field="effect",
        )
    return float(number)


def _power(power: Any, alpha: float, doing: str) -> float:
    chance = as_share(power, "power", doing, 0.8)
    if chance <= alpha:
        raise InputError(
            "power lies above alpha", doing=doing, on=f"power={power!r}", instead="write power=0.8", field="power"
        )
    return chance
