"""What the rows of several engines share."""

import math
from typing import Any

from heatbath.core.arrays import is_number
from heatbath.sampling.orders.engine import Difference, Given, Setting
from heatbath.sampling.orders.values import Values, between, one_of

BITS = math.log(2)
"""Nats in a bit."""

REPEATED = ("repetition", "frequency", "presence")

REAL = Values("a number", lambda n: is_number(n) and n == n)
FINITE_T = Values("a finite number >= 0", lambda t: is_number(t) and 0 <= t < float("inf"))

FLOAT32 = Difference(
    "float32", "computes in float32, so that a mass or threshold hit to within 1e-6 may fall either way"
)
EXACTLY_K = Difference("top-k ties", "keeps exactly k: which of several that tie with the k-th is up to its sort")
FIRST_OF_TIED = Difference(
    "top-p ties", "of options that tie at the end of the nucleus, keeps those that its sort put first"
)
LAST_OF_TIED = Difference(
    "top-p ties", "of options that tie at the end of the nucleus, keeps those that its sort put last"
)


FREQUENCY_AND_PRESENCE = (
    Setting("frequency_penalty", 0.0, ("frequency",), "penalty", one_of(0.0), between(-2, 2)),
    Setting("presence_penalty", 0.0, ("presence",), "penalty", one_of(0.0), between(-2, 2)),
)


def none_of_nothing(values: dict[str, Any]) -> dict[str, Any]:
    """top_p=0 keeps the best, as does any p below what the best of a billion options has."""
    return {**values, "top_p": 1e-12} if is_number(values["top_p"]) and values["top_p"] == 0 else values


def is_zero(given: Given) -> bool:
    """Whether the temperature is 0."""
    return is_number(given["temperature"]) and given["temperature"] == 0
