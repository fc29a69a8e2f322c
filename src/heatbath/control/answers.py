"""What people say of a temperature, and how likely they are to say it: too cold, fine, too hot; better than another."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import Outcome

VERDICTS = ("too cold", "fine", "too hot")
LAPSE = 0.02
"""How often a person says anything at all: one slip must not outweigh everything said before."""

Floats = npt.NDArray[np.float64]


class Ear(NamedTuple):
    """How a person with the optimum ``o`` hears a temperature: as ``o - T`` plus logistic noise."""

    width: float
    """As far from the optimum all is fine."""
    noise: float
    """Scale of the logistic noise."""

    def log_likelihood(self, outcome: Outcome, optimum: Floats) -> Floats | None:
        """``ln p`` of what an outcome says, for each optimum; None where it says nothing.

        ::

            p(too cold) = s((o - T - width) / noise),  p(too hot) = s((T - o - width) / noise),  p(fine) = the rest
            p(T rather than other) = s((|other - o| - |T - o|) / noise),        s(x) = 1 / (1 + exp(-x))

        A reward of 1 says "fine", one of 0 says "not fine", and one in between some of both. All with the probability
        of a slip mixed in.
        """
        context, reward = outcome.context, outcome.reward
        verdict = context.get("verdict")
        if verdict is None and reward is None:
            return None
        here = _temperature(context, "temperature")
        if verdict is not None:
            if not isinstance(verdict, str) or verdict not in VERDICTS:
                raise InputError(
                    f"the verdict is {show(verdict):.60}",
                    instead=f"write one of {', '.join(map(repr, VERDICTS))}",
                    field="context",
                )
            return _log(self._verdicts(optimum - here)[VERDICTS.index(verdict)], 1 / 3)
        share = _share(reward)
        if context.get("other") is not None:
            nearer = (abs(_temperature(context, "other") - optimum) - abs(here - optimum)) / self.noise
            yes, no, slip = _logistic(nearer), _logistic(-nearer), (1 / 2, 1 / 2)
        else:
            cold, fine, hot = self._verdicts(optimum - here)
            yes, no, slip = fine, cold + hot, (1 / 3, 2 / 3)
        return share * _log(yes, slip[0]) + (1 - share) * _log(no, slip[1])

    def heard(self, outcomes: Sequence[Outcome], optimum: Floats) -> Floats:
        """``ln p`` of all that one person said, for each optimum."""
        said = (self.log_likelihood(outcome, optimum) for outcome in outcomes)
        total: Floats = np.sum([np.zeros_like(optimum), *(one for one in said if one is not None)], axis=0)
        return total

    def _verdicts(self, off: Floats) -> tuple[Floats, Floats, Floats]:
        cold, hot = _logistic((off - self.width) / self.noise), _logistic((-off - self.width) / self.noise)
        return cold, np.maximum(1 - cold - hot, 0.0), hot


def _logistic(x: Floats) -> Floats:
    half: Floats = 0.5 * np.tanh(0.5 * x) + 0.5
    return half


def _log(p: Floats, slip: float) -> Floats:
    logs: Floats = np.log((1 - LAPSE) * p + LAPSE * slip)
    return logs


def _temperature(context: Mapping[str, Any], name: str) -> float:
    value = context.get(name)
    if isinstance(value, int | float | np.number) and not isinstance(value, bool) and 0 <= value < np.inf:
        return float(value)
    why = f"does not say of which {name}" if value is None else f"says {name} {show(value):.60}"
    raise InputError(
        f"the outcome {why}",
        instead="give the T that was used, a number >= 0: context={'temperature': 0.83, 'verdict': 'fine'}",
        field="context",
    )


def _share(reward: Any) -> float:
    if isinstance(reward, int | float | np.number | np.bool_) and 0 <= reward <= 1:
        return float(reward)
    raise InputError(
        f"the reward is {show(reward):.60}, and must be from 0 to 1",
        instead="write 1 for liked (or preferred to the other), 0 for not",
        field="reward",
    )
