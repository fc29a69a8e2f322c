"""Checking the arguments of schedules. What is wrong is said when a schedule is made, never when it is used.

These errors say *why* and *what to write instead*; the maker adds *doing what, on what*.
"""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from heatbath.core.numbers import check_number, check_whole
from heatbath.errors import InputError, while_doing
from heatbath.made import Made, show


@contextmanager
def making(name: str, *arguments: Any) -> Iterator[None]:
    """Errors inside say which schedule was being made, and from what."""
    with while_doing("making a schedule", str(Made(name, tuple((None, value) for value in arguments)))):
        yield


def check_t(value: Any, name: str, *, finite: bool = False, positive: bool = False, field: str | None = None) -> float:
    """One temperature: 0 <= T <= inf, or stricter."""
    wanted = f"a {'finite ' if finite else ''}number {'> 0' if positive else '>= 0'}"
    most = sys.float_info.max if finite else math.inf
    return check_number(
        value, name, wanted, lambda t: (t > 0 if positive else t >= 0) and t <= most, example=0.7, field=field
    )


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
    counts = tuple(check_whole(boundary, "every boundary", field="boundaries") for boundary in boundaries)
    for left, right in pairwise(counts):
        if right <= left:
            raise InputError(
                f"boundaries must increase, and {right} comes after {left}",
                instead="put the pieces in the order in which they act",
                field="boundaries",
            )
    return counts
