"""Intervals from a normal mixture: exact for known variance, asymptotic for the variance that was observed.

A bet on "the mean is null + l" that is fair if the mean is ``null`` has multiplied its stake by ``exp(l S - n l^2 /
2)`` after n observations with sum S above the null (in units of the standard deviation). Spread the stake over all l by
a normal density of variance rho^2 and the integral is closed, with ``v = n rho^2`` and ``z = S / sqrt(n)``::

    two-sided   e = (1 + v)^(-1/2) exp(z^2 v / (2 (1 + v)))
    one-sided   e = 2 (1 + v)^(-1/2) exp(y^2 / 2) Phi(y),   y = z sqrt(v / (1 + v))    (half the normal density)

By Ville's inequality a fair bet reaches 1 / alpha at any time with probability at most alpha. So the values of the mean
against which e stays below 1 / alpha are an interval that holds at all times together.
"""

from math import log, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.stats.checks import SIDES, Numbers, as_null, as_numbers, as_one_of, as_positive, as_share, special
from heatbath.stats.interval import Interval, p_of
from heatbath.stats.moments import Moments

TUNED_FOR = 5000
"""The sample size at which intervals are the tightest, unless something else is said."""

LEAST = 100
"""How many observations the thinnest part must rest on before a variance that was observed is taken for the true
one."""


def mixture_rho(sample_size: float, alpha: float = 0.05, *, side: str = "both") -> float:
    """The spread rho of the mixture with which the interval is the shortest at one sample size.

    ``rho^2 = x / n`` where ``x = ln(1 + x) + 2 ln(1 / alpha)``; for one side alpha counts twice.

    Arguments:
        sample_size: n > 0, the size at which the decision will probably fall, both arms together.
        alpha: the chance of ever missing the truth, between 0 and 1.
        side: "both", "above" or "below", see :func:`asymptotic`.

    Returns:
        rho > 0.

    Raises:
        InputError: arguments out of their ranges.

    >>> from heatbath.stats import mixture_rho
    >>> round(mixture_rho(5000), 4)
    0.0405

    How to choose: once, before the data. Any n gives a valid interval; one ten times too small makes it 7 %
    wider, one ten times too large 26 %, so guess low. Choosing n by what the data show breaks the guarantee.

    Reference: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic
    confidence sequences", Annals of Statistics 2024; the closed form there, ``rho^2 = (1 - 2 ln alpha + ln(-2 ln
    alpha)) / n``, is near this solution.
    """
    doing = "tuning a confidence sequence"
    size = as_positive(sample_size, "sample_size", doing, TUNED_FOR)
    share = as_share(alpha, "alpha", doing)
    if as_one_of(side, "side", doing, SIDES) != "both":
        share = min(2 * share, 0.999)
    x = 1.0
    for _ in range(60):
        x = np.log1p(x) - 2 * log(share)
    return sqrt(float(x) / size)


def normal_mixture(
    observed: Moments,
    *,
    sd: Any,
    alpha: float = 0.05,
    null: float = 0.0,
    side: str = "both",
    tuned_for: float = TUNED_FOR,
) -> Interval:
    """Confidence sequence for the mean of observations with a known standard deviation.

    ``mean -+ sd / sqrt(n) z``, with ``z^2 = (1 + 1 / v) (ln(1 + v) + 2 ln(1 / alpha))``, ``v = n rho^2``: it holds at
    all n together with probability 1 - alpha, for normal observations and for any that are sub-Gaussian with that sd.

    Arguments:
        observed: moments; the variance is not looked at.
        sd: standard deviation of one observation, > 0, one number or one per entry. Of values within [a, b], (b - a) /
            2 is always enough.
        alpha: the chance of ever missing the truth, between 0 and 1.
        null: the value that the p-value is about.
        side: "both"; "above" for a lower bound only, and evidence that the mean lies above the null; "below".
        tuned_for: the sample size at which the interval is the tightest (:func:`mixture_rho`).

    Returns:
        :class:`Interval` of the shape of the moments.

    Raises:
        InputError: arguments out of their ranges.

    >>> from heatbath.stats import moments, normal_mixture
    >>> print(normal_mixture(moments([0.3, 1.2, 0.8, 0.1]), sd=1.0, tuned_for=100))
    0.6 (-1.919 to 3.119)

    How to choose: the scale is known by construction (scores of a judge from 0 to 1: sd=0.5). It is then valid from the
    first observation, but as wide as if every observation were at the ends of the range; :func:`betting` adapts.

    Reference: Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical
    Statistics 1970; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
    sequences", Annals of Statistics 2021.
    """
    doing = "computing a normal mixture"
    spread = as_numbers(sd, "sd", doing, above=0)
    return _mixture(observed, spread, alpha, null, side, tuned_for, doing)


