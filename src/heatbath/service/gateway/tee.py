"""What an answer says of itself: tokens and the reason of its end, read beside the stream without holding it up.

Only the end of a stream is kept, where usage and reason stand; it is read after the last chunk has gone to the client.
"""

import zlib
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

END = 32 * 1024
"""How much of a stream's end is kept, in bytes."""
LAST = 6
"""Usage and reason are looked for in so many events at the end of a stream."""
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
LARGEST = 64 * 1024 * 1024
"""What a compressed answer may grow to while it is read."""


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Choice(Struct):
    finish_reason: str | None = None


class _Answer(Struct):
    usage: _Usage | None = None
    choices: list[_Choice] = []
    status: str | None = None
    response: "_Answer | None" = None
    """Where the events of /v1/responses carry the answer."""


class Told(NamedTuple):
    """What an answer said of itself; None where it did not."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def plain(body: bytes, encoding: bytes = b"") -> bytes | None:
    """A body without its content-encoding; None where the encoding is not known here, or the body is broken."""
    if not encoding or encoding == b"identity":
        return body
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        return None
    try:
        unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
        unpacked = unpacker.decompress(body, LARGEST)
    except zlib.error:
        return None
    return unpacked if unpacker.eof else None


def is_json(body: bytes) -> bool:
    """Whether these bytes are one JSON document."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        body.decode()
    except (ValueError, RecursionError):
        return False
    return True


def told(body: bytes) -> Told | None:
    """What a whole answer says; None where it is no JSON.

    >>> told(b'{"choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}')
    Told(prompt_tokens=5, completion_tokens=2, finish='stop')
    """
    try:
        if not body.isascii():
            body.decode()
        return _told(_decode(body))
    except msgspec.ValidationError:
        return Told() if is_json(body) else None
    except (ValueError, RecursionError):
        return None


def _told(answer: _Answer) -> Told:
    answer = answer.response or answer
    usage = answer.usage or _Usage()
    prompt = usage.prompt_tokens if usage.prompt_tokens is not None else usage.input_tokens
    completion = usage.completion_tokens if usage.completion_tokens is not None else usage.output_tokens
    finish = next((each.finish_reason for each in answer.choices if each.finish_reason), None)
    return Told(prompt, completion, finish or answer.status)


class Tee:
    """Reads a stream of events along.

    Arguments:
        encoding: the stream's content-encoding.
        keeps: whether the whole stream is kept.
    """

    __slots__ = ("_keeps", "_length", "_parts", "_unpacker")

    def __init__(self, encoding: bytes = b"", *, keeps: bool = False) -> None:
        self._keeps = keeps
        self._parts: list[bytes] = []
        self._length = 0
        known = encoding in (b"gzip", b"x-gzip", b"deflate")
        self._unpacker: Any = zlib.decompressobj(GZIP_OR_ZLIB) if known else None

    def feed(self, chunk: bytes) -> None:
        """One more chunk, as it came."""
        if self._unpacker is not None:
            try:
                chunk = self._unpacker.decompress(chunk, END)
            except zlib.error:
                return
        self._parts.append(chunk)
        self._length += len(chunk)
        if self._length > 4 * END and not self._keeps:
            self._parts = [b"".join(self._parts)[-END:]]
            self._length = len(self._parts[0])

    def end(self) -> bytes:
        """What is kept."""
        return b"".join(self._parts)

    def text(self) -> str | None:
        """The whole stream, where it is kept."""
        return self.end().decode(errors="replace") if self._keeps else None

    def told(self) -> Told:
        """What the end of the stream says; the last event that says something of a matter counts."""
        prompt = completion = finish = None
        events = b"".join(self._parts)[-END:].replace(b"\r\n", b"\n").rsplit(b"\n\n", LAST)[1:]
        for event in reversed(events):
            start = event.find(b"data:")
            if start < 0:
                continue
            said = told(event[start + 5 :]) or Told()
            prompt = said.prompt_tokens if prompt is None else prompt
            completion = said.completion_tokens if completion is None else completion
            finish = finish or said.finish
            if finish and completion is not None:
                break
        return Told(prompt, completion, finish)
