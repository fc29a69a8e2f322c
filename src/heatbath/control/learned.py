"""What a bandit has learned: the curve of reward against temperature, how sure it is, and whether to stop."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from heatbath.control.axis import Floats
from heatbath.control.bandit import Bandit
from heatbath.core.numbers import check_number, check_whole
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.thermostat import Thermostat
from heatbath.types import NOTHING, State


class Learned(NamedTuple):
    """A learned curve along the axis of temperature. Arrays end with one entry per temperature; leading axes are those
    of the state.

    >>> import heatbath as hb
    >>> thermostat = hb.control.thompson(0, 2)
    >>> found = hb.control.learned(thermostat, thermostat.init())
    >>> found.temperatures.shape, bool(found.share.sum().round(6) == 1), str(found)[:27]
    ((64,), True, 'Not decided after 0 rewards')
    """

    temperatures: Floats
    mean: Floats
    """The expected reward, in the units of the rewards."""
    low: Floats
    """Lower end of the interval that holds the mean reward of this T with the probability ``level``."""
    high: Floats
    share: Floats
    """The probability that the best T is this one; they sum to 1."""
    sure: Floats
    """The probability that no T is better than this one by more than ``margin``."""
    rewards: Any
    """How many were heard; fading ones by what they still count."""
    margin: float
    level: float

    @property
    def best(self) -> Any:
        """The T with the greatest expected reward."""
        return self.temperatures[np.argmax(self.mean, axis=-1)][()]

    @property
    def confidence(self) -> Any:
        """The probability that no T is better than ``best`` by more than the margin."""
        return np.take_along_axis(self.sure, np.argmax(self.mean, axis=-1)[..., None], axis=-1)[..., 0][()]

    def __str__(self) -> str:
        if np.ndim(self.rewards):
            return repr(self)
        place = int(np.argmax(self.mean))
        said = (
            f"T = {self.best:.3g} earns {self.mean[place]:.3g} ({self.low[place]:.3g} to {self.high[place]:.3g}), "
            f"and no T is better by more than {self.margin:g} with probability {self.confidence:.3g}"
        )
        return (
            f"{'Decided' if self.confidence >= self.level else 'Not decided'} after {self.rewards:.0f} rewards: {said}"
        )


def learned(
    thermostat: Thermostat,
    state: State,
    context: Mapping[str, Any] = NOTHING,
    *,
    margin: float = 0.05,
    level: float = 0.95,
    curves: int = 2000,
) -> Learned:
    """The curve that ``thompson`` has learned, with its interval, and how sure it is of the best T.

    All of it from ``curves`` curves drawn from the posterior, always the same for the same state: ``sure`` of a T is
    the share of curves f with ``max f - f(T) <= margin``. With 2000 curves a probability of 0.95 is exact to 0.01.

    Arguments:
        thermostat: made by :func:`heatbath.control.thompson`.
        state: of a stream, at any time.
        context: the features, where it has some.
        margin: which loss would not matter, >= 0, in the units of the rewards.
        level: of the interval, and of a decision, between 0 and 1.
        curves: how many, 100 to 100,000.

    Returns:
        :class:`Learned`; its ``confidence`` of at least ``level`` is a decision, and ``print`` says so.

    Raises:
        InputError: another kind of thermostat, a missing feature, or an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> thermostat = hb.control.thompson(0, 2, seed=3)
    >>> rng, state = np.random.default_rng(0), thermostat.init()
    >>> for temperature in rng.uniform(0, 2, 800):
    ...     liked = rng.random() < 0.8 - 0.5 * (temperature - 0.7) ** 2
    ...     state = thermostat.learn(state, hb.Outcome(reward=liked, context={"temperature": temperature}))
    >>> found = hb.control.learned(thermostat, state)
    >>> bool(0.5 < found.best < 0.9), bool(found.confidence > 0.9)
    (True, True)

    How to choose: stop when ``confidence`` reaches 0.95 and put ``fixed(found.best)`` in its place, or go on and let
    the bandit fade out the rest by itself. The margin is what decides how long that takes: on a smooth curve the best T
    and its neighbours hardly differ, and half the margin takes up to four times the rewards. It is a posterior
    probability, looked at as often as you like: of decisions on curves such as the prior expects, one in twenty is
    wrong, whenever one stops; on a certain curve that may be more or less. ``benchmarks/bandit.py`` counted 1 to 5 % on
    smooth curves, 8 % on nine temperatures that have nothing to do with each other, and 20 % where every T was played
    on curves with corners, of which splines know nothing: there take ``steps``. For a guarantee whatever the curve,
    compare two temperatures by an experiment (:func:`heatbath.stats.asymptotic`).

    Reference: stopping by the posterior probability of a loss: Kaufmann and Garivier, "Learning the distribution with
    largest mean", 2017, and Russo, "Simple Bayesian algorithms for best-arm identification", Operations Research 2020.
    """
    with while_doing("reading what was learned", show(thermostat)):
        bandit = getattr(thermostat.step, "__self__", None)
        if not isinstance(bandit, Bandit):
            raise InputError(
                "it learns no curve", instead="give a thermostat made by thompson(low, high)", field="thermostat"
            )
        wide = check_number(margin, "margin", "a number >= 0", lambda m: m >= 0, example=0.05)
        sure = check_number(level, "level", "between 0 and 1", lambda p: 0 < p < 1, example=0.95)
        if not 100 <= check_whole(curves, "curves", least=100, example=2000) <= 100_000:
            raise InputError(f"{curves} curves are too many", instead="write curves=2000", field="curves")
        stream = bandit.read(state)
        features = bandit.seen(context)
        posterior = bandit.posterior(stream.sums)
        drawn = bandit.heights(posterior.draw(0, 0, curves), features) @ bandit.axis.basis.T
        centre = np.einsum("...m,...md->...d", posterior.share, posterior.mean)[..., None, :]
        mean = (bandit.heights(centre, features) @ bandit.axis.basis.T)[..., 0, :]
    top = drawn.max(axis=-1, keepdims=True)
    low, high = np.quantile(drawn, [(1 - sure) / 2, (1 + sure) / 2], axis=-2)
    scale, origin = bandit.most - bandit.least, (bandit.most + bandit.least) / 2
    return Learned(
        bandit.axis.temperatures,
        mean=origin + scale * mean,
        low=origin + scale * low,
        high=origin + scale * high,
        share=(drawn == top).mean(axis=-2),
        sure=(scale * (top - drawn) <= wide).mean(axis=-2),
        rewards=stream.sums.weight[()],
        margin=wide,
        level=sure,
    )
