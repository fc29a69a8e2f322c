import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.made import MAKERS, Made, show
from heatbath.schedules import linear


def test_a_thing_knows_how_it_was_made():
    assert hb.top_k(k=40).made == Made("top_k", ((None, 40),))
    assert repr(hb.fixed(temperature=1)) == "fixed(1)"


def test_arguments_equal_to_their_defaults_are_left_out():
    assert repr(hb.hold_entropy(2.0, horizon=None)) == "hold_entropy(2.0)"
    assert repr(hb.hold_entropy(2.0, horizon=32)) == "hold_entropy(2.0, horizon=32)" or "32" in repr(
        hb.hold_entropy(2.0, horizon=32)
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1, "1"),
        (True, "True"),
        (None, "None"),
        ("text", "'text'"),
        (math.inf, "inf"),
        (np.float64(0.5), "0.5"),
        (np.int64(3), "3"),
        (np.array([1.0, 2.5]), "[1.0, 2.5]"),
        ([1, [2, 3]], "[1, [2, 3]]"),
        ((1, 2), "[1, 2]"),
    ],
)
def test_values_are_shown_as_they_are_written(value, text):
    assert show(value) == text


def test_things_without_a_text_form_say_so():
    def warm(count):
        return 1.0

    assert repr(hb.scheduled(warm)) == "scheduled(<warm>)"
    assert repr(hb.Thermostat(init=lambda: 0, step=lambda state, seen: (1.0, state))) == "<thermostat>"


def test_every_name_belongs_to_one_kind():
    names = [name for makers in MAKERS.values() for name in makers]
    assert len(names) == len(set(names))
    assert MAKERS["schedule"]["linear"] is linear


def test_changing_a_list_later_changes_nothing():
    numbers = [1, 2]
    step, thermostat = hb.top_k(numbers), hb.fixed(numbers)
    numbers[0] = 99
    assert repr(step) == "top_k([1, 2])"
    assert repr(thermostat) == "fixed([1, 2])"
    temperature, _ = thermostat.step(thermostat.init(), hb.Seen())
    assert temperature.tolist() == [1, 2]
    kept = hb.chain(step).scores((), [[3.0, 2.0, 1.0]] * 2).scores > -math.inf
    assert kept.sum(axis=-1).tolist() == [1, 2]
