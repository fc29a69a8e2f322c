"""The way to the compiled kernel: which draws it serves, and how rows reach it.

It serves chains of steps that say what they are to it (:class:`heatbath.sampling.step.Op`), on NumPy arrays and PyTorch
tensors in the processor's memory, which it reads where they lie. Everything else, and every row that it hands back, is
drawn by the reference; both draw the same. Without Numba (``pip install heatbath[fast]``) the reference draws all.
"""

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.errors import InputError
from heatbath.sampling.step import Op, Step
from heatbath.types import Array, State

LEAST = 4096
"""Rows of fewer options are drawn by the reference: what the kernel saves on a thousand of them is less than loading it
takes."""

WORTH_A_THREAD = 2**19
"""So many scores at least per thread."""

log = logging.getLogger("heatbath")


class Rows(NamedTuple):
    """What the kernel is asked for."""

    scores: npt.NDArray[Any]
    """``(B, V)``, float32 or float64, each row in one piece."""
    ops: Sequence[Op]
    several: bool
    """Whether a parameter has one number per row."""


def may_serve(steps: Sequence[Step], logits: Any) -> bool:
    """Whether it is worth looking closer."""
    options = getattr(logits, "shape", ())[-1:]
    return bool(options and options[0] >= LEAST) and all(step.op for step in steps)


def rows(steps: Sequence[Step], states: Sequence[State], logits: Any, context: Mapping[str, Any]) -> Rows | None:
    """The request, or None where the reference has to serve."""
    scores = _in_memory(logits)
    if scores is None or len(states) != len(steps):
        return None
    ops, several, number = [], False, scores.shape[0]
    for step, state in zip(steps, states, strict=True):
        op = step.op(state, context) if step.op else None
        if op is None:
            return None
        shape = () if isinstance(op.number, float) else np.shape(op.number)
        if shape not in ((), (number,)):
            return None  # the reference says what is wrong
        several = several or shape != ()
        ops.append(op)
    return Rows(scores, ops, several) if _kernel() else None


def draw(asked: Rows, last: Sequence[Op], seeds: npt.NDArray[np.uint64], position: Any) -> npt.NDArray[np.int64] | None:
    """One choice per row after the steps and the last ones, or None where the reference has to serve."""
    kernel = _kernel()
    scores, ops = asked.scores, [*asked.ops, *last]
    number, options = scores.shape
    kind = scores.dtype.char
    codes = _codes(tuple([op.name for op in ops]))
    if asked.several:
        numbers = np.empty((number, len(ops)))
        for place, op in enumerate(ops):
            numbers[:, place] = op.number
    else:
        numbers = np.array([[float(op.number) for op in ops]])
    choices = np.empty(number, np.int64)
    positions = np.full(number, position, np.uint64)
    parts = max(1, min(threads(), number, number * options // WORTH_A_THREAD))
    bounds = [number * part // parts for part in range(parts + 1)]

    def run(part: int) -> None:
        work = _workspace(options, kind)
        kernel.draw_rows(scores, codes, numbers, seeds, positions, work, bounds[part], bounds[part + 1], choices)

    if kind not in _compiled:
        with _said():
            kernel.draw_rows(scores, codes, numbers, seeds, positions, _workspace(options, kind), 0, 0, choices)
        _compiled.add(kind)
    if parts == 1:
        run(0)
    else:
        list(_pool(threads()).map(run, range(parts)))
    return None if choices.min() < 0 else choices


def like(choices: npt.NDArray[np.int64], logits: Array) -> Array:
    """The choices as the reference gives them: of the library of the scores, and a single one for a single row."""
    given = choices if logits.ndim == 2 else choices[0]
    return given if isinstance(logits, np.ndarray) else namespace(logits).asarray(given)


def threads(number: int | None = None) -> int:
    """How many threads draw for large batches; with a number, set it.

    Arguments:
        number: at least 1. The processors that this process may use, where it was never set. What is drawn does not
            depend on it.

    Raises:
        InputError: the number is no whole number >= 1.

    >>> from heatbath.sampling import threads
    >>> threads(2)
    2
    """
    global _threads  # noqa: PLW0603  a setting of the process, as its processors are
    if number is not None:
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InputError(
                f"{number!r} is no whole number >= 1", doing="setting the number of threads", instead="write threads(2)"
            )
        _threads = number
    return _threads


_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_local = threading.local()
_compiled: set[str] = set()


def _in_memory(logits: Any) -> npt.NDArray[Any] | None:
    """The scores ``(B, V)`` as they lie in memory, float32 or float64; None for what is not there."""
    if isinstance(logits, np.ndarray):
        scores = logits
    elif array_api_compat.is_torch_array(logits) and logits.device.type == "cpu":
        scores = _from_torch(logits)
    else:
        return None
    if scores.ndim not in (1, 2) or not scores.size:
        return None
    if scores.dtype.char not in "fd":
        if scores.dtype.kind not in "fiu" and scores.dtype.name != "bfloat16":
            return None
        scores = scores.astype(np.float32 if scores.dtype.itemsize <= 2 else np.float64)
    scores = scores[None, :] if scores.ndim == 1 else scores
    return scores if scores.flags.c_contiguous else np.ascontiguousarray(scores)


def _from_torch(logits: Array) -> npt.NDArray[Any]:
    tensor = logits.detach()
    return (tensor.float() if tensor.dtype.itemsize <= 2 else tensor).numpy()  # type: ignore[no-any-return]


def _workspace(options: int, kind: str) -> tuple[npt.NDArray[Any], ...]:
    held = getattr(_local, "work", None)
    if held is None or held[0] != (options, kind):
        held = _local.work = ((options, kind), _kernel().workspace(options, kind))
    return held[1]  # type: ignore[no-any-return]


@cache
def _codes(names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    return np.array([_kernel().OPS[name] for name in names], np.int64)


@cache
def _pool(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix="heatbath-draw")


@cache
def _kernel() -> Any:
    """The kernel; None, with one line in the log, where Numba is not installed."""
    try:
        with _said():
            from heatbath.sampling.kernel import batch
    except ImportError:
        log.info("Numba is not installed: sampling takes the slower path; install heatbath[fast] for the compiled one")
        return None
    return batch


@contextmanager
def _said() -> Iterator[None]:
    """Say what is being done where it takes longer than a second."""
    timer = threading.Timer(1.0, log.warning, ["compiling the sampling kernel, which is done once and then kept"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
