"""The way to the compiled kernel: which draws it serves, and how rows reach it.

It serves chains of steps that say what they are to it (:class:`heatbath.sampling.step.Op`), on NumPy arrays and PyTorch
tensors in the processor's memory, which it reads where they lie. Everything else, and every row that it hands back, is
drawn by the reference; both draw the same. Without Numba (``pip install heatbath[fast]``) the reference draws all.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.errors import InputError
from heatbath.sampling.random import Chance, as_seeds
from heatbath.sampling.sight import NotSeenError, Sight, Sighted
from heatbath.sampling.step import NO_TOKENS, Moment, Op, Step
from heatbath.thermostat import learn_nothing
from heatbath.types import NOTHING, Array, Outcome, State

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
    """Where every step is the same at every decision and for every row, and none wants to be told of the draw."""


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


class Drawn(NamedTuple):
    """What the kernel gave."""

    choices: npt.NDArray[np.int64]
    told: npt.NDArray[np.float64]
    """The surprisal of the choice at each place of the chain that was wanted, ``(B, steps + 1)``."""


def plan(steps: tuple[Step, ...], last: tuple[Op, ...] | None) -> Plan | None:
    """The plan of a chain, made once; None where a step is only for the reference, or there is no kernel."""
    known = _plans.get(id(steps))
    if known is not None and known.steps is steps and known.last is last:
        return known
    if last is None or not all(step.op for step in steps) or not _kernel():
        return None
    ops = [step.op for step in steps if isinstance(step.op, Op) and step.learn is learn_nothing]
    plain = len(ops) == len(steps) and all(type(number) is float for op in ops for number in (op.number, *op.more))
    if len(_plans) >= MOST_PLANS:
        _plans.clear()
    made = _plans[id(steps)] = Plan(steps, last, _asked((*ops, *last), 1) if plain else None)
    return made


def worthwhile(logits: Any) -> bool:
    """Whether the rows are long enough."""
    options = getattr(logits, "shape", ())[-1:]
    return bool(options and options[0] >= LEAST)


def within_reach(logits: Any) -> bool:
    """Whether there is a kernel, and the scores lie where it can read them."""
    return _in_memory(logits) is not None and _kernel() is not None


def draw(
    plan: Plan, states: Sequence[State], logits: Any, seed: Any, position: Any, context: Mapping[str, Any]
) -> tuple[Array, tuple[State, ...]] | None:
    """One choice per row and the states of the steps after it, or None where the reference has to serve."""
    if plan.settled is None:
        asked = rows(plan.steps, states, logits, seed, position, context)
        drawn = draw_from(asked, plan.last, plan.steps) if asked else None
        if asked is None or drawn is None:
            return None
        return like(drawn.choices, logits), learned(asked, plan.steps, drawn, logits)
    scores = _in_memory(logits)
    positions = _positions(position, logits)
    if scores is None or positions is None or len(states) != len(plan.steps):
        return None
    asked = Rows(scores, (), as_seeds(seed, len(scores)), positions, None)
    choices = _serve("DRAW", asked, plan.settled, _NO_NUMBERS, _nothing(len(plan.settled.codes) + 1), _UNTOLD)
    return (like(choices, logits), tuple(states)) if _served(choices) else None


def rows(
    steps: Sequence[Step], states: Sequence[State], logits: Any, seed: Any, position: Any,
    context: Mapping[str, Any] = NOTHING, first: int = 1,
) -> Rows | None:  # fmt: skip
    """The request, or None where the reference has to serve.

    Arguments:
        steps: of the chain, from the place ``first`` on; counting begins at 1.
        states: of those steps.
        logits: the scores as they reach the first of the steps.
        seed: as the caller gave it.
        position: of the streams, one number or one per row.
        context: as the caller gave it.
        first: see ``steps``.
    """
    scores, positions = _in_memory(logits), _positions(position, logits)
    if scores is None or positions is None or len(states) != len(steps) or not _kernel():
        return None
    ops: list[Op] = []
    number, peaks = scores.shape[0], None
    seeds = as_seeds(seed, number)
    moment = Moment(None, NO_TOKENS, position, None, context)
    for place, (step, state) in enumerate(zip(steps, states, strict=True), start=first):
        now = moment
        if step.random:
            now = now._replace(chance=Chance(seeds, np.broadcast_to(positions, seeds.shape), scores, place))
        if step.glances:
            peaks = peaks or _kernel().peaks_for(scores.shape[1], scores.dtype, number)
            so_far = Rows(scores, tuple(ops), seeds, positions, peaks)
            sight = Sight(Sighted(partial(_measure, so_far), tuple(logits.shape[:-1]), _library(logits)))
            now = now._replace(glance=sight)
        try:
            op = step.op(state, now) if step.op else None
        except NotSeenError:
            return None
        if op is None or not (_fits(op.number, number) and all(_fits(one, number) for one in op.more)):
            return None  # the reference says what is wrong
        ops.append(op)
    return Rows(scores, ops, seeds, positions, peaks)


def _fits(number: Any, rows: int) -> bool:
    return type(number) is float or np.shape(number) in ((), (rows,))


def _positions(position: Any, logits: Any) -> npt.NDArray[np.uint64] | None:
    """One for all or one per row; None where they are as many as neither: the reference says what is wrong."""
    if type(position) is int:
        return np.array([position], np.uint64)
    return position.astype(np.uint64).reshape(-1) if np.shape(position) in ((), logits.shape[:-1]) else None


def draw_from(asked: Rows, last: Sequence[Op], listeners: Sequence[Step] = ()) -> Drawn | None:
    """One choice per row after the steps and the last ones, or None where the reference has to serve.

    ``listeners`` are the steps, where some of them want to be told of the draw.
    """
    steps = _asked((*asked.ops, *last), len(asked.scores))
    if len(steps.codes) > _kernel().MOST_STEPS:
        return None
    wanted, told = _nothing(len(steps.codes) + 1), _UNTOLD
    if any(step.learn is not learn_nothing for step in listeners):
        wanted, told = wanted.copy(), np.zeros((len(asked.scores), len(wanted)))
        for step, (begin, end) in zip(listeners, _places(asked.ops), strict=True):
            if step.learn is not learn_nothing:
                wanted[begin] |= "surprisal" in step.hears
                wanted[end] |= "surprisal_after" in step.hears
    choices = _serve("DRAW", asked, steps, _NO_NUMBERS, wanted, told)
    return Drawn(choices, told) if _served(choices) else None


def _served(choices: npt.NDArray[np.int64]) -> bool:
    return bool(choices[0] >= 0 if len(choices) == 1 else choices.min() >= 0)


def learned(asked: Rows, steps: Sequence[Step], drawn: Drawn, logits: Array) -> tuple[State, ...]:
    """The states of the steps after the draw; those that learn are told of it as the reference would tell them."""
    if drawn.told is _UNTOLD:
        return tuple([op.state for op in asked.ops])
    choice, native = like(drawn.choices, logits), _library(logits)
    told = drawn.told.T if logits.ndim == 2 else drawn.told[0]
    return tuple(
        op.state
        if step.learn is learn_nothing
        else step.learn(
            op.state,
            Outcome(
                None,
                choice,
                native(told[begin]) if "surprisal" in step.hears else None,
                native(told[end]) if "surprisal_after" in step.hears else None,
            ),
        )
        for step, op, (begin, end) in zip(steps, asked.ops, _places(asked.ops), strict=True)
    )


def _serve(what: str, asked: Rows, steps: Asked, given: Any, wanted: Any, told: Any) -> npt.NDArray[np.int64]:
    """Let the kernel pass over all rows, by as many threads as are worth waking; a choice or a code for each."""
    kernel, scores = _kernel(), asked.scores
    number, options = scores.shape
    kind, task = scores.dtype.char, getattr(kernel, what)
    choices = np.empty(number, np.int64)

    def run(first: int, end: int) -> None:
        work, peaks = _workspace(options, kind)
        kernel.serve_rows(
            task, scores, steps.codes, steps.numbers, asked.seeds, asked.positions, given, wanted,
            *(asked.peaks or peaks), work, first, end, choices, told,
        )  # fmt: skip

    part = kind, kernel.part(task, steps.codes, wanted)
    if part not in _compiled:
        with _said():
            run(0, 0)
        _compiled.add(part)
    helpers = min(threads(), number, number * options // WORTH_A_THREAD) - 1
    if helpers <= 0:
        run(0, number)
        return choices
    size = max(1, min(PORTION // options, number // (helpers + 1)))
    starts = iter(range(0, number, size))  # whoever is free takes the next rows: one thread may be late

    def take() -> None:
        for start in starts:
            run(start, min(start + size, number))

    helping = [_pool(helpers).submit(take) for _ in range(helpers)]
    take()
    for helper in helping:
        if not helper.cancel():  # who has not begun need not
            helper.result()
    return choices


def _measure(asked: Rows, what: str, given: npt.NDArray[np.float64], out: Any = None) -> npt.NDArray[np.float64]:
    """The numbers of the rows behind the steps, three of each."""
    out = np.empty((len(asked.scores), 3)) if out is None else out
    steps = _asked(asked.ops, len(asked.scores))
    if not _served(_serve(what, asked, steps, given, _nothing(len(steps.codes) + 1), out)):
        raise NotSeenError
    return out  # type: ignore[no-any-return]


def _asked(ops: Sequence[Op], rows: int) -> Asked:
    """Steps as the kernel reads them, each with its further numbers behind it."""
    names, given = [], []
    for op in ops:
        names.append(op.name)
        given.append(op.number)
        for one in op.more:
            names.append("more")
            given.append(one)
    plain = True
    for one in given:
        plain = plain and (type(one) is float or np.ndim(one) == 0)
    numbers = np.empty((1 if plain else rows, len(given)))
    for place, one in enumerate(given):
        numbers[:, place] = one
    return Asked(_codes(tuple(names)), numbers)


@cache
def _nothing(number: int) -> npt.NDArray[np.bool_]:
    """That nothing is wanted."""
    return np.zeros(number, np.bool_)


def _places(ops: Sequence[Op]) -> Iterator[tuple[int, int]]:
    """Where each step begins and ends among the kernel's."""
    end = 0
    for op in ops:
        begin, end = end, end + 1 + len(op.more)
        yield begin, end


