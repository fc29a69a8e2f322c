"""How rows reach the compiled kernel: loading it, the memory that it reads, the room that it works in, threads.

It reads NumPy arrays and PyTorch tensors in the processor's memory where they lie. Without Numba
(``pip install heatbath[fast]``) there is no kernel.
"""

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.sampling.step import Op
from heatbath.types import Array

WORTH_A_THREAD = 2**19
"""So many scores at least per thread."""

log = logging.getLogger("heatbath")


class Asked(NamedTuple):
    """The steps of one decision, as the kernel reads them."""

    codes: npt.NDArray[np.int64]
    plain: bool
    """Whether what is compiled for the commonest steps alone serves them, and none wants to be told of the draw."""
    numbers: npt.NDArray[np.float64]
    """One row for all, or one per row."""
    rules: npt.NDArray[np.float64]
    """Which of the numbers the kernel decides for each row, and how: the place, the rule and its numbers."""


class Rows(NamedTuple):
    """The rows of one decision."""

    scores: npt.NDArray[Any]
    """``(B, V)``, float32 or float64, each row in one piece."""
    ops: Sequence[Op]
    """What the steps are to the kernel; none where a plan says it."""
    seeds: npt.NDArray[np.uint64]
    positions: npt.NDArray[np.uint64]
    """One for all, or one per row."""
    peaks: Any
    """Where the kernel keeps the largest scores, for the next time that it is asked; None where it is asked once."""


def serve(
    what: str, asked: Rows, steps: Asked, given: Any, wanted: Any, told: Any, decided: Any = None
) -> npt.NDArray[np.int64]:
    """Let the kernel pass over all rows, by as many threads as are worth waking; a choice or a code for each.

    ``decided``, where it is given, gets the answers of each row and rule, see :func:`answers_for`.
    """
    scores, _, seeds, positions, peaks = asked
    number, options = scores.shape
    kind, ruled, choices = scores.dtype.char, len(steps.rules), np.empty(number, np.int64)
    part, task = _part(what, steps.plain, ruled > 0, kind)
    before = task, scores, steps.codes, steps.numbers, seeds, positions, given, wanted
    behind: tuple[Any, ...] = np.zeros(1, np.int64), choices, told  # first, whose turn it is: no thread waits for one
    if ruled:
        behind = *behind, steps.rules, answers_for(number, ruled) if decided is None else decided
    if _threads == 1 or number * options < 2 * WORTH_A_THREAD:
        _pass(part, before, peaks, behind)
        return choices
    helpers = min(_threads, number, number * options // WORTH_A_THREAD) - 1
    helping = [_pool(helpers).submit(_pass, part, before, peaks, behind) for _ in range(helpers)]
    _pass(part, before, peaks, behind)
    for helper in helping:
        if not helper.cancel():  # who has not begun need not
            helper.result()
    return choices


def _pass(part: Any, before: tuple[Any, ...], peaks: Any, behind: tuple[Any, ...]) -> None:
    """Rows, one after the other, by this thread."""
    scores = before[1]
    options, kind = scores.shape[1], scores.dtype.char
    held = getattr(_local, "room", None)
    if held is None or held[0] != options or held[1] != kind:
        compiled = kernel()
        held = _local.room = options, kind, compiled.room_for(options, kind), compiled.peaks_for(options, kind)
    if len(behind) > 3:  # rules, for which each thread has numbers of its own
        behind = *behind, np.empty((1, len(before[2]))), np.zeros(len(before[7]), np.bool_)
    part(*before, *(peaks or held[3]), *held[2], *behind)


def answers_for(rows: int, rules: int) -> npt.NDArray[np.float64]:
    """Where the kernel puts the answers of each row and rule: T, and what is remembered. NaN where there was none."""
    return np.full((rows, rules, 3), np.nan)


def passed(choices: npt.NDArray[np.int64]) -> bool:
    """Whether every row was served."""
    return bool(choices[0] >= 0 if len(choices) == 1 else choices.min() >= 0)


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


def in_memory(logits: Any) -> npt.NDArray[Any] | None:
    """The scores ``(B, V)`` as they lie in memory, float32 or float64; None for what is not there."""
    if type(logits) is np.ndarray:
        scores = logits
    elif isinstance(logits, np.ndarray):
        if isinstance(logits, np.ma.MaskedArray):
            return None  # the reference says what is wrong
        scores = logits
    elif array_api_compat.is_torch_array(logits) and logits.device.type == "cpu":
        if logits.is_sparse or logits.is_sparse_csr or logits.dtype.itemsize < 2:
            return None  # the reference says what is wrong, if anything is
        scores = _from_torch(logits)
    else:
        return None
    if scores.ndim not in (1, 2) or not scores.size:
        return None
    kind = scores.dtype
    if kind.char not in "fd" or not kind.isnative:
        if kind.kind not in "fiu" and kind.name != "bfloat16":
            return None
        scores = scores.astype(np.float32 if kind.itemsize <= 2 or kind.char == "f" else np.float64)
    scores = scores[None, :] if scores.ndim == 1 else scores
    return scores if scores.flags.c_contiguous else np.ascontiguousarray(scores)


def _from_torch(logits: Array) -> npt.NDArray[Any]:
    tensor = logits.detach().resolve_neg()
    return (tensor.float() if tensor.dtype.itemsize <= 2 else tensor).numpy()  # type: ignore[no-any-return]


@cache
def _part(what: str, plain: bool, ruled: bool, kind: str) -> Any:
    """The part of the kernel that serves this, compiled for such scores, and the number by which it knows it."""
    compiled = kernel()
    task = getattr(compiled, what)
    part = _deciding().decide_rows if ruled else compiled.part(task, plain)
    none, nothing, words = np.empty((1, 0)), np.empty(0, np.bool_), np.empty(0, np.uint64)
    before = task, np.empty((0, 1), kind), np.empty(0, np.int64), none, words, words, none[0], nothing
    behind = np.zeros(1, np.int64), np.empty(0, np.int64), none, *((none, np.empty((0, 0, 3))) if ruled else ())
    with _said():
        _pass(part, before, None, behind)
    return part, task


@cache
def _pool(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix="heatbath-draw")


@cache
def kernel() -> Any:
    """The kernel; None, with one line in the log, where Numba is not installed."""
    try:
        with _said():
            from heatbath.sampling.kernel import batch
    except ImportError:
        log.info("Numba is not installed: sampling takes the slower path; install heatbath[fast] for the compiled one")
        return None
    return batch


@cache
def _deciding() -> Any:
    from heatbath.sampling.kernel import listening

    return listening


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
