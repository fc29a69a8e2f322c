"""The other side: one upstream with its connections, its breaker and its retries."""

import asyncio
import email.utils
import io
import random
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import aiohttp
from yarl import URL

from heatbath.service.errors import ApiError
from heatbath.service.gateway import config as tables
from heatbath.service.gateway.breaker import Breaker
from heatbath.service.gateway.headers import Outgoing, Raw, header, outgoing

RETRIED = frozenset((429, 500, 502, 503, 504, 529))
"""Statuses after which the same request may succeed."""
PATIENCE = 20.0
"""The longest wait before another try, in seconds; a Retry-After beyond it goes to the client."""
LONGEST_WAIT = 8.0
WHOLE = 8 * 1024 * 1024
"""Up to this length a plain answer is read whole before its first byte goes to the client."""
LARGE_BODY = 1024 * 1024
EVENTS = b"text/event-stream"


class UpstreamError(ApiError):
    """An upstream that did not answer.

    Arguments:
        again: whether another try could do no harm: nothing was asked, or nothing was begun.
    """

    def __init__(self, message: str, *, code: str, status: int, again: bool, wait: float | None = None) -> None:
        retry = {} if wait is None else {"Retry-After": str(int(wait) + 1)}
        super().__init__(message, code=code, status=status, headers=retry)
        self.again = again
        self.attempts = 1


class _Request(aiohttp.ClientRequest):
    """A request with the client's headers and no others."""

    def update_auto_headers(self, skip_auto_headers: Iterable[str] | None) -> None:
        """Invent none."""


class Call(NamedTuple):
    """What an upstream is asked."""

    path: str
    """Behind ``/v1``."""
    query: str
    headers: list[tuple[str, str]]
    body: bytes


class Reply(NamedTuple):
    """What it answers."""

    status: int
    headers: Outgoing
    body: bytes
    """The whole answer, or its beginning."""
    rest: aiohttp.ClientResponse | None
    """Where the rest comes from, if there is one."""


