"""Reading a request's body, up to a limit, and for a while only."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from heatbath.service.errors import ApiError

MAX_BODY = 4 * 1024 * 1024
BODY_SECONDS = 30.0
LINGER_BYTES = 64 * 1024 * 1024
LINGER_SECONDS = 5

ReadBody = Callable[[Request], Awaitable[bytes]]
"""How a route gets the body of a request."""


async def read_body(request: Request, *, limit: int, seconds: float) -> bytes:
    """The whole body; what is longer than ``limit`` bytes is refused while it arrives, not after.

    Raises:
        ApiError: the body is too large, or not there after so many seconds.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise BodyTooLargeError(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _whole(request, limit)
    except TimeoutError:
        raise ApiError(
            f"reading the request: the body did not arrive within {seconds:g} seconds; send it at once",
            code="body_timeout",
            status=408,
            headers={"Connection": "close"},
        ) from None


async def _whole(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BodyTooLargeError(limit)
        parts.append(part)
    return b"".join(parts)


class BodyTooLargeError(ApiError):
    """A body that is not read to its end."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"reading the request: the body is longer than {limit} bytes; send a shorter prompt",
            code="body_too_large",
            status=413,
            headers={"Connection": "close"},
        )

    def response(self) -> Response:
        return _LastWord(super().response())


class _LastWord(Response):
    """Sends a response and then reads on for a moment without keeping anything.

    Closing a connection on which data still arrives resets it, and the client would lose the answer that explains why.
    """

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.body, answer.status_code, dict(answer.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        left = LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while left > 0 and (message := await receive()).get("more_body"):
                    left -= len(message.get("body", b""))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
