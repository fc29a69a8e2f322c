"""Measuring a model's profile: one pass over its scores, keeping sums and no scores."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.core import as_scores, entropy, namespace, top_probability
from heatbath.core.arrays import has_float64
from heatbath.errors import InputError
from heatbath.types import Array

GRID: tuple[float, ...] = (*(i / (96 - i) for i in range(96)), math.inf)
"""The temperatures of a profile: 0, then those at which T / (1 + T) is 1/96, 2/96, ..., and infinity. They are dense
where language models answer to T (1.04 times the one before it at T = 1) and reach both ends."""


AT_ONCE = 2**15
"""Numbers worked on at a time: enough to make a call worth it, few enough to stay in the processor's cache."""


class Curve(NamedTuple):
    """The mean of one measure at each temperature of the grid, and the standard error of that mean."""

    mean: tuple[float, ...]
    error: tuple[float, ...]


class Measured(NamedTuple):
    """Everything that one pass gives."""

    positions: int
    samples: int
    entropy: Curve
    relative_entropy: Curve
    top_probability: Curve


def measure(rows_of_scores: Iterable[Array]) -> Measured:
    """Mean and standard error of each measure over all positions, at each temperature of :data:`GRID`.

    Each item of the iterable is one sample; its positions may depend on each other, so the standard error is that of a
    ratio of sums over samples: ``sqrt(K / (K - 1) sum_k (S_k - n_k mean)**2) / n`` with K samples, n_k positions and
    the sum S_k in sample k.
    """
    sizes: list[int] = []
    squares = cross = totals = np.zeros((3, len(GRID)))
    for scores in _samples(rows_of_scores):
        n, sums = scores.shape[0], _sums(scores)
        sizes.append(n)
        totals, squares, cross = totals + sums, squares + sums**2, cross + n * sums
    if len(sizes) < 2:
        raise InputError(
            f"there {'is one sample' if sizes else 'are no scores'}, and a standard error needs two at least",
            instead="give one array of scores per prompt, or one row after another if rows are independent",
            field="rows_of_scores",
        )
    positions, samples = sum(sizes), len(sizes)
    means = totals / positions
    spread = squares - 2 * means * cross + means**2 * sum(n**2 for n in sizes)
    errors = np.sqrt(np.maximum(spread, 0) * samples / (samples - 1)) / positions
    # In exact arithmetic the curves are monotone; rounding must not make them fall back.
    means[:2] = np.maximum.accumulate(means[:2], axis=1)
    means[2] = np.minimum.accumulate(means[2])
    curves = (Curve(tuple(m.tolist()), tuple(e.tolist())) for m, e in zip(means, errors, strict=True))
    return Measured(positions, samples, *curves)


def _samples(rows_of_scores: Iterable[Array]) -> Iterator[Array]:
    try:
        items: Iterator[Any] = iter(rows_of_scores)
    except TypeError:
        raise InputError(
            "arrays of scores were expected, one after another",
            instead="write for example Profile.measure([scores_of_prompt_1, scores_of_prompt_2], model='...')",
            field="rows_of_scores",
        ) from None
    for item in items:
        scores = as_scores(item)
        if scores.ndim > 2:
            raise InputError(
                f"sample has shape {tuple(scores.shape)}",
                instead="give one row, shape (V,), or all rows of one sample, shape (B, V)",
                field="rows_of_scores",
            )
        yield scores[None, :] if scores.ndim == 1 else scores


def _sums(scores: Array) -> npt.NDArray[np.float64]:
    """Entropy, relative entropy and top probability at each temperature, each added up over the rows, in float64."""
    if not has_float64(namespace(scores), scores):
        scores = scores.cpu() if hasattr(scores, "cpu") else np.asarray(scores)
    xp = namespace(scores)
    scores = xp.astype(scores, xp.float64, copy=False)
    most = entropy(scores, math.inf)  # ln of the number of options
    whole = xp.where(most > 0, most, math.inf)  # of a single option every share of the entropy is 0
    several = max(1, AT_ONCE // math.prod(scores.shape))
    parts = []
    for begin in range(0, len(GRID), several):
        temperatures = np.array(GRID[begin : begin + several])[:, None]
        nats = entropy(scores[None], temperatures)
        measures = (nats, nats / whole, top_probability(scores[None], temperatures))
        parts.append([np.asarray(xp.sum(values, axis=-1).tolist()) for values in measures])
    return np.concatenate(parts, axis=1)
