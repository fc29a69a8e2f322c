"""Statistics on plain arrays: what an experiment with temperatures has shown, whenever one looks.

Everything meets in :class:`Moments` (count, mean, variance). Its makers say *what* is estimated, the intervals say *how
sure*, the checks say *whether it may be believed*, and :func:`judge` says it in words:

================================================= =================================================
what is estimated                                 how sure
================================================= =================================================
:func:`moments`, :func:`from_sums`: a mean        :func:`asymptotic`: anything, in large samples
:func:`difference`: two arms                      :func:`rate`, :func:`rate_difference`: booleans
:func:`adjusted_difference`: less what was known  :func:`betting`: a known range
:func:`ratio`: users with many answers            :func:`normal_mixture`: a known spread
:func:`aipw`: arms whose probabilities change     :func:`off_policy_bounds`: weighted rewards
:func:`ips` and its relatives: another policy     :func:`fixed_n`: one look, planned before
================================================= =================================================

>>> from heatbath import stats
>>> cool, warm = stats.from_sums(count=4000, total=2300), stats.from_sums(count=4000, total=2480)
>>> print(stats.judge(stats.asymptotic(stats.difference(cool, warm)), metric="thumbs up", subject="T = 1.0"))
T = 1.0 is better in thumbs up: 0.045 (95 % interval 0.01159 to 0.07841), whenever you look.
"""

from heatbath.stats.betting import bet_above, betting
from heatbath.stats.checking import Check, feedback_rate, sample_ratio
from heatbath.stats.design import Plan, minimum_effect, power, sample_size
from heatbath.stats.interval import Interval
from heatbath.stats.joint import Joint, adjusted_difference, joint, ratio
from heatbath.stats.mixture import asymptotic, fixed_n, mixture_rho, normal_mixture
from heatbath.stats.moments import Moments, difference, from_sums, moments
from heatbath.stats.off_policy import (
    doubly_robust,
    effective_sample_size,
    importance_weights,
    ips,
    kernel_bias,
    kernel_weights,
    off_policy_bounds,
    self_normalised,
)
from heatbath.stats.rates import rate, rate_difference
from heatbath.stats.several import bonferroni, e_bh, e_holm, holm
from heatbath.stats.units import Units, by_unit
from heatbath.stats.verdict import Verdict, judge, non_inferior
from heatbath.stats.weighted import aipw

__all__ = [
    "Check",
    "Interval",
    "Joint",
    "Moments",
    "Plan",
    "Units",
    "Verdict",
    "adjusted_difference",
    "aipw",
    "asymptotic",
    "bet_above",
    "betting",
    "bonferroni",
    "by_unit",
    "difference",
    "doubly_robust",
    "e_bh",
    "e_holm",
    "effective_sample_size",
    "feedback_rate",
    "fixed_n",
    "from_sums",
    "holm",
    "importance_weights",
    "ips",
    "joint",
    "judge",
    "kernel_bias",
    "kernel_weights",
    "minimum_effect",
    "mixture_rho",
    "moments",
    "non_inferior",
    "normal_mixture",
    "off_policy_bounds",
    "power",
    "rate",
    "rate_difference",
    "ratio",
    "sample_ratio",
    "sample_size",
    "self_normalised",
]
