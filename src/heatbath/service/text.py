"""From tokens to text while they arrive: characters that span tokens, and texts that end the answer."""

import itertools
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar


class HasBytes(Protocol):
    """A token that knows its bytes."""

    @property
    def bytes(self) -> bytes: ...


TokenT = TypeVar("TokenT", bound=HasBytes)


class Placed(NamedTuple, Generic[TokenT]):
    """A token, and the index of the first character that it helps to write."""

    token: TokenT
    offset: int


class Piece(NamedTuple, Generic[TokenT]):
    """Text that is now certain, and the tokens that wrote it."""

    text: str
    tokens: tuple[Placed[TokenT], ...]


class Writer(Generic[TokenT]):
    """Turns tokens into text piece by piece.

    A piece is given out once nothing can change it: bytes wait until their character is complete, and text that may be
    the beginning of a stop text waits until it is known not to be. However the same bytes are cut into tokens, the text
    is the same. Bytes that are no UTF-8 become U+FFFD.

    Arguments:
        stops: generation ends before the first of these texts to be completed (the longest, if several are at once).
        offset: characters that stand before this text.
    """

    def __init__(self, stops: Sequence[str] = (), offset: int = 0) -> None:
        self.stopped = False
        self._stops = tuple(stops)
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._held = ""  # decoded, not yet given out
        self._given = offset  # characters given out, and those before this text
        self._waiting: list[Placed[TokenT]] = []

    @property
    def length(self) -> int:
        """Characters given out so far, and those before this text."""
        return self._given

    def push(self, token: TokenT) -> Piece[TokenT]:
        """Take one more token; give what is certain now."""
        unfinished = bool(self._decoder.getstate()[0])
        first = self._decoder.decode(token.bytes[:1])
        # a byte that does not go on with an unfinished character makes U+FFFD of it, which other tokens wrote
        broken = unfinished and len(first) + bool(self._decoder.getstate()[0]) == 2
        self._waiting.append(Placed(token, self._given + len(self._held) + broken))
        return self._take(first + self._decoder.decode(token.bytes[1:]))

    def finish(self) -> Piece[TokenT]:
        """Everything that was held back; after a stop text there is nothing."""
        if self.stopped:
            return Piece("", ())
        last = self._take(self._decoder.decode(b"", final=True))
        text, self._held = self._held, ""
        self._given += len(text)
        tokens, self._waiting = tuple(self._waiting), []
        return Piece(last.text + text, last.tokens + tokens)

    def _take(self, new: str) -> Piece[TokenT]:
        self._held += new
        cut = self._stop_at()
        sure = len(self._held) - self._may_begin_a_stop() if cut is None else cut
        text, self._held = self._held[:sure], self._held[sure:]
        self._given += sure
        if cut is None:
            return Piece(text, self._written())
        self.stopped = True
        written = tuple(placed for placed in self._waiting if placed.offset < self._given)
        self._held, self._waiting = "", []
        return Piece(text, written)

    def _stop_at(self) -> int | None:
        """Where the stop text that is completed first begins."""
        found = [(at + len(stop), at) for stop in self._stops if (at := self._held.find(stop)) >= 0]
        return min(found)[1] if found else None

    def _may_begin_a_stop(self) -> int:
        """The length of the longest end of the held text with which a stop text begins."""
        longest = max(map(len, self._stops), default=1) - 1
        ends = (self._held[-length:] for length in range(min(longest, len(self._held)), 0, -1))
        return next((len(end) for end in ends if any(stop.startswith(end) for stop in self._stops)), 0)

    def _written(self) -> tuple[Placed[TokenT], ...]:
        """The waiting tokens whose every character was given out, but for one that is not complete yet."""
        offsets = [*(placed.offset for placed in self._waiting), self._given + len(self._held)]
        out = (start < self._given and end <= self._given for start, end in itertools.pairwise(offsets))
        count = sum(itertools.takewhile(bool, out))
        tokens, self._waiting = tuple(self._waiting[:count]), self._waiting[count:]
        return tokens


class SoFar(Mapping[str, str | list[str]]):
    """The context of a decision (:class:`heatbath.Seen`): the text so far, prompt included, spelled if it is asked for.

    Arguments:
        text: gives the text of the only row; or one such function for each row.
    """

    def __init__(self, text: Callable[[], str] | Sequence[Callable[[], str]]) -> None:
        self._text = text

    def __getitem__(self, key: str) -> str | list[str]:
        if key != "text":
            raise KeyError(key)
        return self._text() if callable(self._text) else [text() for text in self._text]

    def __iter__(self) -> Iterator[str]:
        yield "text"

    def __len__(self) -> int:
        return 1
