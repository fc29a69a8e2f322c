"""The two things a chain is made of: steps, scores in and scores out, and one draw at the end."""

from collections.abc import Callable
from typing import NamedTuple

from heatbath.made import Made, travelling
from heatbath.thermostat import learn_nothing
from heatbath.types import Array, Outcome, State, Temperature


class Applied(NamedTuple):
    """What a step gives back."""

    scores: Array
    state: State
    temperature: Temperature | None = None
    """The T by which the scores were divided, from a step that does so."""


@travelling
class Step(NamedTuple):
    """One link of a chain: scores ``(..., V)`` in, scores of the same shape out; a removed option is -inf.

    A step keeps at least one option of every row, and never turns -inf into anything else.
    """

    apply: Callable[[State, Array], Applied]
    init: Callable[[], State] = tuple
    learn: Callable[[State, Outcome], State] = learn_nothing
    made: Made | None = None

    def __repr__(self) -> str:
        return str(self.made) if self.made else "<step>"


def stateless(function: Callable[[Array], Array]) -> Step:
    """The step that only maps scores to scores."""
    return Step(apply=lambda state, scores: Applied(function(scores), state))


@travelling
class Draw(NamedTuple):
    """The end of a chain: scores ``(B, V)`` and one uniform number per row in, one option per row out."""

    pick: Callable[[Array, Array], Array]
    made: Made | None = None

    def __repr__(self) -> str:
        return str(self.made) if self.made else "<draw>"
