"""The log of requests: one JSON object per line, with numbers and names, never a prompt, an answer or a key."""

import asyncio
import contextlib
import sys
from typing import BinaryIO

import msgspec
from msgspec import Struct


class Line(Struct, omit_defaults=True):
    """What is said of a request."""

    at: float
    status: int
    seconds: float
    path: str
    id: str | None = None
    key: str | None = None
    route: str | None = None
    upstream: str | None = None
    task: str | None = None
    policy: str | None = None
    requested: float | None = None
    sent: float | None = None
    effective: float | None = None
    state: str | None = None
    first_seconds: float | None = None
    attempts: int = 1
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish: str | None = None
    error: str | None = None


class Event(Struct, omit_defaults=True):
    """Something that happened to the gateway itself."""

    at: float
    event: str
    detail: str | None = None


class Journal:
    """Writes lines a moment later, many at a time.

    Arguments:
        stream: where to; None writes nothing.
    """

    EVERY = 0.05

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream = stream
        self._waiting: list[Struct] = []
        self._encode = msgspec.json.Encoder().encode_into

    @classmethod
    def to_stderr(cls) -> "Journal":
        """The log on standard error."""
        return cls(getattr(sys.stderr, "buffer", None))

    def write(self, line: Struct) -> None:
        """Say one thing."""
        if self._stream is None:
            return
        self._waiting.append(line)
        if len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(self.EVERY, self.flush)
            except RuntimeError:  # no loop runs: before the start or after the end
                self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lines, self._waiting = self._waiting, []
        if not lines or self._stream is None:
            return
        buffer = bytearray()
        for line in lines:
            self._encode(line, buffer, -1)
            buffer += b"\n"
        with contextlib.suppress(OSError, ValueError):  # a full disk or a closed stream stops no request
            self._stream.write(buffer)
            self._stream.flush()
