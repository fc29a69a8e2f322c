"""API keys of the gateway: kept as salted digests, compared in constant time, limited in what they may and how often.

A key is ``hb_NAME_SECRET``; the name finds the row, so that one digest is computed for a request however many keys
there are. The secret has 256 random bits, which no dictionary holds: a slow hash would protect nothing more.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from heatbath.service.errors import ApiError
from heatbath.service.gateway.config import Key

NOBODY = "sha256:" + "0" * 32 + ":" + "0" * 64


class NewKey(NamedTuple):
    """A key and the text that the configuration keeps of it."""

    key: str
    hash: str


def new_key(name: str) -> NewKey:
    """A fresh key of this name."""
    key = f"hb_{name}_{secrets.token_urlsafe(32)}"
    return NewKey(key, digest(key, secrets.token_hex(16)))


def digest(key: str, salt: str) -> str:
    """What is kept of a key."""
    return f"sha256:{salt}:{hashlib.sha256(bytes.fromhex(salt) + key.encode()).hexdigest()}"


class Bucket:
    """So many requests per minute, a minute's worth of them at once."""

    __slots__ = ("_clock", "_level", "_rate", "_seen")

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate / 60, clock
        self._level, self._seen = max(rate, 1.0), clock()

    def take(self) -> float:
        """Take one; the seconds to wait where there is none, else 0."""
        now = self._clock()
        self._level = min(max(self._rate * 60, 1.0), self._level + (now - self._seen) * self._rate)
        self._seen = now
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) / self._rate if self._rate else 3600.0


class Keys:
    """Who may do what.

    Arguments:
        tables: the keys by name. Without any, everybody who reaches the gateway may call it.
    """

    def __init__(self, tables: Mapping[str, Key], clock: Callable[[], float] = time.monotonic) -> None:
        self._tables = tables
        self._buckets = {name: Bucket(key.rate, clock) for name, key in tables.items() if key.rate is not None}

    def __bool__(self) -> bool:
        return bool(self._tables)

    def admit(self, authorization: bytes | None, scope: str) -> str | None:
        """The name of the key that a request carries; None where no keys are configured.

        Raises:
            ApiError: there is no key, a wrong one, one without the scope, or one that has called too often.
        """
        if not self._tables:
            return None
        kind, _, given = (authorization or b"").decode("latin-1").partition(" ")
        given = given.strip()
        name = given.removeprefix("hb_").rpartition("_")[0] if given.startswith("hb_") else ""
        # a secret may hold "_" itself: of all ways to divide, the longest name that exists
        while name and name not in self._tables:
            name = name.rpartition("_")[0]
        table = self._tables.get(name)
        kept = table.hash if table else NOBODY
        same = hmac.compare_digest(digest(given, kept.split(":")[1]), kept)
        if kind.lower() != "bearer" or table is None or not same:
            raise ApiError(
                "reading the request: it carries no valid key; send Authorization: Bearer hb_NAME_SECRET",
                code="invalid_api_key",
                status=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        if scope not in table.scopes:
            raise ApiError(
                f"reading the request: the key {name!r} lacks the scope {scope!r}; use one that has it",
                code="insufficient_scope",
                status=403,
            )
        bucket = self._buckets.get(name)
        wait = bucket.take() if bucket else 0.0
        if wait:
            raise ApiError(
                f"reading the request: the key {name!r} may send {table.rate:g} requests a minute; try again later",
                code="rate_limit_exceeded",
                status=429,
                headers={"Retry-After": str(int(wait) + 1)},
            )
        return name
