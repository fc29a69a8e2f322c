"""What another thermostat would have earned, from the log of the one that ran."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath import stats
from heatbath.control.axis import Axis
from heatbath.control.posterior import Prior, Sums
from heatbath.core.arrays import is_number
from heatbath.core.numbers import check_number
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.thermostat import Thermostat, as_thermostat, ask
from heatbath.types import NOTHING, Seen, State

METHODS = ("doubly robust", "self-normalised", "ips")
KNOTS = 9
NODES = 33
"""Points at which the model of the reward is averaged over the kernel."""

Floats = npt.NDArray[np.float64]


class Logged(NamedTuple):
    """A decision and what came of it."""

    temperature: float
    """The T that was used."""
    density: float
    """With which it was drawn, per unit of T, > 0; a probability where only some temperatures are played."""
    reward: float
    context: Mapping[str, Any] = NOTHING
    """What the thermostat saw."""


class Evaluation(NamedTuple):
    """What a thermostat would have earned."""

    verdict: stats.Verdict
    """Against what ran: better, worse or inconclusive, and why."""
    value: stats.Interval
    """Its mean reward."""
    gain: stats.Interval
    """Its mean reward less that of what ran."""
    bounds: stats.Interval
    """Its mean reward again, by betting: wider, and valid for any number of rows and any weights."""
    effective_sample_size: float
    mean_weight: float
    """Near 1, if the log holds what the thermostat does, and its densities are right."""
    rows: int

    def __str__(self) -> str:
        return f"{self.verdict} Value {self.value}, from {self.rows} rows worth {self.effective_sample_size:.0f}."


def evaluate(
    thermostat: Any,
    log: Sequence[Logged],
    *,
    low: float,
    high: float,
    state: State = None,
    bandwidth: float | None = None,
    method: str = "doubly robust",
    rewards: Sequence[float] = (0, 1),
    alpha: float = 0.05,
    least: float = 100,
    metric: str = "the reward",
) -> Evaluation:
    """What a thermostat would have earned on the decisions of a log, whose temperatures were drawn at random.

    Each row counts with the weight ``w = density of the thermostat / logged density`` of the T that was used. A
    thermostat that gives one T has no density; it is evaluated as if it played that T with the noise of a kernel
    (:func:`heatbath.stats.kernel_weights`).

    Arguments:
        thermostat: what is asked about: a number, a schedule, any thermostat that needs no scores.
        log: in the order of the decisions.
        low: the least T that could be drawn.
        high: the greatest.
        state: of the thermostat, for all rows: what it has learned elsewhere; a new one where not given. It does not
            learn from the log.
        bandwidth: of the kernel, in units of T; a tenth of the range where not given. 0: only rows with exactly this T
            count, for logs of a few temperatures with probabilities. A thermostat with a density has no use for it.
        method: "doubly robust" (a curve of the reward by T, fitted on one half of the rows and used on the other, and
            corrected by the weights), "self-normalised" or "ips".
        rewards: the least and the greatest reward that is possible.
        alpha: the chance of missing the truth that is accepted.
        least: how many effective rows a verdict needs.
        metric: what the reward is, in words.

    Returns:
        :class:`Evaluation`; ``print`` it. Below ``least`` effective rows the verdict is "inconclusive", with the
        reason.

    Raises:
        InputError: no rows, a T or reward out of range, densities that are not above 0, or a thermostat that needs
            scores.

    >>> import numpy as np, heatbath as hb
    >>> from heatbath.experiments import Logged, evaluate
    >>> rng = np.random.default_rng(0)
    >>> log = [Logged(T, 0.5, float(rng.random() < 0.8 - 0.4 * (T - 0.7) ** 2)) for T in rng.uniform(0, 2, 8000)]
    >>> print(evaluate(0.7, log, low=0, high=2, metric="thumbs up").verdict.decision)
    better
    >>> print(evaluate(0.7, log[:300], low=0, high=2).verdict)
    Inconclusive, because the log weighs as much as 47 rows of the policy asked about, and 100 are needed; it has rarely
    done what that policy does.

    How to choose: before an experiment, to see which settings are worth one; a log with a floor of exploration (that of
    :func:`heatbath.control.thompson`) can answer it, one of a fixed T cannot. Halve and double the bandwidth: if the
    value moves by more than the interval, the curve bends within it. "self-normalised" where a smooth curve of T does
    not describe the reward at all; "ips" as the reference without bias.

    Reference: those of :func:`heatbath.stats.doubly_robust` and :func:`heatbath.stats.kernel_weights`.
    """
    target = as_thermostat(thermostat)
    with while_doing("evaluating from a log", repr(target)):
        first = check_number(low, "low", "a finite number >= 0", lambda t: 0 <= t < math.inf, example=0.0)
        last = check_number(high, "high", f"a finite number > low={first:g}", lambda t: first < t < math.inf)
        wide = (last - first) / 10 if bandwidth is None else bandwidth
        wide = check_number(wide, "bandwidth", "a finite number >= 0", lambda h: 0 <= h < math.inf, example=0.2)
        if method not in METHODS:
            raise InputError(
                f"there is no method {show(method)}", instead=f"known are {', '.join(METHODS)}", field="method"
            )
        rows = _read(log, first, last, rewards)
        asked = _asked(target, target.init() if state is None else state, rows, Axis(first, last, KNOTS), wide)
        value, each = _earned(method, rows, asked)
        bounds = stats.off_policy_bounds(rows.share, asked.weights, alpha=alpha).at()
    size = float(stats.effective_sample_size(asked.weights))
    scale, origin = rewards[1] - rewards[0], rewards[0]
    gain = stats.moments(each - rows.share).scaled(scale)._replace(fewest=size)
    shown = stats.asymptotic(gain, alpha=alpha, least=least)
    ends = {name: origin + scale * getattr(bounds, name) for name in ("estimate", "low", "high")}
    return Evaluation(
        verdict=stats.judge(shown, effective_sample_size=size, metric=metric, subject=repr(target), least=least),
        value=stats.asymptotic(value.scaled(scale, origin)._replace(fewest=size), alpha=alpha, least=least),
        gain=shown,
        bounds=bounds._replace(**ends),
        effective_sample_size=size,
        mean_weight=float(asked.weights.mean()),
        rows=len(log),
    )


class _Rows(NamedTuple):
    """The log in columns."""

    temperature: Floats
    density: Floats
    share: Floats
    """The reward, from 0 to 1."""
    seen: list[Seen]


class _Asked(NamedTuple):
    """What the thermostat would have done on each row."""

    weights: Floats
    own: Floats
    """The row of the basis of the T that was used, ``(rows, knots)``."""
    instead: Floats
    """The same, averaged over what the thermostat would have played."""


def _read(log: Any, low: float, high: float, rewards: Any) -> _Rows:
    if not isinstance(log, Sequence) or not log or not all(isinstance(row, Logged) for row in log):
        raise InputError(
            f"{show(log):.60} is no log", instead="give a list of Logged(temperature, density, reward)", field="log"
        )
    ends = rewards if isinstance(rewards, list | tuple) and len(rewards) == 2 else (0, 0)
    if not ends[0] < ends[1]:
        raise InputError(f"rewards={show(rewards)} is no range", instead="write rewards=[0, 1]", field="rewards")
    columns = []
    limits = {"temperature": (low, high), "density": (0.0, math.inf), "reward": ends}
    for number, (name, (least, most)) in enumerate(limits.items()):
        for place, row in enumerate(log):
            if not (is_number(row[number]) or name == "reward") or not least <= float(row[number]) <= most:
                raise InputError(
                    f"the {name} of row {place} is {show(row[number])}, and must be from {least:g} to {most:g}",
                    instead="leave the row out, or widen the range",
                    field="log",
                )
        columns.append(np.array([row[number] for row in log], np.float64))
    at, density, reward = columns
    return _Rows(at, density, (reward - ends[0]) / (ends[1] - ends[0]), [Seen(context=row.context) for row in log])


def _asked(target: Thermostat, state: State, rows: _Rows, axis: Axis, wide: float) -> _Asked:
    own = axis.at(rows.temperature)
    if target.density is not None:
        nodes = axis.temperatures if wide else np.unique(rows.temperature)
        chance = [target.density(state, seen, t) for seen, t in zip(rows.seen, rows.temperature, strict=True)]
        plan = np.array([target.density(state, seen, nodes) for seen in rows.seen])
        plan /= plan.sum(axis=1, keepdims=True)
        return _Asked(stats.importance_weights(chance, rows.density), own, plan @ axis.at(nodes))
    goal = np.array([_one(ask(target, state, seen)[0], axis) for seen in rows.seen])
    goals, which = np.unique(goal, return_inverse=True)
    if not wide:
        return _Asked(stats.importance_weights(goal == rows.temperature, rows.density), own, axis.at(goals)[which])
    weights = stats.kernel_weights(goal, rows.temperature, rows.density, bandwidth=wide, low=axis.low, high=axis.high)
    nodes = goals[:, None] + wide * np.linspace(-1, 1, NODES)
    kernel = (1 - np.linspace(-1, 1, NODES) ** 2) * ((nodes >= axis.low) & (nodes <= axis.high))
    smooth = np.einsum("un,unk->uk", kernel, axis.at(nodes.clip(axis.low, axis.high)))
    return _Asked(weights, own, (smooth / kernel.sum(axis=1, keepdims=True))[which])


def _one(temperature: Any, axis: Axis) -> float:
    if is_number(temperature) and axis.low <= temperature <= axis.high:
        return float(temperature)
    raise InputError(
        f"it would play {show(temperature):.60}",
        instead=f"the log holds T from {axis.low:g} to {axis.high:g}, one per row, and cannot tell of others",
        field="thermostat",
    )


def _earned(method: str, rows: _Rows, asked: _Asked) -> tuple[stats.Moments, Floats]:
    """The value, and what each row adds to it: their mean is the value, to first order."""
    share, weights = rows.share, asked.weights
    if method == "ips":
        return stats.ips(share, weights), weights * share
    if method == "self-normalised":
        value = stats.self_normalised(share, weights)
        return value, value.mean + weights * (share - value.mean) / weights.mean()
    values = _model(asked.own, share)
    own, instead = (0.5 + np.einsum("nk,nk->n", part, values) for part in (asked.own, asked.instead))
    return stats.doubly_robust(share, weights, own, instead), instead + weights * (share - own)


def _model(basis: Floats, share: Floats) -> Floats:
    """Values at the knots of the curve of the reward, ``(rows, knots)``: each row's from the other half of the rows."""
    prior = Prior(Axis(0.0, 1.0, basis.shape[1]))
    values, half = np.empty_like(basis), np.arange(len(share)) % 2
    for part in (0, 1):
        x, r = basis[half == part], share[half == part] - 0.5
        found = prior.posterior(Sums(float(len(r)), r @ r, x.T @ r, x.T @ x))
        values[half != part] = found.share @ found.mean
    return values
