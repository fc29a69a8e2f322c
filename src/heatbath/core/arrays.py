"""Which array library this is, and what differs between them.

No array library but NumPy is imported here: the caller's own array brings it.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeGuard, TypeVar

import array_api_compat
import numpy as np

from heatbath.core.waiting import compiling, looks, waits
from heatbath.errors import InputError
from heatbath.types import Array

S = TypeVar("S")

_NUMBERS = (int, float, np.integer, np.floating)


def namespace(*values: Any) -> Any:
    """The array library of these values, with functions named as in the array API standard.

    Numbers, lists and NumPy arrays follow another library where there is one among the values; alone they are NumPy's.

    Raises:
        InputError: two libraries besides NumPy.

    >>> from heatbath.core import namespace
    >>> namespace([1.0, 2.0]).__name__
    'numpy'

    Reference: the array API standard, https://data-apis.org/array-api/
    """
    others = [value for value in values if is_array(value) and not array_api_compat.is_numpy_array(value)]
    if not others:
        return np  # which follows the standard by itself; its wrapper would add 0.1 s to the import
    try:
        return array_api_compat.array_namespace(*others)
    except TypeError:
        names = sorted({type(array).__module__.partition(".")[0] for array in others})
        raise InputError(
            f"arrays of {' and '.join(names)} do not mix", instead="convert all of them to one library"
        ) from None


def is_array(value: Any) -> bool:
    """An array of some library (NumPy's numbers are not)."""
    return array_api_compat.is_array_api_obj(value) and not isinstance(value, np.generic)


def is_number(value: Any) -> TypeGuard[float]:
    """A real number of Python or NumPy."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def in_library(xp: Any, array: Array, like: Array) -> Array:
    """A NumPy array as one of the library xp, on the device of ``like``; any other array as it is."""
    if compiling() and isinstance(array, np.ndarray):
        return xp.asarray(array).to(like.device)
    if xp is np or not array_api_compat.is_numpy_array(array):
        return array
    if array_api_compat.is_torch_array(like):
        if array.dtype == np.uint64:  # of which PyTorch has little; the bits stay
            array = array.view(np.int64)
        return xp.asarray(array).to(like.device, non_blocking=True)  # or the processor would wait for the device
    return xp.asarray(array, device=array_api_compat.device(like))


def has_float64(xp: Any, array: Array) -> bool:
    """Whether the library and device of the array compute in float64 (JAX by default and Apple's GPUs do not)."""
    if array_api_compat.is_jax_namespace(xp):
        return bool(sys.modules["jax"].config.jax_enable_x64)
    return getattr(getattr(array, "device", None), "type", None) != "mps"


def overflowing(*also: str) -> AbstractContextManager[Any]:
    """Within the block, what is beyond the type becomes inf, its limit, without a warning of NumPy.

    ``also`` names others of its warnings. ``torch.compile`` knows none of them.
    """
    ignored: dict[str, Any] = dict.fromkeys(("over", *also), "ignore")
    return nullcontext() if compiling() else np.errstate(**ignored)


def unwarned(*also: str) -> Callable[[Callable[[Array], Array]], Callable[[Array], Array]]:
    """Decorate a function of an array that computes within :func:`overflowing`."""

    def decorate(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
        def quiet(array: Array) -> Array:
            with overflowing(*also):
                return function(array)

        return quiet

    return decorate


def total(xp: Any, values: Array) -> Array:
    """Sum over the last axis, which is kept with length 1."""
    if xp is np:  # which adds strided rows one by one, at the cost of four of float32's seven digits
        return np.sum(values, axis=-1, keepdims=True, dtype=np.float64).astype(values.dtype, copy=False)
    return xp.sum(values, axis=-1, keepdims=True)


def constant(array: Array) -> Array:
    """The same values, through which no gradient flows."""
    if array_api_compat.is_torch_array(array):
        return array.detach()
    if array_api_compat.is_jax_array(array):
        return sys.modules["jax"].lax.stop_gradient(array)
    return array


def known(flag: Any) -> bool | None:
    """The truth of a 0-d array; None while it is being traced and has no value yet, or lies where nobody looks at it.

    See :mod:`heatbath.core.waiting`.
    """
    return _truth(flag) if looks(flag) else None


def _truth(flag: Any) -> bool | None:
    try:
        return bool(flag)
    except (TypeError, RuntimeError):  # what JAX, and PyTorch in vmap, say of a value that is not there yet
        return None


def iterate(xp: Any, going: Callable[[S], Array], step: Callable[[S], S], state: S, most: int) -> S:
    """Step while ``going(state)``, at most so many times; as one compiled loop where JAX is tracing.

    This waits for a device, once a step: the steps that it saves are dearer.
    """
    if array_api_compat.is_jax_namespace(xp) and known(going(state)) is None:
        _, state = sys.modules["jax"].lax.while_loop(
            lambda counted: (counted[0] < most) & going(counted[1]),
            lambda counted: (counted[0] + 1, step(counted[1])),
            (0, state),
        )
        return state
    for _ in range(most):
        flag = going(state)
        if waits(flag) and _truth(flag) is False:
            break
        state = step(state)
    return state


def largest(xp: Any, values: Array, number: int) -> tuple[Array, Array]:
    """The ``number`` largest of each row ``(..., V)``, the largest first, and their places; all where there are fewer.

    PyTorch finds them without sorting the others.
    """
    number = min(number, values.shape[-1])
    if hasattr(xp, "topk"):
        found = xp.topk(values, number) if number < values.shape[-1] else values.sort(dim=-1, descending=True)
        return found[0], found[1]
    order = xp.flip(xp.argsort(values, axis=-1), axis=-1)[..., :number]
    return xp.take_along_axis(values, order, axis=-1), order


def tallied(xp: Any, places: Array, values: Array, options: int) -> tuple[Array, Array]:
    """The sum and the largest of the values >= 0 that have a place, for each place of a row; 0 where none has it.

    Arguments:
        xp: NumPy or PyTorch.
        places: ``(B, L)``, integers from 0 to options - 1.
        values: ``(B, L)``.
        options: V.

    Returns:
        twice ``(B, V)``, in the type of the values.
    """
    if hasattr(xp, "scatter_reduce"):
        none = xp.zeros((places.shape[0], options), dtype=values.dtype, device=values.device)
        places = places.to(xp.int64)
        return none.scatter_add(-1, places, values), none.scatter_reduce(-1, places, values, "amax")
    rows = places.shape[0]
    flat = (places + options * np.arange(rows)[:, None]).ravel()
    most = np.zeros(rows * options, values.dtype)
    np.maximum.at(most, flat, values.ravel())
    added = np.bincount(flat, values.ravel(), minlength=rows * options)
    return added.reshape(rows, options), most.reshape(rows, options)


def first_bad(fine: Array, values: Array) -> tuple[str, float]:
    """Where the first entry is that is not fine ("row 3", "row (1, 2)", "" if there is one row only), and its value."""
    flags, numbers = np.asarray(fine.tolist()), np.asarray(values.tolist(), dtype=np.float64)
    index = tuple(int(i) for i in np.argwhere(~flags)[0])
    name = f"row {index[0] if len(index) == 1 else index}" if index else ""
    return name, float(numbers[index])
