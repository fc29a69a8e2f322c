import inspect

import pytest

from heatbath import errors
from heatbath.errors import HeatbathError, InputError, SpecError, while_doing


def test_the_drawn_tree_is_the_real_one():
    drawn = errors.__doc__
    for _, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, Exception):
            assert issubclass(cls, HeatbathError)
            assert cls.__name__ in drawn
            assert cls.__doc__


def test_a_message_has_four_parts():
    error = InputError("T is negative", doing="tempering", on="temperature(-1)", instead="write temperature(0.7)")
    assert str(error) == "tempering on temperature(-1): T is negative; write temperature(0.7)"
    assert str(InputError("T is negative")) == "T is negative"


def test_the_outer_call_adds_what_the_inner_one_did_not_know():
    with (
        pytest.raises(InputError, match=r"sampling on top_k\(3\): nothing is left") as caught,
        while_doing("sampling", "top_k(3)"),
    ):
        raise InputError("nothing is left")
    assert isinstance(caught.value, ValueError)
    with pytest.raises(InputError, match=r"^inner: why$"), while_doing("outer"):
        raise InputError("why", doing="inner")


def test_other_errors_pass_through_untouched():
    with pytest.raises(KeyError), while_doing("sampling"):
        raise KeyError("x")


def test_a_text_error_shows_the_text_and_the_place():
    said = str(SpecError("no such step", text="a -> b", position=5, instead="did you mean c?"))
    assert said == "parsing, at character 5: no such step; did you mean c?\n  a -> b\n       ^"
