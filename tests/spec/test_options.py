import math

import pytest

import heatbath as hb
from heatbath.spec import OPTIONS, ORDER, check_options, sampler_from


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_row_is_whole(option):
    assert option.help.endswith(".")
    assert option.default is None or option.check(option.default) == option.default
    for value in option.off:
        assert option.check(value) is None
    assert option.check(None) is None


def test_the_order_of_separate_options_is_stated():
    given = {"min_p": 0.1, "top_p": 0.9, "temperature": 0.7, "top_k": 40}
    assert str(sampler_from(given)) == "temperature(0.7) -> top_k(40) -> top_p(0.9) -> min_p(0.1) -> categorical()"
    assert str(sampler_from({})) == "temperature(1.0) -> categorical()"
    assert set(ORDER) < set(OPTIONS)


@pytest.mark.parametrize("off", [{"top_k": 0}, {"top_k": -1}, {"top_p": 1}, {"top_p": 1.0}, {"min_p": 0}])
def test_values_that_mean_off_are_left_out(off):
    assert str(sampler_from(off)) == "temperature(1.0) -> categorical()"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"temperature": -0.1}, "must be >= 0"),
        ({"temperature": math.nan}, "not a number"),
        ({"temperature": "0.7"}, "a number is expected"),
        ({"temperature": True}, "a number is expected"),
        ({"top_p": 0}, r"must be in \(0, 1\]"),
        ({"top_p": 1.01}, r"must be in \(0, 1\]"),
        ({"top_k": 2.5}, "whole number"),
        ({"top_k": math.inf}, "whole number"),
        ({"top_k": -2}, "must be >= 1.*; leave top_k out or write 0 or -1 to switch it off"),
        ({"top_p": 2}, "; leave top_p out or write 1 to switch it off"),
        ({"n": 0}, "write for example n=1$"),
        ({"min_p": 1.5}, r"must be in \[0, 1\]"),
        ({"seed": 2**64}, "must be in"),
        ({"max_tokens": 0}, "must be >= 1"),
        ({"seed": 10**400}, "must be in"),
        ({"temperature": 10**400}, "too large"),
        ({"chain": 5}, "a text is expected"),
        ({"temprature": 0.5}, "did you mean temperature?"),
    ],
)
def test_bad_values_name_the_field(given, says):
    with pytest.raises(hb.InputError, match=says) as caught:
        check_options(given)
    assert caught.value.field == next(iter(given))


def test_whole_floats_are_whole_numbers():
    assert check_options({"top_k": 40.0, "temperature": 2}) == {"top_k": 40, "temperature": 2}


def test_an_option_has_the_type_of_its_row():
    checked = check_options({"temperature": 1, "top_p": 0.5, "min_p": 1, "top_k": 3.0})
    assert [type(value) for value in checked.values()] == [float, float, float, int]
    assert str(sampler_from({"temperature": 1})) == str(sampler_from({"temperature": 1.0}))


def test_infinite_temperature_is_legal():
    assert str(sampler_from({"temperature": math.inf})) == "temperature(inf) -> categorical()"


def test_a_chain_takes_the_place_of_the_steps():
    assert (
        str(sampler_from({"chain": "min_p(0.1) -> temperature(2)"})) == "min_p(0.1) -> temperature(2) -> categorical()"
    )
    assert str(sampler_from({"chain": "0.5", "top_k": 5})) == "temperature(fixed(0.5)) -> top_k(5) -> categorical()"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"chain": "top_k(3)", "temperature": 0.5}, "temperature"),
        ({"chain": "top_k(3)", "top_p": 0.5}, "top_p"),
        ({"chain": "hold_entropy(1.0)", "temperature": 0.5}, "temperature"),
        ({"chain": "tempera(3)"}, "chain"),
    ],
)
def test_a_chain_beside_what_it_decides_is_refused(given, field):
    with pytest.raises(hb.InputError) as caught:
        sampler_from(given)
    assert caught.value.field == field
