"""What an experiment has shown: arms as assigned, gates, effects that agree with the arithmetic, guardrails, words."""

import json

import numpy as np
import pytest

pytest.importorskip("sqlalchemy", reason="the extra heatbath[gateway] is not installed")

from heatbath.errors import InputError
from heatbath.experiments import Experiment, Feedback, Store, new_id
from heatbath.experiments.results import results
from heatbath.stats import asymptotic, difference, from_sums, moments, rate_difference
from tests.experiments.made import NOW, answer, decision

ARMS = {"cool": "fixed(0.7)", "warm": "fixed(1.2)"}


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/heatbath.db") as opened:
        yield opened


def started(store, **fields):
    fields = {"task": "poem", "arms": ARMS, "metric": "liked", **fields}
    made = Experiment.define("poem", at=NOW - 2, **fields).started(at=NOW - 1)
    store.experiments.add(made)
    return made


class Log:
    """Requests of an experiment, to be recorded together."""

    def __init__(self, experiment):
        self.experiment, self.decisions, self.answers, self.feedback = experiment, [], [], []

    def ask(self, unit, arm, at=None, liked=None, **fields):
        at = NOW + len(self.decisions) if at is None else at
        id = new_id(at)
        weight = self.experiment.arm(arm).weight
        plain = {"experiment": self.experiment.name, "arm": arm, "unit": unit, "propensity": weight}
        self.decisions.append(decision(at, id=id, **{**plain, **fields}))
        if liked is not None:
            self.say(id, liked, at + 0.5)
        return id

    def say(self, id, liked, at, metric="liked", said=None):
        self.feedback.append(Feedback(f"k{len(self.feedback)}", id, metric, at, float(liked), said=said))

    def keep(self, store):
        store.record(self.decisions, self.answers, self.feedback)


def ask_many(log, counts):
    """So many units of each arm, of which so many like it: ``{"cool": (200, 50)}``."""
    for arm, (units, liked) in counts.items():
        for place in range(units):
            log.ask(f"{arm}-{place}", arm, liked=place < liked)


def test_a_difference_of_booleans_is_that_of_the_sums(store):
    log = Log(started(store))
    ask_many(log, {"cool": (1000, 300), "warm": (1000, 420)})
    log.keep(store)
    result = results(store, "poem")
    effect = asymptotic(difference(from_sums(1000, 300), from_sums(1000, 420)), tuned_for=5000)
    cool, warm = result.arms
    assert (warm.effect, warm.low, warm.high) == pytest.approx((effect.estimate, effect.low, effect.high))
    assert warm.p_value == pytest.approx(effect.p_value)
    assert (cool.mean, warm.mean) == pytest.approx((0.3, 0.42))
    assert (cool.effect, cool.decision) == (None, "control")
    assert (result.decision, result.winner) == ("promote", "warm")
    assert str(result).startswith("Promote warm: fixed(1.2).\nWarm is better in liked: 0.12 (95 % interval ")
    assert result.course[-1].low == pytest.approx((effect.low,))
    assert [look.units for look in result.course] == sorted(look.units for look in result.course)
    json.dumps(result.document(), allow_nan=False)


def test_the_exact_method_is_the_exact_interval_of_first_requests(store):
    log = Log(started(store, method="exact"))
    ask_many(log, {"cool": (60, 5), "warm": (60, 40)})
    log.ask("cool-0", "cool", liked=False)  # a second answer of a unit does not count
    log.keep(store)
    warm = results(store, "poem").arms[1]
    effect = rate_difference(from_sums(60, 5), from_sums(60, 40))
    assert (warm.low, warm.high) == pytest.approx((effect.low, effect.high))
    assert warm.decision == "better"


def test_units_are_counted_and_not_their_answers(store):
    log = Log(started(store, metric={"name": "score", "kind": "number"}))
    rng, means = np.random.default_rng(3), {"cool": [], "warm": []}
    for place in range(400):
        arm = ("cool", "warm")[place % 2]
        values = rng.normal(place % 2 * 0.5, 1.0, 1 + place % 5)
        for value in values:
            log.say(log.ask(f"u{place}", arm), value, NOW + 9999, metric="score")
        means[arm].append(values.mean())
    log.keep(store)
    warm = results(store, "poem").arms[1]
    effect = difference(moments(means["cool"]), moments(means["warm"]))
    assert (warm.units, warm.rated) == (200, 200)
    assert warm.effect == pytest.approx(effect.mean)
    assert warm.low == pytest.approx(asymptotic(effect).low)


