"""Words of the text form: a text is cut into tokens, and numbers are read."""

import math
import re
from typing import Any, NamedTuple, NoReturn

from heatbath.errors import SpecError

MAX_LENGTH = 10_000
MAX_DIGITS = 40
"""Of one number, sign and point included: Python writes every float in fewer."""

_TOKEN = re.compile(
    r"""(?P<arrow>->)
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)\b)
      | (?P<constant>(?:True|False|None)\b)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<string>'[^']*'|"[^"]*")
      | (?P<mark>[()\[\],=])""",
    re.VERBOSE | re.ASCII,
)
_HYPHENED = re.compile(r"[A-Za-z_]\w*(-[A-Za-z_]\w*)+", re.ASCII)
_CONSTANTS = {"True": True, "False": False, "None": None}


class Source(NamedTuple):
    """The whole text, for errors to point into."""

    text: str

    def fail(self, why: str, position: int, instead: str = "") -> NoReturn:
        """Refuse the text."""
        raise SpecError(why, text=self.text, position=position, instead=instead) from None


class Token(NamedTuple):
    """A word of the text, and where it stands."""

    kind: str
    text: str
    position: int
    value: Any = None
    """What a number, a constant or a string stands for."""

    def __str__(self) -> str:
        return shortened(repr(self.text)) if self.text else "the end of the text"


def split(source: Source) -> list[Token]:
    """The tokens of a text, the last of which is its end.

    Raises:
        SpecError: a character that begins no token, or a number that cannot be one.
    """
    text, position = source.text, 0
    tokens: list[Token] = []
    if len(text) > MAX_LENGTH:
        source.fail(f"a text of {len(text)} characters; {MAX_LENGTH} are the most", MAX_LENGTH)
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        found = _TOKEN.match(text, position)
        if not found:
            hyphened = _HYPHENED.match(text, tokens[-1].position) if tokens else None
            if hyphened and text[position] == "-":
                name = shortened(hyphened.group().replace("-", "_"))
                source.fail("a name has no '-'", position, f"did you mean {name}?")
            source.fail(f"{text[position]!r} has no meaning here", position, "expected a name, a number or '->'")
        kind, word = str(found.lastgroup), found.group()
        tokens.append(Token(kind, word, position, _value(kind, word, source, position)))
        position = found.end()
    return [*tokens, Token("end", "", len(text))]


def shortened(text: str, most: int = 60) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= most else text[:most] + "..."


def _value(kind: str, word: str, source: Source, position: int) -> Any:
    if kind == "number":
        return _number(word, source, position)
    return word[1:-1] if kind == "string" else _CONSTANTS.get(word)


def _number(word: str, source: Source, position: int) -> float:
    if len(word) > MAX_DIGITS:
        source.fail(f"a number of {len(word)} characters; {MAX_DIGITS} are the most", position)
    if re.fullmatch(r"[+-]?\d+", word):
        return int(word)
    number = float(word)
    sign = "-" if word.startswith("-") else ""
    if math.isinf(number) and not word.endswith("inf"):
        source.fail(f"{word} is more than a number can be", position, f"write {sign}inf")
    if number == 0 and re.search("[1-9]", re.split("[eE]", word)[0]):
        source.fail(f"{word} is less than a number can be", position, "write 0")
    return number
