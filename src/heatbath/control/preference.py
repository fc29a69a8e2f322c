"""T as one person likes it, learned from what that person says, and from all others while that is little."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.control.answers import Ear
from heatbath.control.holding import no_state, parts
from heatbath.control.seeing import per_row
from heatbath.core.arrays import is_array, is_number
from heatbath.core.numbers import check_number
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Thermostat
from heatbath.types import Outcome, Seen, State, Temperature

POINTS = 129
"""Of the grid that an optimum is looked for on."""
NO_SETTING = -1.0
AUTO = "auto"
NAME = "from_feedback"

Floats = npt.NDArray[np.float64]


@maker("thermostat")
def from_feedback(
    mean: float, spread: float, *, low: float = 0.0, high: float = 2.0, width: float = 0.3, noise: float = 0.15
) -> Thermostat:
    """The T that one person likes: the population's at first, their own as they speak, what they set once they set it.

    Each person has an optimum o. In the population it is normal, within the range; what a person says moves the belief
    about theirs by Bayes' rule, computed on a grid of 129 optima, so exactly for any answers in any order. T is the
    mean of that belief. All feedback comes as an outcome whose context has the ``temperature`` it is about:

    ===================================================== ========================================================
    outcome                                               says
    ===================================================== ========================================================
    ``context={"temperature": T, "verdict": "too cold"}`` too cold: warmer, please; or "fine", or "too hot"
    ``reward=1, context={"temperature": T, "other": U}``  T rather than U; 0: U rather than T
    ``reward=1, context={"temperature": T}``              liked; 0: not, and not in which direction it is off
    ``context={"setting": 0.9}``                          the person sets T: it wins over all that was learned,
                                                          and what is said goes on being learned; "auto" takes
                                                          it back
    ===================================================== ========================================================

    ::

        p(too cold) = s((o - T - width) / noise),  p(too hot) = s((T - o - width) / noise),  p(fine) = the rest
        p(T rather than U) = s((|U - o| - |T - o|) / noise),        s(x) = 1 / (1 + exp(-x))

    with one answer in fifty taken for a slip.

    Arguments:
        mean: of the optima in the population, from low to high.
        spread: their standard deviation, > 0. What one person says counts the more, the more people differ.
        low: the least optimum, >= 0.
        high: the greatest, < inf.
        width: as far from their optimum all is fine to people, > 0.
        noise: how unsure they are of it, > 0.

    The state is ``(setting, answers, log-likelihood on the grid)``, one per person; two never mix.

    Raises:
        InputError: an argument outside its range; when told, an answer that cannot be read.

    >>> import heatbath as hb
    >>> thermostat = hb.from_feedback(0.8, 0.3)
    >>> state, temperatures = thermostat.init(), []
    >>> for _ in range(4):
    ...     temperature, state = thermostat.step(state, hb.Seen())
    ...     temperatures.append(round(temperature, 2))
    ...     said = {"temperature": temperature, "verdict": "too cold"}
    ...     state = thermostat.learn(state, hb.Outcome(context=said))
    >>> temperatures
    [0.8, 1.09, 1.3, 1.48]
    >>> state = thermostat.learn(state, hb.Outcome(context={"setting": 0.5}))
    >>> thermostat.step(state, hb.Seen())[0]
    0.5

    How to choose: for people who come back. Ask for the verdict: it says in which direction T is off, and two or three
    answers are enough. A choice between two answers says as much only where their temperatures lie on both sides of the
    optimum; a mere "liked" says little while T stays what it is. Fit the four numbers with
    :func:`heatbath.control.population` once fifty people or so have spoken; the defaults of ``width`` and ``noise`` are
    a guess. A new person's first T is right for the population, not for the product: the best for all is
    :func:`heatbath.control.thompson`'s to find.

    Reference: shrinkage to the population: Efron and Morris, "Stein's estimation rule and its competitors: an empirical
    Bayes approach", JASA 1973; ordered answers: McCullagh, "Regression models for ordinal data", JRSS B 1980; choices
    between two by their distance from an ideal point: Coombs, "Psychological scaling without a unit of measurement",
    Psychological Review 1950.
    """
    with while_doing("making from_feedback", f"mean={show(mean)}, spread={show(spread)}"):
        listener = Listener(mean, spread, low, high, width, noise)
    return Thermostat(init=listener.init, step=listener.step, learn=listener.learn, looks=False, hears=())


class Preferred(NamedTuple):
    """What is believed of one person, and why.

    >>> import heatbath as hb
    >>> thermostat = hb.from_feedback(0.8, 0.3)
    >>> said = hb.Outcome(context={"temperature": 0.8, "verdict": "too cold"})
    >>> print(hb.control.preferred(thermostat, thermostat.learn(thermostat.init(), said)))
    T = 1.09 (95 % interval 0.607 to 1.56), from 1 answer; it moved the population's 0.803 by 0.288
    """

    temperature: float
    """The T that is used."""
    learned: float
    """The mean of the belief about the optimum."""
    low: float
    """The optimum lies from here ..."""
    high: float
    """... to here with probability 0.95."""
    answers: int
    population: float
    """The T of somebody who said nothing."""
    setting: float | None
    """What the person set, if so."""

    def __str__(self) -> str:
        belief = f"{self.learned:.3g} (95 % interval {self.low:.3g} to {self.high:.3g})"
        basis = f"from {self.answers} answer{'s' * (self.answers != 1)}"
        if self.setting is not None:
            return f"T = {self.setting:.3g}, as it was set; learned would be {belief}, {basis}"
        if not self.answers:
            return f"T = {belief}, that of the population: nothing was said yet"
        moved = self.learned - self.population
        return f"T = {belief}, {basis}; it moved the population's {self.population:.3g} by {moved:.3g}"


def preferred(thermostat: Thermostat, state: State) -> Preferred:
    """What ``from_feedback`` believes of one person.

    Arguments:
        thermostat: made by :func:`heatbath.from_feedback`.
        state: of one person.

    Raises:
        InputError: another kind of thermostat, or states of several people.

    >>> import heatbath as hb
    >>> thermostat = hb.from_feedback(0.8, 0.3)
    >>> print(hb.control.preferred(thermostat, thermostat.init()))
    T = 0.803 (95 % interval 0.228 to 1.39), that of the population: nothing was said yet

    How to choose: to show people what was learned of them, and to look into a complaint.
    """
    with while_doing("reading a preference", show(thermostat)):
        listener = getattr(thermostat.step, "__self__", None)
        if not isinstance(listener, Listener):
            raise InputError(
                "it learns no preference", instead="give a thermostat made by from_feedback(...)", field="thermostat"
            )
        setting, answers, logs = listener.read(state)
        if np.ndim(setting):
            raise InputError("the state is that of several people", instead="call once per person", field="state")
    belief, mean = listener.belief(logs), float(listener.optimum(logs))
    below = np.cumsum(belief) - belief / 2
    low, high = (float(np.interp(p, below, listener.grid)) for p in (0.025, 0.975))
    held = None if setting < 0 else float(setting)
    population = float(listener.optimum(np.zeros(POINTS)))
    return Preferred(mean if held is None else held, mean, low, high, int(answers), population, held)


class Listener:
    """What ``from_feedback`` is made of: its settings, checked, and its functions. It never changes."""

    def __init__(self, mean: Any, spread: Any, low: Any, high: Any, width: Any, noise: Any) -> None:
        least = check_number(low, "low", "a finite number >= 0", lambda t: 0 <= t < math.inf, example=0.0)
        most = check_number(high, "high", f"a finite number > low={least:g}", lambda t: least < t < math.inf)
        middle = check_number(mean, "mean", f"from {least:g} to {most:g}", lambda t: least <= t <= most, example=0.8)
        wide = check_number(spread, "spread", "a finite number > 0", lambda t: 0 < t < math.inf, example=0.3)
        self.ear = Ear(
            check_number(width, "width", "a finite number > 0", lambda t: 0 < t < math.inf, example=0.3),
            check_number(noise, "noise", "a finite number > 0", lambda t: 0 < t < math.inf, example=0.15),
        )
        self.grid: Floats = np.linspace(least, most, POINTS)
        self.log_prior = -0.5 * ((self.grid - middle) / wide) ** 2

    def init(self) -> State:
        return NO_SETTING, 0, np.zeros(POINTS)

    def read(self, state: State) -> tuple[Any, Any, Floats]:
        setting, answers, logs = parts(state, 3, NAME)
        try:
            likelihood = np.asarray(logs, np.float64)
        except (TypeError, ValueError):
            raise no_state(state, NAME) from None
        if likelihood.shape[-1:] != (POINTS,) or likelihood.ndim != 1 + np.ndim(setting):
            raise no_state(state, NAME)
        return setting, answers, likelihood

    def belief(self, log_likelihood: Floats) -> Floats:
        """The probability of each optimum, ``(..., points)``."""
        logs = self.log_prior + log_likelihood
        p: Floats = np.exp(logs - logs.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        return p

    def optimum(self, log_likelihood: Floats) -> Any:
        return self.belief(log_likelihood) @ self.grid

    def step(self, state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("setting T as somebody likes it"):
            setting, _, logs = self.read(state)
            held = np.asarray(setting, np.float64)
            temperature = np.where(held < 0, self.optimum(logs), held)
            return per_row(temperature.tolist(), seen), state

    def learn(self, state: State, outcome: Outcome) -> State:
        with while_doing("learning what somebody likes"):
            setting, answers, logs = self.read(state)
            rows = _rows(outcome)
            if rows is None and not np.ndim(setting):
                return self.told(setting, answers, logs, outcome)
            people = [len(setting)] if np.ndim(setting) else [len(rows or ())]
            if rows is not None and len(rows) != people[0]:
                raise InputError(
                    f"{len(rows)} answers are told to {people[0]} people", instead="tell one each", field="outcome"
                )
            said = rows or [outcome] * people[0]
            old = (
                zip(setting, answers, logs, strict=True) if np.ndim(setting) else [(setting, answers, logs)] * len(said)
            )
            new = [self.told(*each, one) for each, one in zip(old, said, strict=True)]
        settings, counts, likelihoods = zip(*new, strict=True)
        return list(settings), list(counts), np.stack(likelihoods)

    def told(self, setting: float, answers: int, logs: Floats, outcome: Outcome) -> tuple[float, int, Floats]:
        """The state of one person after one outcome."""
        wanted = outcome.context.get("setting")
        if wanted is not None:
            setting = NO_SETTING if isinstance(wanted, str) and wanted == AUTO else _setting(wanted)
        said = self.ear.log_likelihood(outcome, self.grid)
        return (setting, answers, logs) if said is None else (setting, answers + 1, logs + said)


def _setting(wanted: Any) -> float:
    if is_number(wanted) and 0 <= wanted < math.inf:
        return float(wanted)
    raise InputError(
        f"the setting is {show(wanted):.60}", instead="give a finite number >= 0, or 'auto'", field="context"
    )


SAID = ("temperature", "other", "verdict", "setting")


def _rows(outcome: Outcome) -> list[Outcome] | None:
    """One outcome per row, where an outcome speaks of several."""
    found = {name: outcome.context.get(name) for name in SAID} | {"reward": outcome.reward}
    lists = {name: _listed(value) for name, value in found.items()}
    lengths = {len(values) for values in lists.values() if values is not None}
    if not lengths:
        return None
    if len(lengths) > 1:
        raise InputError("its lists differ in length", instead="give one entry per row", field="context")
    count = lengths.pop()
    columns = {name: [found[name]] * count if values is None else values for name, values in lists.items()}
    return [
        Outcome(columns["reward"][row], context={name: columns[name][row] for name in SAID}) for row in range(count)
    ]


def _listed(value: Any) -> list[Any] | None:
    if is_array(value):
        value = value.tolist()
    return list(value) if isinstance(value, list | tuple) else None
