"""What a setting makes of one list of scores, in numbers."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.cli.flags import Setting, checked
from heatbath.cli.table import flag_of
from heatbath.core import (
    effective_choices,
    entropy,
    heat_capacity,
    perplexity,
    softmax,
    temperature_for,
    top_probability,
)
from heatbath.errors import while_doing
from heatbath.sampling import chain, temperature
from heatbath.sampling.alone import knowing

Scores = npt.NDArray[np.float64]


class Column(NamedTuple):
    """The distribution that a setting draws from, and its measures."""

    label: str
    chain: str
    temperature: float
    entropy: float
    """In nats."""
    perplexity: float
    """exp(entropy): the number of equal options among which a choice is as open."""
    effective_choices: float
    """1 / sum of p squared."""
    top_probability: float
    heat_capacity: float
    """Of the options that are kept."""
    kept: int
    probabilities: Scores


def reference(scores: Scores) -> Column:
    """The scores as they are: T = 1, nothing cut.

    Raises:
        InputError: there are no scores, or NaN, inf, or nothing but -inf among them.
    """
    return at(scores, Setting("T = 1", chain(temperature(1.0))))


def at(scores: Scores, setting: Setting) -> Column:
    """What the setting draws from.

    Raises:
        InputError: unusable scores; a thermostat that looks at more than scores.
    """
    with while_doing("working"):
        with knowing("here are scores alone; give a thermostat that looks at nothing else, such as hold_entropy(1.0)"):
            drawn, _, used = setting.sampler.scores(setting.sampler.init(), scores)
        if str(setting.sampler.draw) == "greedy()":
            drawn = chain(temperature(0)).scores((), drawn).scores
        kept = np.isfinite(drawn)
        return Column(
            label=setting.label,
            chain=str(setting.sampler),
            temperature=float(1.0 if used is None else used),
            entropy=float(entropy(drawn)),
            perplexity=float(perplexity(drawn)),
            effective_choices=float(effective_choices(drawn)),
            top_probability=float(top_probability(drawn)),
            heat_capacity=float(heat_capacity(np.where(kept, scores, -np.inf), temperature=used)),
            kept=int(kept.sum()),
            probabilities=np.asarray(softmax(drawn)),
        )


def solved(scores: Scores, name: str, text: str) -> float:
    """The T at which the measure of that name has the value that was typed.

    Raises:
        InputError: the text is not a number, or no such measure.
        TargetError: no T reaches it.
    """
    value = checked(name, text)
    with while_doing("solving", f"{flag_of(name)} {text}"):
        return float(temperature_for(scores, **{name: value}))


def entropy_curve(scores: Scores, upto: float, points: int = 160) -> tuple[Scores, Scores]:
    """T from 0 and the entropy in nats at each, before anything is cut."""
    temperatures = np.linspace(0.0, upto, points)
    return temperatures, np.array([float(entropy(scores, temperature=each)) for each in temperatures])
