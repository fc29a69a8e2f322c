import copy
import math
import pickle

import numpy as np
import pytest

import heatbath as hb
from heatbath.made import MAKERS, Made, maker, show
from heatbath.schedules import Schedule, join, linear


def test_a_thing_knows_how_it_was_made():
    assert hb.top_k(k=40).made == Made("top_k", ((None, 40),))
    assert repr(hb.fixed(temperature=1)) == "fixed(1)"


def test_arguments_equal_to_their_defaults_are_left_out():
    assert repr(hb.hold_entropy(2.0, horizon=None)) == "hold_entropy(2.0)"
    assert repr(hb.hold_entropy(2.0, horizon=32)) == "hold_entropy(2.0, 32)"
    assert repr(hb.hold_entropy(2.0, horizon=32, start=1.0)) == "hold_entropy(2.0, 32, start=1.0)"


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
        ({1: 2.5, 3: [4]}, "[[1, 2.5], [3, [4]]]"),
    ],
)
def test_values_are_shown_as_they_are_written(value, text):
    assert show(value) == text


def test_a_number_that_python_does_not_write_is_described():
    assert show(10**5000) == "<a number of thousands of digits>"


def test_things_without_a_text_form_say_so():
    def warm(count):
        return 1.0

    assert repr(hb.scheduled(warm)) == "scheduled(<warm>)"
    assert repr(hb.chain(hb.temperature(lambda count: 1.0))) == "temperature(<lambda>) -> categorical()"
    assert repr(hb.Thermostat(init=lambda: 0, step=lambda state, seen: (1.0, state))) == "<thermostat <lambda>>"


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


def test_changing_an_array_later_changes_nothing():
    numbers = np.array([1, 2])
    step, thermostat = hb.top_k(numbers), hb.fixed(numbers)
    numbers[0] = 99
    assert repr(step) == "top_k([1, 2])"
    assert repr(thermostat) == "fixed([1, 2])"


def test_what_was_made_is_a_value():
    def make(number, rows):
        thermostat = hb.scheduled(join([linear(number, 0.5, 10), number], [10]))
        return hb.chain(hb.temperature(thermostat), hb.top_k(rows), hb.top_p(number))

    one, other = make(1.0, [1, 2]), make(np.float64(1.0), np.array([1, 2]))
    for step, same in zip(one.steps, other.steps, strict=True):
        assert step.made == same.made
        assert hash(step.made) == hash(same.made)
    assert make(0.9, [1, 2]).steps[0].made != one.steps[0].made


def half(count):
    return 0.5 + 0 * count


SAMPLERS = [
    hb.chain(hb.temperature(0.7), hb.top_k(40), hb.top_p(0.95)),
    hb.chain(hb.min_p(0.05), hb.temperature(hb.hold_entropy(1.0, 32, start=0.8, hottest=2.0)), hb.greedy()),
    hb.chain(hb.temperature(join([linear(1.0, 0.5, 10), 0.3], [10])), hb.top_k([1, 2])),
    hb.chain(hb.temperature(np.array([0.5, 1.0])), hb.temperature(hb.hold_entropy([1.0, 1.5]))),
    hb.chain(hb.temperature(hb.by_confidence(0.2, 1.2, "margin"))),
]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_a_sampler_travels_to_another_process(sampler):
    scores = np.random.default_rng(1).normal(0, 2, (2, 50))
    for again in (pickle.loads(pickle.dumps(sampler)), copy.deepcopy(sampler)):
        assert isinstance(again, hb.Sampler)
        assert str(again) == str(sampler)
        state, its_state = sampler.init(), again.init()
        for _ in range(4):
            token, state, _ = sampler.step(state, scores, seed=7)
            its_token, its_state, _ = again.step(its_state, scores, seed=7)
            assert token.tolist() == its_token.tolist()


def test_every_maker_can_be_called_again_by_name():
    things = [hb.fixed(0.7), hb.scheduled(linear(1.0, 0.5, 10)), linear(1.0, 0.5, 10), hb.top_k(3), hb.greedy()]
    for thing in things:
        again = pickle.loads(pickle.dumps(thing))
        assert type(again) is type(thing)
        assert again.made == thing.made


