"""Which headers cross the gateway, and those that it adds.

Dropped on both ways is what speaks of one connection only (RFC 9110, 7.6.1). From the client's side also what speaks of
the client to the gateway: its key, its cookies, its address. From the upstream's side also what speaks of the
upstream's own site.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Raw = tuple[bytes, bytes]

CONNECTION = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
FROM_CLIENTS = CONNECTION | frozenset(
    (
        b"host",
        b"content-length",
        b"expect",
        b"authorization",
        b"api-key",
        b"x-api-key",
        b"x-goog-api-key",
        b"cookie",
        b"origin",
        b"referer",
        b"forwarded",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
    )
)
FROM_UPSTREAMS = CONNECTION | frozenset(
    (b"content-length", b"date", b"server", b"set-cookie", b"alt-svc", b"strict-transport-security", b"via")
)
OURS = b"heatbath-"
ORDINARY = frozenset((b"keep-alive", b"close", b"Keep-Alive", b"Close"))


class Incoming(NamedTuple):
    """The headers of a request, sorted."""

    passed: list[tuple[str, str]]
    """What the upstream gets."""
    authorization: bytes | None
    ours: dict[bytes, bytes]
    """``heatbath-`` headers, by the rest of their names."""


def incoming(headers: Iterable[Raw]) -> Incoming:
    """Sort the headers of a request; names are lower case, as ASGI promises."""
    passed: list[tuple[str, str]] = []
    authorization = None
    ours: dict[bytes, bytes] = {}
    named: frozenset[bytes] = frozenset()
    for name, value in headers:
        if name in FROM_CLIENTS:
            if name == b"authorization":
                authorization = value
            elif name == b"connection" and value not in ORDINARY:
                named |= _names(value)
        elif name.startswith(OURS):
            ours[name[len(OURS) :]] = value
        else:
            passed.append((name.decode("latin-1"), value.decode("latin-1")))
    if named:
        passed = [pair for pair in passed if pair[0].encode("latin-1") not in named]
    return Incoming(passed, authorization, ours)


class Outgoing(NamedTuple):
    """The headers of an upstream's answer, sorted."""

    passed: list[Raw]
    """What the client gets."""
    encoding: bytes
    """How the body is packed; empty where it is not."""
    kind: bytes
    """The body's media type, without parameters."""


def outgoing(headers: Sequence[Raw]) -> Outgoing:
    """Sort the headers of an answer."""
    passed: list[Raw] = []
    named: frozenset[bytes] = frozenset()
    encoding = kind = b""
    for name, value in headers:
        lower = name.lower()
        if lower in FROM_UPSTREAMS:
            if lower == b"connection" and value not in ORDINARY:
                named |= _names(value)
        elif not lower.startswith(OURS):
            if lower == b"content-type":
                kind = value.split(b";", 1)[0].strip().lower()
            elif lower == b"content-encoding":
                encoding = value.strip().lower()
            passed.append((lower, value))
    if named:
        passed = [pair for pair in passed if pair[0] not in named]
    return Outgoing(passed, b"" if encoding == b"identity" else encoding, kind)


def header(headers: Iterable[Raw], wanted: bytes) -> bytes:
    """The value of a header; empty where it is not there."""
    for name, value in headers:
        if name.lower() == wanted:
            return value
    return b""


def _names(value: bytes) -> frozenset[bytes]:
    return frozenset(each.strip().lower() for each in value.split(b","))


def number(value: float) -> bytes:
    """A temperature in a header: as Python writes it, a whole one without a fraction.

    >>> number(1.0), number(0.7), number(float("inf"))
    (b'1', b'0.7', b'inf')
    """
    return b"%d" % value if abs(value) < 1e16 and value == int(value) else repr(float(value)).encode()
