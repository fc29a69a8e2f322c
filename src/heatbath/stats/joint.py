"""Several numbers of each unit at once: moments of ratios, and of outcomes adjusted by what was known before."""

from typing import Any, NamedTuple

import numpy as np

from heatbath.errors import InputError
from heatbath.stats.checks import Numbers, as_numbers, as_one_of, same_shape
from heatbath.stats.moments import Moments

SLOPES = ("each", "pooled")


class Joint(NamedTuple):
    """Count, means and covariances of d numbers of each unit. Like :class:`Moments` a value that merges; enough for
    every function of means.

    >>> from heatbath.stats import joint
    >>> one, two = joint([1.0, 2.0, 4.0], [0.0, 1.0, 1.0]), joint([3.0, 7.0], [1.0, 0.0])
    >>> one.merged(two).covariance.round(3).tolist()
    [[5.3, -0.3], [-0.3, 0.3]]
    """

    count: Numbers
    mean: Numbers
    """``(..., d)``."""
    covariance: Numbers
    """``(..., d, d)``, divided by n - 1; infinite on the diagonal where fewer than two units were seen."""

    def combined(self, weights: Any) -> Moments:
        """Moments of the sum ``weights . x`` of each unit, weights ``(..., d)``."""
        w = np.asarray(weights, dtype=np.float64)
        known = np.asarray(self.count) > 1
        covariance = np.where(known[..., None, None], self.covariance, 0.0)
        variance = np.einsum("...i,...ij,...j->...", w, covariance, w)
        mean = np.einsum("...i,...i->...", w, self.mean)
        return Moments(self.count, mean[()], np.where(known, np.maximum(variance, 0.0), np.inf)[()])

    def merged(self, other: "Joint") -> "Joint":
        """The moments of both sets of units together."""
        n = np.asarray(self.count + other.count, dtype=np.float64)
        parts = [(np.asarray(each.count), np.where(np.asarray(each.count)[..., None] > 0, each.mean, 0.0), each)
                 for each in (self, other)]  # fmt: skip
        mean = sum(count[..., None] * centre for count, centre, _ in parts) / np.maximum(n, 1)[..., None]
        scatter: Numbers = 0.0
        for count, centre, each in parts:
            known = np.where((count > 1)[..., None, None], each.covariance, 0.0)
            apart = centre - mean
            outer = apart[..., :, None] * apart[..., None, :]
            scatter = scatter + known * np.maximum(count - 1, 0)[..., None, None] + outer * count[..., None, None]
        return _joint(n, np.where(n[..., None] > 0, mean, np.nan), scatter)


def _joint(n: Numbers, mean: Numbers, scatter: Numbers) -> Joint:
    known = np.asarray(n)[..., None, None] > 1
    unknown = np.where(np.eye(np.shape(mean)[-1]) > 0, np.inf, 0.0)
    return Joint(n, mean, np.where(known, scatter / np.maximum(np.asarray(n)[..., None, None] - 1, 1), unknown))


