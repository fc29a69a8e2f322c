"""The sampler: a chain of steps that ends in a draw."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.sampling.draw import categorical
from heatbath.sampling.numbers import read_rows
from heatbath.sampling.parameters import beside
from heatbath.sampling.random import as_seeds, uniforms
from heatbath.sampling.reading import read
from heatbath.sampling.step import Applied, Draw, Step
from heatbath.types import Array, Outcome, Reading, State


class Sampled(NamedTuple):
    """What :meth:`Sampler.step` gives back."""

    choice: Array
    """The option drawn: an integer without axes for one row, ``(B,)`` for a batch."""
    state: State
    reading: Reading | None


class Sampler(NamedTuple):
    """A chain of steps and the draw that ends it; made by :func:`chain`.

    The order of the steps is data: it is shown by ``repr``, and :func:`heatbath.parse` reads it back.

    >>> import heatbath as hb
    >>> hb.chain(hb.temperature(0.7), hb.top_k(40), hb.top_p(0.95))
    temperature(0.7) -> top_k(40) -> top_p(0.95) -> categorical()
    """

    steps: tuple[Step, ...]
    draw: Draw

    def __repr__(self) -> str:
        return " -> ".join(map(repr, (*self.steps, self.draw)))

    def init(self) -> State:
        """The state of a new stream: its position, and the state of each step."""
        return 0, tuple(step.init() for step in self.steps)

    def scores(self, state: State, logits: Array) -> Applied:
        """The scores that would be drawn from, the next state and the T used, without drawing.

        Everything is computed in float64 where the library and the device have it.

        Arguments:
            state: from :meth:`init` or an earlier call; ``()`` means a new stream.
            logits: ``(V,)`` or ``(B, V)``.

        Returns:
            scores like ``logits`` (half precision comes back as float32) with removed options at -inf; the state; T.
        """
        with while_doing("sampling", self):
            scores, came = _read(logits)
            applied = self._apply(state, scores)
            with np.errstate(over="ignore"):  # what float32 cannot hold becomes -inf, its limit
                return applied._replace(scores=namespace(scores).astype(applied.scores, came))

    def _apply(self, state: State, scores: Array) -> Applied:
        """The steps on scores that were read."""
        position, states = self._unpack(state, scores)
        temperature: Any = 1.0
        after = []
        for step, step_state in zip(self.steps, states, strict=True):
            applied = step.apply(step_state, scores)
            scores = applied.scores
            after.append(applied.state)
            if applied.temperature is not None:
                temperature = _product(temperature, applied.temperature)
        return Applied(scores, ((position + 1).tolist(), tuple(after)), temperature)

    def learn(self, state: State, outcome: Outcome) -> State:
        """Tell every step what came of the decision, and get the next state; most steps learn nothing."""
        with while_doing("learning", self):
            position, states = self._unpack(state)
            after = tuple(step.learn(part, outcome) for step, part in zip(self.steps, states, strict=True))
            return position.tolist(), after

    def _unpack(self, state: State, scores: Array | None = None) -> tuple[npt.NDArray[Any], Sequence[State]]:
        """The position and the state of each step, checked."""
        begin = "begin each stream with state = sampler.init() and carry what sampler.step gave back"
        if isinstance(state, list | tuple) and not state:
            state = self.init()
        if not (isinstance(state, list | tuple) and len(state) == 2 and isinstance(state[1], list | tuple)):
            raise InputError(f"{show(state):.60} is no state of a sampler", instead=begin, field="state")
        if len(state[1]) != len(self.steps):
            why = f"the state belongs to a chain of {len(state[1])} steps, and this one has {len(self.steps)}"
            raise InputError(why, instead=begin, field="state")
        try:
            position = np.asarray(state[0])
        except (TypeError, ValueError):  # also what JAX says of a value that is being traced
            position = np.asarray("unknown")
        if position.dtype.kind not in "iu" or position.ndim > 1 or np.any(position < 0):
            why = f"the position {show(state[0]):.60} is no whole number >= 0, nor one per row"
            raise InputError(why, instead=f"{begin}; draw outside of jax.jit", field="state")
        if scores is not None and position.ndim and position.shape != scores.shape[:-1]:
            why = f"the state is that of {len(position)} rows, and the scores have shape {tuple(scores.shape)}"
            raise InputError(why, instead="carry one state per batch of the same rows", field="state")
        return position, state[1]

    def step(self, state: State, logits: Array, *, seed: Any, reading: bool = False) -> Sampled:
        """Draw one option per row.

        Arguments:
            state: from :meth:`init` or an earlier call. A batch that was stepped together keeps one state.
            logits: scores of one row ``(V,)`` or of several ``(B, V)``.
            seed: an integer, or one per row. Row i of a batch uses ``seed + i`` where one number is given. What a row
                draws depends on its seed, its position in the stream and its scores, never on the rows beside it.
            reading: whether to make a :class:`heatbath.Reading` for people to look at.

        Returns:
            ``(choice, state, reading)``.

        Raises:
            InputError: scores that are NaN or +inf, a row with nothing to choose from, a seed that is no integer.

        >>> import numpy as np, heatbath as hb
        >>> sampler = hb.chain(hb.temperature(0.7), hb.top_k(2))
        >>> state = sampler.init()
        >>> choice, state, reading = sampler.step(state, np.array([1.0, 2.0, 3.0]), seed=7, reading=True)
        >>> int(reading.kept), round(float(reading.entropy_after), 3)
        (2, 0.491)
        """
        with while_doing("sampling", self):
            before, _ = _read(logits)
            after, then, temperature = self._apply(state, before)
            rows = after if after.ndim == 2 else after[None, :]
            seeds = as_seeds(seed, rows.shape[0])
            positions = np.broadcast_to(self._unpack(state)[0], seeds.shape).astype(np.uint64)
            uniform = _for_precision(uniforms(seeds, positions), rows.dtype == namespace(rows).float32)
            choice = self.draw.pick(rows, beside(uniform, rows, "uniform"))
            choice = choice if after.ndim == 2 else choice[0]
            return Sampled(choice, then, read(before, after, choice, temperature) if reading else None)


def _read(logits: Any) -> tuple[Array, Any]:
    scores, came = read_rows(logits)
    if scores.ndim > 2:
        raise InputError(
            f"the scores have shape {tuple(scores.shape)}",
            instead="give one row, shape (V,), or several, shape (B, V)",
            field="logits",
        )
    return scores, came


def _product(first: Any, second: Array) -> Array:
    """The product of two temperatures; 0 and inf make 0: a choice that was made stays made."""
    xp = namespace(second)
    zero = (first == 0) | (second == 0)
    return xp.where(zero, xp.zeros_like(second), first * xp.where(zero, xp.ones_like(second), second))


def _for_precision(uniform: Any, single: bool) -> Any:
    """Cut to 24 bits where arithmetic is float32, so that no number rounds up to 1."""
    return np.floor(uniform * 2.0**24) * 2.0**-24 if single else uniform


def chain(*steps: Step | Draw) -> Sampler:
    """Join steps into a sampler, in the order in which they act.

    Arguments:
        steps: any number of steps, then at most one draw; without one, :func:`categorical`.

    Raises:
        InputError: something that is neither, or a draw that is not last; the message says at which position.

    >>> import heatbath as hb
    >>> hb.chain(hb.min_p(0.05), hb.temperature(1.5))
    min_p(0.05) -> temperature(1.5) -> categorical()

    How to choose an order: two orders are two samplers. Truncating first and heating last
    (``min_p(0.05) -> temperature(1.5)``) varies the wording among options the model itself finds plausible; heating
    first lets unlikely options in before they are cut.
    """
    draw = steps[-1] if steps and isinstance(steps[-1], Draw) else categorical()
    links = [link for link in steps if isinstance(link, Step)]
    for position, link in enumerate(steps, start=1):
        if isinstance(link, Step) or (isinstance(link, Draw) and position == len(steps)):
            continue
        drawn = isinstance(link, Draw)
        raise InputError(
            f"at position {position}, {show(link)} "
            + ("draws, and nothing can follow a draw" if drawn else "is neither a step nor a draw"),
            doing="making a chain",
            on=" -> ".join(map(show, steps)),
            instead="write steps such as temperature(0.7), top_k(40), and one draw at most, as the last",
        )
    return Sampler(tuple(links), draw)
