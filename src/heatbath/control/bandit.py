"""T learned from rewards: a bandit over continuous temperature."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from heatbath.control.axis import CELLS, Axis, Floats
from heatbath.control.hearing import Stream, lead_of, numbers_of, refuse_state
from heatbath.control.posterior import Posterior, Prior, Sums, nothing
from heatbath.control.seeing import as_plain, per_row
from heatbath.core.arrays import is_number
from heatbath.core.numbers import check_number, check_whole
from heatbath.core.philox import LOW, philox, upper
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Thermostat
from heatbath.types import Outcome, Seen, State, Temperature

CURVES = 64
"""How many curves of the posterior a state holds; each decision follows one of them."""
MOST = 60
"""Numbers that a curve and its features may have: knots * (1 + features)."""


@maker("thermostat")
def thompson(
    low: float,
    high: float,
    *,
    features: Sequence[str] = (),
    knots: int = 9,
    steps: int | None = None,
    floor: float = 0.02,
    half_life: float | None = None,
    rewards: Sequence[float] = (0, 1),
    seed: int = 0,
) -> Thermostat:
    """Learn from rewards which T of a range is best, and try the others as long as they may be: Thompson sampling.

    The mean reward is a smooth curve of T, about which the rewards leave a posterior: Bayesian linear regression on
    splines, averaged over how smooth the curve may be (:mod:`heatbath.control.posterior`). Each decision draws a curve
    from that posterior and plays where it is highest, so that a T is tried as often as it is likely to be the best::

        density of T = floor / (high - low) + (1 - floor) share(cell of T) / (width of a cell)

    ``share`` is the share of 64 curves, drawn anew at every reward, that are highest in that cell, of 64 cells; within
    the cell T is uniform. This is the density that is drawn from, exactly, and what ``density`` of the thermostat says.

    Rewards may come late, in any order, or never; nothing waits for them. An outcome says itself what it is about: the
    ``temperature`` that was used and the features, in its context::

        state = thermostat.learn(state, Outcome(reward=1, context={"temperature": 0.83, "night": True}))

    Arguments:
        low: the least T, >= 0.
        high: the greatest, < inf. The answers to any T of the range must be fit to be seen: all of it is tried.
        features: names of what the best T may depend on, each a number from -1 to 1 or a boolean in the context of
            every decision and outcome. The curve is then ``c_0(T) + sum_k x_k c_k(T)``.
        knots: how many values make a curve, 3 to 32; ``knots * (1 + features)`` is 60 at most.
        steps: play only this many equally spaced temperatures, 2 to 64, the ends included; the density is then a
            probability. None is every T of the range.
        floor: how much of the time T is uniform, from 0 to 1. It bounds the weights of an evaluation from the log by
            ``1 / floor``, at the price of that share of the regret of guessing.
        half_life: after how many decisions a reward counts half, > 0; None is never. An outcome may say in its context
            with which ``decision`` it began (the second number of the state, before the step); else it counts as new.
        rewards: the least and the greatest reward that is possible.
        seed: from -2**63 to 2**64 - 1. One stream, one seed: streams of one seed draw the same numbers.

    The state is ``(seed, decisions, rewards heard, at which decision, sums, curves)``: numbers and arrays of fixed
    size (12 KB as JSON, 90 KB with five features), however many rewards are outstanding. A decision takes 20 us of a
    processor and a reward 0.3 ms; with five features 32 us and 1.7 ms.

    Raises:
        InputError: an argument outside its range; at a step, a feature that is missing or beyond -1 to 1; when told of
            a reward, no temperature in the context, or what is out of range.

    >>> import numpy as np, heatbath as hb
    >>> thermostat = hb.control.thompson(0, 2, seed=7)
    >>> rng, state = np.random.default_rng(0), thermostat.init()
    >>> for _ in range(400):
    ...     temperature, state = thermostat.step(state, hb.Seen())
    ...     liked = rng.random() < 0.8 - 0.6 * (temperature - 0.7) ** 2
    ...     state = thermostat.learn(state, hb.Outcome(reward=liked, context={"temperature": temperature}))
    >>> best = hb.control.learned(thermostat, state).best
    >>> bool(0.5 < best < 0.9)
    True

    How to choose: where answers are rated and nobody knows the T. A range of which every T is bearable; the defaults
    for the rest. ``steps`` where settings must be few and alike for many people; neighbours still teach each other.
    They are also the choice where the reward may jump from one T to the next: between knots the curve has no corners.
    ``features`` cost samples: one or two that plausibly move the best T. ``half_life`` where models or users change,
    ten times the number of rewards that a decision takes. To *know* which of two temperatures is better, run an
    experiment with fixed shares (:mod:`heatbath.stats`): a bandit hardly plays what it thinks is worse. When to stop:
    :func:`heatbath.control.learned`. Each task has a bandit of its own, not a rule of :func:`by_rule`: that tells a
    reward to whoever decided last, which is wrong for one that comes late.

    Reference: Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933; with linear
    models, Agrawal and Goyal, "Thompson sampling for contextual bandits with linear payoffs", ICML 2013. Rewards of a
    linear model are spoken of as normal; a boolean is not, and the estimate of the mean is right all the same.
    """
    with while_doing("making thompson", f"low={show(low)}, high={show(high)}"):
        bandit = Bandit(low, high, features, knots, steps, floor, half_life, rewards, seed)
    return Thermostat(
        init=bandit.init, step=bandit.step, learn=bandit.learn, density=bandit.density, looks=False, hears=()
    )


class Bandit:
    """What ``thompson`` is made of: its settings, checked, and its functions. It never changes."""

    def __init__(
        self,
        low: Any,
        high: Any,
        features: Any,
        knots: Any,
        steps: Any,
        floor: Any,
        half_life: Any,
        rewards: Any,
        seed: Any,
    ) -> None:
        self.features = _names(features)
        least = check_number(low, "low", "a finite number >= 0", lambda t: 0 <= t < math.inf, example=0.0)
        most = check_number(high, "high", f"a finite number > low={least:g}", lambda t: least < t < math.inf)
        count = check_whole(knots, "knots", least=3, example=9)
        if count > 32 or count * (1 + len(self.features)) > MOST:
            raise InputError(
                f"{count} knots and {len(self.features)} features make {count * (1 + len(self.features))} numbers",
                instead=f"give up to 32 knots, and at most {MOST} numbers: knots * (1 + features)",
                field="knots",
            )
        if steps is not None and check_whole(steps, "steps", least=2, example=9) > CELLS:
            raise InputError(f"{steps} steps are more than {CELLS}", instead="leave out steps", field="steps")
        self.axis = Axis(least, most, count, steps)
        self.floor = check_number(floor, "floor", "from 0 to 1", lambda x: 0 <= x <= 1, example=0.02)
        life = math.inf if half_life is None else half_life
        life = check_number(life, "half_life", "a number of decisions > 0", lambda n: n > 0, example=2000.0)
        self.fading = 0.5 ** (1 / life)
        if not isinstance(rewards, list | tuple) or len(rewards) != 2 or not all(map(is_number, rewards)):
            raise InputError("rewards are two numbers", instead="write for example rewards=[0, 1]", field="rewards")
        self.least, self.most = map(float, rewards)
        if not -math.inf < self.least < self.most < math.inf:
            raise InputError(
                f"rewards from {self.least:g} to {self.most:g} are no range",
                instead="write the least and the greatest, for example rewards=[0, 1]",
                field="rewards",
            )
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not -(2**63) <= seed < 2**64:
            raise InputError("a seed is an integer from -2**63 to 2**64 - 1", instead="write seed=7", field="seed")
        self.seed = int(seed) % 2**64

    @cached_property
    def prior(self) -> Prior:
        return Prior(self.axis, len(self.features))

    def init(self) -> State:
        curves = self.prior.posterior(nothing(self.prior.size)).draw(self.seed, 0, CURVES)
        return self.seed, 0, 0, 0, tuple(nothing(self.prior.size)), curves

    def read(self, state: State) -> Stream:
        """The state, checked as far as its shape shows."""
        size, name = self.prior.size, "thompson"
        if not isinstance(state, list | tuple) or len(state) != 6 or not isinstance(state[4], list | tuple):
            raise refuse_state(state, name)
        try:
            sums = Sums(*(np.asarray(part, np.float64) for part in state[4]))
            curves = np.asarray(state[5], np.float64)
            seed, decisions, heard, at = (
                part if isinstance(part, int) else np.asarray(part, np.uint64) for part in state[:4]
            )
        except (TypeError, ValueError, OverflowError):
            raise refuse_state(state, name) from None
        if curves.shape[-2:] != (CURVES, size) or sums.outer.shape[-2:] != (size, size):
            raise refuse_state(state, name)
        return Stream(seed, decisions, heard, at, sums, curves)

    def best(self, state: Stream, context: Mapping[str, Any]) -> Any:
        """In which cell each of the curves is highest, ``(..., curves)``."""
        return (self.heights(state.curves, self.seen(context)) @ self.axis.basis.T).argmax(axis=-1)

    def seen(self, context: Mapping[str, Any]) -> Floats:
        """The features, ``(..., features)``."""
        return numbers_of(context, self.features)

    def heights(self, curves: Floats, features: Floats) -> Floats:
        """The values at the knots of curves ``(..., n, d)`` where the features are these, ``(..., n, knots)``."""
        knots = self.axis.knots
        if not self.features:
            return curves
        parts = curves.reshape(*curves.shape[:-1], 1 + len(self.features), knots)
        added: Floats = np.einsum("...f,...nfk->...nk", features, parts[..., 1:, :])
        return parts[..., 0, :] + added

    def step(self, state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("drawing T"):
            stream = self.read(state)
            best = self.best(stream, seen.context)
            stream = stream.spread(best.shape[:-1])
        number, key = stream.decisions, stream.seed
        uniform, which, fine, more = philox((number & LOW, upper(number), 0, 0), (key & LOW, upper(key)))
        cells = self.axis.temperatures.size
        if best.ndim == 1:  # one stream: Python's numbers cost a tenth of an array
            anywhere = uniform < self.floor * 2.0**32
            cell = which * cells >> 32 if anywhere else int(best[which * CURVES >> 32])
        else:
            drawn = np.take_along_axis(best, (which * CURVES >> 32).astype(np.intp)[..., None], axis=-1)[..., 0]
            cell = np.where(uniform < self.floor * 2.0**32, (which * cells >> 32).astype(np.intp), drawn)
        if self.axis.steps is None:
            temperature = self.axis.low + self.axis.width * (cell + (fine + more * 2.0**-32) * 2.0**-32)
            temperature = np.minimum(temperature, self.axis.high)
        else:
            temperature = self.axis.temperatures[cell]
        return per_row(as_plain(np.asarray(temperature)), seen), stream._replace(decisions=number + 1).plain()

    def density(self, state: State, seen: Seen, temperature: Temperature) -> Any:
        """With which density ``step`` would draw this T; the state is that before the step or after it."""
        with while_doing("computing the density of T"):
            stream = self.read(state)
            best = self.best(stream, seen.context)
            cell = self.axis.cell(self.within(temperature))
            share = (best == cell[..., None]).mean(axis=-1)
        if self.axis.steps is not None:
            return as_plain(np.asarray(self.floor / self.axis.steps + (1 - self.floor) * share))
        width = self.axis.width
        return as_plain(np.asarray(self.floor / (width * CELLS) + (1 - self.floor) * share / width))

    def within(self, temperature: Any) -> Floats:
        """T as an array, if it lies in the range."""
        return _between(temperature, "temperature", self.axis.low, self.axis.high)

    def learn(self, state: State, outcome: Outcome) -> State:
        if outcome.reward is None:
            return state
        with while_doing("learning from a reward"):
            if outcome.context.get("temperature") is None:
                raise InputError(
                    "the outcome does not say of which temperature",
                    instead="write Outcome(reward=1, context={'temperature': 0.83}), the T that was used",
                    field="context",
                )
            temperature, features = self.within(outcome.context["temperature"]), self.seen(outcome.context)
            reward = _between(outcome.reward, "reward", self.least, self.most)
            stream = self.read(state)
            lead = np.broadcast_shapes(lead_of(stream), temperature.shape, reward.shape, features.shape[:-1])
            stream = stream.spread(lead)
            weight = self.weight(stream, outcome.context.get("decision"))
        centred = (reward - self.least) / (self.most - self.least) - 0.5
        row = self.prior.row(temperature, features)
        sums = stream.sums
        if self.fading < 1:
            sums = sums.faded(self.fading ** np.asarray(stream.decisions - stream.at, np.float64))
        sums = sums.told(np.broadcast_to(row, (*lead, self.prior.size)), np.broadcast_to(centred, lead), weight)
        heard = stream.heard + 1
        curves = self.posterior(sums).draw(stream.seed, heard, CURVES)
        return Stream(stream.seed, stream.decisions, heard, stream.decisions, sums, curves).plain()

    def posterior(self, sums: Sums) -> Posterior:
        return self.prior.posterior(sums)

    def weight(self, stream: Stream, decision: Any) -> Any:
        """What a reward counts: 1, and less if it was earned long ago and rewards fade."""
        if decision is None or self.fading == 1:
            return 1.0
        began = _between(decision, "decision", 0, math.inf)
        age = np.asarray(stream.decisions, np.float64) - began
        if np.any(age < 0):
            raise InputError(
                f"decision {show(decision)} has not been made", instead="give state[1] before the step", field="context"
            )
        return self.fading**age


def _names(features: Any) -> tuple[str, ...]:
    if not isinstance(features, list | tuple) or not all(isinstance(name, str) for name in features):
        raise InputError(
            f"features are names, not {show(features):.60}", instead="write features=['night']", field="features"
        )
    taken = {"temperature", "decision"}
    odd = next((name for name in features if repr(name)[1:-1] != name or name in taken or not name), None)
    if odd is not None or len(set(features)) < len(features):
        raise InputError(
            f"the name {show(odd)} cannot be used" if odd is not None else "two features have one name",
            instead="give each its own name; not temperature, decision, quotation marks or backslashes",
            field="features",
        )
    return tuple(features)


def _between(value: Any, name: str, low: float, high: float) -> Floats:
    try:
        numbers = np.asarray(value, np.float64)
        fine = bool(np.all((numbers >= low) & (numbers <= high)))
    except (TypeError, ValueError, RuntimeError):
        fine = False
    if not fine:
        raise InputError(
            f"{name} is {show(value):.60}, and must be from {low:g} to {high:g}",
            instead="leave out what lies outside, or make the thermostat for a wider range",
            field=name,
        )
    return numbers
