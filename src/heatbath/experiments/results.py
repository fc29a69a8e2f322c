"""What an experiment has shown so far: gates, effects, guardrails, and what to do, from the rows of the store.

Intention to treat: a unit counts in the arm that it was first assigned to, with everything that it met there, errors
and fallbacks included. It may be looked at as often as one likes.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from heatbath.errors import InputError
from heatbath.experiments.course import Changes, Floats, Roster, looks_of
from heatbath.experiments.effects import compare, interval_at, intervals
from heatbath.experiments.experiment import Experiment
from heatbath.experiments.metrics import Guardrail, Metric
from heatbath.experiments.store.observed import Observed, Requests, observed
from heatbath.experiments.store.store import Store
from heatbath.experiments.words import recommend
from heatbath.stats import (
    Check,
    asymptotic,
    feedback_rate,
    judge,
    moments,
    non_inferior,
    rate,
    sample_ratio,
)

LOOKS = 24
"""Moments of the course over time that a result tells."""


class Gate(NamedTuple):
    """A condition that comes before any effect."""

    name: str
    """"sample_ratio" or "feedback_rate"."""
    metric: str
    passed: bool
    p_value: float


class Guarded(NamedTuple):
    """How an arm does in a guardrail metric."""

    metric: str
    margin: float
    effect: float
    low: float
    high: float
    decision: str
    """"not worse", "worse" or "inconclusive"."""
    sentence: str


class ArmResult(NamedTuple):
    """One arm: what it had, and how it differs from the control, which has no effect of its own."""

    name: str
    policy: str
    weight: float
    units: int
    """Assigned to it."""
    requests: int
    rated: int
    """Units with a value of the metric."""
    mean: float
    mean_low: float
    mean_high: float
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    """Adjusted for the number of arms."""
    decision: str = "control"
    """"better", "worse", "inconclusive"; "control" of the control."""
    reason: str = ""
    sentence: str = ""
    guardrails: tuple[Guarded, ...] = ()


class Look(NamedTuple):
    """The effects as they were seen at a time, with intervals that hold at all times and for all arms together."""

    at: float
    units: int
    effects: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class Result(NamedTuple):
    """What an experiment has shown at a time; ``str`` of it is the words."""

    experiment: str
    status: str
    at: float
    metric: str
    better: str
    alpha: float
    units: int
    requests: int
    crossed: int
    """Units that were served by more than one arm; they count in their first."""
    excluded: int
    """Units that came before the weights were last changed; they do not count."""
    orphans: int
    """Feedback whose decision the store has not seen; it cannot count."""
    gates: tuple[Gate, ...]
    arms: tuple[ArmResult, ...]
    decision: str
    """"promote", "keep" the control, "wait", or "stop": something is broken."""
    winner: str | None
    sentences: tuple[str, ...]
    course: tuple[Look, ...]

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def document(self) -> dict[str, Any]:
        """As JSON, numbers that it lacks as None."""
        made: dict[str, Any] = _plain(self)
        return made


def results(store: Store, experiment: Experiment | str, *, until: float | None = None, looks: int = LOOKS) -> Result:
    """What an experiment has shown.

    Arguments:
        store: the store.
        experiment: or its name.
        until: only what was decided and received until then, in seconds since 1970, UTC; None is all.
        looks: moments of the course over time to tell; 0 leaves it out.

    Returns:
        :class:`Result`.

    Raises:
        InputError: there is no such experiment.
        StoreError: the store cannot be read.

    How to choose: at every moment and as often as you like; intervals and p-values hold at all times together.
    """
    if isinstance(experiment, str):
        experiment = store.experiments.get(experiment)
    if isinstance(looks, bool) or not isinstance(looks, int) or looks < 0:
        raise InputError(
            "looks is a whole number >= 0", doing="taking results", on=f"looks={looks!r}", instead="write looks=24"
        )
    with observed(store, experiment, until) as seen:
        return _Analysis(seen, experiment, time.time() if until is None else until).result(looks)


class _Analysis:
    """The steps of a result, which share what was read."""

    def __init__(self, seen: Observed, experiment: Experiment, at: float) -> None:
        self.seen, self.experiment, self.at = seen, experiment, at
        self.requests: Requests = seen.requests()
        r = self.requests
        self.roster = Roster.of(r.unit, r.arm, r.at, experiment.reweighted_at)
        self.sizes = self.roster.counts(len(experiment.arms))

    def result(self, looks: int) -> Result:
        e, roster, r = self.experiment, self.roster, self.requests
        changes, covariates = self._changes(e.metric), self._covariates()
        ratio = sample_ratio(self.sizes, [arm.weight for arm in e.arms])
        gates = [_gate(ratio, e.metric)]
        [(total, rows)] = changes.at_looks(len(r.units), [np.inf])
        checks = [ratio, *self._answering(e.metric, rows)]
        gates += [_gate(check, e.metric) for check in checks[1:]]
        arms = self._arms(total, rows, covariates, checks)
        guarded = [self._guarded(rail, ratio) for rail in e.guardrails]
        arms = [arms[0], *(arm._replace(guardrails=tuple(each[place] for each in guarded))
                           for place, arm in enumerate(arms[1:]))]  # fmt: skip
        orphans = 0 if e.metric.of_answers else self.seen.orphans(e.metric)
        decision, winner, sentences = recommend(
            e,
            arms,
            gates,
            units=int(self.sizes.sum()),
            crossed=roster.crossed,
            excluded=roster.excluded,
            orphans=orphans,
        )
        course = self._course(changes, covariates, looks) if looks else ()
        return Result(
            e.name, e.status, self.at, e.metric.name, e.metric.better, e.alpha, int(self.sizes.sum()), len(r.at),
            roster.crossed, roster.excluded, orphans, tuple(gates), tuple(arms), decision, winner, sentences, course,
        )  # fmt: skip

    def _changes(self, metric: Metric) -> Changes:
        only = self.roster.first if self.experiment.method == "exact" and metric.kind == "boolean" else None
        return Changes.of(metric, self.requests, self.seen.values(metric, self.requests), only)

    def _covariates(self) -> list[Floats]:
        """One column per covariate and one more that says who had none, with the mean where there is none."""
        columns: list[Floats] = []
        for name in self.experiment.covariates:
            if name == "before":
                known = self.seen.before(self.experiment.metric)
                column = np.array([known.get(unit, np.nan) for unit in self.requests.units], dtype=np.float64)
            else:
                column = self.seen.prompt_lengths(self.requests)[self.roster.first]
            missing = np.isnan(column)
            if missing.all():
                continue
            columns.append(np.where(missing, np.mean(column[~missing]), column))
            if missing.any():
                columns.append(missing.astype(np.float64))
        return columns

    def _answering(self, metric: Metric, rows: Floats) -> list[Check]:
        """Whether the arms get feedback equally often, where silence does not count."""
        if metric.of_answers or metric.silence is not None or not self.sizes.any():
            return []
        due, arms = self.at - metric.within, len(self.sizes)
        asked = self.roster.counts(arms, due)
        return [feedback_rate(self.roster.counts(arms, due, rows > 0), asked)]

    def _arms(
        self, total: Floats, rows: Floats, covariates: Sequence[Floats], checks: Sequence[Check]
    ) -> list[ArmResult]:
        e, number = self.experiment, len(self.experiment.arms)
        values, arm, known = _rated(total, rows, self.roster, np.inf, covariates)
        compared = compare(values, arm, number, known)
        effects, adjusted = intervals(compared, e)
        per_request = np.bincount(self.requests.arm[self.requests.arm >= 0], minlength=number)
        made = []
        for place, each in enumerate(e.arms):
            inside = moments(values[arm == place])
            own = rate(inside, alpha=e.alpha) if e.method == "exact" else asymptotic(inside, alpha=e.alpha)
            shown = ArmResult(
                *each, int(self.sizes[place]), int(per_request[place]), int(inside.count),
                float(inside.mean), float(own.low), float(own.high),
            )  # fmt: skip
            if place:
                effect = effects[place - 1]
                verdict = judge(
                    effect,
                    checks=checks,
                    basis=None if e.method == "exact" else compared[place - 1].basis,
                    better=e.metric.better,
                    metric=e.metric.name,
                    subject=each.name,
                )
                shown = shown._replace(
                    effect=float(effect.estimate), low=float(effect.low), high=float(effect.high),
                    p_value=float(adjusted[place - 1]), decision=verdict.decision, reason=verdict.reason,
                    sentence=verdict.sentence,
                )  # fmt: skip
            made.append(shown)
        return made

    def _guarded(self, rail: Guardrail, ratio: Check) -> list[Guarded]:
        """One entry for each arm but the control."""
        e, metric = self.experiment, rail.metric
        [(total, rows)] = Changes.of(
            metric, self.requests, self.seen.values(metric, self.requests)
        ).at_looks(len(self.requests.units), [np.inf])  # fmt: skip
        checks = [ratio, *self._answering(metric, rows)]
        values, arm, _ = _rated(total, rows, self.roster, np.inf, ())
        made = []
        for treatment, each in zip(e.arms[1:], compare(values, arm, len(e.arms)), strict=True):
            interval = non_inferior(each.basis, rail.margin, better=metric.better, alpha=e.alpha, tuned_for=e.tuned_for)
            verdict = judge(
                interval, checks=checks, basis=each.basis, better=metric.better, metric=metric.name,
                subject=treatment.name,
            )  # fmt: skip
            decision = verdict.decision if verdict.decision == "not worse" else self._worse(each.basis, rail, checks)
            made.append(
                Guarded(metric.name, rail.margin, float(interval.estimate), float(interval.low), float(interval.high),
                        decision, verdict.sentence)
            )  # fmt: skip
        return made

    def _worse(self, basis: Any, rail: Guardrail, checks: Sequence[Check]) -> str:
        """Whether the loss is shown to be the margin or more, by the other side of the same question."""
        side, null = ("below", -rail.margin) if rail.metric.better == "higher" else ("above", rail.margin)
        e = self.experiment
        other = asymptotic(basis, alpha=e.alpha, null=null, side=side, tuned_for=e.tuned_for)
        verdict = judge(other, checks=checks, basis=basis, better=rail.metric.better)
        return "worse" if verdict.decision == "worse" else "inconclusive"

    def _course(self, changes: Changes, covariates: Sequence[Floats], looks: int) -> tuple[Look, ...]:
        e, roster = self.experiment, self.roster
        times = looks_of(roster.at[roster.arm >= 0], looks)
        alpha = e.alpha / (len(e.arms) - 1)
        made = []
        for when, (total, rows) in zip(times, changes.at_looks(len(self.requests.units), times), strict=True):
            values, arm, known = _rated(total, rows, roster, when, covariates)
            shown = [interval_at(each, e, alpha) for each in compare(values, arm, len(e.arms), known)]
            units = int(roster.counts(len(e.arms), when).sum())
            made.append(
                Look(
                    float(self.at if np.isinf(when) else when), units,
                    tuple(float(each.estimate) for each in shown),
                    tuple(float(each.low) for each in shown),
                    tuple(float(each.high) for each in shown),
                )
            )  # fmt: skip
        return tuple(made)


def _rated(
    total: Floats, rows: Floats, roster: Roster, until: float, covariates: Sequence[Floats]
) -> tuple[Floats, Any, list[Floats]]:
    """The mean of each unit that has a value, its arm, and what was known of it before."""
    which = (rows > 0) & (roster.arm >= 0) & (roster.at <= until)
    return total[which] / rows[which], roster.arm[which], [column[which] for column in covariates]


def _gate(check: Check, metric: Metric) -> Gate:
    return Gate(
        check.name, metric.name if check.name == "feedback_rate" else "", bool(check.passed), float(check.p_value)
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
