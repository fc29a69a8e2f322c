"""Answers of the gateway's own, as ASGI messages."""

import json
from collections.abc import Iterable
from typing import Any

from starlette.types import Send

from heatbath.service.errors import ApiError
from heatbath.service.gateway.headers import Raw

STOPPING = ApiError("answering: the gateway is stopping; send the request again", code="shutting_down", status=503)

JSON = (b"content-type", b"application/json")


async def send_whole(send: Send, status: int, headers: Iterable[Raw], body: bytes) -> None:
    """An answer of which everything is there."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, content: Any, headers: Iterable[Raw] = (), status: int = 200) -> None:
    """A JSON document."""
    await send_whole(send, status, [JSON, *headers], json.dumps(content).encode())


async def send_error(send: Send, error: ApiError, headers: Iterable[Raw] = ()) -> None:
    """An error in the one shape."""
    own = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (error.headers or {}).items()]
    await send_json(send, error.body(), [*own, *headers], error.status)


def error_event(error: ApiError) -> bytes:
    """An error as the last event of a stream."""
    return b"data: " + json.dumps(error.body()).encode() + b"\n\n"
