"""Reading scores: what may stand for a row of scores, and what is wrong with what may not."""

from math import isnan
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from heatbath.core.arrays import first_bad, in_library, is_array, known, namespace, overflowing, total
from heatbath.errors import InputError
from heatbath.types import Array


class Rows(NamedTuple):
    """Scores that were read and checked."""

    xp: Any
    """The array library."""
    scores: Array
    """``(..., V)``, in a floating-point type."""
    top: Array
    """The highest score of each row, ``(..., 1)``."""

    def sum(self, values: Array) -> Array:
        """Sum over the options, ``(..., 1)``."""
        return total(self.xp, values)

    def measure(self, values: Array) -> Array:
        """``(..., 1)`` as the caller gets it: ``(...)``, in float64 for scores of 64 bits and in float32 for fewer."""
        kind = self.xp.float32 if self.scores.dtype.itemsize <= 4 else self.xp.float64
        with overflowing("under"):  # what is beyond the type becomes its limit
            return self.xp.astype(values, kind, copy=False)[..., 0][()]  # a single one is a number in NumPy

    def distribution(self, values: Array) -> Array:
        """``(..., V)`` as the caller gets it: in the type of the scores."""
        with overflowing("under"):
            return self.xp.astype(values, self.scores.dtype, copy=False)


def as_scores(logits: Any, field: str = "logits") -> Array:
    """Scores as a floating-point array of the caller's library, checked.

    Arguments:
        logits: ``(..., V)`` with V >= 1: an array of any library, or nested lists. Floating-point types stay
            as they are, integers become the library's default one (float64 in NumPy). Higher = preferred, -inf =
            forbidden.
        field: the caller's name of the argument, for the message.

    Returns:
        ``(..., V)``, the same array where nothing had to be converted.

    Raises:
        InputError: no real numbers, no options, NaN or +inf (the message names the first, by its row and its position
            along the last axis), or a row in which every score is -inf. The values of an
            array that is being traced (``jax.jit``, ``vmap``) are not known yet and are not looked at, nor are those on
            a device (:func:`heatbath.core.checks`).

    >>> from heatbath.core import as_scores
    >>> as_scores([2, 1, 0])
    array([2., 1., 0.])
    >>> as_scores([[2.0, 1.0], [float("nan"), 0.0]])
    Traceback (most recent call last):
    heatbath.errors.InputError: row 1 of logits, position 0: the score is NaN; look for 0/0 or inf - inf in what
    computes it
    """
    return read(logits, field).scores


def read(logits: Any, field: str = "logits", *others: Any) -> Rows:
    """Scores, checked; NumPy arrays and lists follow the library of the other arguments of the call."""
    xp = namespace(logits, *others)
    scores = _floating(xp, logits, field, others)
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise InputError(
            "there is nothing to choose from" if scores.ndim else "one number is not a row of scores",
            on=f"{field} of shape {tuple(scores.shape)}",
            instead="give an array whose last axis holds the options, at least one",
            field=field,
        )
    top = xp.max(scores, axis=-1, keepdims=True)  # NaN if one score is NaN
    if known(xp.all(xp.isfinite(top))) is False:
        raise _bad_row(xp, scores, top, field)
    return Rows(xp, scores, top)


def _floating(xp: Any, logits: Any, field: str, others: tuple[Any, ...]) -> Array:
    if isinstance(logits, np.ma.MaskedArray):
        raise InputError(
            "it is a masked array, and a mask would be lost on the way",
            on=field,
            instead="write -inf for what is masked: scores.filled(-numpy.inf)",
            field=field,
        )
    try:
        array = logits if is_array(logits) else np.asarray(logits)
    except (TypeError, ValueError):
        raise _no_scores(f"={logits!r:.60}", field) from None
    if array_api_compat.is_numpy_array(array):
        floating = array.dtype.kind == "f" or array.dtype.name == "bfloat16"  # ml_dtypes' bfloat16 is no "f" to NumPy
        if not floating and array.dtype.kind not in "iu":
            raise _no_scores(f" of type {array.dtype}", field)
        array = array if floating else array.astype(np.float64)
        return in_library(xp, array, next((other for other in others if is_array(other)), array))
    if array_api_compat.is_torch_array(array):
        _check_tensor(array, field)
    if xp.isdtype(array.dtype, "real floating"):
        return array
    if xp.isdtype(array.dtype, "integral"):
        return xp.astype(array, xp.__array_namespace_info__().default_dtypes()["real floating"])
    raise _no_scores(f" of type {array.dtype}", field)


def _check_tensor(tensor: Any, field: str) -> None:
    """Refuse what has a tensor's name and not the numbers of one, or numbers with which it cannot compute."""
    if tensor.is_sparse or tensor.is_sparse_csr:
        why = "it is sparse, and an option without a score is not one with the score 0"
        instead = "write tensor.to_dense(), with -inf for what is forbidden"
    elif tensor.dtype.itemsize == 1 and tensor.dtype.is_floating_point:
        why, instead = f"PyTorch does not compute with {tensor.dtype}", "write tensor.to(torch.bfloat16)"
    else:
        return
    raise InputError(why, on=field, instead=instead, field=field)


def _no_scores(shown: str, field: str) -> InputError:
    return InputError(
        "scores are real numbers, equally many in every row",
        on=f"{field}{shown}",
        instead="give an array of floating-point numbers, for example [2.0, 1.0, 0.5]",
        field=field,
    )


def _bad_row(xp: Any, scores: Array, top: Array, field: str) -> InputError:
    row, number = first_bad(xp.isfinite(top[..., 0]), top[..., 0])
    where = f"{row} of {field}" if row else field
    if number < 0:
        why, instead = "every score is -inf, which forbids every option", "leave at least one score finite"
        return InputError(why, on=where, instead=instead, field=field)
    if isnan(number):
        wrong, why, instead = xp.isnan(scores), "the score is NaN", "look for 0/0 or inf - inf in what computes it"
    else:
        wrong, why, instead = (
            scores == xp.inf,
            "the score is +inf",
            "to force one option, write -inf for all the others",
        )
    position = int(xp.nonzero(wrong)[-1][0])  # row by row, and there are none of this kind in the rows before
    return InputError(why, on=f"{where}, position {position}", instead=instead, field=field)


def check_shape(field: str, given: Array, scores: Array) -> None:
    """Refuse what is neither one number nor one number per row of the scores."""
    shape, rows = tuple(given.shape), tuple(scores.shape[:-1])
    try:
        fits = len(shape) <= len(rows) and np.broadcast_shapes(shape, rows) is not None
    except ValueError:
        fits = False
    if not fits:
        raise InputError(
            f"{field} is one number, or one number per row, and logits of shape {tuple(scores.shape)} "
            + (f"have rows in the shape {rows}" if rows else "are a single row"),
            on=f"{field} of shape {shape}",
            instead="logits[None, :] sets a single row against several numbers" if not rows else "give one of these",
            field=field,
        )
