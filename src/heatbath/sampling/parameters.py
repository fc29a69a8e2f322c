"""Checking the parameters of steps, and laying one number per row beside the scores."""

from collections.abc import Callable
from typing import Any

import array_api_compat
import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.core.arrays import in_library, is_array, is_number, overflowing
from heatbath.core.scores import check_shape
from heatbath.core.waiting import compiling
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import Array


def check_parameter(
    value: Any, name: str, legal: Callable[[Any], Any], why: str, instead: str, *, whole: bool = False
) -> npt.NDArray[Any]:
    """A step's parameter, one number or one per row, as an array of its own, if ``legal`` holds for every number."""
    try:
        numbers = np.asarray(value).copy()
        fine = numbers.dtype.kind in ("iu" if whole else "iuf") and bool(np.all(legal(numbers)))
    except (TypeError, ValueError, RuntimeError):  # the last is torch's, of a tensor that wants a gradient
        fine = False
    if whole and not fine and _is_huge(value):
        raise InputError(
            f"{name} is too large",
            doing=f"making {name}",
            on=f"{name}({show(value):.60})",
            instead="give 2**53 at most",
            field=name,
        )
    if not fine or numbers.ndim > 1 or numbers.size == 0:
        raise InputError(why, doing=f"making {name}", on=f"{name}({show(value)})", instead=instead, field=name)
    return numbers


def check_share(value: Any, name: str, symbol: str, example: float) -> npt.NDArray[Any]:
    """The parameter of a step that keeps a share of something: in (0, 1], where 1 keeps all."""
    return check_parameter(
        value,
        name,
        lambda n: (n > 0) & (n <= 1),
        f"{symbol} must lie in (0, 1]",
        f"write for example {name}({example}); to keep every option leave {name} out",
    )


def check_argument(
    value: Any, name: str, legal: Callable[[Any], Any], wanted: str, example: Any, *, whole: bool = False
) -> npt.NDArray[Any]:
    """One of several arguments, one number or one per row; the caller adds *doing what, on what*."""
    try:
        return check_parameter(value, name, legal, "", "", whole=whole)
    except InputError:
        if whole and _is_huge(value):
            raise InputError(f"{name} is too large", instead="give 2**53 at most", field=name) from None
        raise InputError(
            f"{name} must be {wanted}, not {show(value):.60}",
            instead=f"write for example {name}={example}",
            field=name,
        ) from None


def _is_huge(value: Any) -> bool:
    """Whether a whole number, or one of several, is above all that arrays hold."""
    if isinstance(value, list | tuple):
        return any(map(_is_huge, value))
    return isinstance(value, int) and value >= 2**64


def beside(value: Any, scores: Array, field: str) -> Array:
    """A number or array as an array of the scores' library, type and device.

    Raises:
        InputError: it is an array of another library or on another device.
    """
    xp, device = namespace(scores), getattr(scores, "device", None)
    if compiling() and isinstance(value, np.ndarray):
        return xp.astype(in_library(xp, value, scores), scores.dtype)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    with overflowing():  # a number beyond the type becomes inf, which is its limit
        if is_number(value):  # nothing needs to be sent to a device
            number = float(np.float32(value) if scores.dtype == xp.float32 else value)
            return xp.full((), number, dtype=scores.dtype, device=device)
        if not is_array(value) or array_api_compat.is_numpy_array(value):
            return xp.astype(in_library(xp, np.asarray(value), scores), scores.dtype, copy=False)
        if namespace(value) is not xp:
            raise InputError(
                f"the scores are an array of {_library(scores)}, and {field} is one of {_library(value)}",
                instead="convert one of the two",
                field=field,
            )
        if array_api_compat.is_torch_array(value) and value.device != device:
            if value.ndim or value.device.type != "cpu":
                raise InputError(
                    f"the scores are on {device}, and {field} is on {value.device}",
                    instead=f"write {field}.to(logits.device)",
                    field=field,
                )
            value = value.to(device, non_blocking=True)
        return xp.astype(value, scores.dtype, copy=False)


def _library(array: Array) -> str:
    return type(array).__module__.partition(".")[0]


def per_row(value: Any, scores: Array, field: str) -> Array:
    """A parameter as an array that broadcasts against the scores: ``()`` stays, ``(B,)`` becomes ``(B, 1)``."""
    array = beside(value, scores, field)
    if array.ndim == 0:
        return array
    check_rows(field, array, scores)
    return array[..., None]


def check_rows(field: str, given: Array, scores: Array) -> None:
    """Refuse what is neither one number nor one number for each of the rows that there are."""
    check_shape(field, given, scores)
    rows = tuple(scores.shape[:-1])
    if np.broadcast_shapes(tuple(given.shape), rows) != rows:
        raise InputError(
            f"there are {given.shape[0]} numbers for {rows[0]} row{'s' if rows[0] != 1 else ''}",
            on=f"{field} of shape {tuple(given.shape)}",
            instead=f"give {field} one number, or one number per row",
            field=field,
        )
