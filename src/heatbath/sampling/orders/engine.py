"""What an engine is: its settings, the order of its steps, and what it does at the ends."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from heatbath.core.arrays import is_number
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.sampling.chain import Sampler, chain
from heatbath.sampling.draw import categorical, greedy
from heatbath.sampling.orders.apart import Apart
from heatbath.sampling.orders.links import EARLY, Link, swap
from heatbath.sampling.orders.values import ANY, NONE, Values
from heatbath.types import NOTHING

Given = Mapping[str, Any]
"""Settings by the engine's names."""


class Spelling(NamedTuple):
    """How an engine writes the argument of a step."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


class Setting(NamedTuple):
    """One row of an engine's table."""

    name: str
    default: Any
    steps: tuple[str, ...] = ()
    """The steps that it is an argument of; none where it only decides about the order."""
    argument: str = ""
    """Which one; "" where it only switches the step on and off."""
    off: Values = NONE
    """Values with which the engine leaves the step out."""
    legal: Values = ANY
    """What the engine does not refuse."""
    scale: float = 1.0
    """The step's argument is the setting times this: bits become nats."""
    whole: Values = NONE
    """Values that mean "all of them": the step's argument is then None."""
    spelling: Spelling | None = None
    """How the engine writes the argument, where it is not as the step does."""

    @property
    def neutral(self) -> Any:
        """A value with which the engine leaves the step out."""
        value = self.default if self.default in self.off else self.off.example
        return float(value) if isinstance(self.default, float) else value

    def takes(self, value: Any) -> bool:
        """Whether the engine does not refuse it."""
        if self.argument == "thermostat" and not (is_number(value) or isinstance(value, bool | str | None)):
            return True  # a thermostat, a schedule or an array in the place of a temperature: the step looks at it
        return value in self.legal or value in self.off or (value is self.default and value is None)

    def inside(self, value: Any) -> Any:
        """The argument of the step."""
        if value in self.whole:
            return None
        if self.spelling:
            return self.spelling.read(value)
        return value * self.scale if self.scale != 1 else value

    def outside(self, argument: Any) -> Any:
        """The value of the setting, from the argument of the step."""
        if argument is None:
            return self.whole.example
        if isinstance(self.default, bool):
            return bool(argument)
        if self.spelling:
            return self.spelling.write(argument)
        return argument / self.scale if self.scale != 1 else argument


class Difference(NamedTuple):
    """Where this engine does something else than the chain that stands for it; each has a test."""

    name: str
    says: str


def differs(value: Any, default: Any) -> bool:
    """Whether a setting is not at its default; one number per row never is."""
    try:
        return bool(value != default)
    except ValueError:
        return True


def _as_given(values: dict[str, Any]) -> dict[str, Any]:
    return values


def _in_place(_steps: Sequence[str]) -> list[dict[str, Any]]:
    return [{}]


