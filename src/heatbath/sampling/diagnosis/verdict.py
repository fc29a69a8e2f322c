"""The record of a verdict, and the intervals that one waits for."""

import math
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.sampling.diagnosis.used import Estimate, quantile

Floats = npt.NDArray[np.float64]

Outcome = Literal["too low", "too high", "fine", "not as asked", "no verdict"]


class Verdict(NamedTuple):
    """One measure against one threshold.

    ``outcome`` is "too low", "too high" or "not as asked" only where the whole interval lies beyond the threshold,
    "fine" only where it lies before it, and "no verdict" where it holds it, or where there is too little to measure.
    """

    name: str
    """"loops", "frozen", "tail", "surprise" or "temperature"."""
    outcome: Outcome
    measure: str
    """What was measured, in words."""
    value: float | None
    """None where nothing could be measured."""
    low: float | None
    high: float | None
    """The ends of the interval."""
    threshold: float | None
    why: str
    """Why it means that, or what is missing."""
    remedies: tuple[str, ...] = ()
    """Chains in the text form, to be pasted where a chain goes, in the order in which to try them."""


def no_verdict(name: str, measure: str, why: str) -> Verdict:
    """Nothing could be measured."""
    return Verdict(name, "no verdict", measure, None, None, None, None, why)


def share_interval(values: Floats, level: float) -> Estimate:
    """Wilson's interval for the mean of conditional probabilities of which the values, 0 to 1, are the outcomes.

    Each outcome varies around the probability that it had when it was drawn, whatever came before, and these variances
    add up to no more than those of as many independent draws with the mean probability (a square is convex). So
    the interval is good for the tokens of one text, which depend on each other; it is about the places that the text
    came to.

    Reference: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    n, p, z = len(values), float(values.mean()), quantile(level)
    middle, scale = (p + z * z / (2 * n)), 1 + z * z / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Estimate(p, max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def mean_interval(low: Floats, high: Floats, level: float) -> Estimate:
    """An interval for the mean of conditional expectations, where each outcome is known to lie between two numbers."""
    half = quantile(level) * math.sqrt(max(float(low.var()), float(high.var())) / (len(low) - 1))
    return Estimate(float(0.5 * (low.mean() + high.mean())), float(low.mean()) - half, float(high.mean()) + half)
