"""Units of the knob, and effects that are measured on texts."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import heatbath as hb

SUMS = ("tokens", "bytes", "entropy", "top", "repeated", "windows", "judged")
"""What is added up over a text: its tokens and bytes; entropy and best probability of the distributions that were drawn
from; windows of some bytes that stood in the text before, and all of them; surprisal under the judge, in nats."""
TOKENS, BYTES, ENTROPY, TOP, REPEATED, WINDOWS, JUDGED = range(len(SUMS))


class Known(NamedTuple):
    """What was measured of a model beforehand."""

    vocabulary: int
    token_bytes: float
    """Mean length of a token."""
    profile: hb.Profile

    def nats(self, temperature: float) -> float:
        """Mean entropy."""
        return self.profile.effect(temperature).entropy


class Knob(NamedTuple):
    """A unit of the knob: the position that a T has on a model, and the T that a position has."""

    position: Callable[[Known, float], float]
    temperature: Callable[[Known, float], float]


KNOBS = {
    "temperature": Knob(lambda known, t: t, lambda known, x: x),
    "entropy": Knob(
        lambda known, t: known.nats(t),
        lambda known, x: known.profile.temperature_for(entropy=x),
    ),
    "share": Knob(
        lambda known, t: known.profile.effect(t).relative_entropy,
        lambda known, x: known.profile.temperature_for(relative_entropy=x),
    ),
    "top": Knob(
        lambda known, t: known.profile.effect(t).top_probability,
        lambda known, x: known.profile.temperature_for(top_probability=x),
    ),
    "ratio": Knob(
        lambda known, t: known.nats(t) / known.nats(1.0),
        lambda known, x: known.profile.temperature_for(entropy=x * known.nats(1.0)),
    ),
    "per_byte": Knob(
        lambda known, t: known.nats(t) / known.token_bytes,
        lambda known, x: known.profile.temperature_for(entropy=x * known.token_bytes),
    ),
}
"""Perplexity is not among them: it is the exponential of the entropy, so that both knobs have the same positions."""

EFFECTS: dict[str, Callable[[np.ndarray, Known], np.ndarray]] = {  # from sums, shape (..., len(SUMS))
    "entropy": lambda s, known: s[..., ENTROPY] / s[..., TOKENS],
    "share": lambda s, known: s[..., ENTROPY] / s[..., TOKENS] / math.log(known.vocabulary),
    "top": lambda s, known: s[..., TOP] / s[..., TOKENS],
    "ratio": lambda s, known: s[..., ENTROPY] / s[..., TOKENS] / known.nats(1.0),
    "per_byte": lambda s, known: s[..., ENTROPY] / s[..., BYTES],
    "repeated": lambda s, known: s[..., REPEATED] / np.maximum(s[..., WINDOWS], 1),
    "judged": lambda s, known: s[..., JUDGED] / s[..., BYTES],
}
