"""Checking the arguments of this room's makers. These errors say *why*; the maker adds *doing what, on what*."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from heatbath.errors import InputError
from heatbath.made import show


def check_number(value: Any, name: str, wanted: str, legal: Callable[[float], bool], example: float = 1.0) -> float:
    """The argument as a float. ``legal`` must be False for NaN, as comparisons are."""
    number = math.nan
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # an int of more than 308 digits
            number = math.inf
    if legal(number):
        return number
    raise InputError(
        f"{name} must be {wanted}, not {show(value)}", instead=f"write for example {name}={example}", field=name
    )
