"""Settings of one engine, rewritten for another."""

import inspect
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from heatbath.core.arrays import is_number
from heatbath.errors import while_doing
from heatbath.made import show
from heatbath.sampling.orders.apart import Apart
from heatbath.sampling.orders.engine import Engine, Given, settled
from heatbath.sampling.orders.links import EARLY, MAY_LOSE_THE_BEST, STEPS, Link, swap
from heatbath.sampling.orders.table import engine


class Translation(NamedTuple):
    """What :func:`translate` gives back."""

    settings: dict[str, Any]
    """For the other engine, by its names; what is not there is at the default, which is right."""
    changed: tuple[str, ...]
    """Numbers that are another one now, so that the same is kept and drawn from."""
    lost: tuple[str, ...]
    """What could not be carried over, and why."""

    @property
    def exact(self) -> bool:
        """Whether nothing is lost: both keep and draw from the same, but for ends named in :doc:`/engines`."""
        return not self.lost


def translate(source: str, target: str, settings: Given) -> Translation:
    """Rewrite the settings of one engine for another, and say what cannot be carried over.

    The chain of the source is brought into the order of the target, link by link; two neighbours change places where an
    identity says that the scores stay the same:

    * ``top_k`` and ``top_n_sigma`` keep the same on either side of a temperature, and ``min_p(p)`` behind T keeps what
      ``min_p(p**T)`` keeps before it;
    * a penalty a that is subtracted before T is a / T behind it; a repetition penalty is the same on either side;
    * ``top_k`` and ``min_p`` change places.

    Masses (``top_p``, ``typical_p``, ...) do not: where one would have to, the translation is not exact, and ``lost``
    says so. Engines with an order of their own choosing (``samplers`` of llama.cpp, ``sampler_priority`` of
    text-generation-webui) are told the order instead.

    Settings that no chain carries, such as a seed or a limit of the length, are listed in ``lost`` with the reason and,
    where the target has one for the same, with its name.

    Arguments:
        source: the engine whose settings these are, such as "llama.cpp"; see :data:`ENGINES`.
        target: the engine to write them for.
        settings: by the names of the source. What is not there is at the source's default.

    Raises:
        InputError: an unknown engine or setting, or a value that the source refuses.

    >>> import heatbath as hb
    >>> found = hb.orders.translate("llama.cpp", "vllm", {"temperature": 1.5, "top_k": 0, "top_p": 1.0, "min_p": 0.1})
    >>> found.settings, found.exact
    ({'temperature': 1.5, 'min_p': 0.2154434690031884}, True)
    >>> found.changed
    ('min_p: 0.1 became 0.2154434690031884 = 0.1**(1/1.5), because in vLLM it stands behind the temperature',)
    >>> hb.orders.translate("llama.cpp", "vllm", {"temperature": 1.5, "min_p": 0.0}).lost
    ('the order: llama.cpp applies top_p before temperature, vLLM behind it, and nothing says that the same is kept',)

    How to choose: read ``lost`` before anything else. Where it is not empty, heatbath can still sample exactly as the
    source did, with the function of its name.
    """
    first, second = engine(source), engine(target)
    if first is second:
        first.read(_carried(first, settings))
        return Translation(dict(settings), (), ())
    with while_doing(f"translating from {first.name} to {second.name}", show(dict(settings))):
        return _Work(first, second, settings).translation()


