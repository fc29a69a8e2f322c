"""What the verbs share when they write: the terminal, plain text, JSON, and one line for an error."""

import json
import math
import re
import sys
from typing import Any

import numpy as np
from rich.console import Console

from heatbath.errors import InputError

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def screen() -> Console:
    """Standard output: colours and live redrawing on a terminal, plain text without codes elsewhere.

    Rich obeys NO_COLOR, FORCE_COLOR, TERM and COLUMNS.
    """
    return Console(highlight=False, emoji=False, markup=False)


def ascii_only(console: Console) -> bool:
    """Whether the encoding of this output has no block and braille characters."""
    return bool(console.options.ascii_only)


def printable(text: str) -> str:
    """The text with control characters written out, so that no token of a model can steer the terminal.

    >>> print(printable("a\\x1b[2Jb"))
    a\\x1b[2Jb
    """
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def read_input() -> str:
    """All of standard input.

    Raises:
        InputError: it is not text.
    """
    return as_text(read_bytes(), "standard input")


def read_bytes() -> bytes:
    """All of standard input, as it is."""
    return sys.stdin.buffer.read() if sys.stdin else b""  # None where it was closed (<&-)


def as_text(content: bytes, where: str) -> str:
    """Bytes as text, without a byte order mark, lines ended by newlines.

    Raises:
        InputError: it is not text.
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        why = f"it is not UTF-8 text: byte {error.start} is 0x{content[error.start]:02x}"
        raise InputError(why, on=where, instead="send UTF-8") from None


def write_json(value: Any) -> None:
    """One JSON document on standard output; numbers that JSON lacks become the texts "inf", "-inf"."""
    sys.stdout.write(json.dumps(_for_json(value), ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def _for_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _for_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_for_json(each) for each in value]
    if isinstance(value, np.generic | np.ndarray):
        return _for_json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def number(value: float) -> str:
    """A number for people, four digits at most behind the first: 0.7, 2, 0.8333, inf.

    >>> number(0.7), number(2.0), number(5 / 6), number(1e-9)
    ('0.7', '2', '0.8333', '1e-09')
    """
    return f"{value:.4g}"


def percent(value: float) -> str:
    """A probability for people, as a percentage; a small one is never written as zero.

    >>> percent(0.5), percent(0.9999999), percent(0.00001), percent(0.0)
    ('50.0 %', '>99.9 %', '<0.1 %', '0.0 %')
    """
    if 0 < value < 0.0005:
        return "<0.1 %"
    if 0.9995 <= value < 1:
        return ">99.9 %"
    return f"{100 * value:.1f} %"
