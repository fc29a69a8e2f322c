"""Several streams as one batch: their states stacked, and one row's state taken out again."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heatbath.errors import InputError
from heatbath.sampling.history import NO_TOKEN
from heatbath.types import State


def stack(states: Sequence[State]) -> State:
    """One state for all rows: nested alike, every number a list with one entry per row, arrays one axis longer.

    Histories of different length get -1 in front of the shorter ones.

    Arguments:
        states: one per row, of streams through the same thermostat or sampler.

    Raises:
        InputError: there are none, or they are not nested alike.

    >>> from heatbath.sampling import stack
    >>> stack([(3, (0.5, ())), (8, (0.7, ()))])
    ([3, 8], ([0.5, 0.7], ()))
    """
    if not states:
        raise _not_alike("there are no states")
    if _is_nest(states[0]):
        if not all(_is_nest(state) and len(state) == len(states[0]) for state in states):
            raise _not_alike("the states are not nested alike")
        return tuple(stack(parts) for parts in zip(*states, strict=True))
    if any(_is_nest(state) for state in states):
        raise _not_alike("the states are not nested alike")
    if all(_is_history(state) for state in states):
        longest = max(map(len, states))
        states = [np.pad(state, (longest - len(state), 0), constant_values=NO_TOKEN) for state in states]
    if any(np.shape(state) != np.shape(states[0]) for state in states):
        raise _not_alike("the states are not nested alike")
    stacked = np.asarray(states)
    return stacked.tolist() if stacked.ndim == 1 else stacked


def row_of(alike: State, states: State, row: int) -> State:
    """The state of one row of a batch.

    Arguments:
        alike: any state of a single stream, which says where nesting ends and rows begin.
        states: the state of the batch.
        row: which row.

    Raises:
        InputError: the two are not nested alike.

    >>> from heatbath.sampling import row_of
    >>> row_of((0, (0.0, ())), ([3, 8], ([0.5, 0.7], ())), 1)
    (8, (0.7, ()))
    """
    if _is_nest(alike):
        if not _is_nest(states) or len(states) != len(alike):
            raise _not_alike("the state of the batch is not nested like that of a stream")
        return tuple(row_of(inner, part, row) for inner, part in zip(alike, states, strict=True))
    if isinstance(states, list) and np.ndim(alike) == 0:
        return states[row]  # without an array of all rows, which would be made anew for each of them
    if np.ndim(states) == np.ndim(alike):
        return states  # one for all rows, such as a count
    part: Any = states[row]
    return part.item() if isinstance(part, np.generic) else part


def _is_history(state: State) -> bool:
    """Tokens so far, of which one stream may have more than another."""
    return isinstance(state, np.ndarray) and state.ndim == 1 and state.dtype.kind == "i"


def _is_nest(state: State) -> bool:
    return isinstance(state, list | tuple)


def _not_alike(why: str) -> InputError:
    return InputError(
        why,
        doing="joining the states of several streams",
        instead="take states of streams through the same thermostat or sampler, and rows that it has",
        field="states",
    )
