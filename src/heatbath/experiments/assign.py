"""Who gets which arm: by a hash, so that nobody needs to be remembered.

SHA-256 of the experiment's salt and the unit is a point on the axis from 0 to 1, as good as drawn at random, the same
every time, and unrelated between experiments. The axis is cut into stretches, each of which belongs to an arm.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

Stretches = tuple[tuple[float, int], ...]
"""Where each stretch of the axis ends, and the arm that it belongs to; the last one ends at 1."""

TINY = 1e-12
"""Shorter stretches are left to their neighbour."""


class Assigned(NamedTuple):
    """An arm, and the chance that it had."""

    arm: int
    propensity: float


def point(salt: str, unit: str) -> float:
    """The place of a unit on the axis from 0 to 1: the first 53 bits of ``SHA-256(salt, unit)``.

    >>> from heatbath.experiments.assign import point
    >>> point("poem", "ann") == point("poem", "ann"), point("poem", "ann") == point("prose", "ann")
    (True, False)
    """
    salted = f"{len(salt)}:{salt}{unit}".encode("utf-8", "surrogatepass")  # two texts, told apart by the length
    return (int.from_bytes(hashlib.sha256(salted).digest()[:8]) >> 11) * 2.0**-53


def stretches(weights: Sequence[float], before: Stretches = ()) -> Stretches:
    """Cut the axis by weights, so that as few units as possible change their arm.

    An arm that shrinks gives up the ends of its stretches, and arms that grow divide what was given up: the units that
    move are ``sum |new - old| / 2`` of all, which is the least that the new weights allow.

    Arguments:
        weights: one per arm, >= 0, adding up to 1.
        before: the stretches so far; none at the first time.

    >>> from heatbath.experiments.assign import stretches
    >>> first = stretches([0.5, 0.5])
    >>> first
    ((0.5, 0), (1.0, 1))
    >>> stretches([0.25, 0.5, 0.25], first)
    ((0.25, 0), (0.5, 2), (1.0, 1))
    """
    need = list(weights)
    kept: list[tuple[float, float, int | None]] = []  # from, to, whose; None where it was given up
    start = 0.0
    for end, arm in before or ((1.0, 0),):
        stays = min(end - start, need[arm]) if before and arm < len(need) else 0.0
        if stays <= TINY:
            stays = 0.0
        else:
            need[arm] -= stays
            kept.append((start, start + stays, arm))
        if end - start - stays > TINY:
            kept.append((start + stays, end, None))
        start = end
    wanting = [arm for arm, share in enumerate(need) if share > TINY]
    cut: list[tuple[float, int]] = []
    for start, end, owner in kept:
        if owner is not None:
            cut.append((end, owner))
        at = start
        while owner is None and wanting and end - at > TINY:
            arm = wanting[0]
            taken = min(need[arm], end - at)
            at, need[arm] = at + taken, need[arm] - taken
            cut.append((at, arm))
            if need[arm] <= TINY:
                wanting.pop(0)
    return _joined(cut)


def _joined(cut: list[tuple[float, int]]) -> Stretches:
    """Neighbours of one arm as one stretch; the last one reaches to the end."""
    joined: list[tuple[float, int]] = []
    for end, arm in cut:
        if joined and joined[-1][1] == arm:
            joined.pop()
        joined.append((end, arm))
    return (*joined[:-1], (1.0, joined[-1][1]))


def arm_at(cut: Stretches, place: float) -> int:
    """The arm to which a place on the axis belongs."""
    return cut[bisect_right(cut, place, key=lambda stretch: stretch[0])][1]
