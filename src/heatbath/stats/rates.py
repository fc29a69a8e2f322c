"""Shares of booleans, exactly, from counts: the interval for clicks, thumbs and passed checks.

A fair bet against "the rate is m" is the likelihood of what was seen under a mixture of rates, over its likelihood
under m. With a Beta(a, b) mixture, s successes in n trials and p = s / n::

    ln e(m) = ln B(s + a, n - s + b) / B(a, b) - s ln m - (n - s) ln(1 - m)
            = n KL(p, m) - [what the mixture paid for not knowing p]

Two arms are two bets, and the product of fair bets is fair: against the pair (m0, m1), whatever decides which arm comes
next, a bandit included. The interval for m1 - m0 is what the pairs that are not rejected give. Its ends lie where ``n1
(m1 - p1) / (m1 (1 - m1)) = n0 (p0 - m0) / (m0 (1 - m0)) = k``: a path of pairs with one parameter, each pair the root
of a quadratic equation, along which the evidence only rises. So one bisection finds an end, for all moments at once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.stats.checks import SIDES, Numbers, as_null, as_one_of, as_positive, as_share, special
from heatbath.stats.interval import Interval, p_of
from heatbath.stats.moments import Moments

PRIOR = (0.5, 0.5)
"""Beta(1/2, 1/2), which pays the least for not knowing the rate in the worst case."""

STEPS = 56
"""Halvings of a bracket of ln k that is 80 wide: the ends are exact to rounding."""

Pair = tuple[Numbers, Numbers]  # of arrays


def rate(
    observed: Moments, *, alpha: float = 0.05, null: float = 0.5, side: str = "both", prior: tuple[float, float] = PRIOR
) -> Interval:
    """Exact confidence sequence for the share of a boolean: the Beta-binomial mixture.

    All m with ``B(s + a, n - s + b) / B(a, b) < m^s (1 - m)^(n - s) / alpha``: they hold at all n together with
    probability 1 - alpha, at any n and any rate, for trials with the same chance of success given the past.

    Arguments:
        observed: moments of booleans, ``from_sums(trials, successes)``.
        alpha: the chance of ever missing the truth, between 0 and 1.
        null: the rate that the p-value is about, from 0 to 1.
        side: "both"; "above" for a lower bound only, and evidence that the rate lies above the null; "below".
        prior: (a, b) > 0 of the mixture, chosen before the data.

    Returns:
        :class:`Interval` within [0, 1], of the shape of the moments.

    Raises:
        InputError: the moments are not of booleans, or arguments out of their ranges.

    >>> from heatbath.stats import from_sums, rate
    >>> print(rate(from_sums(count=50, total=48), null=0.8))
    0.96 (0.8067 to 0.9989)

    How to choose: whenever the outcome is true or false; valid from the first trial, where :func:`asymptotic` must
    wait. ``prior=(1, 19)`` is a little tighter if rates near 1 in 20 are expected.

    Reference: Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical
    Statistics 1970; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
    sequences", Annals of Statistics 2021.
    """
    doing = "computing a confidence sequence for a rate"
    n, p = _booleans(observed, "observed", doing)
    share, side, a_b = as_share(alpha, "alpha", doing), as_one_of(side, "side", doing, SIDES), check_prior(prior, doing)
    centre = _rate(null, doing, least=0.0)
    paid = _paid(n, p, a_b)
    log_e = _one_way(_loss(n, p, np.float64(centre)) - paid, p - centre, side)
    budget = paid - np.log(share)
    high = _end(lambda k: _loss(n, p, _up(n, p, k)), budget, n)
    low = _end(lambda k: _loss(n, p, _down(n, p, k)), budget, n)
    return _interval(observed.mean, _down(n, p, low), _up(n, p, high), log_e, side, share, centre, (0.0, 1.0))


def rate_difference(
    control: Moments,
    treatment: Moments,
    *,
    alpha: float = 0.05,
    null: float = 0.0,
    side: str = "both",
    prior: tuple[float, float] = PRIOR,
) -> Interval:
    """Exact confidence sequence for the difference of two rates: an A/B test of a boolean.

    All d = m1 - m0 for which some m0 has ``ln e0(m0) + ln e1(m0 + d) < ln(1 / alpha)``, each e the bet of :func:`rate`.
    It holds at all times together at any sample size, with any assignment, also one that changes or learns.

    Arguments:
        control: moments of booleans, ``from_sums(trials, successes)``.
        treatment: the same of the other arm.
        alpha: the chance of ever missing the truth, between 0 and 1.
        null: the difference that the p-value is about, between -1 and 1.
        side: "both"; "above" for a lower bound only, and evidence that the difference lies above the null; "below".
        prior: (a, b) > 0 of the mixture of each arm, chosen before the data.

    Returns:
        :class:`Interval` within [-1, 1] for ``treatment - control``.

    Raises:
        InputError: the moments are not of booleans, or arguments out of their ranges.

    >>> from heatbath.stats import from_sums, rate_difference
    >>> print(rate_difference(from_sums(900, 410), from_sums(880, 489)))
    0.1001 (-0.007055 to 0.2058)

    How to choose: thumbs up against thumbs down with few answers or rare thumbs, or a bandit that assigns. It pays for
    two unknown rates: with hundreds of both outcomes in each arm :func:`asymptotic` of a :func:`difference` is a third
    shorter. The trials of one arm must have one chance of success given the past: where that drifts and the
    probabilities of the arms change too, take :func:`aipw`.

    Reference: Robbins 1970 for each arm; the product and the path of pairs are derived at the top of the file. Another
    exact sequential test of two rates: Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample
    tests that allow for optional stopping", 2021.
    """
    doing = "computing a confidence sequence for a difference of rates"
    n0, p0 = _booleans(control, "control", doing)
    n1, p1 = _booleans(treatment, "treatment", doing)
    share, side, a_b = as_share(alpha, "alpha", doing), as_one_of(side, "side", doing, SIDES), check_prior(prior, doing)
    centre = _rate(null, doing, least=-1.0)
    paid, n = _paid(n0, p0, a_b) + _paid(n1, p1, a_b), n0 + n1

    def rising(k: Numbers) -> Pair:
        return _down(n0, p0, k), _up(n1, p1, k)

    def falling(k: Numbers) -> Pair:
        return _up(n0, p0, k), _down(n1, p1, k)

    def loss(pair: Pair) -> Numbers:
        return _loss(n0, p0, pair[0]) + _loss(n1, p1, pair[1])

    def at_null(way: Callable[[Numbers], Pair]) -> Numbers:
        return loss(way(_end(lambda k: _gone(way(k), p0, p1), np.abs(apart), n)))

    known = (n0 > 0) & (n1 > 0)
    apart = np.where(known, p1 - p0 - centre, 0.0)
    if centre == 0:  # one rate for both, and the likeliest is the pooled one
        pooled = (n0 * p0 + n1 * p1) / np.maximum(n, 1)
        evidence = loss((pooled, pooled))
    else:  # the pair on the line m1 - m0 = null, on one of the two ways
        evidence = np.where(apart > 0, at_null(falling), at_null(rising))
    log_e = _one_way(np.where(apart != 0, evidence, 0.0) - paid, apart, side)
    budget = paid - np.log(share)
    m0, m1 = rising(_end(lambda k: loss(rising(k)), budget, n))
    high = np.where(known, m1 - m0, 1.0)
    m0, m1 = falling(_end(lambda k: loss(falling(k)), budget, n))
    low = np.where(known, m1 - m0, -1.0)
    return _interval(treatment.mean - control.mean, low, high, log_e, side, share, centre, (-1.0, 1.0))


def log_mixture(n: Numbers, successes: Numbers, prior: tuple[float, float]) -> Numbers:
    """``ln B(s + a, n - s + b) / B(a, b)``: the likelihood of the successes under the mixture of rates."""
    a, b = prior
    betaln = special().betaln
    return betaln(successes + a, n - successes + b) - betaln(a, b)


def _paid(n: Numbers, p: Numbers, prior: tuple[float, float]) -> Numbers:
    """The log likelihood at the best rate, minus that of the mixture."""
    xlogy = special().xlogy
    return n * (xlogy(p, p) + xlogy(1 - p, 1 - p)) - log_mixture(n, n * p, prior)


def _loss(n: Numbers, p: Numbers, m: Numbers) -> Numbers:
    """``n KL(p, m)``; nothing where nothing was seen."""
    rel_entr = special().rel_entr
    return n * np.where(n > 0, rel_entr(p, m) + rel_entr(1 - p, 1 - m), 0.0)


def _up(n: Numbers, p: Numbers, k: Numbers) -> Numbers:
    """The m >= p with ``n (m - p) = k m (1 - m)``; 1 where nothing was seen. Neither form below cancels."""
    gap = n - k
    root = np.sqrt(gap**2 + 4 * k * n * p)
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.where(gap > 0, 2 * n * p / (gap + root), (root - gap) / (2 * k))
    return np.clip(m, p, 1.0)  # rounding


def _down(n: Numbers, p: Numbers, k: Numbers) -> Numbers:
    return 1 - _up(n, 1 - p, k)


def _gone(pair: Pair, p0: Numbers, p1: Numbers) -> Numbers:
    """How far a pair lies from the estimate, across the lines of equal difference."""
    return np.abs((pair[1] - pair[0]) - (p1 - p0))


def _end(rises: Callable[[Numbers], Numbers], budget: Numbers, n: Numbers) -> npt.NDArray[np.float64]:
    """The largest k at which what rises with k has not exceeded the budget, by bisection of ln k."""
    shape = np.broadcast_shapes(np.shape(budget), np.shape(n))
    unit = np.log(np.maximum(n, 1))
    low, high = np.full(shape, -40.0) + unit, np.full(shape, 40.0) + unit
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        inside = rises(np.exp(middle)) <= budget
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.asarray(np.exp(low))


def _one_way(log_e: Numbers, apart: Numbers, side: str) -> Numbers:
    """Evidence for one side only counts where the estimate lies on that side."""
    if side == "both":
        return log_e
    right = np.greater(apart, 0) if side == "above" else np.less(apart, 0)
    return np.where(right, log_e, np.minimum(log_e, 0.0))


def _interval(
    estimate: Numbers,
    low: Numbers,
    high: Numbers,
    log_e: Numbers,
    side: str,
    alpha: float,
    null: float,
    ends: tuple[float, float],
) -> Interval:
    low = np.full(np.shape(low), ends[0]) if side == "below" else low
    high = np.full(np.shape(high), ends[1]) if side == "above" else high
    log_e = np.asarray(log_e)[()]
    return Interval(estimate, np.asarray(low)[()], np.asarray(high)[()], log_e, p_of(log_e), alpha, null)


def _booleans(given: Moments, name: str, doing: str) -> Pair:
    """Trials and rates; 1/2 stands for the rate of nothing."""
    n, p = np.asarray(given.count, dtype=np.float64), np.asarray(given.mean, dtype=np.float64)
    p = np.where(n > 0, p, 0.5)
    with np.errstate(invalid="ignore"):
        ours = np.where(n > 1, n * p * (1 - p) / np.maximum(n - 1, 1), np.inf)
        fine = (p >= 0) & (p <= 1) & ((n < 2) | np.isclose(ours, given.variance, rtol=1e-6, atol=1e-12))
    if not np.all(fine) or given.fewest is not None:
        raise InputError(
            f"{name} must be moments of booleans, of which the variance is n p (1 - p) / (n - 1)",
            doing=doing,
            on=f"{name}={given!r:.100}",
            instead="write from_sums(trials, successes), or take asymptotic or betting for other numbers",
            field=name,
        )
    return n, p


def check_prior(prior: Any, doing: str) -> tuple[float, float]:
    """Two positive numbers."""
    if not isinstance(prior, tuple | list) or len(prior) != 2:
        raise InputError(
            "prior is a pair of positive numbers",
            doing=doing,
            on=f"prior={prior!r:.60}",
            instead=f"write for example prior={PRIOR}",
            field="prior",
        )
    return as_positive(prior[0], "prior", doing), as_positive(prior[1], "prior", doing)


def _rate(null: Any, doing: str, least: float) -> float:
    number = as_null(null, doing)
    if not least <= number <= 1:
        raise InputError(
            f"null lies between {least:g} and 1",
            doing=doing,
            on=f"null={null!r:.60}",
            instead="write a share, such as 0.2 for 20 %",
            field="null",
        )
    return number
