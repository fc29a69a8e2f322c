"""What an experiment is: which arms, for whom, judged by what; and the course of its life.

An experiment is a value. It is planned, runs, is stopped, and perhaps promoted and rolled back; each step gives a new
value with one more line in its history. The store keeps the newest (:mod:`heatbath.experiments.store`).
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from heatbath.errors import InputError, while_doing
from heatbath.experiments.assign import Assigned, Stretches, arm_at, point, stretches
from heatbath.experiments.metrics import Guardrail, Metric, number
from heatbath.spec import parse
from heatbath.stats.mixture import TUNED_FOR
from heatbath.thermostat import Thermostat

UNITS = ("user", "conversation", "request")
METHODS = ("asymptotic", "exact")
COVARIATES = ("before", "prompt_length")
STEPS = {
    "planned": ("running",),
    "running": ("stopped", "promoted"),
    "stopped": ("running", "promoted"),
    "promoted": ("rolled back",),
    "rolled back": ("running",),
}
"""What may follow on what."""

PASSED = ("inherit", "leave out")
"""Policies that are no thermostats: pass on what the client sent, or send no temperature."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Arm(NamedTuple):
    """One of the policies that are compared."""

    name: str
    policy: str
    """The text form of a thermostat, or "inherit" or "leave out"."""
    weight: float
    """Its share of the units; those of all arms add up to 1."""


class Event(NamedTuple):
    """A step in the life of an experiment."""

    at: float
    status: str
    note: str = ""
    weights: tuple[float, ...] = ()
    """The weights from then on, where they were set."""


