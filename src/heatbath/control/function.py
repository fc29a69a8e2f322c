"""T by a function of one's own."""

from collections.abc import Callable
from typing import Any

from heatbath.control.glance import look
from heatbath.control.seeing import see
from heatbath.core import check_temperature
from heatbath.core.arrays import is_array
from heatbath.core.scores import check_shape
from heatbath.errors import InputError, while_doing
from heatbath.made import Made, maker, show
from heatbath.thermostat import Thermostat
from heatbath.types import Seen, State, Temperature

SIGHTS = ("glance", "scores")


@maker("thermostat", written=False)
def by_function(function: Callable[[Any], Temperature], of: str = "glance") -> Thermostat:
    """T by a function of your own: ``T = function(glance)``, or of the scores themselves.

    The contract of the function:

    * it is given a :class:`heatbath.control.Glance` (``entropy``, ``heat_capacity``, ``top_probability``, ``margin``,
      ``options``, ``log_sum``, ``relative_entropy`` at T = 1, one number per row), or the scores ``(..., V)``; in the
      caller's array library;
    * it gives back T, 0 <= T <= inf: one number, or one number per row as an array of that library;
    * it is pure: what it gives depends on what it is given and on nothing else, and it changes nothing. What it gives a
      row does not depend on the other rows, so that the streams of a batch do not mix.

    Arguments:
        function: as above; with ``def`` in a module where the thermostat is to travel to other processes.
        of: "glance" or "scores".

    Raises:
        InputError: no function, or an unknown ``of``; at a step, no scores to look at, or what is no temperature.

    >>> import numpy as np, heatbath as hb
    >>> def careful(glance):
    ...     return 0.2 + 0.4 * glance.entropy * (1 - glance.margin)
    >>> thermostat = hb.control.by_function(careful)
    >>> temperature, _ = thermostat.step(thermostat.init(), hb.Seen(np.log([[0.9, 0.1], [0.5, 0.5]])))
    >>> temperature.round(3)
    array([0.226, 0.477])

    How to choose: for a rule that has no name here. "glance" keeps it cheap on large vocabularies and is enough for
    most. A rule that must remember (a mean, a count) is a :class:`heatbath.Thermostat` of your own: three functions.
    A function has no text form, so a chain with it cannot be sent as text; a maker of your own can
    (:func:`heatbath.made.maker`).
    """
    with while_doing("making by_function", show(function)):
        made = getattr(function, "made", None)
        if not callable(function) or isinstance(function, Thermostat) or isinstance(made, Made):
            raise InputError(
                f"{show(function)} is no function of {'the scores' if of == 'scores' else 'a glance'}",
                instead="write for example by_function(lambda glance: 0.5 + 0.2 * glance.entropy); schedules and "
                "thermostats are given to temperature(...) as they are",
                field="function",
            )
        if not isinstance(of, str) or of not in SIGHTS:
            raise InputError(f"there is no {show(of)} to look at", instead=f"known are {', '.join(SIGHTS)}", field="of")

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("asking a function for T", show(function)):
            shown = see(seen).scores if of == "scores" else look(seen)
            temperature = function(shown)
            check_temperature(temperature)
            if is_array(temperature):
                check_shape("temperature", temperature, shown if of == "scores" else shown.like)
        return temperature, state

    return Thermostat(init=lambda: (), step=step, glances=of == "glance")
