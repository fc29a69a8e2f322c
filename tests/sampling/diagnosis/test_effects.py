import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.core import entropy, heat_capacity, temperature_for, top_probability
from heatbath.sampling.diagnosis.effects import Response, sensitivity, standard_error
from tests.sampling.diagnosis.worlds import world

ROWS = world(60)


@pytest.mark.parametrize(
    ("measure", "value"),
    [("entropy", 0.5), ("entropy", 3.0), ("perplexity", 4.0), ("top_probability", 0.7), ("relative_entropy", 0.2)],
)
def test_the_temperature_has_the_effect_on_average(measure, value):
    response = Response([[ROWS[:30], ROWS[30:]]])
    [found] = response.wanted({measure: [value]})
    t = found.effects.temperature
    assert getattr(found.effects, measure) == pytest.approx(value, rel=2e-3)
    assert found.effects.entropy == pytest.approx(entropy(ROWS, t).mean())
    assert found.effects.top_probability == pytest.approx(top_probability(ROWS, t).mean())
    own = np.sort(temperature_for(ROWS, **{measure: value}))
    assert found.rows[0] == pytest.approx(own[15], rel=0.05)
    assert found.rows[1] == pytest.approx(own[44], rel=0.05)


def test_effects_out_of_reach_are_refused_and_ends_are_ends():
    response = Response([[np.array([[0.0, 1.0], [2.0, 0.0]])]])
    found = response.wanted({"entropy": [0.0, math.log(2)]})
    assert [each.effects.temperature for each in found] == [0.0, math.inf]
    assert {each.measure for each in response.wanted(None)} >= {"entropy", "top_probability"}
    for wanted in ({"entropy": [2.0]}, {"top_probability": [0.4]}, {"perplexity": [0.5]}):
        with pytest.raises(hb.TargetError, match="it reaches"):
            response.wanted(wanted)


def test_rows_of_which_one_cannot_have_it_have_no_middle_half():
    rows = np.array([[0.0, 1.0, -np.inf], [0.0, 1.0, 0.5]])
    [found] = Response([[rows]]).wanted({"entropy": [0.8]})
    assert found.rows is None


def test_equal_texts_at_once_or_in_turn_give_the_same_mean():
    assert Response([[ROWS]]).at(0.7) == pytest.approx(Response([[ROWS[:7]], [ROWS[7:20], ROWS[20:]]]).at(0.7))


def test_many_decisions_are_thinned_evenly():
    rows = np.zeros((1000, 2**15))
    rows[:, 0] = np.arange(1000)
    kept = np.concatenate(Response([[rows[:333], rows[333:]]]).rows)[:, 0]
    assert 64 <= len(kept) <= 72
    assert set(np.diff(kept)) == {15.0}


def test_the_standard_error_is_that_of_texts_that_hang_together():
    rng, whole, blocked = np.random.default_rng(0), [], []
    for _ in range(2000):
        level = np.repeat(rng.normal(size=20), 10)  # 20 texts of 10 decisions, alike within each
        values = level + 0.1 * rng.normal(size=200)
        whole.append(standard_error(values, np.arange(200)) ** 2)
        blocked.append(standard_error(values, np.repeat(np.arange(20), 10)) ** 2)
    assert np.mean(blocked) == pytest.approx(1 / 20 + 0.01 / 200, rel=0.03)
    assert np.mean(whole) < 0.2 / 20, "the control: taken for independent, they deceive"


def test_the_sensitivity_covers_the_truth():
    """Over many texts of independent decisions, the mean heat capacity of all of them."""
    rng = np.random.default_rng(1)
    truth = heat_capacity(ROWS, 0.8).mean()
    missed = 0
    for _ in range(200):
        found = sensitivity([[ROWS[rng.integers(0, 60, 20)]] for _ in range(30)], 0.8)
        missed += abs(found.heat_capacity - truth) > 1.96 * found.heat_capacity_error
    assert 2 <= missed <= 25
    assert found.heat_capacity_error > 0


def test_a_single_decision_has_no_standard_error():
    assert math.isnan(sensitivity([[ROWS[:1]]], 1.0).heat_capacity_error)
    assert sensitivity([[ROWS[:40]]], 1.0).heat_capacity_error > 0, "blocks of one text"


def test_no_temperature_is_refused():
    with pytest.raises(hb.InputError):
        Response([[ROWS]]).at(-1)
