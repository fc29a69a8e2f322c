"""One number per stream as the state of a step that learns from what was drawn."""

from collections.abc import Callable
from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import constant, is_array
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.sampling.parameters import beside, check_rows
from heatbath.types import Array, Outcome, State


def begin(number: Any) -> State:
    """The state of a new stream, from a parameter: a number, or a list with one per row."""
    return np.asarray(number, dtype=np.float64).tolist()


def carried(state: State, scores: Array) -> Array:
    """The number of each row of scores ``(..., V)``, as an array ``()`` or ``(...)``.

    Raises:
        InputError: the state is neither one number nor one per row.
    """
    try:
        numbers = state if is_array(state) else np.asarray(state)
        real = not isinstance(numbers, np.ndarray) or numbers.dtype.kind in "iuf"
    except (TypeError, ValueError):  # lists of different lengths
        real = False
    if not real:
        raise InputError(
            f"{show(state):.60} is neither a number nor one per row",
            instead="begin each stream with state = sampler.init() and carry what sampler.step gave back",
            field="state",
        )
    number = beside(numbers, scores, "state")
    if number.ndim:
        check_rows("state", number, scores)
    return number


def numbers_of(state: State) -> Any:
    """The number, or those of the rows, for the compiled kernel; None where the reference has to say what is wrong."""
    try:
        numbers = np.asarray(state)
    except (TypeError, ValueError, RuntimeError):  # the last is torch's, of a tensor that wants a gradient
        return None
    return numbers.astype(np.float64) if numbers.dtype.kind in "iuf" and np.all(np.isfinite(numbers)) else None


def learner(name: str, news: Callable[[Outcome], Any], move: Callable[[Array, Array], Array]) -> Any:
    """The ``learn`` of a step whose state is one number per stream.

    Arguments:
        name: of the step.
        news: which number of the outcome it learns from, ``(...)``; None where it holds none.
        move: the number and the news, to the next number; both with a last axis of length 1.
    """

    def learn(state: State, outcome: Outcome) -> State:
        told = news(outcome)
        if told is None:  # somebody tells of a reward
            return state
        with while_doing("learning", name):
            numbers = constant(told) if is_array(told) else np.asarray(told, dtype=np.float64)
            rows = numbers[..., None]
            moved = move(carried(state, rows)[..., None], rows)
            moved = namespace(rows).broadcast_to(moved, rows.shape)[..., 0]
        return moved.tolist() if isinstance(moved, np.ndarray | np.generic) else moved

    return learn
