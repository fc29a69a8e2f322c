"""Numbers that a person typed: negative ones among the arguments, lists in files and on standard input."""

import json
import math
import re
from pathlib import Path
from typing import Any

from heatbath.cli.commands import Command
from heatbath.cli.screen import read_input
from heatbath.errors import InputError

MINUS = "\N{MINUS SIGN}"
NEGATIVE = re.compile(r"-(?=\.?\d|inf)", re.IGNORECASE)
EXAMPLE = "write numbers such as 2.0 1 -1, the path of a file, or - for standard input"


class NumbersCommand(Command):
    """A command among whose arguments ``-1`` and ``-inf`` are numbers and not options.

    The parser takes whatever begins with a hyphen for an option. A true minus sign is not one, and :func:`as_number`
    reads it back, so that the order of the arguments and the parser's own messages stay as they are.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments with the hyphens of negative numbers exchanged."""
        return super().parse_args(ctx, [MINUS + word[1:] if NEGATIVE.match(word) else word for word in args])


TOO_LARGE = "write 1.7e308 at most: scores are finite, and only their differences matter"


def as_number(word: Any, *, instead: str = "") -> float | None:
    r"""What Python reads as a number, with a hyphen or a true minus sign; None for anything else.

    >>> as_number("-1.5"), as_number("\N{MINUS SIGN}inf"), as_number("one")
    (-1.5, -inf, None)

    Arguments:
        word: what was typed.
        instead: what to write for a number that no double holds; left out, the advice is that for a score.

    Raises:
        InputError: the number is finite, and no double is as large.
    """
    if isinstance(word, bool) or not isinstance(word, str | int | float):
        return None
    text = str(word).replace(MINUS, "-")
    try:
        value = float(text)
    except ValueError:
        return None
    if math.isinf(value) and "inf" not in text.lower():
        shown = text if len(text) <= 40 else f"{text[:37]}..."
        instead = instead or (TOO_LARGE if value > 0 else "write -inf, which forbids the option")
        raise InputError("it is too large for a double", on=repr(shown), instead=instead)
    return value


def read_numbers(arguments: list[str]) -> list[float]:
    """The numbers that the arguments stand for.

    Each argument is a number, several numbers (``"2 1 -1"``, ``2,1,-1``), a JSON list, a file that holds either, or
    ``-`` for standard input.

    Raises:
        InputError: an argument that is none of these, a file that cannot be read, JSON at fault (with the position), no
            number at all.
    """
    numbers = [value for argument in arguments for value in _read(argument)]
    if not numbers:
        where = ", ".join("standard input" if argument == "-" else repr(argument) for argument in arguments)
        raise InputError("there is nothing to choose from: it holds no number", on=where, instead=EXAMPLE)
    return numbers


def _read(argument: str) -> list[float]:
    if argument == "-":
        return parse_numbers(read_input(), "standard input")
    if argument.lstrip().startswith("[") or as_number((_words(argument) or [""])[0]) is not None:
        return parse_numbers(argument, "the arguments")
    try:
        return parse_numbers(Path(argument).read_text(encoding="utf-8-sig"), argument)
    except UnicodeDecodeError:
        raise InputError("it is not a text file", on=argument, instead=EXAMPLE) from None
    except OSError as error:
        why = f"it is neither a number nor a file that can be read ({error.strerror})"
        raise InputError(why, on=repr(argument), instead=EXAMPLE) from None


def parse_numbers(text: str, where: str) -> list[float]:
    """Numbers from a JSON list, or set apart by blanks, commas or semicolons.

    >>> parse_numbers("[2, 1.5, -1]", "a file"), parse_numbers("2 1.5, -1", "a file")
    ([2.0, 1.5, -1.0], [2.0, 1.5, -1.0])
    """
    words = _json_list(text, where) if text.lstrip().startswith(("[", "{")) else _words(text)
    numbers: list[float] = []
    for position, word in enumerate(words, start=1):
        value = as_number(word)
        if value is None:
            shown = word if isinstance(word, str) else json.dumps(word)
            raise InputError(f"item {position}, {shown[:40]!r}, is not a number", on=where, instead=EXAMPLE)
        numbers.append(value)
    return numbers


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", text) if word]


def _json_list(text: str, where: str) -> list[Any]:
    instead = "write a list such as [2.0, 1.0, -1.0]"
    try:
        values = json.loads(text.replace(MINUS, "-"), parse_int=as_number, parse_float=as_number)
    except json.JSONDecodeError as error:
        why = f"it is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise InputError(why, on=where, instead=instead) from None
    except RecursionError:
        raise InputError("it is a list of lists, too deep to be read", on=where, instead=instead) from None
    if not isinstance(values, list):
        raise InputError("it is a JSON object, not a list", on=where, instead=instead)
    return values
