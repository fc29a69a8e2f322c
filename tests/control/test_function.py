import math
import pickle

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import by_function

ROWS = np.log([[0.9, 0.05, 0.05], [0.4, 0.3, 0.3]])


def careful(glance):
    return 0.2 + 0.4 * glance.entropy * (1 - glance.margin)


def by_range(scores):
    return scores.max(axis=-1) - scores.min(axis=-1)


def decide(thermostat, scores=ROWS):
    return thermostat.step(thermostat.init(), hb.Seen(scores))[0]


def test_a_function_of_a_glance():
    p = np.exp(ROWS)
    nats, margin = -(p * ROWS).sum(axis=1), p[:, 0] - p[:, 1]
    np.testing.assert_allclose(decide(by_function(careful)), 0.2 + 0.4 * nats * (1 - margin))


def test_a_function_of_the_scores():
    np.testing.assert_allclose(decide(by_function(by_range, "scores")), [math.log(18), math.log(4 / 3)])


def test_a_function_may_give_one_number():
    assert decide(by_function(lambda glance: 0.7)) == 0.7


def test_forbidden_options_are_not_seen_in_a_glance():
    masked = np.concatenate([ROWS, np.full((2, 9), -np.inf)], axis=1)
    np.testing.assert_allclose(decide(by_function(careful), masked), decide(by_function(careful)))


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_it_is_given_the_library_of_the_scores(library):
    module = pytest.importorskip("jax.numpy" if library == "jax" else library)
    given = []
    by_function(lambda glance: given.append(glance.entropy) or 1.0).step((), hb.Seen(module.asarray(ROWS)))
    assert type(given[0]) is type(module.asarray(ROWS))


@pytest.mark.parametrize("wrong", [-1.0, math.nan, "0.7", None, np.array([0.5, -1])])
def test_what_is_no_temperature_is_refused(wrong):
    with pytest.raises(hb.InputError, match="temperature") as refused:
        decide(by_function(lambda glance: wrong))
    assert refused.value.doing == "asking a function for T"


def test_one_number_per_row_and_not_per_option():
    with pytest.raises(hb.InputError, match="one number per row"):
        decide(by_function(np.abs, "scores"))


@pytest.mark.parametrize("function", [0.7, None, "careful", hb.fixed(0.7), hb.schedules.linear(1.0, 0.5, 10)])
def test_what_is_no_function_is_refused(function):
    with pytest.raises(hb.InputError, match="is no function of a glance") as refused:
        by_function(function)
    assert refused.value.field == "function"


@pytest.mark.parametrize("of", ["logits", None, 3])
def test_an_unknown_sight_is_refused(of):
    with pytest.raises(hb.InputError, match="known are glance, scores"):
        by_function(careful, of)


def test_it_shows_its_function_and_travels_with_it():
    assert repr(by_function(careful)) == "by_function(<careful>)"
    np.testing.assert_array_equal(
        decide(pickle.loads(pickle.dumps(by_function(by_range, "scores")))), decide(by_function(by_range, "scores"))
    )
    with pytest.raises(hb.SpecError):
        hb.parse("by_function(<careful>)")
