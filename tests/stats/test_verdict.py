import numpy as np
import pytest

from heatbath.stats import (
    Interval,
    Moments,
    asymptotic,
    difference,
    feedback_rate,
    from_sums,
    judge,
    moments,
    non_inferior,
    sample_ratio,
)
from heatbath.stats.verdict import INCONCLUSIVE

GOOD = difference(from_sums(5000, 2400), from_sums(5000, 2650))


def shown(low, high, null=0.0):
    return Interval((low + high) / 2, low, high, 0.0, 1.0, 0.05, null)


@pytest.mark.parametrize(
    ("low", "high", "better", "null", "decision"),
    [
        (0.1, 0.2, "higher", 0, "better"),
        (0.1, 0.2, "lower", 0, "worse"),
        (-0.2, -0.1, "higher", 0, "worse"),
        (-0.2, -0.1, "lower", 0, "better"),
        (-0.1, 0.1, "higher", 0, "inconclusive"),
        (-0.1, np.inf, "higher", -0.2, "not worse"),
        (-np.inf, 0.1, "lower", 0.2, "not worse"),
        (-0.3, np.inf, "higher", -0.2, "inconclusive"),
        (-0.5, -0.3, "higher", -0.2, "worse"),
    ],
)
def test_where_the_interval_lies_decides(low, high, better, null, decision):
    found = judge(shown(low, high, null), better=better, metric="wit", subject="warmth")
    assert found.decision == decision
    assert found.reason == ("contains_null" if decision == "inconclusive" else "excludes_null")
    assert decision in str(found).lower()
    assert "wit" in str(found) or decision == "inconclusive"


CASES = {
    "sample_ratio": {"checks": [sample_ratio([5000, 6000], [1, 1])]},
    "feedback_rate": {"checks": [sample_ratio([5000, 5000], [1, 1]), feedback_rate([500, 900], [5000, 5000])]},
    "effective_sample_size": {"effective_sample_size": 31.0},
    "too_few": {"basis": Moments(200, 0.0, 1.0, fewest=20)},
    "no_variation": {"basis": Moments(200, 0.0, 0.0)},
}


@pytest.mark.parametrize("reason", CASES)
def test_gates_come_before_the_effect(reason):
    assert judge(asymptotic(GOOD), basis=GOOD).decision == "better"
    found = judge(asymptotic(GOOD), **CASES[reason])
    assert (found.decision, found.reason) == ("inconclusive", reason)
    assert found.sentence.startswith("Inconclusive, because ")


def test_every_reason_has_a_case():
    assert set(INCONCLUSIVE) == {*CASES, "contradiction", "contains_null"}


def test_a_check_that_failed_once_has_failed():
    counts = np.array([[60_000, 50_000], [500_000, 500_100]])
    assert judge(asymptotic(GOOD), checks=[sample_ratio(counts, [1, 1])]).reason == "sample_ratio"


def test_an_effect_that_turns_around_is_a_contradiction(rng):
    values = np.concatenate([rng.normal(0.5, 1, 3000), rng.normal(-0.5, 1, 20_000)])
    effect = asymptotic(moments(values, running=True)).running()
    assert judge(effect).reason == "contradiction"


def test_the_sentence_says_how_sure_and_for_how_many_looks():
    wide = judge(asymptotic(GOOD, alpha=0.01), metric="thumbs")
    assert "99 % interval" in str(wide)
    assert "whenever you look" in str(wide)
    assert "if this is the only look" in str(judge(asymptotic(GOOD)._replace(anytime=False)))


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_guardrail_is_passed_by_evidence_and_not_by_silence(better, rng, at_most, at_least):
    sign = 1 if better == "higher" else -1

    def tried(loss):
        """Ever claimed to be not worse by 0.2, in simulations with this loss."""
        one, two = (moments(sign * rng.normal(m, 1, (600, 1500)), running=True) for m in (0, -loss))
        found = non_inferior(difference(one, two), 0.2, better=better, tuned_for=3000)
        good = found.low > found.null if better == "higher" else found.high < found.null
        return good.any(axis=-1)

    assert at_most(tried(0.2), 0.05)
    assert at_least(tried(0.0), 0.9)
    small = difference(from_sums(120, 100), from_sums(120, 99))
    assert judge(non_inferior(small, 0.01, better=better), better=better).decision == "inconclusive"
