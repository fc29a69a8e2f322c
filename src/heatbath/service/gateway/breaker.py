"""A circuit breaker: an upstream that fails again and again is left alone for a while.

Closed, every request passes. After some failures in a row it opens, and none does. When it has been open for a while it
is half open: one request may try, and what comes of it closes the breaker or opens it anew.
"""

import time
from collections.abc import Callable
from typing import Literal


class Breaker:
    """The breaker of one upstream.

    Arguments:
        failures: how many in a row open it; 0 never does.
        seconds: how long it stays open.
        clock: a clock that never goes back.
    """

    __slots__ = ("_clock", "_failures", "_opened", "_row", "_seconds", "_trying")

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures, self._seconds, self._clock = failures, seconds, clock
        self._row = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """The state now."""
        if self._opened is None:
            return "closed"
        return "open" if self._clock() < self._opened + self._seconds else "half-open"

    def admit(self) -> float:
        """0 where a request may pass, else the seconds after which it may ask again."""
        if self._opened is None:
            return 0.0
        left = self._opened + self._seconds - self._clock()
        if left > 0:
            return left
        if self._trying:
            return 1.0
        self._trying = True
        return 0.0

    def succeeded(self) -> None:
        """An answer came."""
        self._row, self._opened, self._trying = 0, None, False

    def failed(self) -> None:
        """None came, or one that says that the upstream is broken."""
        self._row += 1
        if self._trying or (self._failures and self._row >= self._failures):
            self._opened = self._clock()
        self._trying = False

    def left(self) -> None:
        """The request went away before anybody knew."""
        self._trying = False
