"""What may stand for a temperature."""

from math import isnan
from typing import Any

import array_api_compat
import numpy as np

from heatbath.core.arrays import first_bad, is_array, is_number, known, namespace
from heatbath.core.numbers import as_float
from heatbath.core.waiting import compiling
from heatbath.errors import InputError


def check_temperature(temperature: Any, field: str = "temperature") -> None:
    """Refuse what is no temperature: 0 <= T <= inf.

    Arguments:
        temperature: one number, or one number per row in an array of any library, a list or a tuple. The values of an
            array that is being traced (``jax.jit``, ``vmap``) are not known yet and are not looked at, nor are those
            on a device (:func:`heatbath.core.checks`).
        field: the caller's name of the argument, for the message.

    Raises:
        InputError: NaN, a negative number, an int that no float can hold, an empty list, or no real number (a text,
            None, a bool, a complex number).

    >>> from heatbath.core import check_temperature
    >>> check_temperature(0)
    >>> check_temperature([0.7, float("inf")])
    >>> check_temperature(-1)
    Traceback (most recent call last):
    heatbath.errors.InputError: temperature=-1: a temperature is never negative; write 0 for the coldest, at which the
    highest score is always taken
    """
    if type(temperature) is float and temperature >= 0:  # at every decision of every stream: nothing is cheaper
        return
    if compiling():
        return
    if is_number(temperature):
        number = as_float(temperature, field)
        if not number >= 0:
            raise _out_of_range(number, field)
        return
    if isinstance(temperature, list | tuple):
        try:
            numbers = np.asarray(temperature)
        except ValueError:  # rows of different lengths
            raise _no_number(temperature, field) from None
        if numbers.size == 0:  # an empty array, though, has one T for each row of a batch that has none
            raise _no_number(temperature, field)
    else:
        numbers = temperature
    if not (is_array(numbers) and _is_real(numbers)):
        raise _no_number(temperature, field)
    fine = numbers >= 0
    if known(fine.all()) is False:
        row, number = first_bad(fine, numbers)
        raise _out_of_range(number, f"{row} of {field}" if row else field)


def _is_real(array: Any) -> bool:
    if array_api_compat.is_numpy_array(array):
        return array.dtype.kind in "fiu" or array.dtype.name == "bfloat16"
    return bool(namespace(array).isdtype(array.dtype, ("real floating", "integral")))


def _out_of_range(number: float, name: str) -> InputError:
    if isnan(number):
        why, instead = "NaN is no temperature", "look for 0/0 or inf - inf in what computes it"
    else:
        why = "a temperature is never negative"
        instead = "write 0 for the coldest, at which the highest score is always taken"
    return InputError(why, on=f"{name}={number:g}", instead=instead, field=name.rpartition(" ")[2])


def _no_number(value: Any, field: str) -> InputError:
    return InputError(
        "a temperature is a real number, or one real number per row",
        on=f"{field}={value!r:.60}",
        instead=f"write for example {field}=0.7",
        field=field,
    )
