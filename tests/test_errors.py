import copy
import inspect
import pickle

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


@pytest.mark.parametrize(
    "error",
    [
        SpecError("no such step", text="a -> b", position=5, instead="did you mean c?"),
        InputError("why", doing="doing", on="on", instead="instead", field="p"),
        errors.MissingExtraError("torch is not installed", instead="pip install torch"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_crosses_to_another_process_whole(error):
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert vars(again) == vars(error)
        assert str(again) == str(error)
        assert again.args == error.args


def shown(text, position):
    said, line, caret = str(SpecError("why", text=text, position=position)).split("\n")
    assert said == f"parsing, at character {position}: why"
    return line[2:], caret.index("^") - 2


def test_what_does_not_print_is_shown_by_its_escape():
    assert shown("a\n\t\x1b[31m -> b", 11) == (r"a\n\t\x1b[31m -> b", 16)
    assert shown("\x00b", 1) == (r"\x00b", 4)
    assert shown("\u202eb", 1) == (r"\u202eb", 6)


def test_a_long_text_is_shown_around_the_place():
    text = "".join(str(i % 10) for i in range(1000))
    line, caret = shown(text, 500)
    assert line == "..." + text[460:541] + "..."
    assert line[caret] == text[500]
    assert caret == 43
    assert shown(text, 10) == (text[:51] + "...", 10)
    assert shown(text, 1000) == ("..." + text[960:], 43)


def test_the_caret_stands_below_the_place_behind_wide_characters():
    assert shown("温度(0.7)", 2) == ("温度(0.7)", 4)
    assert shown("e\u0301(", 2) == ("e\u0301(", 1)
