"""What may stand for data, a share or a choice of words; and the one door to SciPy."""

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError, MissingExtraError

Numbers = Any  # NumPy's scalars and arrays share no base class to name
"""One number or a NumPy array of them; fields and arguments with this type are broadcast against each other."""

SIDES = ("both", "above", "below")


def special() -> Any:
    """SciPy's special functions, imported by whoever needs them first.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    try:
        import scipy.special
    except ImportError:
        raise MissingExtraError(
            "SciPy is not installed", doing="computing statistics", instead="pip install 'heatbath[stats]'"
        ) from None
    return scipy.special


def as_numbers(
    values: Any,
    name: str,
    doing: str,
    *,
    low: float = -inf,
    high: float = inf,
    above: float = -inf,
    whole: bool = False,
) -> npt.NDArray[np.float64]:
    """The values as float64.

    Arguments:
        values: numbers or booleans, nested lists or a NumPy array.
        name: the caller's name of the argument, for the message.
        doing: what the caller was doing, for the message.
        low: the least legal value.
        high: the greatest legal value.
        above: what a value must exceed.
        whole: whether only whole numbers are legal.

    Raises:
        InputError: something that is no number, not finite, or out of the range.
    """
    try:
        raw = np.asarray(values)
        numbers = raw.astype(np.float64) if raw.dtype.kind in "fiub" else None
    except ValueError:  # rows of different lengths
        numbers = None
    if numbers is None:
        raise InputError(
            f"{name} must be numbers or booleans, every row of one length",
            doing=doing,
            on=f"{name}={values!r:.60}",
            instead="write for example [0.2, 1.0, 0.7], and leave out what was never observed",
            field=name,
        )
    fine = np.isfinite(numbers) & (numbers >= low) & (numbers <= high) & (numbers > above)
    if whole:
        fine &= numbers == np.floor(numbers)
    if not fine.all():
        place = tuple(int(at) for at in np.argwhere(~fine)[0])
        shown = f"{name}[{', '.join(map(str, place))}]" if place else name
        raise InputError(
            f"{shown} is {numbers[place]:g}, and {name} must be {_range(low, high, above, whole)}",
            doing=doing,
            on=f"{name}={values!r:.60}",
            instead="leave out what was never observed, or bring the values into the range where they are made",
            field=name,
        )
    return numbers


def _range(low: float, high: float, above: float, whole: bool) -> str:
    kind = "whole numbers" if whole else "finite numbers"
    least = f" > {above:g}" if above > -inf else f" >= {low:g}" if low > -inf else ""
    most = f"{' and' if least else ''} <= {high:g}" if high < inf else ""
    return kind + least + most


def as_share(value: Any, name: str, doing: str, example: float = 0.05) -> float:
    """One number between 0 and 1, neither included."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < 1:
        raise InputError(
            f"{name} is a number between 0 and 1, neither included",
            doing=doing,
            on=f"{name}={value!r:.60}",
            instead=f"write for example {name}={example:g}",
            field=name,
        )
    return float(value)


def as_positive(value: Any, name: str, doing: str, example: float = 1.0, *, zero: bool = False) -> float:
    """One finite number above 0, or from 0 on."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not (0 < value < inf or (zero and value == 0)):
        raise InputError(
            f"{name} is a finite number {'>= 0' if zero else '> 0'}",
            doing=doing,
            on=f"{name}={value!r:.60}",
            instead=f"write for example {name}={example:g}",
            field=name,
        )
    return float(value)


def as_null(null: Any, doing: str) -> float:
    """The one value that a p-value is about."""
    number = as_numbers(null, "null", doing)
    if number.ndim:
        raise InputError(
            "null is one number",
            doing=doing,
            on=f"null={null!r:.60}",
            instead="call once per null, or shift the moments with .scaled(1, -null)",
            field="null",
        )
    return float(number)


def as_one_of(value: Any, name: str, doing: str, words: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in words:
        raise InputError(
            f"{name} is one of {', '.join(map(repr, words))}",
            doing=doing,
            on=f"{name}={value!r:.60}",
            instead=f"write for example {name}={words[0]!r}",
            field=name,
        )
    return value


def same_shape(doing: str, **arrays: npt.NDArray[Any]) -> None:
    """Refuse arrays that do not stand side by side."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        raise InputError(
            "they must have one shape: one entry per row of the log",
            doing=doing,
            on=", ".join(f"{name} of shape {shape}" for name, shape in shapes.items()),
            instead="take all of them from the same rows",
            field=list(shapes)[-1],
        )
