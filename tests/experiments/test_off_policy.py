import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import thompson
from heatbath.control.axis import Axis
from heatbath.experiments import Logged, evaluate
from heatbath.experiments.off_policy import _model

METHODS = ["doubly robust", "self-normalised", "ips"]


def liked(temperature):
    return 0.8 - 0.4 * (np.asarray(temperature) - 0.7) ** 2


def uniform_log(count, seed=0, mean=liked, steps=None):
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 2, count) if steps is None else rng.choice(np.linspace(0, 2, steps), count)
    earned = (rng.random(count) < mean(at)) * 1.0
    p = 0.5 if steps is None else 1 / steps
    return [Logged(float(t), p, float(r)) for t, r in zip(at, earned, strict=True)]


def bandit_log(count, seed=0):
    """The log of a bandit that learned as it went, with the densities that it says."""
    rng, thermostat = np.random.default_rng(seed), thompson(0, 2, floor=0.2, seed=seed)
    state, log = thermostat.init(), []
    for _ in range(count):
        temperature, after = thermostat.step(state, hb.Seen())
        reward = float(rng.random() < liked(temperature))
        log.append(Logged(temperature, thermostat.density(state, hb.Seen(), temperature), reward))
        state = thermostat.learn(after, hb.Outcome(reward=reward, context={"temperature": temperature}))
    return log, thermostat, state


@pytest.mark.parametrize("method", METHODS)
def test_the_value_of_one_temperature(method):
    found = evaluate(0.7, uniform_log(20_000), low=0, high=2, method=method)
    smoothed = 0.8 - 0.4 * 0.2**2 / 5  # the kernel's second moment
    assert abs(found.value.estimate - smoothed) < 0.03
    assert found.value.covers(smoothed)
    assert found.bounds.low < found.value.low < found.value.high < found.bounds.high
    assert found.gain.estimate == pytest.approx(found.value.estimate - np.mean([r.reward for r in uniform_log(20_000)]))
    assert found.verdict.decision == "better"
    assert found.mean_weight == pytest.approx(1, abs=0.05)


def test_a_worse_one_is_worse_and_the_doubly_robust_interval_is_no_wider():
    log = uniform_log(20_000, seed=1)
    found = {method: evaluate(1.9, log, low=0, high=2, method=method) for method in METHODS}
    assert {each.verdict.decision for each in found.values()} == {"worse"}
    width = {method: each.value.high - each.value.low for method, each in found.items()}
    assert width["doubly robust"] <= 1.02 * min(width.values())


@pytest.mark.parametrize("method", METHODS)
def test_the_log_of_a_bandit_tells_of_others_without_bias(method):
    values = [evaluate(0.4, bandit_log(500, seed)[0], low=0, high=2, method=method).value for seed in range(10)]
    truth = 0.8 - 0.4 * (0.3**2 + 0.2**2 / 5)
    estimates = np.array([each.estimate for each in values])
    assert abs(estimates.mean() - truth) < 4 * estimates.std() / math.sqrt(10) + 0.01


@pytest.mark.parametrize("method", METHODS)
def test_a_thermostat_with_a_density_needs_no_kernel(method):
    log = uniform_log(8000, seed=4)
    _, thermostat, state = bandit_log(400)
    found = evaluate(thermostat, log, low=0, high=2, state=state, method=method)
    nodes = np.linspace(0, 2, 3201)[:-1] + 1 / 3200
    density = np.array(thermostat.density(state, hb.Seen(), nodes))
    truth = float((density * liked(nodes)).mean() * 2)
    assert found.value.covers(truth)
    assert abs(found.value.estimate - truth) < 0.05
    assert found.value.estimate > 0.7  # it has learned; the log earned 0.64
    fresh = evaluate(thermostat, log, low=0, high=2, method=method)
    assert fresh.value.estimate < found.value.estimate


@pytest.mark.parametrize("method", METHODS)
def test_logs_of_a_few_temperatures_with_probabilities(method):
    log = uniform_log(9000, seed=2, steps=9)
    found = evaluate(0.75, log, low=0, high=2, bandwidth=0, method=method)
    own = np.mean([row.reward for row in log if row.temperature == 0.75])
    assert abs(found.value.estimate - own) < (0.05 if method == "ips" else 0.02)
    assert found.effective_sample_size == sum(row.temperature == 0.75 for row in log)
    bandit = evaluate(thompson(0, 2, steps=9, floor=1), log, low=0, high=2, bandwidth=0, method=method)
    rounded = 0.005 if method == "doubly robust" else 1e-9  # which also corrects for how often each T happened to come
    assert bandit.value.estimate == pytest.approx(np.mean([row.reward for row in log]), abs=rounded)