def asymptotic(
    observed: Moments,
    *,
    alpha: float = 0.05,
    null: float = 0.0,
    side: str = "both",
    tuned_for: float = TUNED_FOR,
    least: float = LEAST,
) -> Interval:
    """Asymptotic confidence sequence: the interval for everyday A/B tests that may be looked at whenever one likes.

    ``mean -+ s / sqrt(n) z``, with ``z^2 = (1 + 1 / v) (ln(1 + v) + 2 ln(1 / alpha))``, ``v = n rho^2``: the normal
    mixture with the observed standard deviation s. Needs no range and no model, only a variance; in exchange it is
    asymptotic, as the central limit theorem is, and says nothing before ``least`` observations.

    Arguments:
        observed: moments of anything: a mean, a :func:`difference`, a :func:`ratio`, :func:`ips`, ....
        alpha: the chance of ever missing the truth, between 0 and 1.
        null: the value that the p-value is about.
        side: "both"; "above" for a lower bound only, and evidence that the mean lies above the null; "below".
        tuned_for: the sample size at which the interval is the tightest, both arms together (:func:`mixture_rho`).
            Chosen before the data.
        least: how many observations the thinnest part must rest on (each arm of a difference; the effective sample size
            of weighted rows). Below that, and where no variation has been seen yet, the bounds are infinite.

    Returns:
        :class:`Interval` of the shape of the moments.

    Raises:
        InputError: arguments out of their ranges.

    >>> from heatbath.stats import asymptotic, difference, from_sums
    >>> effect = asymptotic(difference(from_sums(900, 410), from_sums(880, 489)))
    >>> print(effect, f"p = {effect.p_value:.4f}")
    0.1001 (0.02597 to 0.1743) p = 0.0024

    How to choose: means and differences of anything with a hundred observations per arm. Few or rare booleans:
    :func:`rate` and :func:`rate_difference` are exact from the first. Values in a known range and few of them:
    :func:`betting`. Very skewed outcomes (costs, rare events of large size): raise ``least``, or cap the outcome.

    Reference: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic
    confidence sequences", Annals of Statistics 2024.
    """
    doing = "computing an asymptotic confidence sequence"
    least = as_positive(least, "least", doing, LEAST, zero=True)
    known = (np.asarray(observed.rests_on) >= least) & np.isfinite(observed.variance) & np.greater(observed.variance, 0)
    spread = np.sqrt(np.where(known, observed.variance, np.inf))
    return _mixture(observed, spread, alpha, null, side, tuned_for, doing)