def joint(*columns: Any, running: bool = False) -> Joint:
    """Count, means and covariances of several numbers of each unit.

    ``covariance_ij = sum((x_i - mean_i) (x_j - mean_j)) / (n - 1)``.

    Arguments:
        columns: d columns ``(..., n)`` with one entry per unit: the outcome first, then covariates or the denominator.
        running: whether to give the moments after each unit, ``(..., n)``.

    Returns:
        :class:`Joint`.

    Raises:
        InputError: no column, columns of different shapes, or values that are not finite.

    >>> from heatbath.stats import joint
    >>> joint([1.0, 2.0, 6.0], [0.0, 1.0, 5.0]).mean.tolist()
    [3.0, 2.0]

    How to choose: :func:`moments` for one number; this for a :func:`ratio` or :func:`adjusted_difference`.
    """
    doing = "taking joint moments"
    arrays = [as_numbers(column, f"column {number}", doing) for number, column in enumerate(columns)]
    if not arrays or arrays[0].ndim == 0:
        raise InputError(
            "each column has one entry per unit",
            doing=doing,
            on=f"{len(columns)} columns",
            instead="write for example joint(outcome, outcome_before)",
        )
    same_shape(doing, **{f"column {number}": array for number, array in enumerate(arrays)})
    x = np.stack(arrays, axis=-1)  # (..., n, d)
    if x.shape[-2] == 0:
        empty = np.zeros(x.shape[:-2])
        return _joint(empty, np.full((*empty.shape, x.shape[-1]), np.nan), 0.0)
    origin = x[..., :1, :] if running else x.mean(axis=-2, keepdims=True)
    x = x - origin
    outer = x[..., :, None] * x[..., None, :]
    if not running:
        n = np.full(x.shape[:-2], float(x.shape[-2]))
        return _joint(n, origin[..., 0, :], outer.sum(axis=-3))
    n = np.broadcast_to(np.arange(1.0, x.shape[-2] + 1), x.shape[:-1])
    total = np.cumsum(x, axis=-2)
    mean = total / n[..., None]
    return _joint(n, origin + mean, np.cumsum(outer, axis=-3) - total[..., :, None] * mean[..., None, :])


