"""Seeing to it that every row has something to draw from, and taking options away by name.

Where values may be looked at, a row that has nothing is refused. Where nobody looks (:mod:`heatbath.core.waiting`),
such a row becomes NaN as a whole, which no step turns into anything else than NaN and -inf, and the choice from it is
-1. (Left as it is, a single NaN could be cut away, and the rest be drawn from as if nothing had happened.)
"""

from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import first_bad, in_library, is_array, known
from heatbath.core.waiting import looks
from heatbath.errors import InputError
from heatbath.sampling.history import NO_TOKEN
from heatbath.sampling.parameters import beside
from heatbath.types import Array, State


def forbid(scores: Array, banned: Array) -> Array:
    """The scores ``(..., V)`` with -inf where an option is banned; ``banned``, booleans, broadcasts against them.

    Raises:
        InputError: a row of which nothing is left.
    """
    xp = namespace(scores)
    left = xp.where(in_library(xp, banned, scores), xp.full_like(scores, -xp.inf), scores)
    return check_left(
        left,
        "every option that the scores leave open is banned",
        "ban fewer, or put the step before those that remove options",
    )


def check_left(scores: Array, why: str, instead: str) -> Array:
    """The scores, if the best of each row is finite, for another row cannot be drawn from.

    Raises:
        InputError: there is one; the message names the first.
    """
    xp = namespace(scores)
    top = xp.max(scores, axis=-1, keepdims=True)
    fine = xp.isfinite(top[..., 0])
    if known(xp.all(fine)) is False:
        row: Any = first_bad(fine, fine)[0]
        raise InputError(f"{why}, in {row}" if row else why, instead=instead)
    return spoilt(scores, top)


def spoilt(scores: Array, top: Array) -> Array:
    """The scores; where nobody looks, NaN in every row whose best score ``(..., 1)`` is not finite."""
    if looks(scores):
        return scores
    xp = namespace(scores)
    return xp.where(xp.isfinite(top), scores, xp.nan)


def drawable(scores: Array) -> Array | None:
    """Which rows can be drawn from, ``(...)``; None: all, for values were looked at."""
    if looks(scores):
        return None
    xp = namespace(scores)
    return xp.isfinite(xp.max(scores, axis=-1))


def chosen(choice: Array, fine: Array | None) -> Array:
    """The choice, -1 where the row could not be drawn from."""
    return choice if fine is None else namespace(choice).where(fine, choice, NO_TOKEN)


def moved(new: State, old: State, fine: Array | None) -> State:
    """The state after a decision: where the row could not be drawn from, its numbers are what they were before."""
    if fine is None:
        return new
    if isinstance(new, tuple) and isinstance(old, list | tuple) and len(new) == len(old):
        return tuple(moved(*parts, fine) for parts in zip(new, old, strict=True))
    if not is_array(new) or new.ndim != fine.ndim:  # counts go on
        return new
    return namespace(new).where(fine, new, beside(old if is_array(old) else np.asarray(old), new, "state"))


def check_drawn(choice: Array) -> Array:
    """The choices, if every one of them was drawn; for tensors on a device, whose scores are not checked before.

    Arguments:
        choice: what :meth:`heatbath.Sampler.step` gave, of one decision or of many ``(...)``, of any library.

    Returns:
        The same. This waits for the device, so call it where the choices are read anyway, such as at the end of a text.

    Raises:
        InputError: one of them is -1; the message says where.

    >>> import numpy as np
    >>> from heatbath.sampling import check_drawn
    >>> check_drawn(np.array([5, 17]))
    array([ 5, 17])
    >>> check_drawn(np.array([[5, 17], [9, -1]]))
    Traceback (most recent call last):
    heatbath.errors.InputError: looking at what was drawn on row (1, 1) of choice: nothing could be drawn: a score or T
    was NaN or out of range, or every option was forbidden; with heatbath.core.checks(now=True): draw again, and the
    error comes from the step at fault
    """
    fine = (choice if is_array(choice) else np.asarray(choice)) >= 0
    if not bool(fine.all()):
        row: Any = first_bad(fine, fine)[0]
        raise InputError(
            "nothing could be drawn: a score or T was NaN or out of range, or every option was forbidden",
            doing="looking at what was drawn",
            on=f"{row} of choice" if row else "choice",
            instead="with heatbath.core.checks(now=True): draw again, and the error comes from the step at fault",
            field="choice",
        )
    return choice
