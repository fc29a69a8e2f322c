"""Several streams as one batch: their states stacked, and one row's state taken out again."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heatbath.types import State


def stack(states: Sequence[State]) -> State:
    """One state for all rows: nested alike, every number an array with one entry per row.

    >>> from heatbath.sampling import stack
    >>> stack([(3, (0.5, ())), (8, (0.7, ()))])
    (array([3, 8]), (array([0.5, 0.7]), ()))
    """
    if isinstance(states[0], list | tuple):
        return tuple(stack(parts) for parts in zip(*states, strict=True))
    return np.asarray(states)


def row_of(alike: State, states: State, row: int) -> State:
    """The state of one row of a batch.

    Arguments:
        alike: any state of a single stream, which says where nesting ends and rows begin.
        states: the state of the batch.
        row: which row.

    >>> from heatbath.sampling import row_of
    >>> row_of((0, (0.0, ())), ([3, 8], ([0.5, 0.7], ())), 1)
    (8, (0.7, ()))
    """
    if isinstance(alike, list | tuple):
        return tuple(row_of(inner, part, row) for inner, part in zip(alike, states, strict=True))
    if not isinstance(states, list) and not getattr(states, "ndim", 0):
        return states  # one number for all rows, such as a count
    part: Any = states[row]
    return part.item() if isinstance(part, np.generic) else part
