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
from heatbath.sampling.random import as_seeds
from heatbath.sampling.step import Op, Step
from heatbath.types import Array, State

LEAST = 4096
"""Rows of fewer options are drawn by the reference: what the kernel saves on a thousand of them is less than loading it
takes."""

WORTH_A_THREAD = 2**19
"""So many scores at least per thread."""

PORTION = 2**18
"""So many scores at most are taken by a thread at a time."""

MOST_PLANS = 256

log = logging.getLogger("heatbath")


class Asked(NamedTuple):
    """The steps of one decision, as the kernel reads them."""

    codes: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]
    """One row for all, or one per row."""


class Plan(NamedTuple):
    """What is known of a chain before any decision."""

    steps: tuple[Step, ...]
    last: tuple[Op, ...]
    """Steps that follow those of the chain, before the draw."""
    settled: Asked | None
    """Where every step is the same at every decision and for every row."""


def plan(steps: tuple[Step, ...], last: tuple[Op, ...] | None) -> Plan | None:
    """The plan of a chain, made once; None where it is one for the reference."""
    known = _plans.get(id(steps))
    if known is not None and known.steps is steps and known.last is last:
        return known
    if last is None or not all(step.op for step in steps) or not _kernel():
        return None
    ops = [step.op for step in steps]
    constant = all(isinstance(op, Op) and isinstance(op.number, float) for op in ops)
    settled = _asked([*ops, *last], 1) if constant else None  # type: ignore[list-item]
    if len(_plans) >= MOST_PLANS:
        _plans.clear()
    made = _plans[id(steps)] = Plan(steps, last, settled)
    return made


def worthwhile(logits: Any) -> bool:
    """Whether the rows are long enough."""
    options = getattr(logits, "shape", ())[-1:]
    return bool(options and options[0] >= LEAST)


def draw(
    plan: Plan, states: Sequence[State], logits: Any, seed: Any, position: Any, context: Mapping[str, Any]
) -> tuple[Array, tuple[State, ...]] | None:
    """One choice per row and the states of the steps after it, or None where the reference has to serve."""
    scores = _in_memory(logits)
    if scores is None or len(states) != len(plan.steps):
        return None
    number = len(scores)
    asked, after = plan.settled, tuple(states)
    if asked is None:
        ops = [step.op(state, context) for step, state in zip(plan.steps, states, strict=True) if step.op]
        answers = [op for op in ops if op is not None]
        asked = _asked([*answers, *plan.last], number) if len(answers) == len(ops) else None
        if asked is None:
            return None
        after = tuple([op.state for op in answers])
    if type(position) is int:
        positions = np.array([position], np.uint64)
    elif position.ndim == 0 or len(position) == number:
        positions = position.astype(np.uint64).reshape(-1)
    else:
        return None  # the reference says what is wrong
    choices = np.empty(number, np.int64)
    if _draw_all(scores, asked, as_seeds(seed, number), positions, choices) < 0:
        return None
    given = choices if logits.ndim == 2 else choices[0]
    return given if type(logits) is np.ndarray else namespace(logits).asarray(given), after


def _draw_all(
    scores: npt.NDArray[Any], asked: Asked, seeds: npt.NDArray[np.uint64], positions: npt.NDArray[np.uint64],
    choices: npt.NDArray[np.int64],
) -> int:  # fmt: skip
    """Draw by as many threads as are worth waking; what is negative of the choices, or 0."""
    kernel = _kernel()
    number, options = scores.shape
    kind = scores.dtype.char

    def run(first: int, end: int) -> int:
        work = _workspace(options, kind)
        return int(kernel.draw_rows(scores, *asked, seeds, positions, work, first, end, choices))

    if kind not in _compiled:
        with _said():
            run(0, 0)
        _compiled.add(kind)
    helpers = min(threads(), number, number * options // WORTH_A_THREAD) - 1
    if helpers <= 0:
        return run(0, number)
    size = max(1, min(PORTION // options, number // (helpers + 1)))
    starts = iter(range(0, number, size))  # whoever is free takes the next rows: one thread may be late

    def take() -> int:
        return min((run(start, min(start + size, number)) for start in starts), default=0)

    helping = [_pool(helpers).submit(take) for _ in range(helpers)]
    least = take()
    return min([least, *(helper.result() for helper in helping if not helper.cancel())])  # who has not begun need not


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
_plans: dict[int, Plan] = {}
"""By the identity of the steps, which a plan holds."""


def _asked(ops: Sequence[Op], rows: int) -> Asked | None:
    """None where a parameter has neither one number nor one per row: the reference says what is wrong."""
    shapes = {() if type(op.number) is float else np.shape(op.number) for op in ops}
    if not shapes <= {(), (rows,)}:
        return None
    numbers = np.empty((rows if shapes - {()} else 1, len(ops)))
    for place, op in enumerate(ops):
        numbers[:, place] = op.number
    return Asked(_codes(tuple([op.name for op in ops])), numbers)


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
