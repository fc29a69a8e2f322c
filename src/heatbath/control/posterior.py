"""What rewards say of a curve: Bayesian linear regression, averaged over how smooth the curve may be.

With w the values of the curve at its knots (and, for each feature, of what it adds there), x the row of the basis of a
decision and r its reward::

    r = x.w + noise of variance s2,     w ~ N(0, s2 V),     s2 ~ inverse gamma

Every *model* is one V: one length over which neighbours are alike, and one ratio of the curve's variance to s2. For
each the posterior and the evidence (the probability of all rewards) have a closed form, and the answer is the mixture
of all models, weighted by their evidence. So a smooth curve is soon believed to be smooth, and a rough one, after a few
surprises, is not: its neighbours then teach each other nothing.

All that is ever kept of the rewards are sums, whose order does not matter. Leading axes are streams that learn side by
side.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.control.axis import Axis, Floats
from heatbath.core.philox import LOW, philox, upper

LENGTHS = {0.0: 1 / 7, 0.2: 2 / 7, 0.5: 4 / 7}
"""Over which part of the range neighbours are alike, and how likely that is before any reward. With a length of 0 each
knot is by itself, as the arms of other bandits are."""
RATIOS = (0.03, 0.3)
"""Variance of the curve about its level, over that of the noise."""
INTERACTIONS = (0.001, 0.03)
"""The same of what a feature adds: less, so that a feature matters little until it shows that it does."""
LEVEL = 10.0
"""The same of the level itself, which is hardly known before."""
SHAPE, SCALE = 2.0, 0.3
"""Of the inverse gamma of s2, for rewards from 0 to 1: what four rewards would say, s2 = 0.3 on average."""

NORMALS = 2**16


class Sums(NamedTuple):
    """What is kept of rewards, each counted from the middle of its range and weighted: leading axes are streams."""

    weight: Any
    """Sum of the weights: how many rewards it is worth, ``(...)``."""
    squares: Any
    """``sum r^2``, ``(...)``."""
    products: Any
    """``sum x r``, ``(..., d)``."""
    outer: Any
    """``sum x x'``, ``(..., d, d)``."""

    def faded(self, factor: Any) -> "Sums":
        """All that was told so far, at another weight."""
        f = np.asarray(factor)
        return Sums(f * self.weight, f * self.squares, f[..., None] * self.products, f[..., None, None] * self.outer)

    def told(self, x: Floats, reward: Any, weight: Any = 1.0) -> "Sums":
        """With one more reward per stream."""
        w, r = np.asarray(weight), np.asarray(reward)
        return Sums(
            self.weight + w,
            self.squares + w * r * r,
            self.products + (w * r)[..., None] * x,
            self.outer + w[..., None, None] * x[..., :, None] * x[..., None, :],
        )


def nothing(size: int) -> Sums:
    """The sums of no rewards."""
    return Sums(0.0, 0.0, np.zeros(size), np.zeros((size, size)))


class Posterior(NamedTuple):
    """A mixture of normal distributions of w, one per model: ``w = mean + root z``, z standard normal."""

    share: Floats
    """The probability of each model, ``(..., models)``."""
    mean: Floats
    """``(..., models, d)``."""
    root: Floats
    """``(..., models, d, d)``; its product with its transpose is the covariance."""

    def draw(self, seed: Any, number: Any, count: int) -> Floats:
        """``(..., count, d)`` draws of w, of each model as many as its share; ``number`` says which draws of the seed.

        The normal numbers are a window of a table, at a place that seed and number decide.
        """
        lead, size = self.mean.shape[:-2], self.mean.shape[-1]
        words = philox((number & LOW, upper(number), 1, 0), (seed & LOW, upper(seed)))
        u = np.asarray(words[0], np.float64)[..., None] * 2.0**-32
        model = _which(self.share, (np.arange(count) + u) / count)
        model = np.broadcast_to(model, (*lead, count))
        start = np.asarray(words[1], np.int64)[..., None]
        noise = normals()[(start + np.arange(count * size)) % NORMALS].reshape(*np.shape(start)[:-1], count, size)
        if not lead:  # one stream: a product of matrices per model costs a third
            parts = [noise[model == each] @ root.T for each, root in enumerate(self.root)]
            alone: Floats = self.mean[model] + np.concatenate(parts)
            return alone
        mean = np.take_along_axis(self.mean, model[..., None], axis=-2)
        root = np.take_along_axis(self.root, model[..., None, None], axis=-3)
        drawn: Floats = mean + np.einsum("...ij,...j->...i", root, noise)
        return drawn


