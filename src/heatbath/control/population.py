"""What people like on average, and how much they differ, from what many of them said."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.control.answers import Ear
from heatbath.control.preference import POINTS, from_feedback
from heatbath.core.numbers import check_number
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.thermostat import Thermostat
from heatbath.types import Outcome

Floats = npt.NDArray[np.float64]

ROUNDS = 4
"""The search is repeated around what it found, each time three times as fine."""


class Population(NamedTuple):
    """The four numbers of :func:`heatbath.from_feedback`, and what they rest on."""

    mean: float
    spread: float
    width: float
    noise: float
    low: float
    high: float
    people: int
    answers: int
    log_likelihood: float
    """``ln p`` of all answers."""

    def thermostat(self) -> Thermostat:
        """``from_feedback`` with these numbers, for the next person."""
        made: Thermostat = from_feedback(
            self.mean, self.spread, low=self.low, high=self.high, width=self.width, noise=self.noise
        )
        return made


def population(histories: Sequence[Sequence[Outcome]], *, low: float = 0.0, high: float = 2.0) -> Population:
    """Fit the population of :func:`heatbath.from_feedback` to what many people said: empirical Bayes.

    The mean and spread of the optima, and the width and noise of the answers, that make all answers likeliest; the
    optimum of each person is integrated out on the same grid on which it is learned later::

        sum over people of  ln integral p(answers | o, width, noise) N(o; mean, spread) do

    Arguments:
        histories: the outcomes of each person, as ``from_feedback`` learns from them; settings are not looked at.
        low: the least optimum, >= 0.
        high: the greatest.

    Returns:
        :class:`Population`; its ``thermostat()`` is that of a new person.

    Raises:
        InputError: fewer than two people said something, or an answer cannot be read.

    >>> import numpy as np, heatbath as hb
    >>> rng, histories = np.random.default_rng(0), []
    >>> for optimum in rng.normal(0.9, 0.3, 80):
    ...     heard = [(T, optimum - T + 0.1 * rng.logistic()) for T in rng.uniform(0.3, 1.6, 8)]
    ...     said = [(T, "too cold" if off > 0.25 else "too hot" if off < -0.25 else "fine") for T, off in heard]
    ...     histories.append([hb.Outcome(context={"temperature": T, "verdict": word}) for T, word in said])
    >>> found = hb.control.population(histories)
    >>> round(found.mean, 1), round(found.spread, 1), 0.2 < found.width < 0.3
    (0.9, 0.3, True)

    How to choose: after fifty people or so, and again from time to time; people with one answer count too. The people
    who speak are not all people, and no fit repairs that.

    Reference: Efron and Morris, 1973; Robbins, "An empirical Bayes approach to statistics", 1956.
    """
    with while_doing("fitting a population"):
        least = check_number(low, "low", "a finite number >= 0", lambda t: 0 <= t < math.inf, example=0.0)
        most = check_number(high, "high", f"a finite number > low={least:g}", lambda t: least < t < math.inf)
        spoken = [[one for one in person if _speaks(one)] for person in _people(histories)]
        spoken = [person for person in spoken if person]
        if len(spoken) < 2:
            raise InputError(
                f"{len(spoken)} person has said something" if spoken else "nobody has said anything",
                instead="give the outcomes of many people, a list each",
                field="histories",
            )
        grid = np.linspace(least, most, POINTS)
        size = most - least
        at = {
            "mean": np.linspace(least, most, 17),
            "spread": np.geomspace(size / 50, size / 2, 9),
            "width": np.geomspace(size / 40, size / 2, 9),
            "noise": np.geomspace(size / 100, size / 2, 9),
        }
        best = (-math.inf, 0.0, 0.0, 0.0, 0.0)
        for _ in range(ROUNDS):
            for width in at["width"]:
                for noise in at["noise"]:
                    best = max(best, _fit(spoken, Ear(float(width), float(noise)), grid, at["mean"], at["spread"]))
            at = _closer(at, best[1:], least, most)
    return Population(*best[1:], least, most, len(spoken), sum(map(len, spoken)), best[0])


def _people(histories: Any) -> Sequence[Sequence[Outcome]]:
    listed = isinstance(histories, list | tuple) and all(isinstance(person, list | tuple) for person in histories)
    if not listed or not all(isinstance(one, Outcome) for person in histories for one in person):
        raise InputError(
            f"{show(histories):.60} is no list of lists of outcomes",
            instead="write population([[Outcome(...), ...], ...]), one list per person",
            field="histories",
        )
    people: Sequence[Sequence[Outcome]] = histories
    return people


def _speaks(outcome: Outcome) -> bool:
    return outcome.reward is not None or outcome.context.get("verdict") is not None


def _fit(
    spoken: Sequence[Sequence[Outcome]], ear: Ear, grid: Floats, means: Floats, spreads: Floats
) -> tuple[float, float, float, float, float]:
    """The likeliest mean and spread for one width and noise."""
    logs = np.stack([ear.heard(person, grid) for person in spoken])
    top = logs.max(axis=1, keepdims=True)
    prior = np.exp(-0.5 * ((grid - means[:, None, None]) / spreads[:, None]) ** 2).reshape(-1, POINTS)
    prior /= prior.sum(axis=1, keepdims=True)
    total = (np.log(np.exp(logs - top) @ prior.T) + top).sum(axis=0)
    place = int(np.argmax(total))
    mean, spread = means[place // spreads.size], spreads[place % spreads.size]
    return float(total[place]), float(mean), float(spread), ear.width, ear.noise


def _closer(at: dict[str, Floats], best: Sequence[float], low: float, high: float) -> dict[str, Floats]:
    """A finer grid around the best."""
    finer = {}
    for (name, points), found in zip(at.items(), best, strict=True):
        if name == "mean":
            reach = points[1] - points[0]
            finer[name] = np.clip(np.linspace(found - reach, found + reach, 7), low, high)
        else:
            ratio = points[1] / points[0]
            finer[name] = np.geomspace(found / ratio, found * ratio, 7)
    return finer
