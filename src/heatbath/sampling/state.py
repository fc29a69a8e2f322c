"""The state of a stream through a chain: its position, the state of each step, and the tokens where steps look back."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import is_torch_array

from heatbath.core import namespace
from heatbath.core.arrays import is_array
from heatbath.core.waiting import looks
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling import history
from heatbath.types import Array, State


class Unpacked(NamedTuple):
    """A state, read."""

    position: Array
    """In NumPy, or where nobody looks at a tensor as it is."""
    states: Sequence[State]
    history: Array | None
    """None where no step looks back."""


def unpack(state: State, steps: int, looks_back: float, scores: Array | None = None) -> Unpacked:
    """The parts of a state of a chain of so many steps, checked; against the scores as well, where they are given.

    Raises:
        InputError: it is another chain's, or none.
    """
    begin = "begin each stream with state = sampler.init() and carry what sampler.step gave back"
    parts = 3 if looks_back else 2
    if not (isinstance(state, list | tuple) and len(state) in (2, 3) and isinstance(state[1], list | tuple)):
        raise InputError(f"{show(state):.60} is no state of a sampler", instead=begin, field="state")
    if len(state[1]) != steps:
        why = f"the state belongs to a chain of {len(state[1])} steps, and this one has {steps}"
        raise InputError(why, instead=begin, field="state")
    if len(state) != parts:
        why = f"the state has {'a' if parts == 2 else 'no'} history, and this chain {'does not' * (parts == 2)}"
        why = f"{why.rstrip()} look{'s' * (parts == 3)} back"
        raise InputError(why, instead=begin, field="state")
    position = _position(state[0])
    if position is None:
        why = f"the position {show(state[0]):.60} is no whole number >= 0, nor one per row"
        traced = "; draw outside of jax.jit" * is_array(state[0]) * (not isinstance(state[0], np.ndarray))
        raise InputError(why, instead=begin + traced, field="state")
    if scores is not None and position.ndim and tuple(position.shape) != tuple(scores.shape[:-1]):
        why = f"the state is that of {len(position)} rows, and the scores have shape {tuple(scores.shape)}"
        raise InputError(why, instead="carry one state per batch of the same rows", field="state")
    if parts == 2:
        return Unpacked(position, state[1], None)
    tokens = state[2] if scores is None else history.read(state[2], scores, looks_back)
    return Unpacked(position, state[1], tokens)


def packed(state: Unpacked) -> State:
    """The value that the caller carries."""
    position = state.position if is_torch_array(state.position) else state.position.tolist()
    parts = position, tuple(state.states)
    return parts if state.history is None else (*parts, state.history)


def _position(given: Any) -> Array | None:
    """A whole number >= 0, or one per row; None for what is not."""
    if is_array(given) and not looks(given):
        return given if given.ndim <= 1 and namespace(given).isdtype(given.dtype, "integral") else None
    try:
        position = np.asarray(given)
    except (TypeError, ValueError):  # also what JAX says of a value that is being traced
        return None
    return None if position.dtype.kind not in "iu" or position.ndim > 1 or np.any(position < 0) else position
