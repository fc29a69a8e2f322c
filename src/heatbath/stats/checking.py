"""Checks that gate a result: were the arms assigned as planned, and do they answer equally often?"""

from typing import Any, NamedTuple

import numpy as np

from heatbath.errors import InputError
from heatbath.stats.checks import Numbers, as_numbers, as_positive, as_share, special
from heatbath.stats.interval import p_of
from heatbath.stats.rates import PRIOR, check_prior, log_mixture


class Check(NamedTuple):
    """Whether a condition that a result rests on still looks true; fields may be arrays over time.

    >>> from heatbath.stats import sample_ratio
    >>> sample_ratio([5021, 4979], [1, 1]).passed
    True
    """

    name: str
    """"sample_ratio" or "feedback_rate"."""
    log_e: Numbers
    """ln of the e-value against the condition. Those of two stretches with different weights add up."""
    p_value: Numbers
    """Always valid: the chance that it is ever <= a is at most a, if the condition is true."""
    alpha: float

    @property
    def passed(self) -> Any:
        """Whether the p-value is above alpha; an array if there are many."""
        fine = np.asarray(self.p_value) > self.alpha
        return bool(fine) if fine.ndim == 0 else fine

    def running(self) -> "Check":
        """With the smallest p-value so far: what failed once stays failed."""
        return self._replace(p_value=np.minimum.accumulate(np.asarray(self.p_value), axis=-1))


def sample_ratio(counts: Any, weights: Any, *, alpha: float = 0.01, strength: float = 10_000.0) -> Check:
    """Sequential check for sample-ratio mismatch: were units assigned in the planned proportions?

    The likelihood of the counts under a Dirichlet(a q) mixture over their likelihood under the plan q:
    ``ln e = ln B(a q + n) / B(a q) - sum(n ln q)``. It may be looked at after every unit.

    Arguments:
        counts: units assigned to each arm so far, ``(..., K)``, whole numbers.
        weights: the planned proportions, K positive numbers, normalised here.
        alpha: the chance of ever raising the alarm without cause, between 0 and 1.
        strength: a > 0; how close to the plan a mismatch is looked for: about ``1 / sqrt(a)`` in each share.

    Returns:
        :class:`Check` with fields ``(...)``.

    Raises:
        InputError: counts or weights that cannot be used, or of different lengths.

    >>> from heatbath.stats import sample_ratio
    >>> check = sample_ratio([51_000, 49_000], [1, 1])
    >>> check.passed, f"{check.p_value:.1e}"
    (False, '4.2e-08')

    How to choose: always, before any effect is shown, on *units assigned* (users, conversations), not on rows. An alarm
    means that assignment or logging is broken; the effect cannot be rescued by analysis. Where the weights were
    changed, count each stretch by itself and add the ``log_e``.

    Reference: Lindon and Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022. The usual
    chi-square test at p < 0.001 holds for one look; looked at all the time it too raises false alarms in the end.
    """
    doing = "checking the sample ratio"
    n = as_numbers(counts, "counts", doing, low=0, whole=True)
    q = as_numbers(weights, "weights", doing, above=0)
    if q.ndim != 1 or q.size < 2 or n.ndim == 0 or n.shape[-1] != q.size:
        raise InputError(
            "counts and weights need one entry per arm, of two arms at least",
            doing=doing,
            on=f"counts of shape {n.shape}, weights of shape {q.shape}",
            instead="write for example sample_ratio([5021, 4979], [1, 1])",
            field="counts",
        )
    q = q / q.sum()
    a = as_positive(strength, "strength", doing, 10_000.0) * q
    gammaln = special().gammaln
    mixed = gammaln(a + n).sum(axis=-1) - gammaln(a.sum() + n.sum(axis=-1)) - (gammaln(a).sum() - gammaln(a.sum()))
    log_e = mixed - n @ np.log(q)
    return Check("sample_ratio", log_e, p_of(log_e), as_share(alpha, "alpha", doing))


def feedback_rate(answered: Any, asked: Any, *, alpha: float = 0.01, prior: tuple[float, float] = PRIOR) -> Check:
    """Sequential check whether all arms get feedback equally often.

    The likelihood of the answers with a rate of its own for each arm (a Beta mixture), over the largest likelihood with
    one rate r for all: ``ln e = sum_k ln B(s_k + a, n_k - s_k + b) / B(a, b) - max_r ln r^S (1 - r)^(N - S)``. Since
    the true r is no more likely than the best one, e is a fair bet or worse, and exact at any size and under any
    assignment.

    Arguments:
        answered: units with feedback, per arm, ``(..., K)``, whole numbers.
        asked: units per arm whose time to answer is over, ``(..., K)``.
        alpha: the chance of ever raising the alarm without cause, between 0 and 1.
        prior: (a, b) > 0 of the mixture, chosen before the data.

    Returns:
        :class:`Check` with fields ``(...)``.

    Raises:
        InputError: counts that cannot be used, or more answers than asked.

    >>> from heatbath.stats import feedback_rate
    >>> feedback_rate([500, 510], [10_000, 10_000]).passed, feedback_rate([500, 700], [10_000, 10_000]).passed
    (True, False)

    How to choose: always where users may stay silent. A temperature can change *who* answers, and then the mean of the
    answers compares different people; :func:`sample_ratio` on assignments does not see it. If the alarm rings, count
    silence as an outcome of its own (:func:`by_unit` keeps silent units), or compare the rates themselves.

    Reference: Wasserman, Ramdas and Balakrishnan, "Universal inference", PNAS 2020, with a mixture as the bet; compare
    Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional stopping",
    2021.
    """
    doing = "checking the rate of feedback"
    n = as_numbers(asked, "asked", doing, low=0, whole=True)
    s = as_numbers(answered, "answered", doing, low=0, whole=True)
    if n.ndim == 0 or n.shape != s.shape or n.shape[-1] < 2 or np.any(s > n):
        raise InputError(
            "both need one entry per arm, of two arms at least, and no more answers than were asked",
            doing=doing,
            on=f"answered={answered!r:.40}, asked={asked!r:.40}",
            instead="write for example feedback_rate([500, 510], [10_000, 10_000])",
            field="answered",
        )
    xlogy, xlog1py = special().xlogy, special().xlog1py
    total, all_of = n.sum(axis=-1), s.sum(axis=-1)
    r = all_of / np.maximum(total, 1)
    log_e = log_mixture(n, s, check_prior(prior, doing)).sum(axis=-1) - xlogy(all_of, r) - xlog1py(total - all_of, -r)
    return Check("feedback_rate", log_e, p_of(log_e), as_share(alpha, "alpha", doing))
