"""When the values of an array are looked at.

To check a value that lies on a device, the processor must wait until the device has computed it, and the device then
waits for the processor: once per check, and a chain has several per token. So what lies on a device is not checked
there and then. A row that cannot be used becomes NaN instead, and everything that is computed from it; whoever reads
the results anyway, and so waits once, sees it then.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import array_api_compat
import numpy as np

from heatbath.errors import InputError
from heatbath.types import Array

_now: ContextVar[bool | None] = ContextVar("heatbath_checks_now", default=None)


@contextmanager
def checks(*, now: bool) -> Iterator[None]:
    """Within the block, check values at once or never, wherever they lie.

    Outside of any, PyTorch tensors in the processor's memory and the arrays of all other libraries are checked at once,
    and PyTorch tensors on other devices never.

    Arguments:
        now: True: an :class:`heatbath.InputError` comes from the call that was given the bad value, at the price of
            waiting for the device at every check; for finding out where a NaN comes from. False: no value of a PyTorch
            tensor is looked at, also on the processor, and bad rows give NaN or, drawn from, the choice -1.

    Raises:
        InputError: now is neither True nor False.

    >>> import heatbath as hb
    >>> with hb.core.checks(now=True):
    ...     hb.softmax([1.0, float("nan")])
    Traceback (most recent call last):
    heatbath.errors.InputError: logits, position 1: the score is NaN; look for 0/0 or inf - inf in what computes it

    How to choose: neither. Read the choices when you need them, and then :func:`heatbath.sampling.check_drawn`.
    """
    if not isinstance(now, bool):
        raise InputError("now is True or False", doing="setting when to check", on=f"now={now!r}", instead="now=True")
    token = _now.set(now)
    try:
        yield
    finally:
        _now.reset(token)


def looks(array: Any) -> bool:
    """Whether values of this array may be looked at; not those of a PyTorch tensor on a device, unless asked for."""
    if type(array) is np.ndarray or not array_api_compat.is_torch_array(array):  # the first costs less to ask
        return True
    if compiling():
        return False
    now = _now.get()
    return array.device.type == "cpu" if now is None else now


def waits(array: Array) -> bool:
    """Whether values of this array may be waited for, where a computation cannot end well without them."""
    return looks(array) or (_now.get() is None and not compiling())


def compiling() -> bool:
    """Whether ``torch.compile`` is tracing, in which NumPy has but arrays, and nothing a value yet."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.compiler.is_compiling())
