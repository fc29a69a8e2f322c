"""The state of thermostats that learn from rewards, and what they read in a context: one stream, or one per row."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from heatbath.control.axis import Floats
from heatbath.control.posterior import Sums
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import State


class Stream(NamedTuple):
    """A state, as arrays: numbers are Python's for one stream and arrays ``(rows,)`` for several."""

    seed: Any
    decisions: Any
    """How many were made."""
    heard: Any
    """How many rewards were."""
    at: Any
    """After how many decisions the last of them came."""
    sums: Sums
    curves: Floats

    def spread(self, lead: tuple[int, ...]) -> "Stream":
        """One stream as several that have been alike so far."""
        if lead == lead_of(self):
            return self
        seed, decisions, heard, at = (np.broadcast_to(np.asarray(part, np.uint64), lead) for part in self[:4])
        alone = (0, 0, 1, 2)
        sums = [
            np.broadcast_to(part, (*lead, *np.shape(part)[np.ndim(part) - axes :]))
            for part, axes in zip(self.sums, alone, strict=True)
        ]
        curves = np.broadcast_to(self.curves, (*lead, *self.curves.shape[-2:]))
        return Stream(seed, decisions, heard, at, Sums(*sums), curves)

    def plain(self) -> State:
        """As the caller carries it."""
        numbers = (part if isinstance(part, int) else part.tolist() for part in self[:4])
        weight, squares, *arrays = self.sums
        return (*numbers, (np.asarray(weight).tolist(), np.asarray(squares).tolist(), *arrays), self.curves)


def lead_of(stream: Stream) -> tuple[int, ...]:
    """``()`` of one stream, ``(rows,)`` of several."""
    return () if isinstance(stream.decisions, int) else tuple(stream.decisions.shape)


def numbers_of(context: Mapping[str, Any], names: Sequence[str]) -> Floats:
    """Features of a context, ``(..., names)``: each a number from -1 to 1, a boolean, or a list of one per row.

    Raises:
        InputError: one is missing or beyond -1 to 1.
    """
    if not names:
        return np.empty(0)
    plain = [context.get(name) for name in names]
    if all(isinstance(value, float | int) and -1 <= value <= 1 for value in plain):  # asked for at every decision
        return np.array(plain, np.float64)
    found = [np.asarray(value) for value in plain]
    for name, value in zip(names, found, strict=True):
        if value.dtype.kind not in "biuf" or value.ndim > 1 or not np.all(np.abs(value.astype(np.float64)) <= 1):
            why = "is missing" if context.get(name) is None else f"is {show(context[name]):.60}"
            raise InputError(
                f"the feature {name} {why}",
                instead=f"give a number from -1 to 1 or a boolean: context={{{name!r}: 0.5}}",
                field="context",
            )
    return np.stack(np.broadcast_arrays(*found), axis=-1).astype(np.float64)


def refuse_state(state: State, name: str) -> InputError:
    """The error for what is no state."""
    return InputError(
        f"{show(state):.60} is no state of {name}",
        instead="begin with init() and carry what step gives back",
        field="state",
    )