def ratio(units: Joint) -> Moments:
    """A ratio of means, such as thumbs per answer when a user has many answers: the delta method.

    ``r = mean(y) / mean(x)``, and one unit varies it by ``(y - r x) / mean(x)``, whose variance is that of the moments.

    Arguments:
        units: joint moments of numerator and denominator, one entry per *unit of assignment* (user, conversation).

    Returns:
        :class:`Moments` whose count is that of the units, to be compared by :func:`difference`.

    Raises:
        InputError: not exactly two columns.

    >>> from heatbath.stats import joint, ratio
    >>> thumbs, answers = [3, 0, 5, 1], [10, 2, 12, 1]
    >>> round(float(ratio(joint(thumbs, answers)).mean), 3)
    0.36

    How to choose: users are assigned and answers are counted. Taking each answer for a unit instead makes intervals too
    short: answers of one user are alike. Where units are equally heavy, the mean per unit (:func:`moments` of y / x) is
    the other sensible metric.

    Reference: Deng, Knoblich and Lu, "Applying the delta method in metric analytics", KDD 2018.
    """
    if np.shape(units.mean)[-1] != 2:
        raise InputError(
            "a ratio has a numerator and a denominator",
            doing="taking a ratio",
            on=f"joint moments of {np.shape(units.mean)[-1]} columns",
            instead="write ratio(joint(numerator, denominator))",
            field="units",
        )
    top, bottom = units.mean[..., 0], units.mean[..., 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(bottom != 0, top / bottom, np.nan)
        weights = np.where((bottom != 0)[..., None], np.stack([1 / bottom, -r / bottom], axis=-1), 0.0)
    spread = units.combined(weights)
    return spread._replace(mean=r[()], variance=np.where(bottom != 0, spread.variance, np.inf)[()])


def adjusted_difference(control: Joint, treatment: Joint, *, slopes: str = "each") -> Moments:
    """The difference of two arms, less what was already known: CUPED, and regression with interactions.

    ``(y1 - b1 (x1 - x)) - (y0 - b0 (x0 - x))`` of the arms' means, where x without index is the mean of the covariates
    over both arms and b are slopes of y on them. It estimates the same effect as the plain difference, and its variance
    is smaller by the share of y that the covariates explain.

    Arguments:
        control: joint moments of outcome and covariates, ``joint(outcome, before, ...)``, one entry per unit.
        treatment: the same of the other arm.
        slopes: "each": every arm its own slopes (Lin), never worse than no adjustment in large samples; "pooled": one
            for both (CUPED), enough for arms of equal size.

    Returns:
        :class:`Moments`, for any interval of this room; ``fewest`` is the smaller arm.

    Raises:
        InputError: no covariate, different numbers of them, or an unknown word.

    >>> import numpy as np
    >>> from heatbath.stats import adjusted_difference, asymptotic, difference, joint, moments
    >>> rng = np.random.default_rng(1)
    >>> before = rng.normal(size=(2, 2000))
    >>> after = before + rng.normal(scale=0.5, size=(2, 2000)) + [[0.0], [0.1]]
    >>> plain = difference(moments(after[0]), moments(after[1]))
    >>> adjusted = adjusted_difference(*(joint(after[arm], before[arm]) for arm in (0, 1)))
    >>> round(float(adjusted.variance / plain.variance), 2)
    0.2

    How to choose: whenever units have a history: the same metric before the experiment is the best covariate; prompt
    length and language help too. Only what was known *before* assignment: a covariate that the treatment moves takes
    part of the effect away. A unit without history gets the mean, and a second covariate that says so.

    Reference: Deng, Xu, Kohavi and Walker, "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data", WSDM 2013; Lin, "Agnostic notes on regression adjustments to experimental data", Annals of
    Applied Statistics 2013.
    """
    doing = "adjusting a difference by covariates"
    slopes = as_one_of(slopes, "slopes", doing, SLOPES)
    widths = np.shape(control.mean)[-1], np.shape(treatment.mean)[-1]
    if widths[0] != widths[1] or widths[0] < 2:
        raise InputError(
            "both arms need the outcome and the same covariates",
            doing=doing,
            on=f"joint moments of {widths[0]} and {widths[1]} columns",
            instead="write joint(outcome, before) for each arm",
            field="treatment",
        )
    arms = (control, treatment)
    n0, n1 = (np.asarray(arm.count, dtype=np.float64) for arm in arms)
    known = (n0 > widths[0]) & (n1 > widths[0])
    scatters = [np.where(known[..., None, None], arm.covariance, 0.0) * np.maximum(n - 1, 0)[..., None, None]
                for arm, n in zip(arms, (n0, n1), strict=True)]  # fmt: skip
    pooled = scatters[0] + scatters[1]
    b0, b1 = (_slopes(each if slopes == "each" else pooled) for each in scatters)
    total = n0 + n1
    means = [np.where((n > 0)[..., None], arm.mean, 0.0) for arm, n in zip(arms, (n0, n1), strict=True)]
    centre = (n0[..., None] * means[0] + n1[..., None] * means[1])[..., 1:] / np.maximum(total, 1)[..., None]
    adjusted = [mean[..., 0] - ((mean[..., 1:] - centre) * b).sum(axis=-1)
                for mean, b in zip(means, (b0, b1), strict=True)]  # fmt: skip
    spread: Numbers = 0.0
    for scatter, n, b in zip(scatters, (n0, n1), (b0, b1), strict=True):
        weights = np.concatenate([np.ones((*b.shape[:-1], 1)), -b], axis=-1)
        left = np.einsum("...i,...ij,...j->...", weights, scatter, weights)
        spread = spread + left / np.maximum(n - widths[0], 1) / np.maximum(n, 1)
    gap, covariates = b1 - b0, pooled[..., 1:, 1:] / np.maximum(total - 2, 1)[..., None, None]
    spread = spread + np.einsum("...i,...ij,...j->...", gap, covariates, gap) / np.maximum(total, 1)
    variance = np.where(known, np.maximum(total * spread, 0.0), np.inf)
    return Moments(total[()], (adjusted[1] - adjusted[0])[()], variance[()], np.minimum(n0, n1)[()])


def _slopes(scatter: Numbers) -> Numbers:
    """Of the first number on the others; 0 along directions in which the others do not vary."""
    inverse = np.linalg.pinv(scatter[..., 1:, 1:], rcond=1e-10, hermitian=True)
    return np.einsum("...ij,...j->...i", inverse, scatter[..., 1:, 0])