class Upstream:
    """An upstream with an address.

    Arguments:
        name: what the configuration calls it.
        table: what the configuration says of it.
        key: the provider's key.
    """

    def __init__(self, name: str, table: tables.Upstream, key: tables.Secret | None) -> None:
        self.name, self.table = name, table
        self.breaker = Breaker(table.breaker_failures, table.breaker_seconds)
        self.attempts: dict[str, int] = {}
        self.running = 0
        self.users = 0
        """Exchanges that are under way, streams included."""
        self._retired = False
        self.secret = key
        self._base = (table.url or "").rstrip("/")
        self._urls: dict[str, URL] = {}
        self._key = [("authorization", f"Bearer {key.reveal()}")] if key else []
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, which is opened when it is first wanted: it belongs to the running loop."""
        if self._session is None:
            table = self.table
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=table.max_connections, ttl_dns_cache=60),
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=table.connect_timeout,
                    sock_connect=table.connect_timeout,
                    sock_read=table.timeout,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                request_class=_Request,
                auto_decompress=False,
                trust_env=False,
                read_bufsize=256 * 1024,
            )
        return self._session

    def left(self) -> None:
        """An exchange is over."""
        self.users -= 1
        if self._retired and not self.users:
            self._closing = asyncio.ensure_future(self.close())

    def retire(self) -> None:
        """Close the connections when the last exchange is over."""
        self._retired = True
        self.users += 1
        self.left()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, call: Call, *, stream: bool) -> tuple[Reply, int]:
        """Ask until there is an answer or no sense in another try.

        Returns:
            the answer, and how many tries it took.

        Raises:
            UpstreamError: there is no answer.
        """
        tries = self.table.retries + 1
        for attempt in range(1, tries + 1):
            shut = self.breaker.admit()
            if shut:
                raise UpstreamError(
                    f"asking {self.name}: it failed several times in a row and is left alone for a moment; try later",
                    code="upstream_unavailable",
                    status=503,
                    again=False,
                    wait=shut,
                )
            reply, failure = await self._attempt(call, stream=stream)
            if reply is not None and reply.status not in RETRIED:
                return reply, attempt
            asked = retry_after(reply.headers.passed) if reply is not None else None
            wait = random.uniform(0, min(LONGEST_WAIT, self.table.retry_seconds * 2**attempt))  # noqa: S311  full jitter
            wait = wait if asked is None else asked + min(wait, 0.1 * asked)
            last = attempt == tries or wait > PATIENCE or (failure is not None and not failure.again)
            if last and reply is not None:
                return reply, attempt
            if last and failure is not None:
                failure.attempts = attempt
                raise failure
            if reply is not None and reply.rest is not None:
                reply.rest.close()
            await asyncio.sleep(wait)
        raise AssertionError  # pragma: no cover  the last try returned or raised

    async def _attempt(self, call: Call, *, stream: bool) -> tuple[Reply | None, UpstreamError | None]:
        """One try, told to the breaker."""
        self.running += 1
        try:
            reply = await self._exchange(call, stream=stream)
        except UpstreamError as failure:
            self._count(failure.code)
            if failure.code == "upstream_busy":
                self.breaker.left()
            else:
                self.breaker.failed()
            return None, failure
        except BaseException:
            self.breaker.left()
            raise
        finally:
            self.running -= 1
        self._count(str(reply.status))
        if reply.status >= 500:
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        return reply, None

    async def _exchange(self, call: Call, *, stream: bool) -> Reply:
        response = None
        try:
            response = await self.session.request(
                "POST" if call.body else "GET",
                self._url(call),
                data=(call.body if len(call.body) < LARGE_BODY else io.BytesIO(call.body)) or None,
                headers=[*call.headers, *self._key],
                allow_redirects=False,
            )
            headers = outgoing(response.raw_headers)
            if headers.kind == EVENTS or (stream and response.status == 200 and not headers.kind.endswith(b"json")):
                return Reply(response.status, headers, b"", response)
            body = await _beginning(response)
            if response.content.at_eof():
                response.release()
                return Reply(response.status, headers, body, None)
            return Reply(response.status, headers, body, response)
        except aiohttp.ConnectionTimeoutError:
            if self.running > self.table.max_connections:
                raise UpstreamError(
                    f"asking {self.name}: all {self.table.max_connections} connections are in use; try later",
                    code="upstream_busy",
                    status=503,
                    again=False,
                    wait=1,
                ) from None
            raise self._unreachable("it did not accept a connection in time") from None
        except TimeoutError:
            if response is not None:
                response.close()
            raise UpstreamError(
                f"asking {self.name}: it was silent for {self.table.timeout:g} seconds; try again, or ask for less",
                code="upstream_timeout",
                status=504,
                again=False,
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if response is not None:
                response.close()
            raise self._unreachable(f"the connection failed ({type(error).__name__})") from None
        except BaseException:
            if response is not None:
                response.close()
            raise

    def _unreachable(self, why: str) -> UpstreamError:
        return UpstreamError(
            f"asking {self.name}: {why}; try again later", code="upstream_unreachable", status=502, again=True
        )

    def _url(self, call: Call) -> URL:
        if call.query:
            return URL(f"{self._base}{call.path}?{call.query}", encoded=True)
        found = self._urls.get(call.path)
        if found is None:
            found = self._urls[call.path] = URL(self._base + call.path, encoded=True)
        return found

    def _count(self, outcome: str) -> None:
        self.attempts[outcome] = self.attempts.get(outcome, 0) + 1


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The body, or the beginning of a very long one."""
    content = response.content
    first = await content.readany()
    if content.at_eof():
        return first
    parts, size = [first], len(first)
    while size < WHOLE and not content.at_eof():
        chunk = await content.readany()
        parts.append(chunk)
        size += len(chunk)
    return b"".join(parts)


def retry_after(headers: Sequence[Raw]) -> float | None:
    """The seconds that an answer asks to wait; None where it asks for nothing that can be understood.

    >>> retry_after([(b"Retry-After", b"3")])
    3.0
    """
    said = header(headers, b"retry-after-ms").decode("latin-1")
    if said.isdecimal() and len(said) < 12:
        return int(said) / 1000
    said = header(headers, b"retry-after").decode("latin-1").strip()
    if said.isdecimal() and len(said) < 12:
        return float(said)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
