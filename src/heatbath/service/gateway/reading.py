"""Reading a request: its body, up to a limit and for a while only, and what the body says to the gateway."""

from typing import NamedTuple

import msgspec
from starlette.types import Receive, Scope

from heatbath.service.body import BodyTooLargeError
from heatbath.service.errors import ApiError
from heatbath.service.gateway.headers import header
from heatbath.service.gateway.scan import Scanned, scan

READ = frozenset(("model", "temperature", "stream", "heatbath"))
"""Fields that the gateway reads, of which there must be one."""
EXTENSION = ("task", "user", "conversation")
LONGEST_NAME = 256


class GoneError(Exception):
    """The client left."""


class Wanted(NamedTuple):
    """What a body says to the gateway."""

    scanned: Scanned
    model: str
    stream: bool
    extension: dict[str, str] | None
    """The ``heatbath`` field, where it speaks to the gateway."""
    user: str | None


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """The whole body.

    Raises:
        ApiError: it is too long.
        GoneError: the client left.
    """
    announced = header(scope["headers"], b"content-length")
    if announced.isdigit() and int(announced) > limit:
        raise BodyTooLargeError(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLargeError(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def read_wanted(body: bytes) -> Wanted:
    """What a body says to the gateway; everything else in it is the upstream's.

    Raises:
        ApiError: it is no JSON object, or one of the fields that the gateway reads is not what it should be.
    """
    try:
        scanned = scan(body)
    except msgspec.ValidationError:
        raise ApiError("reading the request: the body is not an object; send {...}", code="invalid_type") from None
    except UnicodeDecodeError as error:
        raise ApiError(
            f"reading the request: the body is not UTF-8 (byte {error.start}); send JSON as UTF-8", code="invalid_json"
        ) from None
    except ValueError as error:
        why = "the body is empty" if not body.strip() else str(error)
        raise ApiError(f"reading the request: {why}; send a JSON object", code="invalid_json") from None
    twice = scanned.twice(READ)
    if twice is not None:
        raise ApiError(
            f"reading the request: {twice} is there twice; send it once", code="duplicate_field", param=twice
        )
    model = _text(scanned, "model")
    if model is None:
        raise ApiError(
            "reading the request: model is missing; GET /v1/models lists the names", code="missing_field", param="model"
        )
    return Wanted(scanned, model, scanned.raw("stream") == b"true", _extension(scanned), _user(scanned))


def _text(scanned: Scanned, name: str) -> str | None:
    raw = scanned.raw(name)
    if raw is None or raw == b"null":
        return None
    value = msgspec.json.decode(raw)
    if not isinstance(value, str):
        raise ApiError(f"reading the request: {name} is not a text", code="invalid_type", param=name)
    return value


def _user(scanned: Scanned) -> str | None:
    raw = scanned.raw("user")
    return msgspec.json.decode(raw) if raw is not None and raw.startswith(b'"') else None


def _extension(scanned: Scanned) -> dict[str, str] | None:
    raw = scanned.raw("heatbath")
    if raw is None or not raw.startswith(b"{"):
        return None  # a text is a chain for an upstream that reads one
    value = msgspec.json.decode(raw)
    for name, said in value.items():
        if name not in EXTENSION:
            raise ApiError(
                f"reading the request: heatbath has no field {name[:40]!r}; it has {', '.join(EXTENSION)}",
                code="unknown_field",
                param=f"heatbath.{name[:40]}",
            )
        if not isinstance(said, str) or len(said) > LONGEST_NAME:
            raise ApiError(
                f"reading the request: heatbath.{name} is a text of at most {LONGEST_NAME} characters",
                code="invalid_type",
                param=f"heatbath.{name}",
            )
    return dict(value)
