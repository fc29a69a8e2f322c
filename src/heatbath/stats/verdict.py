"""What a result means: better, worse, not worse, or inconclusive, and why, for programs and for people."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from heatbath.errors import InputError
from heatbath.stats.checking import Check
from heatbath.stats.checks import as_one_of, as_positive
from heatbath.stats.interval import Interval
from heatbath.stats.mixture import LEAST, TUNED_FOR, asymptotic
from heatbath.stats.moments import Moments

BETTER = ("higher", "lower")

INCONCLUSIVE = {
    "sample_ratio": "units were not assigned in the planned proportions (p = {p:.2g}); assignment or logging is "
    "broken, and no analysis repairs that",
    "feedback_rate": "the arms get feedback at different rates (p = {p:.2g}), so that those who answered are not "
    "comparable; count silence as an outcome, or compare the rates",
    "effective_sample_size": "the log weighs as much as {size:.0f} rows of the policy asked about, and {least:.0f} are "
    "needed; it has rarely done what that policy does",
    "too_few": "{size:.0f} observations in the smallest arm are too few; {least:.0f} are needed",
    "no_variation": "all observations so far are the same",
    "contradiction": "the intervals of different times contradict each other; the effect has changed over time",
    "contains_null": "the {level} interval from {low:.4g} to {high:.4g} contains {null:g}",
}
"""Why nothing can be said, by the machine-readable reason."""


class Verdict(NamedTuple):
    """A result in one word, with its reason, a sentence, and the interval it rests on."""

    decision: str
    """"better", "worse", "not worse" (a margin was asked about, and holds) or "inconclusive"."""
    reason: str
    """"excludes_null", or a key of what makes a result inconclusive: "sample_ratio", "feedback_rate",
    "effective_sample_size", "too_few", "no_variation", "contradiction", "contains_null"."""
    sentence: str
    interval: Interval

    def __str__(self) -> str:
        return self.sentence


def non_inferior(
    effect: Moments,
    margin: float,
    *,
    better: str = "higher",
    alpha: float = 0.05,
    tuned_for: float = TUNED_FOR,
    least: float = LEAST,
) -> Interval:
    """A guardrail: is the treatment worse by less than a margin?

    The one-sided confidence sequence of :func:`asymptotic` with null ``-margin`` (``+margin`` if lower is better): its
    bound on the good side of the null means "not worse by the margin", whenever one looks.

    Arguments:
        effect: moments of treatment minus control, as from :func:`difference`.
        margin: the loss that would be acceptable, > 0, in the units of the metric.
        better: "higher", or "lower" for latency, cost, refusals.
        alpha: the chance of ever claiming it without its being so, between 0 and 1.
        tuned_for: as for :func:`asymptotic`.
        least: as for :func:`asymptotic`.

    Returns:
        :class:`Interval` with one bound, for :func:`judge`.

    Raises:
        InputError: arguments out of their ranges.

    >>> from heatbath.stats import difference, from_sums, judge, non_inferior
    >>> valid_json = difference(from_sums(6000, 5880), from_sums(6000, 5875))
    >>> print(judge(non_inferior(valid_json, margin=0.02), metric="valid JSON"))
    The treatment is not worse in valid JSON by 0.02 or more: -0.0008333 (at least -0.008095), whenever you look.

    How to choose: for metrics that must not suffer, beside the one that should improve. "No significant loss" is not
    evidence of no loss: a small experiment finds none. Every guardrail has to pass, so their alphas need not be shared.
    Booleans that are rare or few: :func:`rate_difference` with ``null=-margin, side="above"`` asks the same exactly.

    Reference: the same mixture as :func:`asymptotic`; on margins, Schultzberg, Ankargren and Frånberg, "Risk-aware
    product decisions in A/B tests with multiple metrics", 2024.
    """
    doing = "testing non-inferiority"
    edge, better = as_positive(margin, "margin", doing, 0.02), as_one_of(better, "better", doing, BETTER)
    null, side = (-edge, "above") if better == "higher" else (edge, "below")
    return asymptotic(effect, alpha=alpha, null=null, side=side, tuned_for=tuned_for, least=least)


def judge(
    effect: Interval,
    *,
    checks: Iterable[Check] = (),
    basis: Moments | None = None,
    effective_sample_size: float | None = None,
    better: str = "higher",
    metric: str = "the metric",
    subject: str = "the treatment",
    least: float = LEAST,
) -> Verdict:
    """Turn an interval and its gates into a verdict: an effect, or "inconclusive, because ...".

    Gates come first: a failed check, an effective sample size or an arm that is too small, and then the interval, the
    last one of many. It decides where it lies on one side of its null.

    Arguments:
        effect: interval of treatment minus control; of :func:`non_inferior` for a guardrail.
        checks: :func:`sample_ratio`, :func:`feedback_rate`.
        basis: the moments behind the interval, so that the sentence can say what is missing.
        effective_sample_size: of the weights, where a policy was evaluated from a log.
        better: "higher" or "lower".
        metric: what was measured, in the caller's words.
        subject: what was tried, in the caller's words.
        least: how many observations, or effective ones, a verdict needs.

    Returns:
        :class:`Verdict`.

    Raises:
        InputError: an unknown word, or an interval of several experiments at once.

    >>> from heatbath.stats import asymptotic, difference, from_sums, judge, sample_ratio
    >>> effect = asymptotic(difference(from_sums(5000, 2400), from_sums(5000, 2650)))
    >>> print(judge(effect, checks=[sample_ratio([5000, 5000], [1, 1])], metric="thumbs up", subject="T = 1.2"))
    T = 1.2 is better in thumbs up: 0.05 (95 % interval 0.0194 to 0.0806), whenever you look.
    >>> judge(effect, checks=[sample_ratio([5000, 5600], [1, 1])]).reason
    'sample_ratio'
    >>> print(judge(asymptotic(difference(from_sums(40, 20), from_sums(40, 30))), basis=difference(from_sums(40, 20),
    ...     from_sums(40, 30))))
    Inconclusive, because 40 observations in the smallest arm are too few; 100 are needed.

    How to choose: the last step of every result that a person or a program acts on. "Inconclusive" is a result, too: it
    says what was missing.
    """
    doing = "judging a result"
    better = as_one_of(better, "better", doing, BETTER)
    last = effect.at() if np.ndim(effect.low) else effect
    if np.ndim(last.low):
        raise InputError(
            "a verdict is about one experiment",
            doing=doing,
            on=f"an interval of shape {np.shape(effect.low)}",
            instead="call once per experiment",
            field="effect",
        )
    level = f"{1 - last.alpha:.4g}"
    words: dict[str, Any] = {
        "level": f"{float(level) * 100:g} %", "low": last.low, "high": last.high, "null": last.null, "least": least
    }  # fmt: skip

    def inconclusive(reason: str, **more: Any) -> Verdict:
        why = INCONCLUSIVE[reason].format(**(words | more))
        return Verdict("inconclusive", reason, f"Inconclusive, because {why}.", last)

    for check in checks:
        p = float(np.min(check.p_value))
        if p <= check.alpha:
            return inconclusive(check.name, p=p)
    if effective_sample_size is not None and effective_sample_size < least:
        return inconclusive("effective_sample_size", size=float(effective_sample_size))
    if basis is not None:
        fewest = float(np.asarray(basis.rests_on).flat[-1])
        if fewest < least:
            return inconclusive("too_few", size=fewest)
        if not float(np.asarray(basis.variance).flat[-1]) > 0:
            return inconclusive("no_variation")
    if last.low > last.high:
        return inconclusive("contradiction")
    if last.low <= last.null <= last.high:
        return inconclusive("contains_null")
    good = (last.low > last.null) == (better == "higher")
    opened = f"{subject[:1].upper()}{subject[1:]}"
    ends = (
        f"at most {last.high:.4g}" if last.low == -np.inf
        else f"at least {last.low:.4g}" if last.high == np.inf
        else f"{words['level']} interval {last.low:.4g} to {last.high:.4g}"
    )  # fmt: skip
    when = "whenever you look" if last.anytime else "if this is the only look"
    if last.null == 0:
        decision = "better" if good else "worse"
        said = f"{opened} is {decision} in {metric}"
    elif good:
        decision, said = "not worse", f"{opened} is not worse in {metric} by {abs(last.null):g} or more"
    else:
        decision, said = "worse", f"{opened} is worse in {metric} by more than {abs(last.null):g}"
    return Verdict(decision, "excludes_null", f"{said}: {last.estimate:.4g} ({ends}), {when}.", last)