class _Work:
    """One translation under way."""

    def __init__(self, source: Engine, target: Engine, settings: Given) -> None:
        self.source, self.target = source, target
        self.changed: list[str] = []
        self.lost = [f"{each.name}: {_apart(each, target)}" for each in source.asked_apart(settings)]
        self.links, self.cold = source.links(_carried(source, settings))
        self._freeze()
        self._once()

    def translation(self) -> Translation:
        carried = [link for link in map(self._accepted, self.links) if link is not None]
        arrangement, ordered = self._arranged(carried)
        settings = {**(self.target.cold if self.cold else self.target.warm), **self._written(ordered), **arrangement}
        names = [row.name for row in self.target.settings if row.name in settings]
        settings = {name: settings[name] for name in names if not self._is_default(name, settings[name])}
        self._compare(ordered, settings)
        return Translation(settings, tuple(self.changed), tuple(dict.fromkeys(self.lost)))

    def _freeze(self) -> None:
        """A temperature of 0 is greedy, and nothing behind the penalties matters but what may lose the best option."""
        place = next((i for i, link in enumerate(self.links) if _is_zero(link)), None)
        if place is None:
            return
        before = self.links[:place]
        self.lost += [
            f"{link.name}: {self.source.name} applies it before it takes the best option, {self.target.name} does not"
            for link in before
            if link.name in MAY_LOSE_THE_BEST
        ]
        self.links, self.cold = [link for link in before if link.name in EARLY], True

    def _once(self) -> None:
        """Other engines have each step once."""
        names = [link.name for link in self.links]
        self.lost += [
            f"{name}: {self.source.name} applies it more than once" for name in names if names.count(name) > 1
        ]
        self.links = [link for place, link in enumerate(self.links) if link.name not in names[:place]]

    def _accepted(self, link: Link) -> Link | None:
        """The link in the words of the target, or None where it has none."""
        rows = [row for row in self.target.settings if link.name in row.steps]
        if not rows:
            self.lost.append(f"{link.name}: {self.target.name} has no such step")
            return None
        link = _spelled(link, {row.argument for row in rows})
        settable = {row.argument for row in rows}
        fixed = dict(self.target.always.get(link.name, {}))
        usual = _usual(link.name)
        for argument in {*link.arguments, *fixed} - settable:
            given = link.arguments.get(argument, usual.get(argument))
            there = fixed.get(argument, usual.get(argument))
            if given != there:
                ours, theirs = f"{show(given)} in {self.source.name}", f"{show(there)} in {self.target.name}"
                self.lost.append(f"{link.name}: {argument} is {ours} and {theirs}")
            link = link.replaced(argument, there) if argument in fixed else _without(link, argument)
        return link

    def _arranged(self, links: list[Link]) -> tuple[dict[str, Any], list[Link]]:
        """The settings that decide the order, and the links in it: of several orders that which does it best."""
        names = [link.name for link in links]
        tried = [(each, *self._sorted(links, each)) for each in self.target.arrangements(names)]
        arrangement, ordered, clashes = min(tried, key=lambda each: len(each[2]))
        self.lost += clashes
        return arrangement, ordered

    def _sorted(self, links: list[Link], arrangement: dict[str, Any]) -> tuple[list[Link], list[str]]:
        written = {**self.target.warm, **self._written(links, quietly=True), **arrangement}
        order = [step for step in self.target.order(self.target.read(self._legal(written))) if isinstance(step, str)]
        there = [link for link in links if link.name in order]
        clashes = [f"{link.name}: {self.target.name} leaves it out here" for link in links if link.name not in order]
        ordered: list[Link] = []
        for link in there:
            ordered.append(link)
            place = len(ordered) - 1
            while place and order.index(ordered[place - 1].name) > order.index(ordered[place].name):
                one, two = ordered[place - 1], ordered[place]
                changed = swap(one, two)
                if changed is None:
                    orders = f"{self.source.name} applies {one.name} before {two.name}, {self.target.name} behind it"
                    clashes.append(f"the order: {orders}, and nothing says that the same is kept")
                ordered[place - 1], ordered[place] = changed or (two, one)
                place -= 1
        return ordered, clashes

    def _legal(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in settings.items() if self.target.setting(name).takes(value)}

    def _written(self, links: Sequence[Link], *, quietly: bool = False) -> dict[str, Any]:
        """The settings of the target that give these links, what it does by default switched off."""
        settings: dict[str, Any] = {}
        for link in links:
            for row in self.target.settings:
                if link.name not in row.steps:
                    continue
                value = row.outside(link.arguments[row.argument]) if row.argument in link.arguments else row.default
                value = True if not row.argument else value
                value = float(value) if type(row.default) is float and type(value) is int else value
                if not _near(value, row.default) and (not row.takes(value) or value in row.off):
                    if not quietly:
                        self.lost.append(f"{link.name}: {self.target.name} does not take {row.name}={show(value)}")
                    continue
                if not quietly and row.name in settings and not _near(settings[row.name], value):
                    self.lost.append(f"{row.name}: one number stands for several steps of {self.target.name}")
                settings[row.name] = value
        there = {link.name for link in links}
        by_default, _ = self.target.links(self.target.cold if self.cold else self.target.warm)
        for link in by_default:
            if link.name not in there and (link.name in EARLY or not self.cold):
                settings = {**self._switched_off(link.name), **settings}
        return settings

    def _switched_off(self, step: str) -> dict[str, Any]:
        if step == "temperature":
            return {next(row.name for row in self.target.settings if step in row.steps): 1.0}
        row = next(row for row in self.target.settings if step in row.steps and row.off.words)
        return {row.name: row.neutral}

    def _is_default(self, name: str, value: Any) -> bool:
        default = self.target.setting(name).default
        return type(value) is type(default) and _near(value, default)

    def _compare(self, wanted: list[Link], settings: dict[str, Any]) -> None:
        """Read the new settings as the target does, and tell of numbers that changed, here or there."""
        found, cold = self.target.links(settings)
        before = {link.name: link for link in self.links}
        for link in wanted:
            old = before[link.name]
            for argument, value in link.arguments.items():
                was = old.arguments.get(argument)
                if is_number(value) and is_number(was) and not math.isclose(value, was) and argument != "thermostat":
                    self.changed.append(self._why(link, argument, was, value))
        made = {link.name: link for link in found}
        names = [link.name for link in wanted]
        if [name for name in made if name in names] != [name for name in names if name in made]:
            self._tell(f"the order: {self.target.name} applies {', '.join(made)}")
        for link in wanted:
            if link.name not in made:
                self._tell(f"{link.name}: {self.target.name} leaves it out")
            elif not _same(link, made[link.name]):
                self._tell(f"{link.name}: {self.target.name} makes {made[link.name].step()} of {link.step()}")
        for link in found:
            if link.name not in {each.name for each in wanted}:
                self._tell(f"{link.name}: {self.target.name} adds {link.step()}")
        if cold != self.cold and not (self.cold and any(map(_is_zero, found))):
            self._tell(f"greedy: {self.target.name} {'is' if cold else 'is not'} greedy with these settings")

    def _tell(self, loss: str) -> None:
        if not any(each.startswith(loss.split(":")[0] + ":") for each in self.lost):
            self.lost.append(loss)

    def _why(self, link: Link, argument: str, was: float, now: float) -> str:
        heat = next((each.arguments["thermostat"] for each in self.links if each.name == "temperature"), None)
        name = next((r.name for r in self.target.settings if link.name in r.steps and r.argument == argument), argument)
        how = ""
        if link.name == "min_p" and is_number(heat):
            behind = now == was ** (1 / heat)
            how = (
                f" = {was:g}**{f'(1/{heat:g})' if behind else f'{heat:g}'}, because in {self.target.name} it stands "
                f"{'behind' if behind else 'before'} the temperature"
            )
        elif is_number(heat):
            how = f", because in {self.target.name} it stands on the other side of the temperature"
        return f"{name}: {was:g} became {now!r}{how}"


