"""What a thermostat of this room needs of what it sees."""

from typing import Any

import array_api_compat
import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import is_array
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
    xp = namespace(scores)
    kind = xp.float64 if scores.dtype == xp.float64 else xp.float32
    rows = tuple(scores.shape[:-1])
    try:
        given = values if is_array(values) else np.asarray(values, dtype=np.float64)  # None becomes NaN
        bad = given is not values and bool(np.isnan(given).any())
        array = xp.asarray(given, dtype=kind, device=getattr(scores, "device", None))
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


def as_plain(values: Array) -> Any:
    """Part of a state: plain numbers, lists of them for several rows, where that costs nothing.

    Arrays of other libraries stay what they are: on their device, and traced where a step is being traced. (What a step
    does wait for is the check of the scores and of the state, and every round of a search for T.)
    """
    return values.tolist() if array_api_compat.is_numpy_array(values) else values
