import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.control.places import PLACES, place

THERE = {
    "start": ["", "  ", "\n\n"],
    "line_start": ["", "   ", "a\n", "a\n    ", "a\n\t", "if x:\n  \n"],
    "indentation": ["  ", "a\n    ", "a\n\t", "def f():\n    x = 1\n    "],
    "paragraph_start": ["", "a\n\n", "a\n  \n", "a\n\n   ", "a\n\n\nb\n\n\n"],
    "sentence_start": [
        "",
        "The end.",
        "The end. ",
        "Really?\n",
        'He said "Go!" ',
        "(So it was.) ",
        "*Well!* ",
        "完\u3002",
        "吗\uff1f",
        "wait\u2026",
    ],
    "after_question": ["Why?", "Why? ", 'She asked, "Why?" ', "(why?)\n", "吗\uff1f", "لماذا\u061f ", "**Why?** "],
    "number": ["1", "x = 12", "3.", "2.7", "(19"],
    "string": [
        'x = "a',
        "x = 'a",
        'x = "a\\"',
        "print(f'a",
        "rb'a",
        '{"a": "b',
        "it's \"",
        "a\nb = '",
        '"a" "',
        "x = \"it's",
    ],
    "code": ["```", "```py\n", "```py\nx = 1\n", "a\n```\nb\n```\nc\n~~~\n", "   ```\nx"],
    "after_fence": ["```\n", "```py\n", "a\n```py\n    ", "```\nx\n```\n", "~~~ text\n"],
    "after:def ": ["def ", "x\ndef "],
}
NOT_THERE = {
    "start": ["a", " a"],
    "line_start": ["a", "a\nb", "a ", "a\n  b"],
    "indentation": ["", "a\n", "a  ", "a\n  b "],
    "paragraph_start": ["a", "a\n", "a\n  ", "a\n\nb"],
    "sentence_start": ["a", "a, ", "1.", "3. ", "a.b", "e.g"],
    "after_question": ["", "Why", "Why? N", "Why. ", "?x"],
    "number": ["", "a", "1 ", "a.", "1,", "2.x", "..", "x1y"],
    "string": [
        "",
        'x = "a"',
        "x = 'a'",
        '"a\n',
        "it's",
        "don't say",
        "the kings' ",
        'x = "\\\\"',
        "'a' + b",
        '"it\'s"',
    ],
    "code": ["", "```\nx\n```", "`x`", "a ``` b", "    ```\nx", "~~~\nx\n~~~\ny"],
    "after_fence": ["```", "```\nx", "```\n\n", "a\n", "\n", "x```\n"],
    "after:def ": ["def", "def f", ""],
}


def cases(table):
    return [pytest.param(name, text, id=f"{name}-{text!r}") for name, texts in table.items() for text in texts]


@pytest.mark.parametrize(("name", "text"), cases(THERE))
def test_here(name, text):
    assert place(name)(text)


@pytest.mark.parametrize(("name", "text"), cases(NOT_THERE))
def test_not_here(name, text):
    assert not place(name)(text)


def test_every_place_has_both():
    assert {*PLACES, "after:def "} == set(THERE) == set(NOT_THERE)


@pytest.mark.parametrize("name", ["", "here", "after:", "Line_start", "after"])
def test_there_is_no_such_place(name):
    assert place(name) is None


@given(st.text(alphabet="ab1.?!\"'\\\n\t `~({", max_size=40))
def test_whatever_the_text_each_place_says_yes_or_no(text):
    found = {name for name, here in PLACES.items() if here(text)}
    assert ("indentation" in found) <= ("line_start" in found)
    assert ("start" in found) <= ("paragraph_start" in found)
    assert ("after_question" in found) <= ("sentence_start" in found)
    assert ("after_fence" in found) <= ("line_start" in found)


@given(st.text(alphabet="ab ,", max_size=20), st.text(alphabet="ab' ,", max_size=20))
def test_a_string_ends_where_it_is_closed(before, inside):
    assert PLACES["string"](f'{before}"{inside}')
    assert not PLACES["string"](f'{before}"{inside}"')
