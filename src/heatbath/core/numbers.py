"""One number as an argument. These errors say *why* and *what to write instead*; the caller adds *doing what, on what*.

Integers of Python have no end, and those of arrays and floats have: what is beyond them is refused here, in our words.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from heatbath.core.arrays import is_number
from heatbath.errors import InputError

MOST = 2**53
"""The largest count: up to it, float64 has every whole number."""


def check_number(
    value: Any,
    name: str,
    wanted: str,
    legal: Callable[[float], bool],
    *,
    example: float = 1.0,
    field: str | None = None,
) -> float:
    """The argument as a float.

    Arguments:
        value: what was given.
        name: what to call it in the message.
        wanted: what is legal, in words: "a number >= 0".
        legal: the same as a function; False for NaN, as comparisons are.
        example: a legal number.
        field: the name of the argument, where that is not ``name``.

    Raises:
        InputError: no number, or one that is not legal.
    """
    if is_number(value):
        number = as_float(value, name, field)
        if legal(number):
            return number
    raise InputError(
        f"{name} must be {wanted}, not {_shown(value)}",
        instead=f"write for example {name}={example}",
        field=field or name,
    )


def check_whole(value: Any, name: str, *, least: int = 1, example: int = 100, field: str | None = None) -> int:
    """The argument as a whole number, ``least`` to 2**53; the other arguments are those of :func:`check_number`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(
            f"{name} must be a whole number >= {least}, not {_shown(value)}",
            instead=f"write for example {name}={example}",
            field=field or name,
        )
    if value > MOST:
        raise _too_large(name, field, "give 2**53 at most")
    return int(value)


def as_float(number: float, name: str, field: str | None = None) -> float:
    """The float of a number; refuses an int above all floats."""
    try:
        return float(number)
    except OverflowError:  # an int of more than 308 digits
        if number < 0:
            return -math.inf
        raise _too_large(name, field, "the largest float is 1.8e308") from None


def _too_large(name: str, field: str | None, instead: str) -> InputError:
    return InputError(f"{name} is too large", instead=instead, field=field or name)


def _shown(value: Any) -> str:
    try:
        return f"{value.item() if isinstance(value, np.generic) else value!r:.60}"
    except ValueError:  # an int of more than 4300 digits
        return "a number of thousands of digits"
