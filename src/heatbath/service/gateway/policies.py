"""Which temperature a request gets: the seam between the gateway and whoever decides.

The gateway asks :class:`Policies` once per request. :class:`WrittenPolicies` answers from the configuration alone;
experiments and learners answer through the same method.
"""

import math
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol

from heatbath.errors import HeatbathError, InputError
from heatbath.service.gateway.config import Config
from heatbath.service.gateway.effects import Setting, is_taken
from heatbath.service.gateway.providers import EVERY, Rule
from heatbath.service.gateway.routes import Route, Routes, is_pattern
from heatbath.spec import parse
from heatbath.thermostat import Thermostat, ask
from heatbath.types import Seen


class Asked(NamedTuple):
    """What a policy may look at."""

    route: Route
    model: str
    """The upstream's name of the model."""
    task: str | None
    requested: float | None
    rule: Rule
    user: str | None = None
    conversation: str | None = None


class Decided(NamedTuple):
    """What a policy decided; the fields are those of :class:`heatbath.experiments.Decision`."""

    setting: Setting
    policy: str
    unit: str | None = None
    experiment: str | None = None
    arm: str | None = None
    propensity: float | None = None
    context: str | None = None


class Policies(Protocol):
    """Whoever decides."""

    def decide(self, asked: Asked) -> Decided:
        """The setting for one request. Called on the event loop: it must not wait for anything."""
        ...


INHERIT = Decided("inherit", "inherit")
LEAVE_OUT = Decided("leave out", "leave out")
WORDS = {"inherit": INHERIT, "leave out": LEAVE_OUT}


def decided(thermostat: Thermostat, context: dict[str, Any]) -> float:
    """The temperature that a thermostat gives the first decision of a stream.

    Raises:
        InputError: it is not one finite number from 0.
    """
    temperature, _ = ask(thermostat, thermostat.init(), Seen(context=context))
    if isinstance(temperature, bool) or getattr(temperature, "ndim", not isinstance(temperature, int | float)):
        raise InputError("a request has one temperature", on=repr(thermostat), instead="write for example fixed(0.7)")
    number = temperature if isinstance(temperature, int) else float(temperature)
    if not 0 <= number < math.inf:
        raise InputError(
            f"JSON cannot carry {number}", on=repr(thermostat), instead="decide a finite temperature from 0"
        )
    return number


def read_policy(text: str) -> Decided:
    """What a policy's text means.

    Raises:
        HeatbathError: it does not parse, or decides by the scores of each token, which no provider shows.
    """
    if text in WORDS:
        return WORDS[text]
    made = parse(text)
    if not isinstance(made, Thermostat):
        raise InputError("it is a chain, not a thermostat", on=repr(text), instead="write for example fixed(0.7)")
    if made.looks:
        raise InputError(
            "it looks at the scores of every token, which the upstream does not show before it draws",
            on=repr(text),
            instead="write a thermostat that does not, such as fixed(0.7); send the other in the request "
            'field "heatbath" to a model that heatbath runs',
        )
    return Decided(decided(made, {}), repr(made))


class WrittenPolicies:
    """The policies of the configuration: a task's, else the route's, else "inherit".

    Raises:
        InputError: a policy cannot be read, or chooses what a route's provider refuses.
    """

    def __init__(self, config: Config, routes: Routes) -> None:
        for room, tables in (("experiments", config.experiments), ("learners", config.learners)):
            if tables:
                raise config.wrong(
                    "nothing here runs it", table=f"{room}.{next(iter(tables))}", instead="give the task a policy"
                )
        self._tasks: dict[str, Decided] = {}
        self._routes: dict[str, Decided] = {}
        for number, task in enumerate(config.tasks.values(), 1):
            table = f"tasks {number}"
            self._tasks[task.name] = self._read(config, table, task.policy)
            fitting = [route for route in routes if any(fnmatchcase(route.name, each) for each in task.models)]
            self._check(config, table, self._tasks[task.name], fitting)
        for route in routes:
            policy = config.routes[route.name].policy
            if policy is not None:
                table = f'routes."{route.name}"'
                self._routes[route.name] = self._read(config, table, policy)
                self._check(config, table, self._routes[route.name], [route])

    def decide(self, asked: Asked) -> Decided:
        """The policy of the task, else of the route, else "inherit"."""
        found = self._tasks.get(asked.task) if asked.task else None
        if found is None or found is INHERIT:
            return self._routes.get(asked.route.name, INHERIT)
        return found

    @staticmethod
    def _read(config: Config, table: str, text: str) -> Decided:
        try:
            return read_policy(text)
        except HeatbathError as error:
            raise config.wrong(str(error), table=table, field="policy", instead="") from None

    @staticmethod
    def _check(config: Config, table: str, found: Decided, routes: list[Route]) -> None:
        if isinstance(found.setting, str):
            return
        for route in routes:
            for rule in _rules(route):
                if rule.state != "rejected" and not is_taken(found.setting, rule):
                    raise config.wrong(
                        f"{found.policy} chooses {found.setting:g}, and the route {route.name!r} takes {rule.range}",
                        table=table,
                        field="policy",
                        instead="choose a temperature in that range",
                    )


def _rules(route: Route) -> Iterator[Rule]:
    model = route.model or route.name
    if not is_pattern(model):  # which model it will be is known
        yield from {route.rule(model, mode) for mode in EVERY}