class Engine(NamedTuple):
    """A row of the table of engines."""

    name: str
    """As its authors write it."""
    function: str
    """As Python writes it."""
    version: str
    """The release whose source was read."""
    settings: tuple[Setting, ...]
    order: Callable[[Given], Sequence[str | Link]]
    """The steps in the order in which they act, by the settings; a link is one that no setting changes."""
    cold: dict[str, Any]
    """Settings that make it greedy."""
    is_greedy: Callable[[Given], bool] = lambda given: False
    """Whether it takes the argmax behind the penalties and leaves everything else out."""
    adjust: Callable[[dict[str, Any]], dict[str, Any]] = _as_given
    """What it silently makes of settings; or an error that says what it would do."""
    always: Mapping[str, Mapping[str, Any]] = NOTHING
    """Arguments of steps that it has no setting for."""
    warm: Mapping[str, Any] = NOTHING
    """Settings without which it does not sample."""
    arrangements: Callable[[Sequence[str]], list[dict[str, Any]]] = _in_place
    """Settings that change its order, to choose from for steps in a wanted order."""
    aliases: tuple[str, ...] = ()
    said: Mapping[str, str] = NOTHING
    """For the docs: what it does with T at the ends ("T = 0", ...)."""
    differences: tuple[Difference, ...] = ()
    apart: tuple[Apart, ...] = ()
    """Settings that it has and no chain carries."""

    def setting(self, name: str) -> Setting:
        """The row of a setting.

        Raises:
            InputError: there is none of that name, or none that a chain carries.
        """
        rows = {row.name: row for row in self.settings}
        if name not in rows:
            for each in self.apart:
                if each.name == name:
                    raise InputError(
                        f"{name} of {self.name} is no part of a chain: {each.reason.why}",
                        instead=each.reason.instead,
                        field=name,
                    )
            raise InputError(
                f"{self.name} has no setting {show(name)} that is known here",
                instead=meant(str(name), rows),
                field=str(name),
            )
        return rows[name]

    def read(self, given: Given) -> dict[str, Any]:
        """Every setting, the ones that were not given at their defaults, as the engine takes them.

        Raises:
            InputError: an unknown name, one that no chain carries, or a value that the engine refuses.
        """
        asked = {each.name for each in self.asked_apart(given)}
        idle = {each.name for each in self.apart} - asked
        for name, value in given.items():
            if name in idle:
                continue
            row = self.setting(name)
            if not row.takes(value):
                raise InputError(
                    f"{self.name} refuses {name}={show(value):.60}",
                    instead=f"it takes {_legal(row)}",
                    field=name,
                )
        return self.adjust({row.name: given.get(row.name, row.default) for row in self.settings})

    def asked_apart(self, given: Given) -> list[Apart]:
        """The settings among these that no chain carries and that ask for something."""
        return [each for each in self.apart if each.name in given and given[each.name] not in each.off]

    def links(self, given: Given) -> tuple[list[Link], bool]:
        """The steps as data, in the order of the engine, and whether the argmax follows them at once."""
        values = self.read(given)
        cold = self.is_greedy(values)
        found = (step if isinstance(step, Link) else self._link(step, values) for step in self.order(values))
        return [link for link in found if link is not None and (not cold or link.name in EARLY)], cold

    def _link(self, step: str, values: Given) -> Link | None:
        arguments = dict(self.always.get(step, {}))
        for row in self.settings:
            if step in row.steps:
                value = values[row.name]
                if value in row.off:
                    return None
                if row.argument:
                    arguments[row.argument] = row.inside(value)
        return settled(Link(step, arguments))

    def sampler(self, given: Given) -> Sampler:
        """The chain that keeps and draws from what the engine does."""
        with while_doing(f"making orders.{self.function}", ", ".join(f"{n}={show(v):.60}" for n, v in given.items())):
            links, cold = self.links(given)
            steps = [link.step() for link in heat_behind(links)]
            return chain(*steps, greedy() if cold else categorical())


def settled(link: Link) -> Link | None:
    """The link without arguments that say nothing, or None where it does nothing at all."""
    arguments = dict(link.arguments)
    if link.name == "temperature" and is_number(arguments["thermostat"]) and arguments["thermostat"] == 1:
        return None  # dividing by 1
    if arguments.get("window", 0) is None or not arguments.get("decay"):
        arguments.pop("decay", None)  # nothing lies before a window without end
    if isinstance(arguments.get("bias"), Mapping):  # JSON knows texts as keys alone
        arguments["bias"] = {int(token): add for token, add in arguments["bias"].items()}
    return Link(link.name, arguments)


def heat_behind(links: Iterable[Link]) -> list[Link]:
    """The same with no temperature before a repetition penalty.

    The steps that temper subtract the largest score, which changes no probability; but that penalty looks at the signs
    of the scores as the model gave them.

    Raises:
        InputError: something between the two keeps them from changing places.
    """
    ordered = list(links)
    last = max((place for place, link in enumerate(ordered) if link.name == "repetition"), default=-1)
    for start in range(last - 1, -1, -1):
        if ordered[start].name in ("temperature", "dynatemp", "smoothing"):
            for place in range(start, last):
                changed = swap(ordered[place], ordered[place + 1])
                if changed is None:
                    raise InputError(
                        f"a repetition penalty behind {ordered[place].step()} and {ordered[place + 1].name} has no "
                        "equal in front of them, and here tempered scores have lost the signs that it looks at",
                        instead="put the penalties first",
                        field="repetition",
                    )
                ordered[place], ordered[place + 1] = changed
    return ordered


def meant(name: str, known: Iterable[str]) -> str:
    """What to write instead of a name that is unknown."""
    names = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    near = near or [each for each in names if name.lower().startswith(each) or each.startswith(name.lower())]
    return f"did you mean {names[near[0]]}?" if near else f"known are {', '.join(names.values())}"


def _legal(row: Setting) -> str:
    off = f"; {show(row.neutral)} switches it off" if row.off.words else ""
    return f"{row.legal.words}{off}, and {show(row.default)} where nothing is given"
