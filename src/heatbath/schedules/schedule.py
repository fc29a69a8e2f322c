"""What a schedule is: T as a function of the number of decisions taken so far."""

from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from heatbath.core import namespace
from heatbath.errors import InputError
from heatbath.made import Made, show, travelling
from heatbath.schedules.checks import check_t
from heatbath.types import Array, Temperature


@travelling
class Schedule(NamedTuple):
    """T as a function of the count: ``schedule(count) -> T``, where the first decision of a stream has count 0.

    A count is a whole number >= 0 and gives one number; an array of counts (a batch whose rows are at different
    positions) gives an array of the same library and shape.

    To write your own, give ``value``: a function from an array of whole numbers to an array of temperatures. It need
    not check its argument.

    Raises:
        InputError: when called with a count that is negative or not a whole number.

    >>> import numpy as np, heatbath as hb
    >>> cooling = hb.schedules.linear(1.0, 0.5, steps=2)
    >>> cooling(1)
    0.75
    >>> cooling(np.array([0, 1, 2, 99]))
    array([1.  , 0.75, 0.5 , 0.5 ])
    >>> sawtooth = hb.schedules.Schedule(lambda count: 1.0 - 0.1 * (count % 5))
    >>> round(sawtooth(7), 2)
    0.8

    How to choose: see :mod:`heatbath.schedules`.
    """

    value: Callable[[Array], Array]
    made: Made | None = None

    def __call__(self, count: Any) -> Temperature:
        if isinstance(count, int | np.integer) and not isinstance(count, bool):
            if count < 0:
                raise _no_count(self, count, "a count is never negative")
            if count > np.iinfo(np.int64).max:
                raise _no_count(self, count, "a count is below 2**63")
            # As an array of one: NumPy's powers of a lone number may differ in the last bit from those of its arrays,
            # and a count must give the same T alone and among others.
            return float(np.ravel(self.value(np.asarray([count], dtype=np.int64)))[0])
        return self.value(_counts(self, count))

    def __repr__(self) -> str:
        return str(self.made) if self.made else f"<schedule {show(self.value)}>"


def _counts(schedule: Schedule, count: Any) -> Array:
    """The counts as an array of the caller's library, in its widest whole numbers so that no sum overflows."""
    if not array_api_compat.is_array_api_obj(count):
        try:
            count = np.asarray(count)
        except ValueError:  # lists of different lengths
            raise _no_count(schedule, count, "a count is a whole number") from None
    xp = namespace(count)
    if not xp.isdtype(count.dtype, "integral"):
        raise _no_count(schedule, count, "a count is a whole number")
    try:
        negative = bool(xp.any(count < 0))
    except TypeError:  # inside jax.jit an array has no values yet
        negative = False
    if negative:
        raise _no_count(schedule, count, "a count is never negative")
    return xp.astype(count, xp.__array_namespace_info__().default_dtypes()["integral"])


def _no_count(schedule: Schedule, count: Any, why: str) -> InputError:
    return InputError(
        why,
        doing=f"asking {schedule!r}",
        on=f"count={show(count)}",
        instead="count the decisions of the stream from 0: schedule(0) is the first T",
        field="count",
    )


def as_schedule(value: Any, name: str, field: str | None = None) -> Schedule:
    """Promote what may stand for a part of a schedule: a schedule, or a number for a constant.

    ``name`` is what to call it in a message, and ``field`` the name of the argument, where that is another.
    """
    if isinstance(value, Schedule):
        return value
    if callable(value):
        raise InputError(
            f"{show(value)} is a plain function",
            instead="wrap a function of your own in heatbath.schedules.Schedule",
            field=field or name,
        )
    number = check_t(value, name, field=field)
    return Schedule(value=lambda count: 0.0 * count + number)
