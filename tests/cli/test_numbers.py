import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.cli.numbers import as_number, parse_numbers, read_numbers
from heatbath.errors import InputError

numbers = st.lists(st.floats(allow_nan=False), min_size=1, max_size=8)


@given(numbers)
def test_what_python_writes_is_read_back_in_every_form(values: list[float]) -> None:
    assert read_numbers([repr(value) for value in values]) == values
    assert read_numbers([" ".join(map(repr, values))]) == values
    assert read_numbers([",".join(map(repr, values))]) == values
    assert read_numbers([json.dumps(values)]) == values


def test_a_true_minus_sign_is_a_minus() -> None:
    assert as_number("\N{MINUS SIGN}1.5") == -1.5
    assert as_number("\N{MINUS SIGN}inf") == -math.inf


@pytest.mark.parametrize("word", ["", "one", "1,5", None, True, [], {}])
def test_what_is_no_number_is_none(word: object) -> None:
    assert as_number(word) is None


@pytest.mark.parametrize("text", ["1e400", "1 1e400", "[1e400]", f"[{'9' * 400}]", "9" * 400])
def test_a_number_too_large_for_a_double_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"it is too large for a double; write 1\.7e308 at most"):
        parse_numbers(text, "x")


def test_a_negative_number_too_large_for_a_double_is_minus_inf() -> None:
    with pytest.raises(InputError, match="'-1e400': it is too large for a double; write -inf"):
        parse_numbers("-1e400", "x")


def test_a_json_list_may_write_forbidden_options_as_text() -> None:
    assert parse_numbers('[1, "-inf", -Infinity]', "x") == [1.0, -math.inf, -math.inf]


@pytest.mark.parametrize("text", ["[2.0, 1.0, -1]", "2 1\n-1\n", "2, 1; -1"])
def test_a_file_may_hold_a_json_list_or_plain_numbers(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scores.txt"
    path.write_text(text)
    assert read_numbers([str(path)]) == [2.0, 1.0, -1.0]


def test_a_file_whose_name_begins_with_a_digit_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1st.json").write_text("[3]")
    monkeypatch.chdir(tmp_path)
    assert read_numbers(["1st.json"]) == [3.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", "line 1, column 6"),
        ("[1,\n2,,3]", "line 2, column 3"),
        ("[" * 100_000, "too deep"),
        ('{"a": 1}', "a JSON object, not a list"),
        ("[1, [2.5]]", "item 2, '[2.5]'"),
        ("[1, null]", "item 2, 'null'"),
        ("1 2 three", "item 3, 'three'"),
    ],
)
def test_a_refusal_names_the_place_and_what_to_write(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_numbers(text, "scores.json")
    assert str(caught.value).startswith("scores.json: ")
    assert said in str(caught.value)
    assert "write" in caught.value.instead


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    path.write_bytes(b"\xef\xbb\xbf[1, 2]")
    assert read_numbers([str(path)]) == [1.0, 2.0]


def test_a_missing_file_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a number nor a file"):
        read_numbers(["nowhere.json"])
    with pytest.raises(InputError, match="neither a number nor a file"):
        read_numbers([str(tmp_path)])
    binary = tmp_path / "scores.npy"
    binary.write_bytes(b"\x93NUMPY\xff")
    with pytest.raises(InputError, match="not a text file"):
        read_numbers([str(binary)])
