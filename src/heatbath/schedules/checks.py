"""Checking the arguments of schedules. What is wrong is said when a schedule is made, never when it is used.

These errors say *why* and *what to write instead*; the maker adds *doing what, on what*.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from heatbath.errors import InputError, while_doing
from heatbath.made import Made, show


@contextmanager
def making(name: str, *arguments: Any) -> Iterator[None]:
    """Errors inside say which schedule was being made, and from what."""
    with while_doing("making a schedule", str(Made(name, tuple((None, value) for value in arguments)))):
        yield


def check_number(value: Any, name: str, *, finite: bool = False, positive: bool = False) -> float:
    """One temperature: 0 <= T <= inf, or stricter."""
    number = math.nan
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # an int of more than 308 digits
            number = math.nan
    if (number > 0 if positive else number >= 0) and not (finite and math.isinf(number)):
        return number
    raise InputError(
        f"{name} must be a {'finite ' if finite else ''}number {'> 0' if positive else '>= 0'}, not {show(value)}",
        instead=f"write for example {name}=0.7",
        field=name,
    )


def check_whole(value: Any, name: str) -> int:
    """A number of decisions: a whole number >= 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(
            f"{name} must be a whole number >= 1, not {show(value)}",
            instead=f"give the number of decisions, for example {name}=100",
            field=name,
        )
    return int(value)


def check_boundaries(boundaries: Any, pieces: int, what: str) -> tuple[int, ...]:
    """Counts at which the next piece begins: one fewer than there are pieces, each larger than the one before."""
    if not isinstance(boundaries, list | tuple | np.ndarray):
        raise InputError(
            f"boundaries must be a list of counts, not {show(boundaries)}",
            instead=f"write for {pieces} {what} a list of {pieces - 1}",
            field="boundaries",
        )
    if len(boundaries) != pieces - 1:
        raise InputError(
            f"{pieces} {what} need {pieces - 1} boundaries between them, not {len(boundaries)}",
            instead="give the count at which each but the first begins",
            field="boundaries",
        )
    counts = tuple(check_whole(boundary, "every boundary") for boundary in boundaries)
    for left, right in pairwise(counts):
        if right <= left:
            raise InputError(
                f"boundaries must increase, and {right} comes after {left}",
                instead="put the pieces in the order in which they act",
                field="boundaries",
            )
    return counts
