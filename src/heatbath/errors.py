"""What can go wrong, in one tree::

    HeatbathError
    |- InputError (ValueError)        a value that was given cannot be used
    |  |- TargetError                 an effect that no temperature reaches
    |  |- ConflictError               an idempotency key that already stands for something else
    |  '- SpecError                   a text that does not parse; knows the position
    |- MissingExtraError (ImportError)  an optional library is not installed
    |- ModelError (RuntimeError)      a model that cannot be loaded or run
    '- StoreError (RuntimeError)      a store that cannot be opened, read or written

A message has four parts: doing what, on what input, why not, and what to write instead. Inner code knows only the last
three; the outermost function the user called may add the first with :func:`while_doing`.
"""

import copyreg
import unicodedata
from collections.abc import Sequence
from typing import Any


class HeatbathError(Exception):
    """Base of every error that heatbath raises on purpose.

    Arguments:
        why: what is wrong, in words the caller typed.
        doing: what was being done ("parsing a chain"); may be added later by :func:`while_doing`.
        on: the input, as the caller wrote it.
        instead: what to write to get what was probably meant.
        field: the name of the argument or request field at fault.
    """

    def __init__(self, why: str, *, doing: str = "", on: str = "", instead: str = "", field: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.doing = doing
        self.on = on
        self.instead = instead
        self.field = field

    def __str__(self) -> str:
        head = " on ".join(part for part in (self.doing, self.on) if part)
        body = f"{head}: {self.why}" if head else self.why
        return f"{body}; {self.instead}" if self.instead else body

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross to other processes; rebuilding them by their constructor would lose what stands behind ``*``."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class InputError(HeatbathError, ValueError):
    """A value that was given cannot be used."""


class TargetError(InputError):
    """An effect was asked for that no temperature reaches."""


class ConflictError(InputError):
    """Feedback came under an idempotency key that already stands for other feedback.

    ``heard`` has one entry for each feedback of the call: True where it is new, False where it was known, None where it
    conflicts and was not kept.
    """

    def __init__(self, why: str, *, heard: Sequence[bool | None] = (), **parts: Any) -> None:
        super().__init__(why, **parts)
        self.heard = tuple(heard)


class SpecError(InputError):
    """A text that does not parse.

    ``text`` is the whole text and ``position`` the index of the character at fault. The message shows one line: up to
    40 characters on either side of the position, those that do not print by their escapes. ``doing`` is "parsing" until
    somebody says where the text stood.
    """

    def __init__(self, why: str, *, text: str, position: int, instead: str = "") -> None:
        super().__init__(why, doing="parsing", instead=instead)
        self.text = text
        self.position = position

    def __str__(self) -> str:
        said = f"{self.why}; {self.instead}" if self.instead else self.why
        return f"{self.doing}, at character {self.position}: {said}\n{_pointed(self.text, self.position)}"


class MissingExtraError(HeatbathError, ImportError):
    """An optional library is not installed; the message says what to install."""


class ModelError(HeatbathError, RuntimeError):
    """A model that cannot be loaded or run."""


class StoreError(HeatbathError, RuntimeError):
    """A store that cannot be opened, read or written; what had been acknowledged is not lost by it."""


class while_doing:  # noqa: N801  used like a function; a generator would take a microsecond at every token
    """Add *doing what, on what* to an error of ours that passes through and does not say so yet.

    ``on`` is only turned into text when there is an error.
    """

    __slots__ = ("doing", "on")

    def __init__(self, doing: str, on: object = "") -> None:
        self.doing, self.on = doing, on

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, HeatbathError):
            error.doing = error.doing or self.doing
            error.on = error.on or str(self.on)


def _pointed(text: str, position: int, around: int = 40) -> str:
    """The part of a text around a position, and below it a caret."""
    start, end = max(position - around, 0), position + around + 1
    before = "..." * (start > 0) + _printable(text[start:position])
    behind = _printable(text[position:end]) + "..." * (end < len(text))
    return f"  {before}{behind}\n  {' ' * sum(map(_columns, before))}^"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _columns(letter: str) -> int:
    """How many columns of a terminal a letter takes: two where it is Chinese, none where it is an accent."""
    return 0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
