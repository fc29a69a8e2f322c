"""What the best few log-probabilities of a decision tell, and what they leave open."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.sampling.diagnosis.used import Drawn

Floats = npt.NDArray[np.float64]

ROUNDING = 1e-6
"""A rest of the probability up to this is what float32 lost."""


class Bounds(NamedTuple):
    """Two numbers per decision between which the true one lies."""

    low: Floats
    high: Floats


def ranked(tops: Sequence[Mapping[Hashable, float]]) -> Floats:
    """The log-probabilities of each decision, the best first, ``(N, k)``; -inf where there are fewer than k."""
    width = max(map(len, tops), default=0)
    rows = np.full((len(tops), width), -np.inf)
    for row, top in zip(rows, tops, strict=True):
        row[: len(top)] = sorted(top.values(), reverse=True)
    return rows


def entropy_bounds(listed: Floats, options: int | None) -> Bounds:
    """Between which the entropy of each decision lies, in nats.

    The rest of the probability, r, belongs to options none of which is likelier than the last that is listed, q. The
    entropy is least where as few as possible share r, ``floor(r / q)`` of q each and one with what is left, and largest
    where all the others share it equally; how many others there are only ``options`` tells.

    >>> low, high = entropy_bounds(np.log([[0.5, 0.3]]), options=12)
    >>> low.round(3), high.round(3)
    (array([1.03]), array([1.49]))
    """
    p = np.exp(listed)
    known = _nats(p).sum(axis=-1)
    rest = _rest(p)
    shown = (p > 0).sum(axis=-1)
    last = np.where(p > 0, p, np.inf).min(axis=-1, initial=1.0)
    several = np.floor(rest / last)
    low = known + several * _nats(last) + _nats(np.maximum(rest - several * last, 0.0))
    if options is None:
        high = np.where(rest > 0, np.inf, known)
    else:
        others = np.maximum(options - shown, 1)
        high = known + others * _nats(rest / others)
    return Bounds(low, np.maximum(high, low))


def tail_bound(listed: Floats, below: float) -> Floats:
    """The most that the options less likely than ``below`` have together at each decision."""
    p = np.exp(listed)
    return np.asarray(np.clip(1 - np.where(p >= below, p, 0.0).sum(axis=-1), 0.0, 1.0))


def among_listed(tops: Sequence[Mapping[Hashable, float] | None], tokens: Sequence[Hashable]) -> Drawn | None:
    """The decisions as choices among the k best, k being what every decision lists; None where that tells nothing.

    Given that it was one of them, an option of the k best was drawn at T with a probability proportional to
    ``p**(1/T)``, whatever the others are. Which are the k best does not depend on what was drawn; some interfaces,
    however, add the drawn token to the list, so that the shortest list counts, and one that ends with it in every case
    is taken for one shorter.
    """
    known = [(top, token) for top, token in zip(tops, tokens, strict=True) if top]
    if not known:
        return None
    count = min(len(top) for top, _ in known)
    shortest = [(top, token) for top, token in known if len(top) == count]
    if all(top.get(token, math.inf) == min(top.values()) for top, token in shortest):
        count -= 1
    rows, choices = [], []
    for top, token in known:
        best = sorted(top, key=lambda each: -top[each])[:count]
        if count > 1 and token in best and top[token] > -math.inf:
            rows.append([top[each] for each in best])
            choices.append(best.index(token))
    return Drawn(np.array(rows), np.array(choices)) if rows else None


def _rest(p: Floats) -> Floats:
    rest = 1 - p.sum(axis=-1)
    return np.where(rest > ROUNDING, rest, 0.0)


def _nats(p: Floats) -> Floats:
    return np.asarray(-p * np.log(np.where(p > 0, p, 1.0)))
