import json
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heatbath.cli.screen import number, percent, printable, write_json


@given(st.text())
def test_nothing_printable_steers_the_terminal(text: str) -> None:
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in printable(text))


def test_ordinary_text_stays_as_it_is() -> None:
    assert printable("für 雪\n\tok") == "für 雪\n\tok"


@given(st.floats(0, 1))
@example(0.0003)
@example(0.9997)
def test_a_percentage_never_says_none_or_all_of_what_is_not(share: float) -> None:
    text = percent(share)
    assert (text == "0.0 %") == (share == 0)
    assert (text == "100.0 %") == (share == 1)


def test_numbers_are_short() -> None:
    assert [number(value) for value in (2.0, 1 / 3, math.inf, -math.inf)] == ["2", "0.3333", "inf", "-inf"]


def test_json_is_strict_and_takes_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"a": np.array([1.0, np.inf]), "b": (np.float32(0.5), "雪"), "c": [-math.inf]})
    text = capsys.readouterr().out
    assert json.loads(text, parse_constant=pytest.fail) == {"a": [1.0, "inf"], "b": [0.5, "雪"], "c": ["-inf"]}
