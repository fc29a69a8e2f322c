"""Places in a text, told from the text so far: what comes next is at the beginning of a line, inside a string, ..."""

import re
from collections.abc import Callable

AFTER = "after:"
"""``"after:def "`` is the place behind these very characters."""

CLOSING = "\"')]}*_\u201d\u2019\u00bb\u300d\u300f\uff09"
"""What may stand between the end of a sentence and the next one: marks of quotation and emphasis, brackets."""
ENDS = "!?\u2026\u3002\uff01\uff1f\u061f"
"""What ends a sentence besides a point: ! ? an ellipsis, the Chinese stop, and ! ? of Chinese, ? of Arabic."""
QUESTIONS = ("?", "\uff1f", "\u061f")
FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
PREFIX = re.compile(r"(?<!\w)[rRbBfFuU]{1,2}\Z")
"""Letters that may stand before a quotation mark of Python; behind any other letter, ' is an apostrophe."""


def _line(text: str) -> str:
    """What is written of the last line."""
    return text.rpartition("\n")[2]


def _is_blank(line: str) -> bool:
    return not line.strip(" \t")


def _said(text: str) -> str:
    """The text without what closes a sentence."""
    return text.rstrip().rstrip(CLOSING).rstrip()


def _begins_paragraph(text: str) -> bool:
    written = text.rstrip()
    return not written or text.count("\n", len(written)) >= 2


def _begins_sentence(text: str) -> bool:
    said = _said(text)
    return not said or said[-1] in ENDS or (said[-1] == "." and not said[-2:-1].isdigit())


def _in_number(text: str) -> bool:
    return text.removesuffix(".")[-1:].isdigit()


def _in_string(text: str) -> bool:
    line, mark, place = _line(text), "", 0
    while place < len(line):
        letter = line[place]
        if mark and letter == "\\":
            place += 1  # takes the next character along
        elif letter == mark:
            mark = ""
        elif not mark and letter in "\"'" and not (letter == "'" and _is_apostrophe(line[max(place - 3, 0) : place])):
            mark = letter
        place += 1
    return bool(mark)


def _is_apostrophe(before: str) -> bool:
    return before[-1:].isalnum() and not PREFIX.search(before)


def _in_code(text: str) -> bool:
    return len(FENCE.findall(text)) % 2 == 1


def _behind_fence(text: str) -> bool:
    before, newline, line = text.rpartition("\n")
    return bool(newline) and _is_blank(line) and bool(FENCE.match(_line(before)))


PLACES: dict[str, Callable[[str], bool]] = {
    "start": lambda text: not text.strip(),
    "line_start": lambda text: _is_blank(_line(text)),
    "indentation": lambda text: _line(text) != "" and _is_blank(_line(text)),
    "paragraph_start": _begins_paragraph,
    "sentence_start": _begins_sentence,
    "after_question": lambda text: _said(text).endswith(QUESTIONS),
    "number": _in_number,
    "string": _in_string,
    "code": _in_code,
    "after_fence": _behind_fence,
}
"""By name, whether the next token stands there."""


def place(name: str) -> Callable[[str], bool] | None:
    """The place of a name; None where there is none."""
    if name.startswith(AFTER) and len(name) > len(AFTER):
        return lambda text: text.endswith(name[len(AFTER) :])
    return PLACES.get(name)
