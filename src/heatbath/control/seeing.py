"""What a thermostat of this room needs of what it sees."""

import math
from typing import Any

import array_api_compat
import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library, is_array, is_number, known
from heatbath.core.scores import Rows, read
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import Array, Seen


def see(seen: Seen) -> Rows:
    """The scores that the caller shows, checked.

    Raises:
        InputError: there are none.
    """
    if seen.scores is None:
        raise InputError(
            "it looks at the scores, and none were shown",
            instead="call step(state, Seen(scores=...)), or use fixed or scheduled where there are no scores",
            field="scores",
        )
    return read(seen.scores, "scores")


def rows_like(values: Any, scores: Array, name: str) -> Array:
    """One number, or one per row, as an array ``(...)`` of the scores' library, at least in single precision.

    Numbers and lists are looked at for NaN; the values of an array, which may lie on a device, are not.

    Raises:
        InputError: there is neither one number nor one per row.
    """
    if type(values) is float and isinstance(scores, np.ndarray) and not math.isnan(values):  # asked for at every token
        return np.full(scores.shape[:-1], values, np.float64 if scores.dtype == np.float64 else np.float32)
    xp = namespace(scores)
    kind = xp.float64 if scores.dtype == xp.float64 else xp.float32
    rows = tuple(scores.shape[:-1])
    try:
        given = values if is_array(values) else np.asarray(values, dtype=np.float64)  # None becomes NaN
        bad = given is not values and bool(np.isnan(given).any())
        array = xp.astype(in_library(xp, given, scores), kind, copy=False)
    except (TypeError, ValueError, RuntimeError):  # the last is what torch raises
        bad = True
    if bad:
        raise InputError(
            f"{name} must be one number, or one number per row, not {show(values)}",
            instead="begin with init() and carry what step gives back",
            field=name,
        )
    if array.ndim and tuple(array.shape) != rows:
        raise InputError(
            f"{name} has shape {tuple(array.shape)}, and the scores have {rows} rows",
            instead="carry one state per stream, and start a new one with init() when the rows change",
            field=name,
        )
    return xp.broadcast_to(array, rows)


def told(values: Any, name: str) -> Array:
    """What an outcome says of each row: numbers >= 0, or token ids, as an array ``(...)`` of their own library.

    Raises:
        InputError: no real numbers, or a negative one.
    """
    array = values if is_array(values) else np.asarray(values)
    real = array.dtype.kind in "iuf" if array_api_compat.is_numpy_array(array) else True
    if not real or known(namespace(array).all(array >= 0)) is False:  # NaN is not >= 0
        raise InputError(
            f"{name} is one number >= 0, or one per row, not {show(values):.60}",
            instead="tell what the sampler's step gave back",
            field=name,
        )
    return array


def as_plain(values: Array) -> Any:
    """Part of a state: plain numbers, lists of them for several rows, where that costs nothing.

    Arrays of other libraries stay what they are: on their device, and traced where a step is being traced. (What a step
    does wait for is every round of a search for T, and outside of PyTorch the check of the scores and of the state.)
    """
    return values.tolist() if array_api_compat.is_numpy_array(values) else values


def per_row(values: Any, seen: Seen, name: str = "state") -> Any:
    """A number as it is; one per row as an array, of the library of the scores where there are some.

    Raises:
        InputError: there is neither one number nor one per row.
    """
    if is_number(values):
        return values
    scores = seen.scores
    if scores is None:  # the values alone say how many rows there are
        rows = len(values) if isinstance(values, list | tuple) else 1
        scores = values[..., None] if is_array(values) else np.empty((rows, 1))
    return rows_like(values, scores if is_array(scores) else np.asarray(scores), name)


def known_of_rows(seen: Seen, key: str, example: Any) -> str | list[Any]:
    """A text of the context: one for all rows, or a list of one per row.

    Raises:
        InputError: the context has none, or another number of them than there are rows.
    """
    value = seen.context.get(key)
    rows = None if seen.scores is None else np.shape(seen.scores)[:-1]
    if isinstance(value, str):
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        why = f"the context has no {key}" if value is None else f"the {key} of the context is {show(value):.60}"
        raise InputError(why, instead=f"call sampler.step(..., context={{{key!r}: {example!r}}})", field="context")
    if rows is not None and rows != (len(value),):
        raise InputError(
            f"the context has {len(value)} texts as its {key}, and there are {rows} rows",
            instead="give one text for all rows, or a list of one per row",
            field="context",
        )
    return list(value)