def test_the_context_of_each_row_decides():
    rng = np.random.default_rng(5)
    log = []
    for t in rng.uniform(0, 2, 12_000):
        rule = "code" if rng.random() < 0.5 else "prose"
        best = 0.3 if rule == "code" else 1.5
        log.append(Logged(t, 0.5, float(rng.random() < 0.9 - 0.4 * abs(t - best)), {"rule": rule}))
    split = evaluate(hb.control.by_rule({"code": 0.3}, 1.5), log, low=0, high=2)
    one = evaluate(0.9, log, low=0, high=2)
    assert split.value.estimate > one.value.estimate + 0.1
    assert split.verdict.decision == "better"


def test_the_model_of_a_row_has_not_seen_it():
    rng = np.random.default_rng(0)
    basis, share = Axis(0.0, 2.0, 5).at(rng.uniform(0, 2, 40)), rng.random(40)
    other = share.copy()
    other[6] = 1 - other[6]
    same = (_model(basis, share) == _model(basis, other)).all(axis=1)
    assert same.tolist() == [row % 2 == 0 for row in range(40)]


def test_few_effective_rows_are_no_verdict():
    found = evaluate(0.7, uniform_log(300), low=0, high=2)
    assert found.verdict.reason == "effective_sample_size"
    assert found.value.low == found.gain.low == -math.inf
    assert "Inconclusive" in str(found)
    other = [Logged(1.5 + row.temperature / 4, 2.0, row.reward) for row in uniform_log(3000)]
    assert evaluate(0.2, other, low=0, high=2).verdict.reason == "effective_sample_size"


def test_intervals_cover_as_often_as_they_say_whatever_the_method():
    truth, wrong = 0.8 - 0.4 * (0.5**2 + 0.2**2 / 5), dict.fromkeys(METHODS, 0)
    for seed in range(60):
        log = uniform_log(1500, seed + 100)
        for method in METHODS:
            wrong[method] += not evaluate(1.2, log, low=0, high=2, method=method).value.covers(truth)
    assert max(wrong.values()) <= 6  # of 60 at 5 %: more has a chance of one in a hundred


def test_rewards_in_other_units():
    log = uniform_log(3000)
    scaled = [row._replace(reward=10 * row.reward - 4) for row in log]
    one, other = (evaluate(0.9, each, low=0, high=2, rewards=r) for each, r in ((log, (0, 1)), (scaled, (-4, 6))))
    assert other.value.estimate == pytest.approx(10 * one.value.estimate - 4)
    assert other.gain.low == pytest.approx(10 * one.gain.low)
    assert other.bounds.low == pytest.approx(10 * one.bounds.low - 4)


@pytest.mark.parametrize(
    ("thermostat", "log", "settings", "field"),
    [
        (0.7, [], {}, "log"),
        (0.7, [(0.7, 0.5, 1.0)], {}, "log"),
        (0.7, [Logged(2.1, 0.5, 1.0)], {}, "log"),
        (0.7, [Logged(math.nan, 0.5, 1.0)], {}, "log"),
        (0.7, [Logged(0.7, 0.0, 1.0)], {}, "density"),
        (0.7, [Logged(0.7, -0.5, 1.0)], {}, "log"),
        (0.7, [Logged(0.7, 0.5, 1.5)], {}, "log"),
        (2.5, [Logged(0.7, 0.5, 1.0)], {}, "thermostat"),
        (0.7, [Logged(0.7, 0.5, 1.0)], {"method": "magic"}, "method"),
        (0.7, [Logged(0.7, 0.5, 1.0)], {"bandwidth": -1}, "bandwidth"),
        (0.7, [Logged(0.7, 0.5, 1.0)], {"high": 0}, "high"),
        (0.7, [Logged(0.7, 0.5, 1.0)], {"rewards": (1, 0)}, "rewards"),
        (hb.by_confidence(0.2, 1), [Logged(0.7, 0.5, 1.0)], {}, "scores"),
    ],
)
def test_bad_input_is_refused(thermostat, log, settings, field):
    with pytest.raises(hb.InputError) as refused:
        evaluate(thermostat, log, **({"low": 0, "high": 2} | settings))
    assert refused.value.field == field
    assert refused.value.instead
