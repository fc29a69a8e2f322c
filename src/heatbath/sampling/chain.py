"""The sampler: a chain of steps that ends in a draw."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

from heatbath.core import namespace
from heatbath.core.arrays import overflowing
from heatbath.core.waiting import looks
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.sampling import asking, history
from heatbath.sampling.draw import categorical
from heatbath.sampling.left import chosen, drawable, moved
from heatbath.sampling.mask import allow
from heatbath.sampling.numbers import read_rows
from heatbath.sampling.parameters import beside
from heatbath.sampling.random import Chance, chance
from heatbath.sampling.reading import read, surprisal
from heatbath.sampling.state import Unpacked, packed, unpack
from heatbath.sampling.step import Applied, Draw, Moment, Step
from heatbath.thermostat import learn_nothing
from heatbath.types import NOTHING, Array, Outcome, Reading, State


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

    @property
    def looks_back(self) -> float:
        """How many of the latest tokens the steps look at; 0: none, inf: all."""
        return max([0, *(step.looks_back for step in self.steps)])

    def init(self, prompt: Sequence[int] | Sequence[Sequence[int]] = ()) -> State:
        """The state of a new stream: its position, the state of each step and, where a step looks back, the tokens.

        Arguments:
            prompt: the token ids that the scores follow, or one such sequence per row. Only steps that look back, such
                as penalties, use it.

        Raises:
            InputError: the prompt holds something else than token ids.
        """
        with while_doing("beginning a stream", self):
            states = tuple(step.init() for step in self.steps)
            return (0, states, history.begin(prompt, self.looks_back)) if self.looks_back else (0, states)

    def scores(
        self, state: State, logits: Array, *, seed: Any = None, mask: Any = None, context: Mapping[str, Any] = NOTHING
    ) -> Applied:
        """The scores that would be drawn from, the next state and the T used, without drawing.

        Everything is computed in float64 where the library and the device have it.

        Arguments:
            state: from :meth:`init` or an earlier call; ``()`` means a new stream.
            logits: ``(V,)`` or ``(B, V)``.
            seed: as in :meth:`step`; only a chain with a step that draws, such as :func:`heatbath.sampling.xtc`, needs
                one.
            mask: as in :meth:`step`.
            context: as in :meth:`step`.

        Returns:
            scores like ``logits`` (half precision comes back as float32) with removed options at -inf; the state, in
            which no token was added and nothing learned; T.
        """
        with while_doing("sampling", self):
            lucky = seed is not None or not any(step.random for step in self.steps)
            quick = lucky and looks(logits) and not getattr(logits, "requires_grad", False)
            if quick and mask is None and asking.worthwhile(logits) and self._compiled(logits):
                before = self._unpack(state)
                begun = _Passed(logits, before, before._replace(position=before.position + 1), 1.0, ())
                handed = self._handed(begun, 0, seed, context)
                if handed is not None:
                    return handed
            scores, came = read_rows(logits)
            shown = allow(scores, mask)
            before = self._unpack(state, shown)
            luck = None if seed is None else chance(seed, before.position, shown)
            head = self._head(shown) if quick else None
            xp = namespace(scores)
            with overflowing():  # what float32 cannot hold becomes -inf, its limit
                if head is not None and head < len(self.steps):
                    handed = self._handed(self._apply(before, shown, luck, context, head), head, seed, context)
                    if handed is not None:
                        return handed._replace(scores=xp.astype(handed.scores, came))
                applied = self._apply(before, shown, luck, context)
                return Applied(xp.astype(applied.scores, came), packed(applied.after), applied.temperature)

    def _compiled(self, logits: Array) -> bool:
        """Whether the compiled kernel may take the scores as they are."""
        return all(step.op for step in self.steps) and namespace(logits).isdtype(logits.dtype, "real floating")

    def _handed(self, passed: "_Passed", head: int, seed: Any, context: Mapping[str, Any]) -> Applied | None:
        """The rest of the steps by the compiled kernel, where it can, behind the first ones."""
        steps, before, logits = self.steps[head:], passed.before, passed.scores
        position = before.position if before.position.ndim else int(before.position)
        asked = asking.rows(steps, before.states[head:], logits, seed or 0, position, context, first=head + 1)
        handed = asked and asking.hand(asked, logits)
        if not asked or not handed:
            return None
        with overflowing():
            scores = asking.like(handed.scores.astype(asked.scores.dtype), logits)
        temperature, wide = passed.temperature, asking.like(handed.scores[:, :1], logits)
        for one in handed.temperatures:
            temperature = _product(temperature, beside(one, wide, "temperature"))
        after = passed.after._replace(states=(*passed.after.states[:head], *handed.states))
        return Applied(scores, packed(after), temperature)

    def _apply(
        self,
        before: Unpacked,
        scores: Array,
        luck: Chance | None,
        context: Mapping[str, Any],
        end: int | None = None,
    ) -> "_Passed":
        """The steps on scores that were read; the first ``end`` of them, where that is given."""
        temperature: Any = 1.0
        most = inf
        states = []
        through = [scores]
        for place, (step, state) in enumerate(zip(self.steps[:end], before.states[:end], strict=True), start=1):
            own = luck and luck._replace(part=place, like=scores) if step.random else None
            if step.random and own is None:
                raise InputError(
                    f"{step} draws random numbers of its own", instead="give a seed, such as seed=7", field="seed"
                )
            applied = step.apply(state, Moment(scores, before.history, before.position, own, context, most))
            most = inf if step.most is None else min(most, step.most)
            scores = applied.scores
            through.append(scores)
            states.append(applied.state)
            if applied.temperature is not None:
                temperature = _product(temperature, applied.temperature)
        after = before._replace(position=before.position + 1, states=states)
        return _Passed(scores, before, after, temperature, through)

    def learn(self, state: State, outcome: Outcome) -> State:
        """Tell every step what came of the decision, and get the next state; most steps learn nothing.

        What was chosen is told by :meth:`step` itself; this is for what is known later, such as a reward.
        """
        with while_doing("learning", self):
            before = self._unpack(state)
            after = tuple(step.learn(part, outcome) for step, part in zip(self.steps, before.states, strict=True))
            return packed(before._replace(states=after))

    def _unpack(self, state: State, scores: Array | None = None) -> Unpacked:
        if isinstance(state, list | tuple) and not state:
            state = self.init()
        return unpack(state, len(self.steps), self.looks_back, scores)

    def step(
        self,
        state: State,
        logits: Array,
        *,
        seed: Any,
        mask: Any = None,
        context: Mapping[str, Any] = NOTHING,
        reading: bool = False,
    ) -> Sampled:
        """Draw one option per row.

        Arguments:
            state: from :meth:`init` or an earlier call. A batch that was stepped together keeps one state.
            logits: scores of one row ``(V,)`` or of several ``(B, V)``.
            seed: an integer, or one per row. Row i of a batch uses ``seed + i`` where one number is given. What a row
                draws depends on its seed, its position in the stream and its scores, never on the rows beside it.
            mask: which options are allowed, such as those a grammar lets follow: booleans shaped like the logits (or
                one row for all), or packed bits, int32 ``(..., ceil(V / 32))``, lowest bit first. None: all.
            context: whatever else is known of this decision, for thermostats that look at it: ``{"text": ...}``, the
                text so far, for :func:`heatbath.control.by_text`. A value is one for all rows, or a list of one per
                row.
            reading: whether to make a :class:`heatbath.Reading` for people to look at.

        Returns:
            ``(choice, state, reading)``.

        Raises:
            InputError: scores that are NaN or +inf, a row with nothing to choose from, a seed that is no integer, a
                mask of another shape. From such a row of a tensor on a device the choice is -1 instead, which
                :func:`heatbath.sampling.check_drawn` finds.

        >>> import numpy as np, heatbath as hb
        >>> sampler = hb.chain(hb.temperature(0.7), hb.top_k(2))
        >>> state = sampler.init()
        >>> choice, state, reading = sampler.step(state, np.array([1.0, 2.0, 3.0]), seed=7, reading=True)
        >>> int(reading.kept), round(float(reading.entropy_after), 3)
        (2, 0.491)
        """
        with while_doing("sampling", self):
            alone = reading or mask is not None or not looks(logits)
            quick = None if alone else self._quick(state, logits, seed, context)
            if quick is not None:
                return quick
            given, _ = read_rows(logits)
            shown = allow(given, mask)
            before = self._unpack(state, shown)
            luck = chance(seed, before.position, shown)
            head = self._head(shown) if self.draw.quick is not None and looks(given) and not reading else None
            if head or (head == 0 and mask is not None):
                served = self._by_kernel_from(self._apply(before, shown, luck, context, head), head, seed, context)
                if served is not None:
                    return served
            drawn = self._apply(before, shown, luck, context)
            rows = drawn.scores if drawn.scores.ndim == 2 else drawn.scores[None, :]
            place = self.draw.pick(rows, luck._replace(like=rows))
            place = place if drawn.scores.ndim == 2 else place[0]
            choice, after = self._chosen(before, drawn, place)
            return Sampled(
                choice, packed(after), read(given, drawn.scores, place, drawn.temperature) if reading else None
            )

    def _quick(self, state: State, logits: Array, seed: Any, context: Mapping[str, Any]) -> Sampled | None:
        """The same by the compiled kernel, where it can."""
        plan = asking.plan(self.steps, self.draw.quick) if asking.worthwhile(logits) else None
        if plan is None:
            return None
        if type(state) is tuple and len(state) == 2 and type(state[0]) is int and 0 <= state[0] < 2**63:
            position, states = state  # of one stream: nothing to convert at every token
        else:
            position, states, _ = self._unpack(state)
        drawn = asking.draw(plan, states, logits, seed, position, context)
        if drawn is None:
            return None
        choice, states = drawn
        return Sampled(choice, (position + 1 if type(position) is int else (position + 1).tolist(), states), None)

    def _head(self, scores: Array) -> int | None:
        """How many steps the reference has to apply before the kernel can do the rest; None where it cannot."""
        if not (asking.worthwhile(scores) and asking.within_reach(scores)):
            return None
        return next((place for place in range(len(self.steps), 0, -1) if not self.steps[place - 1].op), 0)

    def _by_kernel_from(self, passed: "_Passed", head: int, seed: Any, context: Mapping[str, Any]) -> Sampled | None:
        """Go on with the kernel behind the first steps, which the reference has applied."""
        steps, before = self.steps[head:], passed.before
        asked = asking.rows(steps, before.states[head:], passed.scores, seed, before.position, context, first=head + 1)
        drawn = asking.draw_from(asked, self.draw.quick, steps) if asked and self.draw.quick is not None else None
        if asked is None or drawn is None:
            return None
        choice = asking.like(drawn.choices, passed.scores)
        first = self._told(passed, choice, choice, self.steps[:head])
        second = asking.learned(asked, steps, drawn, passed.scores)
        after = passed.after._replace(states=(*first, *second), history=self._longer(passed.after.history, choice))
        return Sampled(choice, packed(after), None)

    def _chosen(self, before: Unpacked, drawn: "_Passed", place: Array) -> tuple[Array, Unpacked]:
        """The choice, and the state after it: each step that learns is told of it, and the history grows."""
        fine = drawable(drawn.scores)
        choice = chosen(place, fine)
        states = moved(self._told(drawn, choice, place, self.steps), tuple(before.states), fine)
        return choice, drawn.after._replace(states=states, history=self._longer(drawn.after.history, choice))

    def _told(self, drawn: "_Passed", choice: Array, place: Array, steps: Sequence[Step]) -> tuple[State, ...]:
        """The states of the first steps after they were told of the choice, which the scores have at this place."""
        return tuple(
            state
            if step.learn is learn_nothing
            else step.learn(
                state,
                Outcome(
                    None,
                    choice,
                    surprisal(shown, place) if "surprisal" in step.hears else None,
                    surprisal(handed_on, place) if "surprisal_after" in step.hears else None,
                ),
            )
            for step, state, (shown, handed_on) in zip(steps, drawn.after.states, pairwise(drawn.through), strict=True)
        )

    def _longer(self, tokens: Array | None, choice: Array) -> Array | None:
        return None if tokens is None else history.extend(tokens, choice, self.looks_back)


class _Passed(NamedTuple):
    """Scores that went through the steps."""

    scores: Array
    before: Unpacked
    after: Unpacked
    temperature: Any
    through: Sequence[Array]
    """The scores as they reached each step, and as they left the last."""


def _product(first: Any, second: Array) -> Array:
    """The product of two temperatures; 0 and inf make 0: a choice that was made stays made."""
    xp = namespace(second)
    zero = (first == 0) | (second == 0)
    with overflowing():  # beyond the type it is inf, its limit
        return xp.where(zero, xp.zeros_like(second), first * xp.where(zero, xp.ones_like(second), second))


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
