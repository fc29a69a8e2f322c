"""Time limits of a request, and noticing that its client has left.

A timer for each request would cost more than the rest of its bookkeeping. So one tick looks at all young requests, and
a task of its own watches the client of those that take long.
"""

import asyncio

from starlette.types import Receive

TICK = 0.05
"""Seconds between two looks at the young requests."""
YOUNG = 0.25
"""A request that is answered sooner, in seconds, is not worth a task that watches its client."""


class Watch:
    """Cancels the task that answers a request when its body is late, or when its client leaves.

    Arguments:
        ticking: looks at it.
        receive: the connection's.
        seconds: how long the body may take.
    """

    __slots__ = ("_receive", "_task", "_ticking", "_watching", "begun", "due", "gone", "late")

    def __init__(self, ticking: "Ticking", receive: Receive, seconds: float) -> None:
        self.gone = self.late = False
        self._receive, self._ticking = receive, ticking
        self._watching: asyncio.Task[None] | None = None
        self.begun, self._task = ticking.begin(self)
        self.due: float | None = self.begun + seconds
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
            if now < self.begun + YOUNG:
                return False
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
        self._loop: asyncio.AbstractEventLoop | None = None  # asking for it costs a system call
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, watch: Watch) -> tuple[float, asyncio.Task[object] | None]:
        """Look at this one, too.

        Returns:
            the time now, and the task that answers the request.
        """
        self.young[watch] = None
        loop = self._loop = self._loop or asyncio.get_running_loop()
        if self._timer is None:
            self._timer = loop.call_later(TICK, self._tick, loop)
        return loop.time(), asyncio.current_task(loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for watch in [*self.young]:
            if watch.tick(now):
                self.young.pop(watch, None)
        self._timer = loop.call_later(TICK, self._tick, loop) if self.young else None
