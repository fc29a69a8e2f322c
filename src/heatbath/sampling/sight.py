"""Rows as the compiled kernel measures them, for thermostats that only glance: see :class:`heatbath.types.Glance`."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from heatbath.types import Array, Temperature

Numbers = npt.NDArray[np.float64]


class NotSeenError(Exception):
    """The kernel could not measure a row; the reference has to."""


class Sighted(NamedTuple):
    """The rows of a request behind some of its steps."""

    measure: Callable[..., Numbers]
    """What is asked for, and a number for each row, to three numbers of each row, ``(B, 3)``; the T with an entropy is
    also given the counts."""
    shape: tuple[int, ...]
    """``(B,)``, or ``()`` for a single row without an axis."""
    native: Callable[[Any], Array]
    """What makes arrays of the caller's library of NumPy's."""


class Sight:
    """The numbers of rows at a temperature, measured when they are first asked for.

    Arguments:
        rows: which rows.
        temperature: one number, or one per row.
        first: a glance at the same rows, which counts for all of them.
    """

    def __init__(self, rows: Sighted, temperature: Temperature = 1.0, first: Self | None = None) -> None:
        self._rows = rows
        self._temperature = self._flat(temperature)
        self._first = first

    @property
    def like(self) -> Array:
        """Any numbers."""
        return self._rows.native(np.empty((*self._rows.shape, 1)))

    def at(self, temperature: Temperature) -> Self:
        """The same rows at another temperature."""
        return type(self)(self._rows, temperature, self._first or self)

    def temperature_for(self, *, entropy: Any) -> Any:
        """The T with this entropy; 0 or inf where it is out of reach, 1 where every T has the same effect."""
        counts = self._counts
        return self._shaped(self._rows.measure("WARMTH", self._flat(entropy), counts.copy())[:, 0])

    def constant(self) -> Self:
        """The same: there are no gradients."""
        return self

    @cached_property
    def _counts(self) -> Numbers:
        """How many options tie for the best, how many there are, and how far below the best the second is."""
        return self._first._counts if self._first else self._rows.measure("COUNTS", self._temperature)

    @cached_property
    def _seen(self) -> Numbers:
        """``ln sum exp(e / T)``, the mean of ``e / T`` and its variance; at both ends as well."""
        t = self._temperature
        if len(t) == 1 and t[0] in (0.0, np.inf):
            return np.array([[np.log(self._counts[0, 0 if t[0] == 0 else 1]), 0.0, 0.0]])
        if len(t) == 1 or (t.min() > 0 and t.max() < np.inf):
            return self._rows.measure("LOOK", t)
        cold, hot = t == 0, t == np.inf
        ends = cold | hot
        seen = np.zeros((len(t), 3)) if ends.all() else self._rows.measure("LOOK", np.where(ends, 1.0, t))
        seen[ends] = 0.0
        seen[ends, 0] = np.log(np.where(cold, self._counts[:, 0], self._counts[:, 1])[ends])
        return seen

    @cached_property
    def log_sum(self) -> Any:
        """``-ln p_1``."""
        return self._shaped(self._seen[:, 0])

    @cached_property
    def entropy(self) -> Any:
        """``-sum_i p_i ln p_i``, in nats."""
        return self._shaped(self._seen[:, 0] - self._seen[:, 1])

    @cached_property
    def heat_capacity(self) -> Any:
        """``dH / d ln T``, in nats."""
        return self._shaped(self._seen[:, 2])

    @property
    def top_probability(self) -> Any:
        """p_1."""
        return self._shaped(np.exp(-self._seen[:, 0]))

    @property
    def margin(self) -> Any:
        """``p_1 - p_2``."""
        gap, t = self._counts[:, 2], self._temperature
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = np.where(gap > 0, np.where(gap == np.inf, np.inf, gap / t), 0.0)
        return self._shaped(-np.expm1(-lost) * np.exp(-self._seen[:, 0]))

    @property
    def options(self) -> Any:
        """How many are not forbidden."""
        return self._shaped(self._counts[:, 1].astype(np.int32))

    @property
    def relative_entropy(self) -> Any:
        """``H / ln n``."""
        return self.entropy / self.largest_entropy

    @property
    def largest_entropy(self) -> Any:
        """``ln n`` of n options; 1 where one is left."""
        most = np.log(self._counts[:, 1])
        return self._shaped(np.where(most > 0, most, 1.0))

    def _flat(self, given: Any) -> Numbers:
        """One number for each row, ``(B,)``."""
        numbers = np.empty(self._rows.shape)
        try:
            numbers[...] = given
        except RuntimeError:  # a tensor that wants a gradient
            raise NotSeenError from None
        return numbers.reshape(-1)

    def _shaped(self, numbers: npt.NDArray[Any]) -> Any:
        return self._rows.native(numbers.reshape(self._rows.shape)[()])
