"""What the thermostats that hold a mean share: T that moves slowly, from a start, between bounds.

Each of them has an effect e(T) that rises with T and an error, ``target - e``, whose mean is to vanish. They move ln T
by ``error / (horizon * slope)``, the slope being a running mean of ``de / d ln T``: Newton's method, averaged over
about ``horizon`` decisions. Three things make it stable:

* e rises with T and nothing else in the error depends on T. So the mean error has one zero, and each correction leads
  towards it: of a distance d in ln T, ``d (1 - 1 / horizon)`` is left after a decision as steep as the mean, and less
  than d after any that is less than ``2 horizon`` times as steep;
* the slope has a floor, so that T is never thrown about where it hardly acts;
* the bounds cut T itself, and nothing is stored up behind them.

The corrections add up to the way that ln T has gone, which the bounds limit: so the errors cancel in the long run.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from heatbath.core import namespace
from heatbath.core.numbers import check_number, check_whole
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import Array, State

SHORTEST = 4
"""The smallest horizon. With 1 or 2 a correction is as large as what it corrects: where the entropy rises suddenly, T
goes to and fro between its bounds, and the mean that is held is not the target."""

LEAST_SLOPE = 0.01
"""Nats per factor e of T: below this, T hardly acts on the effect and dividing by the slope would throw it about."""


class Course(NamedTuple):
    """How T moves."""

    horizon: int
    start: float
    coldest: float
    hottest: float

    def moved(self, temperature: Array, error: Array, slope: Array) -> Array:
        """T after a decision."""
        xp = namespace(temperature)
        with np.errstate(over="ignore"):  # from the largest of targets; the bounds hold
            moved = temperature * xp.exp(error / (self.horizon * xp.clip(slope, min=LEAST_SLOPE)))
        return xp.clip(moved, self.coldest, self.hottest)

    def learned(self, slope: Array, steepness: Array, slower: int = 4) -> Array:
        """The slope after a decision.

        It is averaged over a time that is ``slower`` times that of the error. One that follows the text closely is
        small just where the effect is, corrections upwards get larger than those downwards, and the mean that is held
        is 3 % above the target.
        """
        return slope + (steepness - slope) / (slower * self.horizon)


def check_course(horizon: Any, start: Any, coldest: Any, hottest: Any, cooler: float = 20) -> Course:
    """The course that the arguments of a maker ask for; None stands for a default."""
    length = check_whole(horizon, "horizon", least=SHORTEST, example=64)
    return Course(length, *check_start(start, coldest, hottest, cooler))


def check_start(start: Any, coldest: Any, hottest: Any, cooler: float = 20) -> tuple[float, float, float]:
    """Where T begins and the range in which it moves; by default ``start / cooler`` to ``5 start``."""
    first = check_number(1.0 if start is None else start, "start", "a finite number > 0", lambda t: 0 < t < math.inf)
    low, high = check_bounds(
        first / cooler if coldest is None else coldest, 5 * first if hottest is None else hottest, moving=True
    )
    if not low <= first <= high:
        raise InputError(
            f"T would start at {first:g}, outside {low:g} to {high:g}",
            instead="give a start between coldest and hottest",
            field="start",
        )
    return first, low, high


def check_bounds(coldest: Any, hottest: Any, moving: bool = False) -> tuple[float, float]:
    """The range of T."""
    if moving:  # T is multiplied from step to step, in single precision too: it must stay an ordinary number
        low = check_number(coldest, "coldest", "a finite number > 0", lambda t: 0 < t < math.inf, example=0.1)
        high = check_number(hottest, "hottest", f"from coldest={low:g} to 1e30", lambda t: low < t <= 1e30, example=5.0)
    else:
        low = check_number(coldest, "coldest", "a finite number >= 0", lambda t: 0 <= t < math.inf, example=0.1)
        high = check_number(hottest, "hottest", f"a number > coldest={low:g}", lambda t: low < t, example=5.0)
    return low, high


def check_target(target: Any, unit: str, example: str, most: float = math.inf, *, above: bool = False) -> Any:
    """The target of a maker: one number from 0 (or above it) to ``most``, infinity excluded, or one per row."""
    try:
        numbers = np.asarray(target)
        fine = numbers.dtype.kind in "iuf" and numbers.size > 0  # comparing objects may warn
        if fine:
            low = (numbers > 0) if above else (numbers >= 0)
            fine = bool(np.all(low & (numbers <= most) & (numbers < math.inf)))
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise InputError(
            f"the target must be {unit}, not {show(target)}", instead=f"write for example {example}", field="target"
        )
    return float(numbers) if numbers.ndim == 0 else numbers.astype(np.float64)


def parts(state: State, count: int, name: str) -> Any:
    """The parts of a state."""
    if not isinstance(state, list | tuple) or len(state) != count:
        raise no_state(state, name)
    return state


def no_state(state: State, name: str) -> InputError:
    """The error for what is no state."""
    return InputError(
        f"{show(state)} is no state of {name}",
        instead="begin with init() and carry what step gives back",
        field="state",
    )
