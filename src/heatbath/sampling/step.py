"""The two things a chain is made of: steps, scores in and scores out, and one draw at the end."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, NamedTuple

import numpy as np

from heatbath.made import Made, travelling
from heatbath.sampling.random import Chance
from heatbath.thermostat import Rule, learn_nothing
from heatbath.types import NOTHING, Array, Glance, Outcome, State, Temperature

NO_TOKENS = np.empty(0, np.int64)

HEARD = ("choice", "surprisal", "surprisal_after")
"""The fields of an outcome that a sampler tells."""


class Moment(NamedTuple):
    """What a step is shown when it acts."""

    scores: Array
    """``(..., V)``"""
    history: Array = NO_TOKENS
    """The tokens so far, ``(..., L)``, the latest last; -1 where a stream is younger than that. Only for a step that
    says how far it looks back, and never shorter than that."""
    drawn: Array = 0
    """How many of those tokens, counted from the end, were drawn; the ones before are the prompt. ``(...)``."""
    chance: Chance | None = None
    """Random numbers for this step alone; None where the caller only looks at scores and gave no seed."""
    context: Mapping[str, Any] = NOTHING
    """What else the caller knows of this decision, as :class:`heatbath.Seen` has it."""
    most: float = inf
    """How many options earlier steps left at most, not counting those that tie with the last of them."""
    glance: Glance | None = None
    """The numbers of the rows as they reach a step that only glances at them, where it is asked for its :class:`Op`."""


class Applied(NamedTuple):
    """What a step gives back."""

    scores: Array
    state: State
    temperature: Temperature | None = None
    """The T by which the scores were divided, from a step that does so."""


class Op(NamedTuple):
    """What a step is to the compiled kernel at one decision."""

    name: str
    """As the kernel knows it."""
    number: Any
    """Its parameter, a NumPy number or one per row."""
    state: State = ()
    """The state after the decision."""
    more: tuple[Any, ...] = ()
    """Further parameters."""
    rule: Rule | None = None
    """How the kernel decides the parameter of each row, where none is given."""

    def __call__(self, state: State, moment: Moment) -> "Op":  # noqa: ARG002  the contract's signature
        """The same at every decision: what a step that never changes says."""
        return self._replace(state=state)


@travelling
class Step(NamedTuple):
    """One link of a chain: scores ``(..., V)`` in, scores of the same shape out; a removed option is -inf.

    A step keeps at least one option of every row, and never turns -inf into anything else.
    """

    apply: Callable[[State, Moment], Applied]
    init: Callable[[], State] = tuple
    learn: Callable[[State, Outcome], State] = learn_nothing
    """Called after every draw, with the choice and its surprisals, and whenever the caller tells more."""
    looks_back: float = 0
    """How many of the latest tokens it must be shown; inf: all of them."""
    random: bool = False
    """Whether it needs random numbers of its own."""
    most: float | None = None
    """How many options it leaves at most, not counting those that tie with the last of them; inf where that depends on
    the scores; None where it may also part options that tie, or put one above another that was better."""
    op: Op | Callable[[State, Moment], Op | None] | None = None
    """From the state and a moment without scores; None, or a function that gives None, where only the reference can
    apply it. An :class:`Op` itself where it is always the same."""
    glances: bool = False
    """Whether ``op`` wants the ``glance`` of the moment."""
    hears: tuple[str, ...] = HEARD
    """Which fields of an outcome ``learn`` reads; the others may be None."""
    made: Made | None = None

    def __repr__(self) -> str:
        return str(self.made) if self.made else "<step>"


def stateless(
    function: Callable[[Array], Array],
    name: str | None = None,
    number: Any = 0.0,
    *more: Any,
    most: float | None = None,
) -> Step:
    """The step that only maps scores to scores; name and numbers are those of its :class:`Op`."""
    apply = lambda state, moment: Applied(function(moment.scores), state)  # noqa: E731
    if name is None:
        return Step(apply, most=most)
    given, *others = (float(each) if np.ndim(each) == 0 else each for each in (number, *more))
    return Step(apply, op=Op(name, given, more=tuple(others)), most=most)


@travelling
class Draw(NamedTuple):
    """The end of a chain: scores ``(B, V)`` and random numbers in, one option per row out."""

    pick: Callable[[Array, Chance], Array]
    quick: tuple[Op, ...] | None = None
    """Steps after which the compiled kernel's draw, by inverting the distribution function, is this one; None where
    only the reference can draw so."""
    made: Made | None = None

    def __repr__(self) -> str:
        return str(self.made) if self.made else "<draw>"