class Experiment(NamedTuple):
    """A comparison of policies, as it was defined, and how far it has come.

    >>> from heatbath.experiments import Experiment
    >>> poem = Experiment.define("poem", task="poem", arms={"cool": "fixed(0.7)", "warm": "fixed(1.2)"}, metric="liked")
    >>> poem.status, [arm.weight for arm in poem.arms]
    ('planned', [0.5, 0.5])
    >>> arm, propensity = poem.assign("ann")
    >>> arm == poem.assign("ann").arm, propensity
    (True, 0.5)

    How to choose: :meth:`define` checks everything; the constructor is for what was stored.
    """

    name: str
    task: str
    arms: tuple[Arm, ...]
    """The control first: the others are compared with it."""
    metric: Metric
    unit: str = "user"
    guardrails: tuple[Guardrail, ...] = ()
    covariates: tuple[str, ...] = ()
    alpha: float = 0.05
    """The chance that any arm is ever claimed to differ without doing so."""
    tuned_for: float = TUNED_FOR
    """The units of the control and one arm at which intervals are the tightest; a plan knows it."""
    method: str = "asymptotic"
    salt: str = ""
    status: str = "planned"
    history: tuple[Event, ...] = ()
    stretches: Stretches = ()

    @classmethod
    def define(
        cls,
        name: str,
        *,
        task: str,
        arms: Mapping[str, str],
        metric: Any,
        weights: Mapping[str, float] | Sequence[float] | None = None,
        unit: str = "user",
        guardrails: Sequence[Any] = (),
        covariates: Sequence[str] = (),
        alpha: float = 0.05,
        tuned_for: float = TUNED_FOR,
        method: str = "asymptotic",
        salt: str | None = None,
        at: float | None = None,
    ) -> "Experiment":
        """Define an experiment.

        Arguments:
            name: letters, digits, dots, hyphens and underscores.
            task: the task whose requests take part.
            arms: policies by name of the arm, the control first; two at least.
            metric: a name ("liked"), or a table of the fields of :class:`Metric`.
            weights: by name, or in the order of the arms; equal unless said otherwise.
            unit: "user", "conversation" or "request": what is assigned, and what is counted.
            guardrails: tables with the fields of a metric and a ``margin``.
            covariates: what was known before and makes intervals shorter: "before", the mean of the same metric of the
                unit before the experiment; "prompt_length" of its first request (the feature of that name of the
                decision's context).
            alpha: the chance of any false claim, between 0 and 1.
            tuned_for: units of the control and one arm at which a decision is expected.
            method: "asymptotic", in large samples; "exact" for a boolean, from the first unit on, on the first value
                of each unit.
            salt: for assignment; the name unless said otherwise. Experiments with one salt assign alike.
            at: when, in seconds since 1970.

        Raises:
            InputError: what is wrong, and what to write instead.
            SpecError: a policy does not parse.
        """
        doing = "defining an experiment"
        for field, text in (("name", name), ("task", task)):
            if not isinstance(text, str) or (field == "name" and not NAME.fullmatch(text)) or not text:
                raise _wrong(f"{field} is letters, digits, '.', '-' and '_'", field, text, f'write {field}="poem"')
        if not isinstance(arms, Mapping) or len(arms) < 2:
            why = "a comparison needs two arms at least, the control first"
            raise _wrong(why, "arms", arms, 'write arms={"cool": "fixed(0.7)", "warm": "fixed(1.2)"}')
        for arm, policy in arms.items():
            if not isinstance(arm, str) or not NAME.fullmatch(arm):
                raise _wrong("an arm's name is letters, digits, '.', '-' and '_'", "arms", arm, 'write "warm"')
            check_policy(policy)
        words = (("unit", unit, UNITS), ("method", method, METHODS))
        each = (("covariates", covariate, COVARIATES) for covariate in covariates)
        for field, value, known in (*words, *each):
            if value not in known:
                raise _wrong(f"{field} is one of {', '.join(known)}", field, value, f'write "{known[0]}"')
        looked_at = Metric.read(metric, doing)
        if method == "exact" and (looked_at.kind != "boolean" or covariates):
            why = "the exact method is for booleans, and knows no covariates"
            raise _wrong(why, "method", method, 'write method="asymptotic"')
        if unit == "request" and "before" in covariates:
            raise _wrong("a request has no past", "covariates", list(covariates), 'write unit="user"')
        if not 0 < number(alpha, "alpha", doing) < 1:
            raise _wrong("alpha lies between 0 and 1", "alpha", alpha, "write alpha=0.05")
        shares = _shares(weights, list(arms))
        made = cls(
            name=name,
            task=task,
            arms=tuple(Arm(*pair, share) for pair, share in zip(arms.items(), shares, strict=True)),
            metric=looked_at,
            unit=unit,
            guardrails=tuple(Guardrail.read(rail, doing) for rail in guardrails),
            covariates=tuple(covariates),
            alpha=float(alpha),
            tuned_for=number(tuned_for, "tuned_for", doing, above=0.0),
            method=method,
            salt=name if salt is None else salt,
            stretches=stretches(shares),
        )
        return made._step("planned", at, "", shares)

    def assign(self, unit: str) -> Assigned:
        """The arm of a unit, by its place in :attr:`arms`, and the chance that it had: the same every time."""
        arm = arm_at(self.stretches, point(self.salt, unit))
        return Assigned(arm, self.arms[arm].weight)

    def started(self, at: float | None = None, note: str = "") -> "Experiment":
        """Let it run, for the first time or again."""
        return self._step("running", at, note)

    def stopped(self, at: float | None = None, note: str = "") -> "Experiment":
        """Assign nobody any more; its task gets what it had before."""
        return self._step("stopped", at, note)

    def promoted(self, arm: str, at: float | None = None, note: str = "") -> "Experiment":
        """Let the policy of an arm be that of the task."""
        self.arm(arm)
        return self._step("promoted", at, f"{arm}{': ' * bool(note)}{note}")

    def rolled_back(self, at: float | None = None, note: str = "") -> "Experiment":
        """Take a promotion back."""
        return self._step("rolled back", at, note)

    def reweighted(self, weights: Mapping[str, float] | Sequence[float], at: float | None = None) -> "Experiment":
        """Other weights from now on; as few units as possible change their arm.

        Effects are estimated from the units that come after the change: those before were assigned by other chances.
        """
        shares = _shares(weights, [arm.name for arm in self.arms])
        made = self._replace(
            arms=tuple(arm._replace(weight=share) for arm, share in zip(self.arms, shares, strict=True)),
            stretches=stretches(shares, self.stretches),
        )
        return made._step(self.status, at, "weights", shares)

    def arm(self, name: str) -> Arm:
        """The arm of this name.

        Raises:
            InputError: there is none.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        names = [arm.name for arm in self.arms]
        raise _wrong("there is no such arm", "arm", name, f"write one of {', '.join(names)}", f"experiment {self.name}")

    @property
    def begun(self) -> float:
        """When it was first started; inf where it never was."""
        return min((event.at for event in self.history if event.status == "running"), default=float("inf"))

    @property
    def reweighted_at(self) -> float | None:
        """When its weights were last changed after it had begun; None where they never were."""
        states = [event.status for event in self.history]
        first = states.index("running") if "running" in states else len(states)
        return max((event.at for event in self.history[first + 1 :] if event.weights), default=None)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        fields = self._asdict()
        fields["arms"] = [arm._asdict() for arm in self.arms]
        fields["metric"] = self.metric._asdict()
        fields["guardrails"] = [{"metric": each.metric._asdict(), "margin": each.margin} for each in self.guardrails]
        fields["history"] = [event._asdict() for event in self.history]
        return fields

    @classmethod
    def of_record(cls, fields: Mapping[str, Any]) -> "Experiment":
        """From what :meth:`record` gave, before or after JSON."""
        rails = (Guardrail(Metric(**each["metric"]), each["margin"]) for each in fields["guardrails"])
        events = (Event(**{**each, "weights": tuple(each["weights"])}) for each in fields["history"])
        return cls(
            **{
                **fields,
                "arms": tuple(Arm(**arm) for arm in fields["arms"]),
                "metric": Metric(**fields["metric"]),
                "guardrails": tuple(rails),
                "covariates": tuple(fields["covariates"]),
                "history": tuple(events),
                "stretches": tuple((end, arm) for end, arm in fields["stretches"]),
            }
        )

    def _step(self, status: str, at: float | None, note: str, weights: tuple[float, ...] = ()) -> "Experiment":
        if not weights and status not in STEPS[self.status]:
            raise InputError(
                f"it is {self.status}, and cannot become {status}",
                doing="changing an experiment",
                on=self.name,
                instead=f"what can follow: {', '.join(STEPS[self.status])}",
            )
        event = Event(time.time() if at is None else at, status, note, weights)
        return self._replace(status=status, history=(*self.history, event))


def check_policy(policy: Any) -> None:
    """Refuse what is no policy.

    Raises:
        InputError: it is no thermostat in the text form, nor "inherit" or "leave out".
        SpecError: it does not parse.
    """
    if policy in PASSED:
        return
    instead = 'write for example "fixed(0.7)"; "inherit" and "leave out" are policies, too'
    if not isinstance(policy, str):
        raise _wrong("a policy is the text form of a thermostat", "policy", policy, instead)
    with while_doing("reading a policy", repr(policy)):
        made = parse(policy)
    if not isinstance(made, Thermostat):
        raise _wrong("it is a chain, and not a thermostat", "policy", policy, instead)


def _shares(weights: Mapping[str, float] | Sequence[float] | None, names: list[str]) -> tuple[float, ...]:
    """Weights as shares of 1, in the order of the arms."""
    if weights is None:
        weights = [1.0] * len(names)
    if isinstance(weights, Mapping):
        if set(weights) != set(names):
            raise _wrong("weights name every arm once", "weights", dict(weights), f"name {', '.join(names)}")
        weights = [weights[name] for name in names]
    if len(weights) != len(names):
        raise _wrong("there is one weight per arm", "weights", list(weights), f"give {len(names)} numbers")
    given = [number(each, "weights", "weighing arms", above=0.0) for each in weights]
    return tuple(each / sum(given) for each in given)


def _wrong(why: str, field: str, value: Any, instead: str, on: str = "") -> InputError:
    shown = on or f"{field}={value!r:.60}"
    return InputError(why, doing="defining an experiment", on=shown, instead=instead, field=field)
