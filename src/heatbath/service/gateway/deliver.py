"""The upstream's answer on its way to the client: whole, or chunk by chunk as it arrives."""

import asyncio

import aiohttp
from starlette.types import Send

from heatbath.service.errors import ApiError
from heatbath.service.gateway.headers import header
from heatbath.service.gateway.ledger import Ledger
from heatbath.service.gateway.sending import STOPPING, error_event, send_whole
from heatbath.service.gateway.tee import Tee, plain, told
from heatbath.service.gateway.upstream import EVENTS, Reply, Upstream
from heatbath.service.gateway.watch import Watch

LONGEST_EVENT = 1024 * 1024
"""An event that is longer, in bytes, goes on in pieces."""


async def deliver_whole(upstream: Upstream, reply: Reply, ledger: Ledger, watch: Watch, send: Send) -> None:
    """An answer of which everything is there, its bytes as they are.

    Raises:
        ApiError: it is none that may go to the client.
    """
    body = plain(reply.body, reply.headers.encoding)
    if body is not None:  # else it is in an encoding that is not read here
        said = told(body)
        check(upstream, reply, body, is_json=said is not None)
        if reply.status == 200 and said is not None:
            ledger.told = said
        if ledger.keeps_texts:
            ledger.text = body.decode(errors="replace")
    await ledger.recorded()
    ledger.status = reply.status
    watch.stop()
    await send_whole(send, reply.status, reply.headers.passed + ledger.headers(), reply.body)


def check(upstream: Upstream, reply: Reply, body: bytes, *, is_json: bool) -> None:
    """Whether a whole answer may go to the client as it is.

    Raises:
        ApiError: it is no answer of this interface, or speaks of the gateway's own key.
    """
    if reply.status in (401, 403):  # providers quote the key in these
        raise ApiError(
            f"asking {upstream.name}: it refused the gateway's key; its configuration says where the key is",
            code="upstream_refused_key",
            status=502,
        )
    secret = upstream.secret.reveal().encode() if upstream.secret else b""
    if is_json and not 300 <= reply.status < 400 and not (secret and secret in body):
        return
    if reply.status == 429:
        raise ApiError(
            f"asking {upstream.name}: it has too much to do; try later",
            code="rate_limit_exceeded",
            status=429,
            headers={"Retry-After": header(reply.headers.passed, b"retry-after").decode("latin-1") or "1"},
        )
    raise ApiError(
        f"asking {upstream.name}: it answered {reply.status} with a body that is no JSON of this interface; try again",
        code="upstream_invalid",
        status=502,
    )


def split(chunk: bytes) -> tuple[bytes, bytes]:
    """The whole events of a piece of a stream, and the beginning of the next one.

    >>> split(b"data: 1\\n\\ndata: 2\\n\\ndat")
    (b'data: 1\\n\\ndata: 2\\n\\n', b'dat')
    """
    if chunk.endswith(b"\n\n") or len(chunk) > LONGEST_EVENT:
        return chunk, b""
    end = max(chunk.rfind(b"\n\n") + 2, chunk.rfind(b"\r\n\r\n") + 4)
    return (chunk[:end], chunk[end:]) if end > 3 else (b"", chunk)


async def deliver_stream(
    upstream: Upstream, reply: Reply, rest: aiohttp.ClientResponse, ledger: Ledger, watch: Watch, send: Send
) -> None:
    """A stream, or the rest of a very long answer: each chunk goes on when it comes, its bytes as they are.

    An event goes on when it is whole, which is when a client can read it: so no half event stands before the one that
    says that the upstream broke off. Where the upstream breaks off, a stream of events ends with an event that says so;
    of anything else the connection is closed before its end, which is how HTTP says it.

    Raises:
        ApiError: it broke off before anything was sent.
    """
    headers, encoding, kind = reply.headers
    events = kind == EVENTS
    whole_events = events and not encoding
    tee = Tee(encoding, keeps=ledger.keeps_texts)
    begun, held = False, b""
    content, chunk = rest.content, reply.body
    try:
        if not events and rest.content_length is not None:
            headers.append((b"content-length", b"%d" % rest.content_length))
        if not chunk:
            chunk = await content.readany()
        await ledger.recorded()
        ledger.status, begun = reply.status, True
        ledger.began()
        await send({"type": "http.response.start", "status": reply.status, "headers": headers + ledger.headers()})
        while chunk or not content.at_eof():
            if whole_events:
                chunk, held = split(held + chunk)
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                tee.feed(chunk)
            chunk = await content.readany()
        watch.stop()
        await send({"type": "http.response.body", "body": held})
    except (aiohttp.ClientError, TimeoutError, OSError):
        upstream.breaker.failed()
        error = ApiError(
            f"asking {upstream.name}: its answer ended in the middle; send the request again",
            code="upstream_broke_off",
            status=502,
        )
        if not begun:
            raise error from None
        ledger.error = error.code
        watch.stop()
        if whole_events:
            await send({"type": "http.response.body", "body": error_event(error)})
    except asyncio.CancelledError:
        if begun and whole_events and not watch.gone:
            await send({"type": "http.response.body", "body": error_event(STOPPING)})
        raise
    finally:
        rest.close()
        ledger.told = tee.told()
        ledger.text = tee.text()
