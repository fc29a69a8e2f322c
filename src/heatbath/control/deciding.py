"""Several thermostats, one of which decides: by a place in the text, or by a rule of a grammar."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.control.seeing import as_plain, rows_like
from heatbath.core import as_scores, namespace
from heatbath.core.arrays import in_library, is_array
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.thermostat import Thermostat, as_thermostat, ask, learn_nothing
from heatbath.types import Array, Outcome, Seen, State, Temperature

NOBODY = -1


def read_rules(rules: Any, example: str) -> tuple[list[str], list[Thermostat]]:
    """Names and thermostats of rules: a dictionary, or a list of pairs.

    Raises:
        InputError: they are neither, there are none, or a name comes twice.
    """
    pairs = list(rules.items()) if isinstance(rules, dict) else rules
    fine = isinstance(pairs, list | tuple) and pairs
    if not fine or not all(
        isinstance(one, list | tuple) and len(one) == 2 and isinstance(one[0], str) for one in pairs
    ):
        raise InputError(
            f"rules are pairs of a name and a temperature, not {show(rules):.60}",
            instead=f"write for example {example}",
            field="rules",
        )
    names = [name for name, _ in pairs]
    odd = next((name for name in names if repr(name)[1:-1] != name), None)
    if odd is not None:
        raise InputError(
            f"the name {show(odd)} has characters that the text form cannot hold",
            instead="leave out backslashes, control characters, and the second kind of quotation mark",
            field="rules",
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{twice!r} has two temperatures", instead="give each name one", field="rules")
    return names, [as_thermostat(temperature) for _, temperature in pairs]


def whoever(thermostats: Sequence[Thermostat], find: Callable[[Seen], Any]) -> Thermostat:
    """The thermostat that asks, at each decision, the one that ``find`` names by its number.

    The others are not asked, and keep the state that they have: each of them sees only the decisions that are its own,
    and is told only of those. ``find`` gives one number, or a list of one per row.

    The state is (who decided last, the states of all).
    """

    def init() -> State:
        return NOBODY, tuple(each.init() for each in thermostats)

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        who, states = find(seen), list(_read(state, thermostats)[1])
        if isinstance(who, int):
            temperature, states[who] = ask(thermostats[who], states[who], seen)
            return temperature, (who, tuple(states))
        mine, temperature = np.asarray(who), None
        like = as_scores(seen.scores) if seen.scores is not None else seen.glance and seen.glance.like
        for place in sorted(set(who)):
            decided, after = ask(thermostats[place], states[place], seen)
            states[place] = _merged(thermostats[place].init(), mine == place, after, states[place])
            rows = decided if like is None else rows_like(decided, like, "temperature")
            temperature = rows if temperature is None else _where(mine == place, rows, temperature)
        return temperature, (who, tuple(states))

    def learn(state: State, outcome: Outcome) -> State:
        who, states = _read(state, thermostats)
        states = list(states)
        mine = np.asarray(who)
        for place in sorted(set(mine.ravel().tolist()) - {NOBODY}):
            after = thermostats[place].learn(states[place], outcome)
            states[place] = _merged(thermostats[place].init(), mine == place, after, states[place])
        return who, tuple(states)

    learning = any(each.learn is not learn_nothing for each in thermostats)
    return Thermostat(
        init=init,
        step=step,
        learn=learn if learning else learn_nothing,
        looks=learning or any(each.looks for each in thermostats),
        glances=all(each.glances or not each.looks for each in thermostats),
        hears=tuple({heard: None for each in thermostats if each.learn is not learn_nothing for heard in each.hears}),
    )


def _read(state: State, thermostats: Sequence[Thermostat]) -> Any:
    nested = isinstance(state, list | tuple) and len(state) == 2 and isinstance(state[1], list | tuple)
    if not nested or len(state[1]) != len(thermostats):
        raise InputError(
            f"{show(state):.60} is no state of {len(thermostats)} thermostats",
            instead="begin with init() and carry what step gives back",
            field="state",
        )
    return state


def _merged(alike: State, mine: npt.NDArray[np.bool_], new: State, old: State) -> State:
    """The new state of the rows that are mine, and the old one of the others; ``alike`` is a state of one stream."""
    if mine.all():
        return new
    if isinstance(alike, list | tuple):
        return tuple(_merged(inner, mine, *each) for inner, *each in zip(alike, new, old, strict=True))
    axes = np.ndim(alike)
    merged = _where(mine.reshape(-1, *[1] * axes), new, old)
    return merged if axes else as_plain(merged)


def _where(mask: npt.NDArray[np.bool_], new: Any, old: Any) -> Array:
    parts = [part if is_array(part) else np.asarray(part) for part in (mask, new, old)]
    xp = namespace(*parts)
    like = next((part for part in parts if namespace(part) is xp), mask)
    return xp.where(*(in_library(xp, part, like) for part in parts))
