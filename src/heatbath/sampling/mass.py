"""What the steps that remove options share: probabilities of scores, and when one of them reaches a number.

**The rounding rule.** Whether a mass reaches p, or a probability a threshold, must not hang on the last bit of a sum
over a whole vocabulary: 0.5 + 0.25 has reached 0.75 also where the two were recovered from rounded logarithms. So a
number counts as reached from 1 - 1e-12 times its value on, which is far above the rounding of float64 and far below any
difference that matters.
"""

from collections.abc import Callable
from math import inf
from typing import NamedTuple

import array_api_compat

from heatbath.core import namespace
from heatbath.core.arrays import known, largest, overflowing
from heatbath.core.waiting import looks
from heatbath.types import Array

REACHED = 1 - 1e-12
SLACK = 1e-12
"""The same for differences of logarithms."""


def reaches(value: Array, wanted: Array) -> Array:
    """Whether numbers >= 0 are at least what is wanted, by the rounding rule."""
    return value >= wanted * REACHED


class Weighed(NamedTuple):
    """Scores as weights: ``p = weights / total``."""

    exponents: Array
    """``score - max score``, ``(..., V)``; -inf where an option is forbidden."""
    weights: Array
    """Their exponentials: 1 for the best, 0 for what is forbidden."""
    total: Array
    """``(..., 1)``"""

    def surprisals(self) -> Array:
        """``-ln p``, inf where an option is forbidden."""
        return namespace(self.total).log(self.total) - self.exponents


def weigh(scores: Array) -> Weighed:
    """The weights of scores ``(..., V)``."""
    xp = namespace(scores)
    with overflowing():  # a difference beyond the type is -inf, its limit
        exponents = scores - xp.max(scores, axis=-1, keepdims=True)
    weights = xp.exp(exponents)
    return Weighed(exponents, weights, xp.sum(weights, axis=-1, keepdims=True))


def keep(scores: Array, kept: Array) -> Array:
    """The scores with -inf where an option is not kept."""
    xp = namespace(scores)
    return xp.where(kept, scores, -xp.inf)


def keep_likely(scores: Array, exponents: Array, floor: Array) -> Array:
    """Keep the options whose exponents reach the floor ``(..., 1)``, by the rounding rule; the best one always."""
    return keep(scores, (exponents >= floor - SLACK) | (exponents == 0))


def keep_best(scores: Array, ranked: Array, stays: Array) -> Array:
    """Keep what is at least the smallest of the ``ranked`` scores that stay: all of those, and what ties with them.

    Arguments:
        scores: ``(..., V)``.
        ranked: the same, the best first.
        stays: which of them stay; at least the first.
    """
    xp = namespace(scores)
    worst = xp.min(xp.where(stays, ranked, xp.full_like(ranked, xp.inf)), axis=-1, keepdims=True)
    return keep(scores, scores >= worst)


HEAD = 1024
"""So many of the best options are ranked in PyTorch before all are: they hold the mass of most rows, and finding them
takes a twentieth of sorting a vocabulary."""


def boundary(
    keys: Array, weights: Array, share: Array, most: float = inf, again: Callable[[Array], Array] | None = None
) -> Array:
    """The key at which the options of the largest keys reach a share of all weight together, ``(..., 1)``.

    Arguments:
        keys: ``(..., V)``; -inf has no weight.
        weights: the same, each >= 0.
        share: of the whole, ``()`` or ``(..., 1)``.
        most: of how many largest keys it is known that what is behind them has the last one's key or no weight.
        again: the weights from ranked keys, where these tell them; else they are fetched from their places, which takes
            longer.
    """
    xp, options = namespace(keys), keys.shape[-1]
    wanted = share * xp.sum(weights, axis=-1, keepdims=True)
    for number in _heads(keys, most):
        if again is None:
            best, places = largest(xp, keys, number)
            mass = xp.cumulative_sum(xp.take_along_axis(weights, places, axis=-1), axis=-1)
        else:
            best = largest(xp, keys, number)[0] if hasattr(xp, "topk") else rank(keys)[..., :number]
            mass = xp.cumulative_sum(again(best), axis=-1)
        if number >= options or number >= most or known(xp.all(reaches(mass[..., -1:], wanted))):
            break
    last = xp.arange(best.shape[-1], device=getattr(keys, "device", None)) == best.shape[-1] - 1
    place = xp.argmax(xp.astype(reaches(mass, wanted) | last, xp.int8), axis=-1, keepdims=True)
    return xp.take_along_axis(best, place, axis=-1)


def _heads(keys: Array, most: float) -> tuple[int, ...]:
    """How many keys to rank, one attempt after the other; a single one where nobody looks whether it was enough."""
    options = keys.shape[-1]
    if most < options:
        return (int(most),)
    several = options > HEAD and array_api_compat.is_torch_array(keys) and looks(keys)
    return (HEAD, options) if several else (options,)


def rank(scores: Array) -> Array:
    """The scores of each row, the best first."""
    xp = namespace(scores)
    return xp.flip(xp.sort(scores, axis=-1), axis=-1)
