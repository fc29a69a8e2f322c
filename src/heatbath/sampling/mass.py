"""What the steps that remove options share: probabilities of scores, and when one of them reaches a number.

**The rounding rule.** Whether a mass reaches p, or a probability a threshold, must not hang on the last bit of a sum
over a whole vocabulary: 0.5 + 0.25 has reached 0.75 also where the two were recovered from rounded logarithms. So a
number counts as reached from 1 - 1e-12 times its value on, which is far above the rounding of float64 and far below any
difference that matters.
"""

from typing import NamedTuple

import numpy as np

from heatbath.core import namespace
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
    with np.errstate(over="ignore"):  # a difference beyond the type is -inf, its limit
        exponents = scores - xp.max(scores, axis=-1, keepdims=True)
    weights = xp.exp(exponents)
    return Weighed(exponents, weights, xp.sum(weights, axis=-1, keepdims=True))


def keep(scores: Array, kept: Array) -> Array:
    """The scores with -inf where an option is not kept."""
    xp = namespace(scores)
    return xp.where(kept, scores, xp.full_like(scores, -xp.inf))


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


def rank(scores: Array) -> Array:
    """The scores of each row, the best first."""
    xp = namespace(scores)
    return xp.flip(xp.sort(scores, axis=-1), axis=-1)