def _carried(source: Engine, settings: Given) -> Given:
    """The settings without those that no chain carries."""
    without = {each.name for each in source.apart}
    return {name: value for name, value in settings.items() if name not in without}


def _apart(setting: Apart, target: Engine) -> str:
    """Why a setting is not carried, and what the target calls it."""
    there = next((each.name for each in target.apart if each.reason is setting.reason and each.reason.same), None)
    return f"{setting.reason.why}; {target.name} calls it {there}" if there else setting.reason.why


def _is_zero(link: Link) -> bool:
    return link.name == "temperature" and is_number(link.arguments["thermostat"]) and link.arguments["thermostat"] == 0


def _without(link: Link, argument: str) -> Link:
    return Link(link.name, {name: value for name, value in link.arguments.items() if name != argument})


def _usual(step: str) -> dict[str, Any]:
    """What the maker of a step takes for arguments that are not given."""
    parameters = inspect.signature(STEPS[step]).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def _spelled(link: Link, wanted: set[str]) -> Link:
    """Dynamic temperature by its middle and range, or by its ends."""
    given = link.arguments
    if link.name == "dynatemp" and "low" in wanted and "range" in given:
        low, high = max(0.0, given["thermostat"] - given["range"]), given["thermostat"] + given["range"]
        return Link(link.name, {"low": low, "high": high, "exponent": given["exponent"]})
    if link.name == "dynatemp" and "range" in wanted and "low" in given:
        middle, reach = (given["low"] + given["high"]) / 2, (given["high"] - given["low"]) / 2
        return Link(link.name, {"thermostat": middle, "range": reach, "exponent": given["exponent"]})
    return link


def _same(one: Link, two: Link) -> bool:
    first, second = settled(one), settled(two)
    if first is None or second is None:
        return first is second
    return all(
        _near(
            first.arguments.get(name, _usual(one.name).get(name)),
            second.arguments.get(name, _usual(one.name).get(name)),
        )
        for name in {*first.arguments, *second.arguments}
    )


def _near(one: Any, two: Any) -> bool:
    if is_number(one) and is_number(two):
        return math.isclose(one, two, rel_tol=1e-12)
    return show(one) == show(two)