_UNTOLD = np.zeros((1, 3))
_NO_NUMBERS = np.zeros(1)


def like(choices: npt.NDArray[np.int64], logits: Array) -> Array:
    """The choices as the reference gives them: of the library of the scores, and a single one for a single row."""
    given = choices if logits.ndim == 2 else choices[0]
    return _library(logits)(given)


def _library(logits: Array) -> Callable[[Any], Array]:
    """What makes arrays of the scores' library of NumPy's."""
    return _as_it_is if isinstance(logits, np.ndarray) else namespace(logits).asarray


def _as_it_is(numbers: Any) -> Array:
    return numbers


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
_compiled: set[tuple[str, Any]] = set()
"""Kinds of scores, and parts of the kernel that are compiled for them."""
_plans: dict[int, Plan] = {}
"""By the identity of the steps, which a plan holds."""


def _in_memory(logits: Any) -> npt.NDArray[Any] | None:
    """The scores ``(B, V)`` as they lie in memory, float32 or float64; None for what is not there."""
    if isinstance(logits, np.ma.MaskedArray):
        return None  # the reference says what is wrong
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


def _workspace(options: int, kind: str) -> Any:
    held = getattr(_local, "work", None)
    if held is None or held[0] != (options, kind):
        kernel = _kernel()
        held = _local.work = ((options, kind), (kernel.workspace(options, kind), kernel.peaks_for(options, kind)))
    return held[1]


@cache
def _codes(names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    from heatbath.sampling.kernel.ops import OPS

    return np.array([OPS[name] for name in names], np.int64)


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