def _which(share: Floats, place: Floats) -> npt.NDArray[np.intp]:
    """The model at each place from 0 to 1 along their shares."""
    ends = np.cumsum(share, axis=-1)
    ends = ends / ends[..., -1:]
    model: npt.NDArray[np.intp] = (place[..., :, None] >= ends[..., None, :]).sum(axis=-1)
    return model.clip(max=share.shape[-1] - 1)


class Prior:
    """The models of a curve over an axis with a number of features, and what rewards make of them."""

    def __init__(self, axis: Axis, features: int = 0) -> None:
        self.axis, self.features = axis, features
        self.size = axis.knots * (1 + features)
        models = [
            (share, self._root(length, ratio, added))
            for length, share in LENGTHS.items()
            for ratio in RATIOS
            for added in (INTERACTIONS if features else (0.0,))
        ]
        self.log_share: Floats = np.log([share for share, _ in models])
        self.roots: Floats = np.stack([root for _, root in models])
        """One square root of V per model, ``(models, d, d)``."""

    def _root(self, length: float, ratio: float, added: float) -> Floats:
        place = np.linspace(0, 1, self.axis.knots)
        apart = place[:, None] - place
        alike = np.exp(-0.5 * (apart / length) ** 2) if length else np.eye(place.size)
        blocks = [LEVEL + ratio * alike] + [added * (1 + alike)] * self.features
        root = np.zeros((self.size, self.size))
        for number, block in enumerate(blocks):
            values, vectors = np.linalg.eigh(block)
            part = slice(number * place.size, (number + 1) * place.size)
            root[part, part] = vectors * np.sqrt(np.maximum(values, 0.0))
        return root

    def row(self, temperature: Any, features: Floats) -> Floats:
        """The row x of a decision: the basis of T, times 1 and each feature, ``(..., d)``."""
        basis = self.axis.at(temperature)
        factors = np.concatenate([np.ones((*features.shape[:-1], 1)), features], axis=-1)
        row = factors[..., :, None] * basis[..., None, :]
        return row.reshape(*row.shape[:-2], self.size)

    def posterior(self, sums: Sums) -> Posterior:
        """The mixture after these rewards."""
        flipped = self.roots.swapaxes(-1, -2)
        precision = np.eye(self.size) + flipped @ np.asarray(sums.outer)[..., None, :, :] @ self.roots
        lower = np.linalg.cholesky(precision)
        inverse = np.linalg.inv(lower)
        projected = np.einsum("mji,...j->...mi", self.roots, sums.products)
        half = np.einsum("...ij,...j->...i", inverse, projected)
        root = self.roots @ inverse.swapaxes(-1, -2)
        mean = np.einsum("...ij,...j->...i", root, half)
        weight, squares = (np.asarray(each)[..., None] for each in (sums.weight, sums.squares))
        scale = SCALE + 0.5 * np.maximum(squares - np.square(half).sum(axis=-1), 0.0)
        shape = SHAPE + 0.5 * weight
        log_evidence = -np.log(np.einsum("...ii->...i", lower)).sum(axis=-1) - shape * np.log(scale)
        log_evidence += self.log_share
        share = np.exp(log_evidence - log_evidence.max(axis=-1, keepdims=True))
        spread = np.sqrt(scale / (shape - 1))
        return Posterior(share / share.sum(axis=-1, keepdims=True), mean, spread[..., None, None] * root)


@lru_cache(maxsize=1)
def normals() -> Floats:
    """A table of standard normal numbers, by the transformation of Box and Muller."""
    counters = np.arange(NORMALS // 2, dtype=np.uint64)
    zero = np.zeros_like(counters)
    first, second, third, fourth = philox((counters, zero, zero + np.uint64(2), zero), (zero, zero))
    u = (np.asarray((first << 21) ^ (second >> 11), np.float64) + 1.0) * 2.0**-53
    angle = np.asarray((third << 21) ^ (fourth >> 11), np.float64) * 2.0**-53 * 2 * np.pi
    length = np.sqrt(-2 * np.log(u))
    return np.concatenate([length * np.cos(angle), length * np.sin(angle)])
