"""What each temperature does on average over the decisions, and which temperature does what is wanted."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.core import check_temperature, entropy, heat_capacity, temperature_for, top_probability
from heatbath.core.numbers import check_number
from heatbath.errors import InputError, TargetError
from heatbath.sampling.diagnosis.search import crossing
from heatbath.types import Array

ROWS, SCORES = 64, 2**19
"""The effects are those of so many decisions, or of so many scores where that is more; evenly spread over the texts."""

BLOCK = 16
"""Decisions of one text that are counted as one observation where there are few texts, because neighbours resemble
each other."""
FEW_TEXTS = 8

WANTED: Mapping[str, Sequence[float]] = {
    "entropy": (0.5, 1.0, 2.0),
    "top_probability": (0.9, 0.7, 0.5),
    "relative_entropy": (0.1, 0.2),
}
"""The effects that are looked up when none is asked for."""


class Effects(NamedTuple):
    """What a temperature does, on average over the decisions."""

    temperature: float
    entropy: float
    """Mean entropy, in nats."""
    perplexity: float
    """``exp(entropy)``."""
    top_probability: float
    """Mean probability of the best option."""
    relative_entropy: float
    """Mean share of the largest possible entropy."""


class Wanted(NamedTuple):
    """An effect that is wanted, and the temperature that has it on average."""

    measure: str
    value: float
    effects: Effects
    rows: tuple[float, float] | None
    """Between which temperatures the middle half of the decisions would have it, each by itself; None where one of them
    cannot."""


class Sensitivity(NamedTuple):
    """How the mean entropy answers to the temperature."""

    temperature: float
    entropy: float
    entropy_error: float
    heat_capacity: float
    """``dH / d ln T``: nats for a T that is e times as high, so that 10 % more T is a tenth of it."""
    heat_capacity_error: float
    """Both standard errors are over texts, or over blocks of 16 decisions where there are fewer than 8 texts."""


class Response:
    """The mean effects of any temperature on the decisions of some texts; ``at(T)`` computes each once.

    At most 64 decisions are looked at, or as many as have 2**19 scores where that is more, evenly spread.
    """

    def __init__(self, texts: Sequence[Sequence[Array]]) -> None:
        self.rows = _thinned([piece for text in texts for piece in text])
        self._most = _each(entropy, self.rows, math.inf)
        self._known = cache(self._effects)

    def __repr__(self) -> str:
        return f"<response of {len(self._most)} decisions>"

    def at(self, temperature: float) -> Effects:
        """What this temperature does, on average.

        Raises:
            InputError: it is no temperature.
        """
        check_temperature(temperature)
        return self._known(float(temperature))

    def _effects(self, temperature: float) -> Effects:
        nats = _each(entropy, self.rows, temperature)
        share = np.where(self._most > 0, nats / np.where(self._most > 0, self._most, 1.0), 0.0)
        top = _each(top_probability, self.rows, temperature)
        mean = float(nats.mean())
        return Effects(temperature, mean, math.exp(mean), float(top.mean()), float(share.mean()))

    def temperature_for(self, measure: str, value: float) -> float | None:
        """The T whose mean effect this is; None where no T has it."""
        sign = -1 if measure == "top_probability" else 1

        def above(t: float) -> float:
            return sign * (float(getattr(self.at(t), measure)) - value)

        cold, hot = above(0.0), above(math.inf)
        if cold > 0 or hot < 0:
            return None
        if cold == 0 or hot == 0:
            return 0.0 if cold == 0 else math.inf
        return crossing(above, 0.0, 1.0, 2.0 if above(1.0) <= 0 else 0.5, precise=1e-3)

    def wanted(self, effects: Mapping[str, Sequence[float]] | None) -> list[Wanted]:
        """The temperatures of these effects, the coldest first; of those of :data:`WANTED` that are in reach for None.

        Raises:
            TargetError: no T has one of them.
        """
        found = []
        for measure, values in (WANTED if effects is None else effects).items():
            for value in values:
                t = self.temperature_for(measure, value)
                if t is not None:
                    found.append(Wanted(measure, value, self.at(t), self._spread(measure, value)))
                elif effects is not None:
                    ends = sorted(getattr(self.at(each), measure) for each in (0.0, math.inf))
                    raise TargetError(
                        f"on average over these decisions it reaches {ends[0]:.4g} to {ends[1]:.4g}",
                        on=f"{measure}={value:g}",
                        instead="ask for a value in that range",
                        field="wanted",
                    )
        return sorted(found, key=lambda each: each.effects.temperature)

    def _spread(self, measure: str, value: float) -> tuple[float, float] | None:
        try:
            own = [np.asarray(temperature_for(piece, **{measure: value}).tolist()) for piece in self.rows]
        except TargetError:
            return None
        low, high = np.quantile(np.concatenate(own), [0.25, 0.75], method="nearest")
        return float(low), float(high)


def sensitivity(texts: Sequence[Sequence[Array]], temperature: float) -> Sensitivity:
    """The mean entropy and heat capacity at a temperature, with standard errors."""
    lengths = [sum(piece.shape[0] for piece in text) for text in texts]
    pieces = [piece for text in texts for piece in text]
    clusters = _clusters(lengths)
    nats, capacity = (_each(measure, pieces, temperature) for measure in (entropy, heat_capacity))
    return Sensitivity(
        float(temperature),
        float(nats.mean()),
        standard_error(nats, clusters),
        float(capacity.mean()),
        standard_error(capacity, clusters),
    )


def standard_error(values: npt.NDArray[np.float64], clusters: npt.NDArray[np.int64]) -> float:
    """Of the mean, where values of one cluster may depend on each other; NaN for a single cluster.

    That of a ratio of sums over K clusters, ``sqrt(K / (K - 1) sum_k (S_k - n_k mean)^2) / n``.
    """
    count = int(clusters.max()) + 1
    if count < 2:
        return math.nan
    off = np.bincount(clusters, values - values.mean())
    return float(np.sqrt(count / (count - 1) * (off**2).sum()) / len(values))


def _clusters(lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    if len(lengths) >= FEW_TEXTS:
        return np.repeat(np.arange(len(lengths)), lengths)
    blocks = [np.arange(length) // BLOCK for length in lengths]
    starts = np.cumsum([0, *(-(-length // BLOCK) for length in lengths)])
    return np.concatenate([block + start for block, start in zip(blocks, starts, strict=False)])


def _each(measure: Any, pieces: Sequence[Array], temperature: float) -> npt.NDArray[np.float64]:
    return np.concatenate([np.asarray(measure(piece, temperature).tolist(), dtype=np.float64) for piece in pieces])


def _thinned(pieces: Sequence[Array]) -> list[Array]:
    """Evenly spaced rows of all the pieces, as many as are worth it."""
    total = sum(piece.shape[0] for piece in pieces)
    step = max(1, total // max(ROWS, SCORES // pieces[0].shape[-1]))
    kept, seen = [], 0
    for piece in pieces:
        first = -seen % step
        seen += piece.shape[0]
        if first < piece.shape[0]:
            kept.append(piece[first::step])
    return kept


def check_wanted(wanted: Any) -> Mapping[str, Sequence[float]] | None:
    """Effects that are asked for, by name.

    Raises:
        InputError: there is no such effect, or a value is no number.
    """
    if wanted is None:
        return None
    instead = "write for example wanted={'entropy': [0.5, 1.0], 'top_probability': [0.9]}"
    if not isinstance(wanted, Mapping) or not set(wanted) <= set(Effects._fields[1:]):
        raise InputError(
            f"the effects are {', '.join(Effects._fields[1:])}, each with a list of numbers",
            instead=instead,
            field="wanted",
        )
    for name, values in wanted.items():
        if not isinstance(values, list | tuple):
            raise InputError(f"{name} needs a list of numbers", instead=instead, field="wanted")
        for value in values:
            check_number(value, name, "a number", lambda n: not math.isnan(n), field="wanted")
    return {name: list(values) for name, values in wanted.items()}
