"""The sampler: a chain of steps that ends in a draw."""

from typing import Any, NamedTuple

import numpy as np

from heatbath.core import namespace
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.sampling.draw import categorical
from heatbath.sampling.numbers import read_rows, widened
from heatbath.sampling.parameters import beside
from heatbath.sampling.random import as_seeds, uniforms
from heatbath.sampling.reading import read
from heatbath.sampling.step import Applied, Draw, Step
from heatbath.sampling.streams import row_of
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

        Arguments:
            state: from :meth:`init` or an earlier call; ``()`` means a new stream.
            logits: ``(V,)`` or ``(B, V)``.

        Returns:
            scores like ``logits`` (half precision comes back as float32) with removed options at -inf; the state; T.
        """
        with while_doing("sampling", str(self)):
            rows, single = _as_rows(read_rows(logits))
            applied = self._apply(state, rows)
            if not single:
                return applied
            t: Any = applied.temperature
            t = t[0] if getattr(t, "ndim", 0) else t
            return Applied(applied.scores[0], row_of(self.init(), applied.state, 0), t)

    def _apply(self, state: State, rows: Array) -> Applied:
        """The steps on rows ``(B, V)``. One row alone is a batch of one: the same arithmetic, to the last bit."""
        position, states = self._unpack(state)
        scores, temperature = rows, 1.0
        after = []
        for step, step_state in zip(self.steps, states, strict=True):
            applied = step.apply(step_state, scores)
            scores = applied.scores
            after.append(applied.state)
            if applied.temperature is not None:
                temperature = temperature * applied.temperature
        return Applied(scores, (np.add(position, 1).tolist(), tuple(after)), temperature)

    def learn(self, state: State, outcome: Outcome) -> State:
        """Tell every step what came of the decision, and get the next state; most steps learn nothing."""
        position, states = self._unpack(state)
        return position, tuple(step.learn(part, outcome) for step, part in zip(self.steps, states, strict=True))

    def _unpack(self, state: State) -> tuple[Any, tuple[State, ...]]:
        position, states = state or self.init()
        if len(states) != len(self.steps):
            raise InputError(
                f"the state belongs to a chain of {len(states)} steps, and this one has {len(self.steps)}",
                instead="begin each stream with state = sampler.init() and hand on what sampler.step gave back",
                field="state",
            )
        return position, tuple(states)

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
        with while_doing("sampling", str(self)):
            before, single = _as_rows(read_rows(logits))
            position, _ = self._unpack(state)
            after, state, temperature = self._apply(state, before)
            seeds = as_seeds(seed, after.shape[0])
            positions = np.broadcast_to(np.asarray(position, dtype=np.uint64), seeds.shape)
            kind = widened(after).dtype
            uniform = _for_precision(uniforms(seeds, positions), kind == namespace(after).float32)
            choice = self.draw.pick(after, beside(uniform, after, kind))
            made = read(before, after, choice, temperature) if reading else None
            if single:
                made = made and Reading(*(column[0] for column in made))
                return Sampled(choice[0], row_of(self.init(), state, 0), made)
            return Sampled(choice, state, made)


def _as_rows(scores: Array) -> tuple[Array, bool]:
    """The scores as ``(B, V)``, and whether they were one row."""
    if scores.ndim > 2:
        raise InputError(
            f"the scores have shape {tuple(scores.shape)}",
            instead="give one row, shape (V,), or several, shape (B, V)",
            field="logits",
        )
    return (scores[None, :], True) if scores.ndim == 1 else (scores, False)


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
