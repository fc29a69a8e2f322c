"""The noun: a thermostat decides T."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from heatbath.core import check_temperature
from heatbath.errors import InputError
from heatbath.made import Made, maker, show, travelling
from heatbath.types import Outcome, Seen, State, Temperature


def learn_nothing(state: State, outcome: Outcome) -> State:  # noqa: ARG001  the contract's signature
    """The ``learn`` of whatever learns nothing."""
    return state


class Rule(NamedTuple):
    """A formula of looks at a row, as the compiled kernel of :mod:`heatbath.sampling` knows it."""

    name: str
    numbers: tuple[float, ...]
    remembers: int = 0
    """How many numbers its state has, the first of which is T."""


@travelling
class Thermostat(NamedTuple):
    """Three pure functions that decide T. The state is a value that the caller carries, one per stream.

    * ``init() -> state``: the state of a new stream (a request, an episode, a user);
    * ``step(state, seen) -> (T, state)``: what T now, given what is seen now;
    * ``learn(state, outcome) -> state``: what came of it; most thermostats learn nothing.

    With scores of several rows the same functions decide for every row at once: T, and every number of the state, then
    has one entry per row.

    >>> import heatbath as hb
    >>> thermostat = hb.fixed(0.7)
    >>> state = thermostat.init()
    >>> temperature, state = thermostat.step(state, hb.Seen())
    >>> temperature
    0.7

    How to choose: :func:`heatbath.fixed` when you know T; :func:`heatbath.scheduled` when T should change with the
    step; :func:`heatbath.hold_entropy` when you know how undecided the choices should be;
    :func:`heatbath.by_confidence` when sure choices should stay sure.
    """

    init: Callable[[], State]
    step: Callable[[State, Seen], tuple[Temperature, State]]
    learn: Callable[[State, Outcome], State] = learn_nothing
    looks: bool = True
    """Whether ``step`` looks at the scores; where it does not, it is also asked without any."""
    glances: bool = False
    """Whether a :class:`heatbath.types.Glance` is all that ``step`` looks at; where it is, ``seen.glance`` may take the
    place of the scores, and a compiled kernel can measure it."""
    hears: tuple[str, ...] = ("choice", "surprisal", "surprisal_after")
    """Which fields of an outcome ``learn`` reads, of those that a sampler tells; the others may be None."""
    rule: Rule | None = None
    """What ``step`` computes, where a compiled kernel knows it by name: the kernel then decides and draws at once, and
    does not ask ``step``."""
    density: Callable[[State, Seen, Temperature], Any] | None = None
    """``density(state, seen, T)``: with which density, per unit of T, ``step`` gives this T, or each T of an array,
    where it draws T at random; a probability where only some temperatures are played. None where T is certain."""
    made: Made | None = None

    def __repr__(self) -> str:
        return str(self.made) if self.made else f"<thermostat {show(self.step)}>"


@maker("thermostat")
def fixed(temperature: Temperature) -> Thermostat:
    """Always the same T.

    Arguments:
        temperature: 0 <= T <= inf; one number, or one per row. An array of PyTorch or JAX is used as it is, so that a T
            that is being trained stays one.

    Raises:
        InputError: T is negative or not a number.

    >>> import heatbath as hb
    >>> hb.fixed(0.7)
    fixed(0.7)

    How to choose: start here. Move to another maker when one T is too cold in one place and too hot in another.
    """
    check_temperature(temperature)
    held = np.array(temperature) if isinstance(temperature, list | tuple | np.ndarray) else temperature
    return Thermostat(init=lambda: (), step=lambda state, seen: (held, state), looks=False)


@maker("thermostat")
def scheduled(schedule: Callable[[Any], Temperature]) -> Thermostat:
    """T as a function of the step: ``T = schedule(count)``, where ``count`` is 0 at the first decision of the stream.

    Arguments:
        schedule: one of :mod:`heatbath.schedules`, or any function of the count.

    Raises:
        InputError: it is no function; at a step of a sampler, it gives what is no temperature.

    >>> import heatbath as hb
    >>> thermostat = hb.scheduled(hb.schedules.linear(1.0, 0.5, steps=2))
    >>> thermostat
    scheduled(linear(1.0, 0.5, 2))
    >>> state = thermostat.init()
    >>> for _ in range(4):
    ...     temperature, state = thermostat.step(state, hb.Seen())
    ...     print(temperature)
    1.0
    0.75
    0.5
    0.5

    How to choose: warm openings and cold endings (stories), annealing, exploration that fades.
    """
    if not callable(schedule) or isinstance(schedule, Thermostat):
        raise InputError(
            f"{show(schedule)} is no schedule, nor any other function of the count",
            doing="making scheduled",
            instead="write for example scheduled(cosine(1.0, 0.5, 100)); a number or a thermostat needs no schedule",
            field="schedule",
        )

    def step(count: State, _seen: Seen) -> tuple[Temperature, State]:
        if isinstance(count, list | tuple):  # one count per row
            counts = np.asarray(count)
            return schedule(counts), (counts + 1).tolist()
        return schedule(count), count + 1

    return Thermostat(init=lambda: 0, step=step, looks=False)


def ask(thermostat: Thermostat, state: State, seen: Seen) -> tuple[Temperature, State]:
    """What a thermostat answers, if that is a T and a state.

    Raises:
        InputError: it is something else.
    """
    answer: Any = thermostat.step(state, seen)
    if isinstance(answer, tuple | list) and len(answer) == 2:
        return answer[0], answer[1]
    raise InputError(
        f"its step gave {show(answer):.60}, and not T and a state",
        on=repr(thermostat),
        instead="end step with: return temperature, state",
    )


def as_thermostat(value: Any) -> Thermostat:
    """Promote what a caller may write for a temperature: a number or array, a schedule, a thermostat.

    This is the only place that does so; everything that needs a temperature accepts a thermostat.

    >>> from heatbath.thermostat import as_thermostat
    >>> as_thermostat(1)
    fixed(1)
    """
    if isinstance(value, Thermostat):
        if not all(map(callable, value[:3])):
            raise InputError(
                "its init, step and learn are functions",
                doing="setting a temperature",
                on=show(value),
                instead="write Thermostat(init=lambda: (), step=lambda state, seen: (0.7, state)); fixed(0.7) is that",
            )
        return value
    if callable(value):
        return scheduled(value)
    if isinstance(value, str | bytes | bool) or value is None:
        raise InputError(
            "a temperature is a number, one number per row, a schedule or a thermostat",
            doing="setting a temperature",
            on=show(value),
            instead="write for example temperature(0.7); a text is read by heatbath.parse",
        )
    return fixed(value)
