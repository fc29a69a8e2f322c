"""What a chain asks of the compiled kernel, and what it makes of the answer.

The kernel serves chains of steps that say what they are to it (:class:`heatbath.sampling.step.Op`). Everything else,
and every row that it hands back, is drawn by the reference; both draw the same. How the rows reach the kernel is in
:mod:`heatbath.sampling.serving`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.sampling.random import Chance, as_seeds, one_word
from heatbath.sampling.serving import Asked, Rows, answers_for, in_memory, kernel, passed, serve
from heatbath.sampling.sight import NotSeenError, Sight, Sighted
from heatbath.sampling.step import NO_TOKENS, Moment, Op, Step
from heatbath.thermostat import Rule, learn_nothing
from heatbath.types import NOTHING, Array, Outcome, State

LEAST = 4096
"""Rows of fewer options are drawn by the reference: what the kernel saves on a thousand of them is less than loading it
takes."""

MOST_PLANS = 256


class Plan(NamedTuple):
    """What is known of a chain before any decision."""

    steps: tuple[Step, ...]
    last: tuple[Op, ...]
    """Steps that follow those of the chain, before the draw."""
    settled: Asked | None
    """Where every step is the same at every decision and for every row, and none wants to be told of the draw."""


class Drawn(NamedTuple):
    """What the kernel gave."""

    choices: npt.NDArray[np.int64]
    told: npt.NDArray[np.float64]
    """The surprisal of the choice at each place of the chain that was wanted, ``(B, steps + 1)``."""
    decided: npt.NDArray[np.float64] | None
    """The answers of the rules among the steps, where there are any."""


class Handed(NamedTuple):
    """What somebody else is to draw from."""

    scores: npt.NDArray[np.float64]
    """``(B, V)``"""
    states: tuple[State, ...]
    """Of the steps, after the decision."""
    temperatures: tuple[Any, ...]
    """T of each step that divides by one: a number, or one per row."""


def plan(steps: tuple[Step, ...], last: tuple[Op, ...] | None) -> Plan | None:
    """The plan of a chain, made once; None where a step is only for the reference, or there is no kernel."""
    known = _plans.get(id(steps))
    if known is not None and known.steps is steps and known.last is last:
        return known
    if last is None or not all(step.op for step in steps) or not kernel():
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
    return in_memory(logits) is not None and kernel() is not None


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
    scores = in_memory(logits)
    positions = _positions(position, logits)
    if scores is None or positions is None or len(states) != len(plan.steps):
        return None
    asked = Rows(scores, (), as_seeds(seed, len(scores)), positions, None)
    choices = serve("DRAW", asked, plan.settled, _NO_NUMBERS, _nothing(len(plan.settled.codes) + 1), _UNTOLD)
    return (like(choices, logits), tuple(states)) if passed(choices) else None


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
    scores, positions = in_memory(logits), _positions(position, logits)
    if scores is None or positions is None or len(states) != len(steps) or not kernel():
        return None
    ops: list[Op] = []
    number, shape, peaks = scores.shape[0], tuple(logits.shape[:-1]), None
    seeds = as_seeds(seed, number)
    moment = Moment(None, NO_TOKENS, position, None, context)
    for place, (step, state) in enumerate(zip(steps, states, strict=True), start=first):
        now = moment
        if step.random:
            now = now._replace(chance=Chance(seeds, np.broadcast_to(positions, seeds.shape), scores, place))
        if step.glances:
            peaks = peaks or kernel().peaks_for(scores.shape[1], scores.dtype, number)
            so_far = Rows(scores, tuple(ops), seeds, positions, peaks)
            sight = Sight(Sighted(partial(_measure, so_far), shape, _library(logits)))
            now = now._replace(glance=sight)
        try:
            op = step.op(state, now) if step.op else None
        except NotSeenError:
            return None
        if op is None or not all(_fits(one, shape) for one in (op.number, *op.more)):
            return None  # the reference says what is wrong
        ops.append(op)
    return Rows(scores, ops, seeds, positions, peaks)


def _fits(number: Any, rows: tuple[int, ...]) -> bool:
    return type(number) is float or np.shape(number) in ((), rows)


def _positions(position: Any, logits: Any) -> npt.NDArray[np.uint64] | None:
    """One for all or one per row; None where they are as many as neither: the reference says what is wrong."""
    if type(position) is int:
        return one_word(position)
    return position.astype(np.uint64).reshape(-1) if np.shape(position) in ((), logits.shape[:-1]) else None


def draw_from(asked: Rows, last: Sequence[Op], listeners: Sequence[Step] = ()) -> Drawn | None:
    """One choice per row after the steps and the last ones, or None where the reference has to serve.

    ``listeners`` are the steps, where some of them want to be told of the draw.
    """
    steps = _asked((*asked.ops, *last), len(asked.scores))
    if len(steps.codes) > kernel().MOST_STEPS:
        return None
    wanted, told = _nothing(len(steps.codes) + 1), _UNTOLD
    if any(step.learn is not learn_nothing for step in listeners):
        wanted, told, steps = wanted.copy(), np.zeros((len(asked.scores), len(wanted))), steps._replace(plain=False)
        for step, (begin, end) in zip(listeners, _places(asked.ops), strict=True):
            if step.learn is not learn_nothing:
                wanted[begin] |= "surprisal" in step.hears
                wanted[end] |= "surprisal_after" in step.hears
    decided = answers_for(len(asked.scores), len(steps.rules)) if len(steps.rules) else None
    choices = serve("DRAW", asked, steps, _NO_NUMBERS, wanted, told, decided)
    return Drawn(choices, told, decided) if passed(choices) else None


def hand(asked: Rows, logits: Array) -> Handed | None:
    """The scores behind the steps, or None where the reference has to serve; ``logits`` is as the caller gave it."""
    steps, number = _asked(asked.ops, len(asked.scores)), len(asked.scores)
    scores = np.empty(asked.scores.shape)
    decided = answers_for(number, len(steps.rules))
    if not passed(serve("SCORES", asked, steps, _NO_NUMBERS, _nothing(len(steps.codes) + 1), scores, decided)):
        return None
    answers = iter(decided[:, :, 0].T if logits.ndim == 2 else decided[0, :, 0])
    temperatures = [next(answers) if op.rule else op.number for op in asked.ops if op.name == "temperature"]
    return Handed(scores, tuple(_after(asked.ops, decided, logits)), tuple(temperatures))


def learned(asked: Rows, steps: Sequence[Step], drawn: Drawn, logits: Array) -> tuple[State, ...]:
    """The states of the steps after the draw; those that learn are told of it as the reference would tell them."""
    states = _after(asked.ops, drawn.decided, logits)
    if drawn.told is _UNTOLD:
        return tuple(states)
    choice, native = like(drawn.choices, logits), _library(logits)
    told = drawn.told.T if logits.ndim == 2 else drawn.told[0]
    return tuple(
        state
        if step.learn is learn_nothing
        else step.learn(
            state,
            Outcome(
                None,
                choice,
                native(told[begin]) if "surprisal" in step.hears else None,
                native(told[end]) if "surprisal_after" in step.hears else None,
            ),
        )
        for step, state, (begin, end) in zip(steps, states, _places(asked.ops), strict=True)
    )


def _after(ops: Sequence[Op], decided: Any, logits: Array) -> list[State]:
    """The states of the steps after the decision: a rule that remembers has answered with its own."""
    states = [op.state for op in ops]
    for answer, (place, op) in enumerate([each for each in enumerate(ops) if each[1].rule]):
        if op.rule and op.rule.remembers:
            kept = decided[:, answer, 1 : 1 + op.rule.remembers]
            states[place] = tuple(kept.T.tolist() if logits.ndim == 2 else kept[0].tolist())
    return states


def _measure(asked: Rows, what: str, given: npt.NDArray[np.float64], out: Any = None) -> npt.NDArray[np.float64]:
    """The numbers of the rows behind the steps, three of each."""
    out = np.empty((len(asked.scores), 3)) if out is None else out
    steps = _asked(asked.ops, len(asked.scores))
    if not passed(serve(what, asked, steps, given, _nothing(len(steps.codes) + 1), out)):
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
    ruled = [(place, op.rule) for op, (place, _) in zip(ops, _places(ops), strict=True) if op.rule]
    return Asked(*_codes(tuple(names)), numbers, _rules(*ruled) if ruled else _NO_RULES)


@cache
def _codes(names: tuple[str, ...]) -> tuple[npt.NDArray[np.int64], bool]:
    """The steps by number, and whether all are plain."""
    from heatbath.sampling.kernel.ops import OPS, PLAIN

    codes = [OPS[name] for name in names]
    return np.array(codes, np.int64), set(codes) <= set(PLAIN)


@cache
def _rules(*ruled: tuple[int, Rule]) -> npt.NDArray[np.float64]:
    """Each with its place, its code, and its numbers."""
    from heatbath.sampling.kernel.listening import MOST_NUMBERS, RULES

    rules = np.zeros((len(ruled), 2 + MOST_NUMBERS))
    for row, (place, rule) in zip(rules, ruled, strict=True):
        row[: 2 + len(rule.numbers)] = place, RULES[rule.name], *rule.numbers
    return rules


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
_NO_RULES = np.zeros((0, 2))
_NO_NUMBERS = np.zeros(1)


def like(choices: npt.NDArray[Any], logits: Array) -> Array:
    """What was made of each row as the reference gives it: of the library of the scores, one thing for a single row."""
    given = choices if logits.ndim == 2 else choices[0]
    return given if isinstance(logits, np.ndarray) else namespace(logits).asarray(given)


def _library(logits: Array) -> Callable[[Any], Array]:
    """What makes arrays of the scores' library of NumPy's."""
    return _as_it_is if isinstance(logits, np.ndarray) else namespace(logits).asarray


def _as_it_is(numbers: Any) -> Array:
    return numbers


_plans: dict[int, Plan] = {}
"""By the identity of the steps, which a plan holds."""
