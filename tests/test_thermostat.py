import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.thermostat import as_thermostat


def test_fixed_is_always_the_same():
    thermostat = hb.fixed(0.7)
    temperature, state = thermostat.step(thermostat.init(), hb.Seen())
    assert (temperature, state) == (0.7, thermostat.init())
    assert thermostat.learn(state, hb.Outcome(reward=1.0)) == state


@pytest.mark.parametrize("value", [0, 1, 0.7, math.inf, np.float32(0.5), np.array([0.5, 0.0]), [0.5, 1.0]])
def test_every_temperature_the_mathematics_accepts_is_accepted(value):
    np.testing.assert_array_equal(hb.fixed(value).step((), hb.Seen())[0], value)
    assert repr(as_thermostat(value)) == repr(hb.fixed(value))


@pytest.mark.parametrize("value", [-1, math.nan, -math.inf, np.array([1.0, -1.0]), [0.5, math.nan], "hot", True, None])
def test_what_is_no_temperature_is_refused(value):
    with pytest.raises(hb.InputError):
        hb.fixed(value)
    with pytest.raises(hb.InputError):
        as_thermostat(value)


def test_scheduled_counts_the_decisions_of_its_own_stream():
    thermostat = hb.scheduled(hb.schedules.linear(1.0, 0.0, 4))
    state, seen = thermostat.init(), []
    for _ in range(6):
        temperature, state = thermostat.step(state, hb.Seen())
        seen.append(temperature)
    assert seen == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    assert thermostat.step(thermostat.init(), hb.Seen())[0] == 1.0


def test_scheduled_takes_rows_at_different_positions():
    thermostat = hb.scheduled(hb.schedules.linear(1.0, 0.0, 4))
    temperature, state = thermostat.step(np.array([0, 2, 9]), hb.Seen())
    assert temperature.tolist() == [1.0, 0.5, 0.0]
    assert state.tolist() == [1, 3, 10]


def test_scheduled_takes_any_function_of_the_count():
    thermostat = hb.scheduled(lambda count: 1 / (1 + count))
    assert thermostat.step(3, hb.Seen()) == (0.25, 4)


def test_promotion():
    thermostat = hb.hold_entropy(1.0)
    assert as_thermostat(thermostat) is thermostat
    assert repr(as_thermostat(hb.schedules.constant(1))) == "scheduled(constant(1))"


def test_a_thermostat_of_ones_own():
    own = hb.Thermostat(init=lambda: 0, step=lambda state, seen: (0.5, state + 1))
    assert own.step(own.init(), hb.Seen()) == (0.5, 1)
    assert own.learn(3, hb.Outcome()) == 3
    assert repr(own) == "<thermostat <lambda>>"
    assert repr(hb.chain(hb.temperature(own))) == "temperature(<thermostat <lambda>>) -> categorical()"


def test_a_thermostat_is_three_functions():
    with pytest.raises(hb.InputError, match="its init, step and learn are functions"):
        hb.temperature(hb.Thermostat(1, 2, 3))


@pytest.mark.parametrize("looks", [True, False])
@pytest.mark.parametrize("answer", [None, 0.7, (0.7, (), 1)])
def test_a_step_that_gives_no_temperature_and_state_says_so(answer, looks):
    own = hb.Thermostat(init=lambda: (), step=lambda state, seen: answer, looks=looks)
    for options in (3, 4096):  # by the plain steps, and by the kernel
        with pytest.raises(hb.InputError, match=r"its step gave .*, and not T and a state; end step with: return"):
            hb.chain(hb.temperature(own)).step((), [[0.0] * options], seed=1)
