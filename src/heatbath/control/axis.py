"""The axis of temperature: a range, the cells that T is drawn from, and smooth curves over it.

A curve is the natural cubic spline through its values at a few equally spaced *knots*: linear in those values, so that
all that a linear model can do, it can do.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CELLS = 64
"""Cells of a continuous axis: T is drawn from one of them, uniformly within it."""


class _Axis(NamedTuple):
    low: float
    high: float
    knots: int
    steps: int | None = None
    """Only this many equally spaced temperatures, the ends included; None is every T of the range."""


class Axis(_Axis):
    """From ``low`` to ``high``; curves have ``knots`` values."""

    @cached_property
    def temperatures(self) -> Floats:
        """The middle of each cell, or each T that may be played."""
        if self.steps is not None:
            return np.linspace(self.low, self.high, self.steps).astype(np.float64)
        return np.asarray(self.low + (np.arange(CELLS) + 0.5) * self.width, dtype=np.float64)

    @cached_property
    def width(self) -> float:
        """Of a cell."""
        return (self.high - self.low) / CELLS

    @cached_property
    def basis(self) -> Floats:
        """Values at the knots -> values at :attr:`temperatures`, ``(cells, knots)``."""
        return self.at(self.temperatures)

    @cached_property
    def bends(self) -> Floats:
        """Values at the knots -> second derivatives there: 0 at the ends, and in between the spline's equations,
        ``b[i-1] + 4 b[i] + b[i+1] = 6 (v[i-1] - 2 v[i] + v[i+1])`` with knots one apart.
        """
        inner = self.knots - 2
        left = 4 * np.eye(inner) + np.eye(inner, k=1) + np.eye(inner, k=-1)
        right = np.eye(inner, self.knots) - 2 * np.eye(inner, self.knots, k=1) + np.eye(inner, self.knots, k=2)
        return np.vstack([np.zeros(self.knots), np.linalg.solve(left, 6 * right), np.zeros(self.knots)])

    def at(self, temperature: Any) -> Floats:
        """The row of the basis of each T, ``(..., knots)``."""
        place = (np.asarray(temperature, np.float64) - self.low) / (self.high - self.low) * (self.knots - 1)
        knot = np.clip(np.floor(place), 0, self.knots - 2).astype(np.intp)
        right = (place - knot)[..., None]
        left = 1 - right
        one = np.eye(self.knots)
        straight = left * one[knot] + right * one[knot + 1]
        return straight + ((left**3 - left) * self.bends[knot] + (right**3 - right) * self.bends[knot + 1]) / 6

    def cell(self, temperature: Any) -> npt.NDArray[np.intp]:
        """The number of the cell of each T; where only steps are played, of the nearest."""
        share = (np.asarray(temperature, np.float64) - self.low) / (self.high - self.low)
        if self.steps is not None:
            return np.rint(share * (self.steps - 1)).astype(np.intp)
        return np.minimum(np.floor(share * CELLS), CELLS - 1).astype(np.intp)
