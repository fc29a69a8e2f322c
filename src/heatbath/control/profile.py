"""A model's profile: what each T does to its choices on average, measured once and kept. It turns an effect into T."""

import json
import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from heatbath.control.measuring import GRID, Curve, measure
from heatbath.core.numbers import check_number
from heatbath.errors import InputError, TargetError, while_doing
from heatbath.made import show
from heatbath.thermostat import Thermostat, fixed
from heatbath.types import Array

FORMAT = "heatbath profile, version 1"
SLACK = 1e-12
"""An effect this close, relatively, to the one at an end of the curve is that one: sums and ``ln(exp(x))`` round."""


class Effect(NamedTuple):
    """What a temperature does to a model's choices, on average over positions."""

    entropy: float
    """Mean entropy, in nats."""
    perplexity: float
    """``exp(entropy)``: the geometric mean over positions of the effective number of choices."""
    top_probability: float
    """Mean probability of the best option."""
    relative_entropy: float
    """Mean share of the largest possible entropy, ``entropy / ln(number of options)``, from 0 to 1."""


@dataclass(frozen=True)
class Profile:
    """A model's profile: its mean effect at each temperature, over the positions of sample prompts.

    ``mean(T) = (1 / positions) sum_i effect(scores_i, T)``. Make it once with :meth:`measure`, keep it with
    :meth:`save`, and ask it for the T that gives an effect (:meth:`temperature_for`) or for the effect of a T
    (:meth:`effect`).

    Arguments:
        model: the model's name.
        positions: how many rows of scores were measured.
        samples: how many independent samples (prompts) they came from; the standard errors are over these.
        temperatures: the grid, from 0 to infinity.
        entropy: mean and standard error at each temperature, in nats.
        relative_entropy: the same for the share of the largest possible entropy.
        top_probability: the same for the probability of the best option.

    >>> import numpy as np, heatbath as hb
    >>> scores = 3 * np.random.default_rng(0).normal(size=(20, 10, 50))       # 20 prompts, 10 positions, 50 options
    >>> profile = hb.Profile.measure(scores, model="toy")
    >>> round(profile.effect(1.0).entropy, 2)
    1.77
    >>> round(profile.temperature_for(entropy=1.0), 3)
    0.604

    When it transfers: a profile is the average over *its* positions, under the model's own scores before any
    truncation. A text written at another T leads the model to other places: hot texts to places where it is less
    certain still, cold ones to loops where it is surer. On stories260K a profile of texts written at T = 1 told the
    entropy of texts written at T = 0.8, 1.2 and 2 as 1.01, 1.60 and 2.82 nats, and it was 0.93, 1.69 and 3.34. So
    measure on prompts like the real ones, with continuations drawn near the T in question, and read the standard
    errors; :func:`heatbath.hold_entropy` with a horizon closes the loop while it runs.

    How to choose: a profile where one T per request is wanted that makes choices equally open on different models (a
    knob, an A/B test); ``hold_entropy(target, horizon=...)`` where the effect itself must be met on each text. Equally
    open choices do not make equal texts where tokens differ in length (benchmarks/README.md); nats per byte,
    ``temperature_for(entropy=nats_per_byte * mean_bytes_of_a_token)``, or the same T come closer to that.
    """

    model: str
    positions: int
    samples: int
    temperatures: tuple[float, ...]
    entropy: Curve
    relative_entropy: Curve
    top_probability: Curve

    def __post_init__(self) -> None:
        with while_doing("making a profile", f"model={self.model!r}"):
            _check(self)

    @classmethod
    def measure(cls, rows_of_scores: Iterable[Array], *, model: str) -> Self:
        """Measure a profile in one pass; nothing but sums is kept.

        Arguments:
            rows_of_scores: arrays of scores of any library, shape (V,) or (B, V), -inf for what is forbidden. Each
                array is one sample: give all positions of one prompt together, because neighbours in a text resemble
                each other and a standard error that took them for independent would be too small.
            model: the model's name, for people.

        Returns:
            the profile on the grid ``T / (1 + T) = 0, 1/96, ..., 1``.

        Raises:
            InputError: fewer than two samples, or scores that are NaN, +inf or empty.

        >>> import numpy as np, heatbath as hb
        >>> hb.Profile.measure([np.array([0.0, 1.0]), np.array([0.0, 3.0])], model="two rows").positions
        2
        """
        with while_doing("measuring a profile", f"model={model!r}"):
            measured = measure(rows_of_scores)
            return cls(model, measured.positions, measured.samples, GRID, *measured[2:])

    @property
    def perplexity(self) -> Curve:
        """``exp(mean entropy)`` at each temperature, with its standard error ``perplexity x error of the entropy``.

        The exponential of the mean, not the mean of the exponentials: that is what is called perplexity of a text, and
        the other would be ruled by the few positions where everything is possible.
        """
        mean = tuple(map(math.exp, self.entropy.mean))
        return Curve(mean, tuple(m * error for m, error in zip(mean, self.entropy.error, strict=True)))

    def effect(self, temperature: float) -> Effect:
        """The mean effect of one temperature.

        Between two temperatures of the grid each curve is a straight line in ``T / (1 + T)``. On stories260K (512
        tokens) that is off by at most 0.0012 nats at any T, a tenth of the standard error of 8000 positions.

        Arguments:
            temperature: 0 <= T <= inf.

        Raises:
            InputError: T is negative or not a number.
        """
        with while_doing("asking a profile for an effect", f"temperature={show(temperature)}"):
            where = _place(check_number(temperature, "temperature", "a number >= 0", lambda t: t >= 0))
        places = [_place(t) for t in self.temperatures]
        nats, share, top = (
            float(np.interp(where, places, curve.mean))
            for curve in (self.entropy, self.relative_entropy, self.top_probability)
        )
        return Effect(nats, math.exp(nats), top, share)

    def temperature_for(
        self,
        *,
        entropy: float | None = None,
        perplexity: float | None = None,
        top_probability: float | None = None,
        relative_entropy: float | None = None,
    ) -> float:
        """The temperature with this mean effect: the inverse of :meth:`effect`. Give exactly one.

        Arguments:
            entropy: mean entropy, in nats.
            perplexity: the exponential of the mean entropy.
            top_probability: mean probability of the best option, in (0, 1].
            relative_entropy: mean share of the largest possible entropy, in [0, 1].

        Returns:
            the T, from 0 to infinity; the smallest where several have this effect.

        Raises:
            TargetError: no temperature has this effect; the message names the range that can be reached.
            InputError: none or several effects were given, or something that is not a number.

        >>> import numpy as np, heatbath as hb
        >>> profile = hb.Profile.measure(np.random.default_rng(0).normal(size=(99, 4)), model="toy")
        >>> round(profile.temperature_for(relative_entropy=0.5), 3)
        0.388
        >>> profile.temperature_for(entropy=2.0)
        Traceback (most recent call last):
            ...
        heatbath.errors.TargetError: asking the profile of toy for a temperature on entropy=2.0: it reaches 0 to
        1.386, at T from 0 to infinity; give a value in that range
        """
        wanted = {
            "entropy": entropy,
            "perplexity": perplexity,
            "top_probability": top_probability,
            "relative_entropy": relative_entropy,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        written = ", ".join(f"{name}={show(value)}" for name, value in given.items())
        with while_doing(f"asking the profile of {self.model} for a temperature", written):
            if len(given) != 1:
                raise InputError(
                    f"exactly one effect can be asked for, not {len(given)}", instead="write for example entropy=2.0"
                )
            [(name, value)] = given.items()
            return self._solve(name, value)

    def _solve(self, name: str, value: Any) -> float:
        wanted = check_number(value, name, "a number", lambda n: not math.isnan(n))
        means: tuple[float, ...] = getattr(self, name).mean
        low, high = min(means), max(means)
        if abs(wanted - high) <= SLACK * high:
            wanted = high
        elif abs(wanted - low) <= SLACK * low:
            wanted = low
        if not low <= wanted <= high:
            # rounded inward, so that what the message says can be typed
            least = Context(4, ROUND_CEILING).create_decimal(low).normalize()
            most = Context(4, ROUND_FLOOR).create_decimal(high).normalize()
            raise TargetError(
                f"it reaches {least:f} to {most:f}, at T from 0 to infinity",
                instead="give a value in that range",
                field=name,
            )
        if name == "top_probability":  # the only one that falls as T rises
            means, wanted = tuple(-mean for mean in means), -wanted
        right = bisect_left(means, wanted)
        if means[right] == wanted:
            return self.temperatures[right]
        left = right - 1
        if name == "perplexity":  # the straight lines are those of the entropy
            means, wanted = self.entropy.mean, math.log(wanted)
        part = min(max((wanted - means[left]) / (means[right] - means[left]), 0.0), 1.0)  # ln(exp(m)) need not be m
        a, b = _place(self.temperatures[left]), _place(self.temperatures[right])
        where = a + (b - a) * part
        return where / (1 - where) if where < 1 else math.inf

    def thermostat(
        self,
        *,
        entropy: float | None = None,
        perplexity: float | None = None,
        top_probability: float | None = None,
        relative_entropy: float | None = None,
    ) -> Thermostat:
        """The fixed T with this mean effect, as a thermostat. Arguments and errors as for :meth:`temperature_for`."""
        return fixed(
            self.temperature_for(
                entropy=entropy,
                perplexity=perplexity,
                top_probability=top_probability,
                relative_entropy=relative_entropy,
            )
        )

    def to_json(self) -> str:
        """The profile as JSON text; :meth:`from_json` is the inverse, to the last digit.

        Infinity, which JSON has no number for, is written as the string "Infinity"; Python's ``float`` and JavaScript's
        ``Number`` both read it.
        """
        return json.dumps(
            {
                "format": FORMAT,
                "model": self.model,
                "positions": self.positions,
                "samples": self.samples,
                "temperatures": ["Infinity" if math.isinf(t) else t for t in self.temperatures],
                **{name: getattr(self, name)._asdict() for name in _CURVES},
            },
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a profile that :meth:`to_json` wrote.

        Raises:
            InputError: it is no JSON, or no profile, or its numbers contradict each other.
        """
        with while_doing("reading a profile"):
            try:
                data = json.loads(text)
                if data["format"] != FORMAT:
                    raise _no_profile(f"its format is {data['format']!r}, not {FORMAT!r}")
                curves = [Curve(_numbers(data[name]["mean"]), _numbers(data[name]["error"])) for name in _CURVES]
                return cls(data["model"], data["positions"], data["samples"], _numbers(data["temperatures"]), *curves)
            except json.JSONDecodeError as error:
                raise _no_profile(f"it is no JSON: {error}") from None
            except KeyError as error:
                raise _no_profile(f"it has no field {error}") from None
            except (TypeError, ValueError, RecursionError) as error:
                if isinstance(error, InputError):
                    raise
                raise _no_profile(f"it is no profile: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write the profile to a file.

        Raises:
            InputError: the file cannot be written.
        """
        with while_doing("keeping a profile", str(path)):
            try:
                Path(path).write_text(self.to_json() + "\n", encoding="utf-8")
            except OSError as error:
                raise InputError(
                    f"the file cannot be written: {error.strerror}",
                    instead="give a path in a folder that exists and is yours to write to",
                    field="path",
                ) from None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a profile from a file.

        Raises:
            InputError: the file cannot be read, or holds no profile.
        """
        with while_doing("reading a profile", str(path)):
            try:
                text = Path(path).read_bytes()
            except OSError as error:
                raise _no_profile(f"the file cannot be read: {error.strerror}") from None
            return cls.from_json(text)


_CURVES = ("entropy", "relative_entropy", "top_probability")


def _place(temperature: float) -> float:
    """``T / (1 + T)``: all temperatures, infinity included, laid out between 0 and 1."""
    return 1.0 if math.isinf(temperature) else temperature / (1 + temperature)


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _no_profile(why: str) -> InputError:
    return InputError(why, instead="make one with Profile.measure(...) and keep it with save(path)", field="profile")


def _check(profile: Profile) -> None:
    """Refuse numbers that no measurement gives."""
    if not isinstance(profile.model, str):
        raise _no_profile("the model's name is not a text")
    for name in ("positions", "samples"):
        count = getattr(profile, name)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise _no_profile(f"{name} must be a whole number >= 1, not {show(count)}")
    grid = profile.temperatures
    if len(grid) < 2 or grid[0] != 0 or grid[-1] != math.inf or any(a >= b for a, b in pairwise(grid)):
        raise _no_profile("the temperatures must rise from 0 to infinity")
    for name in _CURVES:
        curve: Curve = getattr(profile, name)
        if not len(curve.mean) == len(curve.error) == len(grid):
            raise _no_profile(f"{name} must have one mean and one error for each of the {len(grid)} temperatures")
        if not all(math.isfinite(value) and value >= 0 for value in (*curve.mean, *curve.error)):
            raise _no_profile(f"{name} must be finite and not negative")
        falling = name == "top_probability"
        steps = np.diff(curve.mean)
        if np.any(steps > 0 if falling else steps < 0):
            raise _no_profile(f"{name} must never {'rise' if falling else 'fall'} as T rises")
