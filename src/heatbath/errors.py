"""What can go wrong, in one tree::

    HeatbathError
    |- InputError (ValueError)        a value that was given cannot be used
    |  |- TargetError                 an effect that no temperature reaches
    |  '- SpecError                   a text that does not parse; knows the position
    |- MissingExtraError (ImportError)  an optional library is not installed
    '- ModelError (RuntimeError)      a model that cannot be loaded or run

A message has four parts: doing what, on what input, why not, and what to write instead. Inner code knows only the last
three; the outermost function the user called may add the first with :func:`while_doing`.
"""

from collections.abc import Iterator
from contextlib import contextmanager


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


class InputError(HeatbathError, ValueError):
    """A value that was given cannot be used."""


class TargetError(InputError):
    """An effect was asked for that no temperature reaches."""


class SpecError(InputError):
    """A text that does not parse.

    ``text`` is the whole text and ``position`` the index of the character at fault; the message shows both.
    """

    def __init__(self, why: str, *, text: str, position: int, instead: str = "") -> None:
        super().__init__(why, doing="parsing", instead=instead)
        self.text = text
        self.position = position

    def __str__(self) -> str:
        said = f"{self.why}; {self.instead}" if self.instead else self.why
        return f"parsing, at character {self.position}: {said}\n  {self.text}\n  {' ' * self.position}^"


class MissingExtraError(HeatbathError, ImportError):
    """An optional library is not installed; the message says what to install."""


class ModelError(HeatbathError, RuntimeError):
    """A model that cannot be loaded or run."""


@contextmanager
def while_doing(doing: str, on: str = "") -> Iterator[None]:
    """Add *doing what, on what* to an error of ours that passes through and does not say so yet."""
    try:
        yield
    except HeatbathError as error:
        error.doing = error.doing or doing
        error.on = error.on or on
        raise
