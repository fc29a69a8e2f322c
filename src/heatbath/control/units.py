"""In what an entropy is held: nats, the share of the largest one, or the ratio to that at T = 1."""

import math
from collections.abc import Callable
from typing import NamedTuple

from heatbath.core import namespace
from heatbath.types import Array, Glance


class Aim(NamedTuple):
    """What is wanted of a row: ``entropy / one = value``."""

    value: Array
    one: Array
    """What counts as 1, in nats."""


class Unit(NamedTuple):
    """A unit of targets."""

    wanted: str
    """What is legal, in words."""
    most: float
    example: str
    aim: Callable[[Array, Glance], Aim]
    """From the target and the row at T = 1."""


def _nats(target: Array, _row: Glance) -> Aim:
    return Aim(target, namespace(target).ones_like(target))


def _share(target: Array, row: Glance) -> Aim:
    return Aim(target, row.largest_entropy)


def _ratio(target: Array, row: Glance) -> Aim:
    """In nats: the ratio that a row has by itself exceeds all bounds where the model is certain at T = 1."""
    return Aim(target * row.entropy, namespace(target).ones_like(target))


UNITS = {
    "nats": Unit("a finite number of nats >= 0", math.inf, "hold_entropy(2.0)", _nats),
    "share": Unit("a share from 0 to 1", 1.0, "hold_entropy(0.2, unit='share')", _share),
    "ratio": Unit("a finite ratio >= 0", math.inf, "hold_entropy(0.8, unit='ratio')", _ratio),
}
