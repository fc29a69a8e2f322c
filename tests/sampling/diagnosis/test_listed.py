import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.core import entropy
from heatbath.sampling.diagnosis.listed import among_listed, entropy_bounds, ranked, tail_bound
from heatbath.sampling.diagnosis.used import used_temperature
from tests.sampling.diagnosis.worlds import at_most, top, world, write


@given(st.lists(st.floats(-6, 6), min_size=2, max_size=12), st.integers(1, 12))
def test_the_entropy_lies_between_the_bounds(row, count):
    logs = np.array(row) - np.logaddexp.reduce(row)
    listed = np.sort(logs)[::-1][None, :count]
    low, high = entropy_bounds(listed, len(row))
    true = float(entropy(row))
    assert low[0] - 1e-5 <= true <= high[0] + 1e-5
    if count >= len(row):
        assert low[0] == pytest.approx(true, abs=1e-5)
        assert high[0] == pytest.approx(true, abs=1e-5)
    assert entropy_bounds(listed, None).low == pytest.approx(low)


def test_the_bounds_are_reached():
    even = np.log([0.5] + [0.05] * 10)
    assert entropy_bounds(even[None, :1], 11).high[0] == pytest.approx(float(entropy(even)))
    steep = np.log([0.4, 0.3, 0.3])
    assert entropy_bounds(steep[None, :2], 3).low[0] == pytest.approx(float(entropy(steep)))


def test_without_the_number_of_options_there_is_no_upper_bound():
    high = entropy_bounds(np.log([[0.5, 0.3], [0.5, 0.5]]), None).high
    assert high[0] == np.inf
    assert high[1] == pytest.approx(np.log(2))


@given(st.lists(st.floats(-9, 9), min_size=2, max_size=12), st.integers(1, 12))
def test_the_tail_holds_no_more_than_its_bound(row, count):
    p = np.exp(np.array(row) - np.logaddexp.reduce(row))
    bound = tail_bound(np.log(np.sort(p)[::-1][None, :count]), 2**-10)
    assert p[p < 2**-10].sum() <= bound[0] + 1e-9
    if np.sort(p)[::-1][:count].min() < 2**-10:
        assert p[p < 2**-10].sum() == pytest.approx(bound[0], abs=1e-9)


def test_the_best_come_first_and_short_lists_are_filled():
    assert ranked([{"a": -2.0, "b": -1.0}, {"c": -3.0}]).tolist() == [[-1.0, -2.0], [-3.0, -np.inf]]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("added", [False, True])
def test_the_k_best_tell_the_temperature_without_bias(temperature, added):
    """Also where the interface adds the drawn token to its list."""
    rng, scores, missed, trials = np.random.default_rng(8), world(50, 2.0), 0, 150
    for _ in range(trials):
        rows, tokens = write(scores, temperature, 120, rng)
        tops = top(rows, 5)
        if added:
            logs = rows - np.logaddexp.reduce(rows, axis=-1, keepdims=True)
            tops = [{**each, t: float(log[t])} for each, t, log in zip(tops, tokens, logs, strict=True)]
        found = used_temperature([among_listed(tops, tokens)], 0.9)
        missed += not found.low <= temperature <= found.high
    assert at_most(missed, trials, 0.1)


def test_lists_that_hold_nothing_but_the_drawn_token_tell_nothing():
    assert among_listed([{"a": -1.0}, {"b": -2.0}], ["a", "b"]) is None
    assert among_listed([None, {}], ["a", "b"]) is None
    assert among_listed([{"a": -1.0, "c": -3.0}, {"b": -2.0, "d": -4.0}], ["c", "d"]) is None, "each list ends with it"
