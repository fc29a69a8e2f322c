"""Looking over a sampler's shoulder: what the page shows of a draw beside the token."""

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.sampling import Sampler, Step
from heatbath.sampling.random import Chance
from heatbath.sampling.step import Applied, Draw, Moment
from heatbath.types import Array, State

Row = npt.NDArray[np.float64]


class Option(NamedTuple):
    """A token that could be drawn, under the model alone (T = 1) and under the chain."""

    token: int
    rank: int
    """1 for the best; options that tie share the better rank."""
    before: float
    """Probability under the model alone."""
    after: float
    """Probability in the draw; 0 when it was cut."""


class Watched(NamedTuple):
    """One draw: the token, and the best options beside it."""

    drawn: Option
    others: tuple[Option, ...]
    surprisal: float
    """-ln p under the model alone, in nats; finite even where ``drawn.before`` is 0 in double precision."""
    surprisal_after: float
    """-ln p in the draw, in nats."""


def watched(sampler: Sampler, others: int = 8) -> tuple[Sampler, deque[Watched]]:
    """The same sampler, and a queue in which it leaves what there was to see at each draw.

    A step in front notes the scores as the model gave them, and the draw notes them as the chain left them. Neither
    changes a number, so the draws are the same. It watches one text: each text needs a watched sampler of its own.

    Arguments:
        sampler: any chain.
        others: how many of the best options to note.
    """
    seen: deque[Watched] = deque()
    raw: deque[Array] = deque(maxlen=1)

    def note(state: State, moment: Moment) -> Applied:
        raw.append(moment.scores)
        return Applied(moment.scores, state)

    def pick(scores: Array, chance: Chance) -> Array:
        choice = sampler.draw.pick(scores, chance)
        seen.append(_look(np.asarray(raw.pop()).reshape(-1), np.asarray(scores).reshape(-1), int(choice[0]), others))
        return choice

    return Sampler((Step(apply=note), *sampler.steps), Draw(pick=pick, made=sampler.draw.made)), seen


def _look(before: npt.NDArray[np.floating], after: npt.NDArray[np.floating], token: int, others: int) -> Watched:
    model, chain = _log_probabilities(before), _log_probabilities(after)
    count = min(others, int(np.isfinite(model).sum()))
    best = np.argpartition(-model, count - 1)[:count]
    ranked = best[np.argsort(-model[best], kind="stable")]

    def option(index: int) -> Option:
        rank = 1 + int((model > model[index]).sum())
        return Option(index, rank, float(np.exp(model[index])), float(np.exp(chain[index])))

    return Watched(
        option(token), tuple(option(int(index)) for index in ranked), -float(model[token]), -float(chain[token])
    )


def _log_probabilities(scores: npt.NDArray[np.floating]) -> Row:
    gaps = scores.astype(np.float64) - scores.max()
    result: Row = gaps - np.log(np.exp(gaps).sum())
    return result
