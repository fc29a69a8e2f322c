import json
import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import e3


def train(thermostat, entropy_at, steps):
    """T of each step of training, if the rollouts of step n at T have the entropy ``entropy_at(n, T)``."""
    state, temperatures = thermostat.init(), []
    for step in range(steps):
        temperature, state = thermostat.step(state, hb.Seen())
        temperatures.append(temperature)
        state = thermostat.learn(state, hb.Outcome(context={"entropy": entropy_at(step, temperature)}))
    return np.array(temperatures)


def test_the_value_of_the_paper_s_code():
    """V = 151936, T = 1, H* = 0.3, H = 0.2."""
    assert train(e3(0.3, options=151936), lambda step, t: 0.2, 2)[1] == pytest.approx(1.0281370, abs=5e-8)
    assert math.log(151936) + math.log(math.log(151936)) == pytest.approx(14.41037, abs=5e-6)


def test_a_correction_is_the_larger_the_hotter():
    for t in (0.5, 2.0):
        moved = train(e3(0.3, 151936, start=t), lambda step, t: 0.2, 2)[1]
        assert moved == pytest.approx(t * (1 + t * math.log(1.5) / 14.41037), rel=1e-6)


@pytest.mark.parametrize("start", [0.3, 1.0, 3.0])
def test_the_entropy_comes_to_the_target_and_stays(start):
    """H proportional to T, as it about is for language models near T = 1."""
    temperatures = train(e3(0.3, 151936, start), lambda step, t: 0.25 * t, 300)
    assert temperatures[-1] == pytest.approx(0.3 / 0.25, rel=1e-3)
    assert np.all(np.diff(np.abs(np.log(temperatures / 1.2))) <= 1e-12)  # nearer with each step: it never swings


def test_a_distance_is_halved_in_about_ten_steps():
    distance = np.log(train(e3(0.3, 151936, start=1.1), lambda step, t: 0.3 * t, 30))
    assert 7 <= np.argmax(distance < distance[0] / 2) <= 12


def test_a_policy_that_gets_surer_is_heated():
    temperatures = train(e3(0.3, 151936), lambda step, t: 0.3 * 0.99**step * t, 150)
    assert np.all(np.diff(temperatures[1:]) > 0)
    assert temperatures[-1] == pytest.approx(0.99**-150, rel=0.2)


def test_the_bounds_hold():
    assert train(e3(0.3, 100), lambda step, t: 1e-9, 400)[-1] == 5.0
    assert train(e3(0.3, 100), lambda step, t: 4.0, 400)[-1] == pytest.approx(0.05)
    assert train(e3(0.3, 3, start=1.0, hottest=1e3), lambda step, t: 1e-200, 3)[-1] <= 1e3


def test_without_an_entropy_nothing_moves():
    thermostat = e3(0.3, 1000)
    assert thermostat.learn(0.8, hb.Outcome(reward=1.0, choice=3, surprisal=2.0)) == 0.8
    sampler = hb.chain(hb.temperature(thermostat))
    _, state, _ = sampler.step(sampler.init(), np.arange(5.0), seed=1)
    state = sampler.learn(state, hb.Outcome(context={"entropy": 0.2}))
    assert sampler.step(state, np.arange(5.0), seed=1, reading=True).reading.temperature > 1


def test_several_policies():
    thermostat = e3([0.3, 0.6], 151936)
    state = thermostat.learn(thermostat.init(), hb.Outcome(context={"entropy": [0.2, 0.6]}))
    np.testing.assert_allclose(state, [1.028137, 1.0], rtol=1e-6)
    temperature, _ = thermostat.step(json.loads(json.dumps(state)), hb.Seen())
    np.testing.assert_allclose(temperature, state)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"target": 0}, "target"),
        ({"target": -0.3}, "target"),
        ({"target": "0.3"}, "target"),
        ({"options": 2}, "options"),
        ({"options": 1e5}, "options"),
        ({"start": 0}, "start"),
        ({"coldest": 0}, "coldest"),
        ({"hottest": 0.5}, "start"),
        ({"hottest": math.inf}, "hottest"),
    ],
)
def test_bad_arguments_are_refused(arguments, field):
    with pytest.raises(hb.InputError) as refused:
        e3(**{"target": 0.3, "options": 1000, **arguments})
    assert refused.value.field == field
    assert refused.value.doing == "making e3"


@pytest.mark.parametrize("entropy", [0, -0.1, math.nan, "0.2", [0.2, 0.0]])
def test_what_is_no_entropy_is_refused(entropy):
    with pytest.raises(hb.InputError) as refused:
        e3(0.3, 1000).learn(1.0, hb.Outcome(context={"entropy": entropy}))
    assert refused.value.field == "entropy"
    assert refused.value.instead