def test_a_unit_counts_in_its_first_arm_whatever_it_met_later(store):
    log = Log(started(store))
    ask_many(log, {"cool": (300, 100), "warm": (300, 100)})
    for place in range(10):
        log.ask(f"cool-{place}", "warm", at=NOW + 5000, liked=False)
        log.ask(f"warm-{place}", "cool", at=NOW - 0.5, liked=False)  # handed in late: this one was first
    log.keep(store)
    result = results(store, "poem")
    assert [arm.units for arm in result.arms] == [310, 290]
    assert result.crossed == 20
    assert "20 units met more than one arm, and count in the first." in str(result)


def test_the_last_word_on_an_answer_counts_in_whatever_order_it_arrives(store):
    log = Log(started(store))
    for place in range(200):
        id = log.ask(f"u{place}", ("cool", "warm")[place % 2])
        log.say(id, True, NOW + 9000, said=NOW + 30)  # arrives last, and was said first
        log.say(id, False, NOW + 8000, said=NOW + 40)
        log.say(id, True, NOW + 7000, said=NOW + 20)
    log.keep(store)
    assert [arm.mean for arm in results(store, "poem").arms] == [0.0, 0.0]
    again = results(store, "poem", until=NOW + 7500)
    assert [arm.mean for arm in again.arms] == [1.0, 1.0]


def test_silence_may_count(store):
    log = Log(started(store, metric={"name": "liked", "silence": 0}))
    for place in range(400):
        log.ask(f"u{place}", ("cool", "warm")[place % 2], liked=True if place % 8 < 3 + place % 2 else None)
    log.keep(store)
    result = results(store, "poem")
    assert [arm.rated for arm in result.arms] == [200, 200]
    assert [gate.name for gate in result.gates] == ["sample_ratio"]
    assert result.arms[0].mean == pytest.approx(np.mean([p % 8 < 3 + p % 2 for p in range(0, 400, 2)]))


def test_arms_that_are_not_assigned_as_planned_stop_everything(store):
    log = Log(started(store))
    ask_many(log, {"cool": (2000, 600), "warm": (2600, 780)})
    log.keep(store)
    result = results(store, "poem")
    assert (result.decision, result.winner) == ("stop", None)
    assert [gate.passed for gate in result.gates] == [False, True]
    assert result.arms[1].reason == "sample_ratio"
    assert "Do not decide by this experiment" in str(result)


def test_arms_that_answer_at_different_rates_stop_everything_once_their_time_is_over(store):
    log = Log(started(store, metric={"name": "liked", "within": 3600.0}))
    for place in range(2000):
        arm = ("cool", "warm")[place % 2]
        log.ask(f"u{place}", arm, at=NOW, liked=True if place % 20 < (2 if arm == "cool" else 8) else None)
    log.keep(store)
    assert results(store, "poem", until=NOW + 60).decision != "stop"
    late = results(store, "poem", until=NOW + 4000)
    assert late.decision == "stop"
    assert [gate.passed for gate in late.gates] == [True, False]


def test_only_units_since_the_weights_were_changed_count(store):
    before = started(store)
    log = Log(before)
    ask_many(log, {"cool": (200, 10), "warm": (200, 190)})
    after = before.reweighted({"cool": 3, "warm": 1}, at=NOW + 1000)
    store.experiments.change(before, after)
    log.experiment = after
    for place in range(400):
        arm = "warm" if place % 4 == 0 else "cool"
        log.ask(f"new-{place}", arm, at=NOW + 2000 + place, liked=place % 8 < 4)
    log.keep(store)
    result = results(store, "poem")
    assert [arm.units for arm in result.arms] == [300, 100]
    assert result.excluded == 400
    assert result.gates[0].passed
    assert "400 units came before the weights were last changed, and do not count." in str(result)


def test_several_arms_are_tested_by_holm_and_the_intervals_agree(store):
    arms = {"cool": "fixed(0.7)", "a": "fixed(1)", "b": "fixed(1.2)", "c": "fixed(1.5)"}
    log = Log(started(store, arms=arms))
    ask_many(log, {"cool": (900, 300), "a": (900, 303), "b": (900, 400), "c": (900, 372)})
    log.keep(store)
    result = results(store, "poem")
    for arm in result.arms[1:]:
        assert (arm.p_value <= 0.05) == (not arm.low <= 0 <= arm.high) == (arm.decision == "better")
    assert result.arms[1].decision == "inconclusive"
    assert result.winner == "b"
    clearest = asymptotic(difference(from_sums(900, 300), from_sums(900, 400)), alpha=0.05 / 3)
    assert (result.arms[2].low, result.arms[2].high) == pytest.approx((clearest.low, clearest.high))


