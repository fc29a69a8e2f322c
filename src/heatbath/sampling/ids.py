"""Token ids as arguments of steps."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from heatbath.errors import InputError
from heatbath.made import show


def listed(values: Any, field: str, instead: str) -> list[Any]:
    """A list, tuple or array of at least one value, as a list."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if not isinstance(values, list | tuple) or not values:
        raise InputError(
            f"{field} must be a list with at least one entry, not {show(values):.60}", instead=instead, field=field
        )
    return list(values)


def check_ids(values: Any, field: str, instead: str) -> tuple[int, ...]:
    """Token ids.

    Raises:
        InputError: no list, nothing in it, or something that is no whole number >= 0.
    """
    ids = listed(values, field, instead)
    for value in ids:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise InputError(f"a token id is a whole number >= 0, not {show(value):.60}", instead=instead, field=field)
    return tuple(map(int, ids))


def check_known(ids: Iterable[int], options: int, field: str) -> None:
    """Refuse ids that none of the options has."""
    largest = max(ids)
    if largest >= options:
        raise InputError(
            f"there are {options} options, with ids from 0, and none is {largest}",
            instead="take ids from the tokenizer that the scores belong to",
            field=field,
        )
