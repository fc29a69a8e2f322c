"""Time limits of a request, and noticing that its client has left.

A timer for each request would cost more than the rest of its bookkeeping. So one tick looks at all young requests, and
a task of its own watches the client of those that take long.
"""

import asyncio

from starlette.types import Receive

TICK = 0.05
"""Seconds between two looks at the young requests."""


class Watch:
    """Cancels the task that answers a request when its body is late, or when its client leaves.

    Arguments:
        ticking: looks at it.
        receive: the connection's.
        seconds: how long the body may take.
    """

    __slots__ = ("_receive", "_task", "_ticking", "_watching", "due", "gone", "late")

    def __init__(self, ticking: "Ticking", receive: Receive, seconds: float) -> None:
        self.gone = self.late = False
        self._receive, self._ticking = receive, ticking
        self._task = asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self.due: float | None = ticking.begin(self) + seconds
        """When the body should be there; None where it is."""

    def answering(self) -> None:
        """The body is there: from now on watch the client."""
        self.due = None

    def stop(self) -> None:
        """Watch no longer."""
        self._ticking.young.pop(self, None)
        self._task = None
        if self._watching is not None:
            self._watching.cancel()

    def calm(self) -> None:
        """Take back the cancellation, which has done what it was for."""
        if self._task is not None:
            self._task.uncancel()

    def tick(self, now: float) -> bool:
        """Look at the clock; whether there is nothing more to see on it."""
        if self._task is None:
            return True
        if self.due is None:
            self._watching = asyncio.get_running_loop().create_task(self._watch())
            return True
        self.late = now > self.due
        if self.late:
            self._task.cancel()
        return self.late

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._task is not None:
            self.gone = True
            self._task.cancel()


class Ticking:
    """Looks at young requests now and then, while there are any."""

    def __init__(self) -> None:
        self.young: dict[Watch, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, watch: Watch) -> float:
        """Look at this one, too; the time now."""
        self.young[watch] = None
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._timer = loop.call_later(TICK, self._tick)
        return loop.time()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for watch in [*self.young]:
            if watch.tick(now):
                self.young.pop(watch, None)
        self._timer = loop.call_later(TICK, self._tick) if self.young else None
