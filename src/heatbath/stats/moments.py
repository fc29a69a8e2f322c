"""The noun of the room: count, mean and variance of observations.

Whatever is compared, a mean, a difference of two arms, a ratio, an outcome adjusted by covariates, a policy evaluated
from another's log, is brought into this one form; every interval and test reads it. It is a value, it is enough (no
rows need be kept), two of them merge into one, and its fields may be arrays: one entry per moment in time, per arm or
per simulated experiment.
"""

from typing import Any, NamedTuple

import numpy as np

from heatbath.errors import InputError
from heatbath.stats.checks import Numbers, as_numbers


class Moments(NamedTuple):
    """How many observations, their mean, and the variance of one of them.

    The variance is the unbiased one (divided by n - 1); where fewer than two were observed it is infinite, which says
    that nothing is known. A mean of nothing is NaN.

    >>> from heatbath.stats import moments
    >>> monday, tuesday = moments([1.0, 2.0, 4.0]), moments([3.0, 5.0])
    >>> monday.merged(tuesday) == moments([1.0, 2.0, 4.0, 3.0, 5.0])
    True
    """

    count: Numbers
    """n: observations, or units where a unit (a user, a conversation) has many."""
    mean: Numbers
    variance: Numbers
    """Of one observation, so that the variance of the mean is ``variance / count``."""
    fewest: Numbers | None = None
    """How many observations the thinnest part of it rests on, where that is not ``count``: the smaller arm of a
    difference, the effective sample size of weighted rows. Intervals that need a large sample look here."""

    @property
    def rests_on(self) -> Numbers:
        """``fewest``, or the count where nothing else is said."""
        return self.count if self.fewest is None else self.fewest

    @property
    def standard_error(self) -> Numbers:
        """``sqrt(variance / count)``, infinite where nothing is known."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.isfinite(self.variance), np.sqrt(self.variance / self.count), np.inf)[()]

    def merged(self, other: "Moments") -> "Moments":
        """The moments of both sets of observations together; neither set is read again.

        Reference: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983.
        """
        n, scatter = self.count + other.count, _scatter(self) + _scatter(other)
        one, two = np.where(self.count > 0, self.mean, 0.0), np.where(other.count > 0, other.mean, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(n > 0, other.count / n, np.nan)
            mean = one * (1 - share) + two * share
            apart = np.where(n > 0, (one - two) ** 2 * self.count * share, 0.0)
        return _moments(n, mean, scatter + apart)

    def scaled(self, factor: Numbers, shift: Numbers = 0.0) -> "Moments":
        """The moments of ``factor * x + shift``."""
        return self._replace(mean=self.mean * factor + shift, variance=self.variance * np.square(factor))


def _scatter(given: Moments) -> Numbers:
    return np.where(given.count > 1, given.variance, 0.0) * np.maximum(given.count - 1, 0)


def _moments(count: Numbers, mean: Numbers, scatter: Numbers) -> Moments:
    variance = np.where(count > 1, scatter / np.maximum(count - 1, 1), np.inf)
    return Moments(np.float64(count), np.float64(mean), variance[()])


def moments(values: Any, *, running: bool = False) -> Moments:
    """Count, mean and variance of observations, along the last axis.

    ``mean = sum(x) / n``, ``variance = sum((x - mean)^2) / (n - 1)``.

    Arguments:
        values: numbers or booleans, ``(..., n)``.
        running: whether to give the moments after each observation, ``(..., n)``, instead of after the last.

    Returns:
        :class:`Moments`, fields ``(...)``; running, ``(..., n)``, and the count, the same for all, ``(n,)``.

    Raises:
        InputError: a single number, or values that are not finite.

    >>> from heatbath.stats import moments
    >>> moments([1.0, 2.0, 6.0], running=True).mean.tolist()
    [1.0, 1.5, 3.0]

    How to choose: running for a picture over time or a simulation. A service keeps one value per arm and merges what
    is new (:meth:`Moments.merged`), or keeps sums and calls :func:`from_sums`.
    """
    numbers = as_numbers(values, "values", "taking moments")
    if numbers.ndim == 0:
        raise InputError(
            "observations come as a list",
            doing="taking moments",
            on=f"values={values!r:.60}",
            instead="write for example moments([0.2, 1.0, 0.7])",
            field="values",
        )
    if not running:
        n = numbers.shape[-1]
        if n == 0:
            return _moments(np.zeros(numbers.shape[:-1]), np.full(numbers.shape[:-1], np.nan), 0.0)
        mean = numbers.mean(axis=-1)
        scatter = np.square(numbers - mean[..., None]).sum(axis=-1)
        return _moments(np.full(np.shape(mean), float(n)), mean, scatter)
    n = np.arange(1.0, numbers.shape[-1] + 1)
    origin = numbers[..., :1]  # sums of squares lose their digits far from zero
    total = np.cumsum(numbers - origin, axis=-1)
    scatter = np.maximum(np.cumsum(np.square(numbers - origin), axis=-1) - total**2 / n, 0.0)
    return _moments(n, origin + total / n, scatter)


def from_sums(count: Any, total: Any, squares: Any = None) -> Moments:
    """Moments from what a database adds up: count, sum and sum of squares.

    ``mean = total / n``, ``variance = (squares - total^2 / n) / (n - 1)``.

    Arguments:
        count: n, whole numbers >= 0, any shape.
        total: sum of the observations.
        squares: sum of their squares; of booleans it is the sum itself, and may be left out.

    Returns:
        :class:`Moments` of the same shape.

    Raises:
        InputError: sums that no observations have, such as more successes than trials.

    >>> from heatbath.stats import from_sums
    >>> clicks = from_sums(count=[200, 220], total=[30, 41])
    >>> clicks.mean.round(3).tolist()
    [0.15, 0.186]

    How to choose: exact for booleans and small whole numbers. Measurements whose mean is a million times their spread
    lose their digits in a sum of squares: subtract a constant before adding up, and put it back with
    :meth:`Moments.scaled`.
    """
    doing = "taking moments from sums"
    n = as_numbers(count, "count", doing, low=0, whole=True)
    sums = as_numbers(total, "total", doing)
    if squares is None:
        as_numbers(np.where(n >= 0, n - sums, 0), "count - total", doing, low=0)
        as_numbers(sums, "total", doing, low=0)
        squared = sums
    else:
        squared = as_numbers(squares, "squares", doing, low=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(n > 0, sums**2 / n, 0.0)
        mean = sums / n
    if np.any(squared < least * (1 - 1e-9)):
        raise InputError(
            "no observations have these sums: a sum of squares is at least total^2 / count",
            doing=doing,
            on=f"total={total!r:.40}, squares={squares!r:.40}",
            instead="add up the squares of the same observations",
            field="squares",
        )
    return _moments(n, mean, np.maximum(squared - least, 0.0))


def difference(control: Moments, treatment: Moments) -> Moments:
    """The difference of two arms, ``mean of treatment - mean of control``, as the moments of one observation.

    ``count = n0 + n1``, ``variance = count (v0 / n0 + v1 / n1)``: the variance of the mean is that of the difference.

    Arguments:
        control: moments of the arm to compare with.
        treatment: moments of the other, of the same shape.

    Returns:
        :class:`Moments`; ``fewest`` is the smaller arm.

    >>> from heatbath.stats import asymptotic, difference, from_sums
    >>> effect = difference(from_sums(4000, 400), from_sums(4000, 520))
    >>> print(asymptotic(effect))
    0.03 (0.008269 to 0.05173)

    How to choose: the probabilities of the arms stayed what they were, and no bandit moved them; else take
    :func:`aipw`. Covariates that were known before make the interval shorter: :func:`adjusted_difference`. Booleans
    have an exact answer: :func:`rate_difference`.
    """
    count = control.count + treatment.count
    with np.errstate(invalid="ignore"):
        spread = count * (control.standard_error**2 + treatment.standard_error**2)
    variance = np.where(np.greater(count, 0), spread, np.inf)[()]
    fewest = np.minimum(control.rests_on, treatment.rests_on)
    return Moments(count, treatment.mean - control.mean, variance, fewest)
