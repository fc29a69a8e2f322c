"""The few numbers by which the rules of this room see a row of scores, computed in this one place.

A rule that looks at a row through a glance alone can be served by whatever has these numbers, such as one pass of a
compiled kernel over the row: :func:`look` takes what it is shown.
"""

import math
from functools import cached_property
from typing import Any

from heatbath.control.seeing import see
from heatbath.core import temperature_for
from heatbath.core.arrays import constant
from heatbath.core.measures import bath_capacity, bath_entropy
from heatbath.core.scores import Rows
from heatbath.core.tempered import Tempered, temper
from heatbath.types import Array, Seen, Temperature


def look(seen: Seen) -> Any:
    """The :class:`heatbath.types.Glance` that is shown, or one at the scores.

    Raises:
        InputError: there is neither.
    """
    return Glance(see(seen)) if seen.glance is None else seen.glance


class Glance:
    """What softmax(scores / T) looks like: one number per row, ``(...)``, computed when it is first asked for.

    In the library of the scores, with its gradients: float64 for scores of 64 bits, else float32.

    Arguments:
        rows: scores that were read.
        temperature: T, one number or one per row; 1, the distribution that the scores have by themselves, where not
            given.

    >>> import numpy as np
    >>> from heatbath.control import Glance
    >>> from heatbath.core.scores import read
    >>> glance = Glance(read(np.log([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05]])))
    >>> glance.top_probability, glance.margin.round(2), glance.entropy.round(2)
    (array([0.5, 0.9]), array([0.2 , 0.85]), array([1.03, 0.39]))
    """

    def __init__(self, rows: Rows, temperature: Temperature = 1.0) -> None:
        self._rows = rows
        self._temperature = temperature

    @property
    def like(self) -> Array:
        """The scores."""
        return self._rows.scores

    def at(self, temperature: Temperature) -> "Glance":
        """The same rows at another temperature, one number or one per row."""
        return Glance(self._rows, temperature)

    def temperature_for(self, *, entropy: Array) -> Array:
        """The T with this entropy, whatever the temperature of the glance; see :func:`heatbath.temperature_for`."""
        return temperature_for(self._rows.scores, entropy=entropy)

    def constant(self) -> "Glance":
        """The same without gradients."""
        rows = self._rows._replace(scores=constant(self._rows.scores), top=constant(self._rows.top))
        return Glance(rows, self._temperature)

    @cached_property
    def _bath(self) -> Tempered:
        return temper(self._rows, self._temperature)

    @cached_property
    def log_sum(self) -> Array:
        """``ln sum_i exp((z_i - max z) / T)``, in nats: the surprise that the best option would be, ``-ln p_1``."""
        return self._rows.measure(self._bath.log_sum())

    @cached_property
    def entropy(self) -> Array:
        """``-sum_i p_i ln p_i``, in nats."""
        return self._rows.measure(bath_entropy(self._bath))

    @cached_property
    def heat_capacity(self) -> Array:
        """``dH / d ln T = Var_p(z) / T^2``, in nats."""
        return self._rows.measure(bath_capacity(self._bath))

    @cached_property
    def top_probability(self) -> Array:
        """p_1, the largest probability."""
        return self._rows.measure(1.0 / self._rows.sum(self._bath.weights))

    @cached_property
    def margin(self) -> Array:
        """``p_1 - p_2``, the two largest probabilities: 0 where the best two tie, 1 where one option is left."""
        xp, weights = self._rows.xp, self._bath.weights
        best = xp.argmax(weights, axis=-1, keepdims=True)
        options = xp.arange(weights.shape[-1], dtype=best.dtype, device=getattr(weights, "device", None))
        second = xp.max(xp.where(options == best, 0.0, weights), axis=-1, keepdims=True)
        return self._rows.measure((1.0 - second) / self._rows.sum(weights))

    @cached_property
    def options(self) -> Array:
        """How many options are not forbidden."""
        xp = self._rows.xp
        return xp.sum(xp.astype(self._rows.scores > -math.inf, xp.int32), axis=-1)

    @property
    def relative_entropy(self) -> Array:
        """``H / ln n``, the share of the largest entropy that n options can have; 0 where one option is left."""
        return self.entropy / self.largest_entropy

    @property
    def largest_entropy(self) -> Array:
        """``ln n`` of n options, in nats; 1 where one option is left, so that it can be divided by."""
        xp = self._rows.xp
        most = xp.log(xp.astype(self.options, self.entropy.dtype))
        return xp.where(most > 0, most, 1.0)