def fixed_n(observed: Moments, *, alpha: float = 0.05, null: float = 0.0, side: str = "both") -> Interval:
    """The textbook interval, valid at one look that was planned before the data, and at no other.

    ``mean -+ z s / sqrt(n)``, z the quantile of the normal distribution.

    Arguments:
        observed: moments of anything.
        alpha: the chance of missing the truth at that one look, between 0 and 1.
        null: the value that the p-value is about.
        side: "both", "above" or "below", see :func:`asymptotic`.

    Returns:
        :class:`Interval`, marked as not ``anytime``, without e-value.

    Raises:
        InputError: arguments out of their ranges.

    >>> from heatbath.stats import difference, fixed_n, from_sums
    >>> print(fixed_n(difference(from_sums(900, 410), from_sums(880, 489))))
    0.1001 (0.05388 to 0.1464)

    How to choose: the end of the experiment is fixed in advance and nobody acts before. Looked at every day of a month
    with the wish to stop at the first "significant" result, it finds effects that are not there in more than a fourth
    of all experiments; take :func:`asymptotic`.
    """
    doing = "computing an interval for a fixed sample size"
    share = as_share(alpha, "alpha", doing)
    side = as_one_of(side, "side", doing, SIDES)
    functions, se = special(), np.where(np.greater(observed.variance, 0), observed.standard_error, np.inf)
    z = (_filled(observed.mean) - as_null(null, doing)) / se
    if side == "both":
        p, reach = 2 * functions.ndtr(-np.abs(z)), -functions.ndtri(share / 2)
    else:
        p, reach = functions.ndtr(-z if side == "above" else z), -functions.ndtri(share)
    return _bounded(observed.mean, reach * se, side, np.full(np.shape(z), np.nan)[()], p, share, null, anytime=False)


def _mixture(
    observed: Moments, sd: Numbers, alpha: float, null: float, side: str, tuned_for: float, doing: str
) -> Interval:
    share = as_share(alpha, "alpha", doing)
    side = as_one_of(side, "side", doing, SIDES)
    centre = as_null(null, doing)
    n = np.asarray(observed.count, dtype=np.float64)
    v = n * mixture_rho(tuned_for, share, side=side) ** 2
    known = (n > 0) & (sd < np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(known, np.sqrt(n) * (_filled(observed.mean) - centre) / sd, 0.0)
        shrink = v / (1 + v)
        if side == "both":
            log_e = 0.5 * (z**2 * shrink - np.log1p(v))
            reach = np.sqrt((np.log1p(v) - 2 * log(share)) / shrink)
        else:
            y = z * np.sqrt(shrink) * (1 if side == "above" else -1)
            log_e = log(2) - 0.5 * np.log1p(v) + 0.5 * y**2 + special().log_ndtr(y)
            reach = _one_sided(0.5 * np.log1p(v) - log(2 * share)) / np.sqrt(shrink)
        half = np.where(known, reach * sd / np.sqrt(n), np.inf)
    log_e = np.where(known, log_e, 0.0)[()]
    return _bounded(observed.mean, half, side, log_e, p_of(log_e), share, centre)


def _one_sided(goal: Numbers) -> npt.NDArray[np.float64]:
    """The y with ``y^2 / 2 + ln Phi(y) = goal``: convex and rising, so Newton's steps from the right never
    overshoot.
    """
    functions = special()
    y = np.sqrt(2 * np.maximum(goal + log(2), 0.0))
    for _ in range(50):
        below = functions.log_ndtr(y)
        step = (0.5 * y**2 + below - goal) / (y + np.exp(-0.5 * y**2 - below) / sqrt(2 * np.pi))
        y = y - step
        if np.all(np.abs(step) < 1e-12):
            break
    return np.asarray(y)


def _bounded(
    mean: Numbers, half: Numbers, side: str, log_e: Numbers, p: Numbers, alpha: float, null: float, anytime: bool = True
) -> Interval:
    centre = np.where(half < np.inf, mean, 0.0)
    low = centre - half if side != "below" else np.full(np.shape(half), -np.inf)
    high = centre + half if side != "above" else np.full(np.shape(half), np.inf)
    return Interval(mean, low[()], high[()], log_e, p, alpha, null, anytime)


def _filled(mean: Numbers) -> Numbers:
    return np.where(np.isnan(mean), 0.0, mean)