@pytest.mark.parametrize("liked", range(370, 400, 3))
def test_intervals_agree_with_adjusted_p_values_at_the_edge(store, liked):
    log = Log(started(store, arms={"cool": "fixed(0.7)", "a": "fixed(1)", "b": "fixed(1.2)"}))
    ask_many(log, {"cool": (900, 300), "a": (900, 420), "b": (900, liked)})
    log.keep(store)
    for arm in results(store, "poem").arms[1:]:
        assert (arm.p_value <= 0.05) == (not arm.low <= 0 <= arm.high)


def test_what_was_known_before_makes_the_interval_shorter(store):
    plain, adjusted = (
        Experiment.define(
            name, task=name, arms=ARMS, metric={"name": "score", "kind": "number"}, covariates=covariates, salt="s"
        ).started(at=NOW)
        for name, covariates in (("plain", ()), ("adjusted", ("before", "prompt_length")))
    )
    store.experiments.add(plain)
    store.experiments.add(adjusted)
    rng = np.random.default_rng(11)
    log = Log(plain)
    for place in range(600):
        taste, arm = rng.normal(), ("cool", "warm")[place % 2]
        if place % 3:  # the others are new
            id = new_id(NOW - 500)
            log.decisions.append(decision(NOW - 500, id=id, unit=f"u{place}"))
            log.say(id, taste + rng.normal(0, 0.3), NOW - 400, metric="score")
        value = taste + 0.2 * (arm == "warm") + rng.normal(0, 0.3)
        for experiment in (plain, adjusted):
            log.experiment = experiment
            id = log.ask(f"u{place}", arm, context=json.dumps({"prompt_length": 10 + place % 7}))
            log.say(id, value, NOW + 5000, metric="score")
    log.keep(store)
    widths = [np.subtract(*[getattr(results(store, name).arms[1], end) for end in ("high", "low")])
              for name in ("plain", "adjusted")]  # fmt: skip
    assert widths[1] < 0.85 * widths[0]
    assert results(store, "adjusted").arms[1].effect == pytest.approx(0.2, abs=0.15)


def test_guardrails_are_read_from_the_answers(store):
    rails = [{"name": "seconds", "margin": 0.5}, {"name": "error", "margin": 0.05}]
    log = Log(started(store, guardrails=rails))
    rng = np.random.default_rng(5)
    for place in range(3000):
        arm = ("cool", "warm")[place % 2]
        id = log.ask(f"u{place}", arm, liked=rng.random() < (0.3 if arm == "cool" else 0.45))
        slow = 1.0 + 0.1 * (arm == "warm")
        log.answers.append(answer(id, NOW, seconds=rng.normal(slow, 0.2), status=500 if place % 50 < 2 else 200))
    log.keep(store)
    result = results(store, "poem")
    seconds, error = result.arms[1].guardrails
    assert (seconds.decision, error.decision) == ("not worse", "not worse")
    assert seconds.effect == pytest.approx(0.1, abs=0.03)
    assert error.effect == pytest.approx(0.0, abs=1e-9)
    assert result.decision == "promote"


@pytest.mark.parametrize(("slower", "decision", "word"), [(2.0, "worse", "keep"), (0.5, "inconclusive", "wait")])
def test_a_guardrail_that_does_not_hold_stands_in_the_way(store, slower, decision, word):
    log = Log(started(store, guardrails=[{"name": "seconds", "margin": 0.5}]))
    rng = np.random.default_rng(5)
    for place in range(2000):
        arm = ("cool", "warm")[place % 2]
        id = log.ask(f"u{place}", arm, liked=rng.random() < (0.3 if arm == "cool" else 0.5))
        log.answers.append(answer(id, NOW, seconds=rng.normal(5.0 + slower * (arm == "warm"), 0.5)))
    log.keep(store)
    result = results(store, "poem")
    assert result.arms[1].decision == "better"
    assert result.arms[1].guardrails[0].decision == decision
    assert (result.decision, result.winner) == (word, None)


def test_feedback_without_a_decision_is_counted_as_such(store):
    log = Log(started(store))
    ask_many(log, {"cool": (5, 1), "warm": (5, 1)})
    log.say("of another store", True, NOW + 5)
    log.keep(store)
    result = results(store, "poem")
    assert result.orphans == 1
    assert "1 feedback belongs to decisions that are not in the store." in str(result)


def test_nothing_yet_is_a_result_too(store):
    started(store)
    result = results(store, "poem")
    assert (result.decision, result.units) == ("wait", 0)
    assert "Nobody has been assigned yet." in str(result)
    json.dumps(result.document(), allow_nan=False)


def test_bad_input(store):
    with pytest.raises(InputError, match="there is no such experiment; plan one first"):
        results(store, "prose")
    started(store)
    with pytest.raises(InputError, match="there are poem"):
        results(store, "prose")
    for looks in (-1, 1.5, True):
        with pytest.raises(InputError, match="looks is a whole number"):
            results(store, "poem", looks=looks)
