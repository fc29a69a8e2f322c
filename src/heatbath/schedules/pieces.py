"""Schedules made of pieces: values one after another, a ramp before a schedule, repetition, and joining."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.numbers import check_whole
from heatbath.errors import InputError
from heatbath.made import maker, show
from heatbath.schedules.checks import check_boundaries, check_t, making
from heatbath.schedules.ramps import linear
from heatbath.schedules.schedule import Schedule, as_schedule
from heatbath.types import Array


@maker("schedule")
def step(values: Sequence[float], boundaries: Sequence[int]) -> Schedule:
    """Stairs: ``T(n) = values[i]``, where ``i`` is how many boundaries are <= n.

    Arguments:
        values: the temperatures, one or more; 0 <= T <= inf.
        boundaries: the counts at which the second, third, ... value begins; increasing, >= 1, one fewer than values.

    Raises:
        InputError: a value that is no temperature, boundaries that do not increase, or too many or too few of them.

    >>> import heatbath as hb
    >>> opening = hb.schedules.step([1.0, 0], [30])
    >>> opening(29), opening(30)
    (1.0, 0.0)

    How to choose: where the moment matters, not the way. The example is how AlphaGo Zero chose its moves in self-play:
    in proportion to the visits for 30 moves, the most visited one after that.

    Reference: Silver et al., "Mastering the game of Go without human knowledge", Nature 550, 2017.
    """
    with making("step", values, boundaries):
        temperatures = [check_t(value, "every value", field="values") for value in _pieces(values, "values")]
        return _joined([as_schedule(value, "values") for value in temperatures], boundaries, "values")


@maker("schedule")
def join(schedules: Sequence[Any], boundaries: Sequence[int]) -> Schedule:
    """Schedules one after another, each counting from its own beginning: ``T(n) = schedules[i](n - boundary[i])``.

    Here i is how many boundaries are <= n, and boundary[i] the last of those (0 where there is none).

    Arguments:
        schedules: schedules, or numbers for constants; one or more.
        boundaries: the counts at which the second, third, ... schedule begins; increasing, >= 1, one fewer than
            schedules.

    Raises:
        InputError: something that is no schedule, boundaries that do not increase, or too many or too few of them.

    >>> import heatbath as hb
    >>> hill = hb.schedules.join([hb.schedules.linear(0.5, 1.5, 10), hb.schedules.linear(1.5, 0.5, 10)], [10])
    >>> hill(0), hill(10), hill(20)
    (0.5, 1.5, 0.5)

    How to choose: whatever the named schedules do not give. A joint is only continuous if the pieces meet there.
    """
    with making("join", schedules, boundaries):
        parts = [as_schedule(part, "every schedule", "schedules") for part in _pieces(schedules, "schedules")]
        return _joined(parts, boundaries, "schedules")


@maker("schedule")
def warm_up(start: float, then: Any, steps: int) -> Schedule:
    """A straight line from ``start`` to the beginning of another schedule, which then takes over and counts from there.

    ``T(n) = start + (then(0) - start) n / steps`` before ``steps``, ``T(n) = then(n - steps)`` from there on.

    Arguments:
        start: T at count 0; 0 <= T < inf.
        then: a schedule, or a number for a constant; its first T must be finite.
        steps: how many decisions the ramp takes, >= 1.

    Raises:
        InputError: a T that is negative, infinite or not a number; ``steps`` below 1; ``then`` is no schedule.

    >>> import heatbath as hb
    >>> careful = hb.schedules.warm_up(0.2, 0.8, steps=3)
    >>> [round(careful(n), 2) for n in range(5)]
    [0.2, 0.4, 0.6, 0.8, 0.8]

    How to choose: where the first decisions carry the rest (a format, the first line of a function, a policy that has
    learned nothing yet) and later ones may vary. The other way round, a warm opening, is ``cosine(1.2, 0.6, 100)``.
    """
    with making("warm_up", start, then, steps):
        after = as_schedule(then, "then")
        first = check_t(start, "start", finite=True)
        ramp = linear(first, check_t(after(0), "then(0)", finite=True, field="then"), steps=steps)
        return _joined([ramp, after], [check_whole(steps, "steps")], "schedules")


@maker("schedule")
def cyclic(schedule: Any, period: int) -> Schedule:
    """The first ``period`` counts of a schedule, again and again: ``T(n) = schedule(n mod period)``.

    Arguments:
        schedule: a schedule, or a number for a constant.
        period: after how many decisions it begins again, >= 1.

    Raises:
        InputError: ``schedule`` is neither, or a ``period`` below 1.

    >>> import heatbath as hb
    >>> restarts = hb.schedules.cyclic(hb.schedules.cosine(1.2, 0.4, 20), 20)     # warm restarts
    >>> restarts(0), restarts(20), round(restarts(19), 3)
    (1.2, 1.2, 0.405)
    >>> up, down = hb.schedules.linear(0.5, 1.5, 10), hb.schedules.linear(1.5, 0.5, 10)
    >>> triangle = hb.schedules.cyclic(hb.schedules.join([up, down], [10]), 20)
    >>> triangle(0), triangle(10), triangle(15), triangle(20)
    (0.5, 1.5, 1.0, 0.5)

    How to choose: to leave ruts. A hot phase explores, a cold phase settles, and the next hot phase gets out again. A
    triangle changes T gently everywhere; a cosine that restarts jumps back to hot at once. With ``period`` equal to the
    steps of the schedule its end itself is never reached: it falls together with the next beginning.

    Reference: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017; Smith,
    "Cyclical learning rates for training neural networks", WACV 2017 (both for learning rates).
    """
    with making("cyclic", schedule, period):
        inner, length = as_schedule(schedule, "schedule"), check_whole(period, "period")
        return Schedule(value=lambda count: inner.value(count % length))


def _pieces(values: Any, name: str) -> Sequence[Any]:
    listed = isinstance(values, list | tuple | np.ndarray) and not isinstance(values, Schedule)
    if not listed or len(values) == 0:
        raise InputError(
            f"{name} must be a list of at least one, not {show(values)}",
            instead=f"write the {name} in brackets, for example [1.0, 0.5]",
            field=name,
        )
    return list(values)


def _joined(schedules: list[Schedule], boundaries: Any, what: str) -> Schedule:
    begins = check_boundaries(boundaries, len(schedules), what)

    def value(count: Array) -> Array:
        xp = namespace(count)
        temperature = schedules[0].value(count)
        for begin, schedule in zip(begins, schedules[1:], strict=True):
            own = xp.clip(count - begin, min=0)  # a schedule never sees a count before its turn
            temperature = xp.where(count >= begin, schedule.value(own), temperature)
        return temperature

    return Schedule(value=value)
