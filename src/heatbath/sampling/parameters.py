"""Checking the parameters of steps, and laying one number per row against the scores."""

from collections.abc import Callable
from typing import Any

import array_api_compat
import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import Array


def check_parameter(
    value: Any, name: str, legal: Callable[[Any], Any], why: str, instead: str, *, whole: bool = False
) -> npt.NDArray[Any]:
    """A step's parameter, one number or one per row, as an array of its own, if ``legal`` holds for every number."""
    try:
        numbers = np.array(value)
        fine = numbers.dtype.kind in ("iu" if whole else "iuf") and bool(np.all(legal(numbers)))
    except (TypeError, ValueError):
        fine = False
    if not fine or numbers.ndim > 1 or numbers.size == 0:
        raise InputError(why, doing=f"making {name}", on=f"{name}({show(value)})", instead=instead, field=name)
    return numbers


def beside(value: Any, scores: Array, dtype: Any = None) -> Array:
    """A number or array as an array of the scores' library, on their device."""
    xp = namespace(scores)
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes inf, which is its limit
        if array_api_compat.is_array_api_obj(value) and not array_api_compat.is_numpy_array(value):
            return value if dtype is None else xp.astype(value, dtype)
        return xp.asarray(np.asarray(value), dtype=dtype, device=getattr(scores, "device", None))


def per_row(value: Any, scores: Array, name: str, dtype: Any = None) -> Array:
    """A parameter as an array that broadcasts against the scores: ``()`` stays, ``(B,)`` becomes ``(B, 1)``."""
    array = beside(value, scores, dtype)
    if array.ndim == 0:
        return array
    if tuple(array.shape) != tuple(scores.shape[:-1]):
        raise InputError(
            f"it has shape {tuple(array.shape)}, and the scores have {tuple(scores.shape[:-1])} rows",
            doing=f"applying {name}",
            on=f"{name}({show(value)}) and scores of shape {tuple(scores.shape)}",
            instead=f"give {name} one number, or one number per row",
            field=name,
        )
    return array[..., None]