def test_what_is_made_of_named_functions_travels_too():
    thermostat = pickle.loads(pickle.dumps(hb.scheduled(half)))
    assert thermostat.step(0, hb.Seen())[0] == 0.5
    assert pickle.loads(pickle.dumps(Schedule(half)))(3) == 0.5


@pytest.mark.parametrize(
    "thing",
    [
        hb.Thermostat(init=lambda: 0, step=lambda state, seen: (1.0, state)),
        Schedule(lambda count: 0.5 + 0 * count),
        hb.sampling.Step(apply=lambda state, scores: (scores, state)),
        hb.sampling.Draw(pick=lambda scores, uniform: scores),
        hb.scheduled(lambda count: 0.5),
        hb.temperature(lambda count: 0.5),
        hb.temperature(hb.Thermostat(init=lambda: 0, step=lambda state, seen: (1.0, state))),
    ],
    ids=repr,
)
def test_what_is_made_by_hand_says_why_it_cannot_travel(thing):
    with pytest.raises(hb.InputError, match="a function without a name of its own") as caught:
        pickle.dumps(thing)
    assert "heatbath.made.maker" in caught.value.instead
    assert copy.deepcopy(thing) is thing
    assert copy.copy(thing) is thing


def test_a_call_by_an_unknown_name_says_so():
    with pytest.raises(hb.InputError, match="there is no maker 'cooler'"):
        Made("cooler", ()).again()


def test_a_name_cannot_belong_to_two_kinds():
    def linear():
        raise NotImplementedError

    with pytest.raises(hb.InputError, match="there is a schedule of that name"):
        maker("step")(linear)
    assert "linear" not in MAKERS["step"]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_what_was_made_in_the_same_way_is_equal(sampler):
    again = pickle.loads(pickle.dumps(sampler))
    assert again is not sampler
    assert again == sampler
    assert not again != sampler  # noqa: SIM202  tuples answer the two separately
    assert hash(again) == hash(sampler)
    assert len({*sampler.steps, *again.steps}) == len(sampler.steps)


def test_the_values_of_each_kind_compare():
    for make in (
        hb.fixed,
        hb.top_k,
        lambda n: linear(n, 0.5, 10),
        lambda n: hb.top_k([n, 1]),
    ):
        assert make(2) == make(2)
        assert make(2) != make(3)
        assert hash(make(2)) == hash(make(2))
    assert hb.greedy() == hb.greedy()
    assert hb.greedy() != hb.categorical()
    assert hb.fixed(0.5) != hb.temperature(0.5)
    assert hb.fixed(0.5) != tuple(hb.fixed(0.5))
    assert hb.parse("min_p(0.05) -> temperature(cosine(1, 0.5, 9))") == hb.chain(
        hb.min_p(0.05), hb.temperature(hb.schedules.cosine(1, 0.5, 9))
    )


def test_what_was_made_by_hand_compares_field_by_field():
    assert Schedule(half) == Schedule(half)
    assert hash(Schedule(half)) == hash(Schedule(half))
    assert Schedule(half) != Schedule(lambda count: 0.5)
    assert Schedule(half) != linear(1.0, 0.5, 10)


def test_an_array_of_another_library_equals_only_itself():
    torch = pytest.importorskip("torch")
    one, other = torch.tensor([0.5, 0.7]), torch.tensor([0.5, 0.7])
    assert hb.fixed(one) == hb.fixed(one)
    assert hb.fixed(one) != hb.fixed(other)
    assert hash(hb.fixed(one)) == hash(hb.fixed(one))
    assert hb.chain(hb.temperature(one)) != hb.chain(hb.temperature(other))
    jnp = pytest.importorskip("jax.numpy")
    row = jnp.asarray([0.5, 0.7])
    assert hb.fixed(row) == hb.fixed(row)
    assert hash(hb.fixed(row)) == hash(hb.fixed(row))
