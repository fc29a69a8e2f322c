"""Noticing that a client has left, and stopping what is done for it."""

import asyncio

from starlette.types import Receive

SOON = 0.02
"""An answer that comes sooner, in seconds, is not worth the watching."""


class Watch:
    """Cancels the running task when the client leaves.

    Arguments:
        receive: the connection's, behind the body.
    """

    __slots__ = ("_receive", "_task", "_timer", "_watching", "gone")

    def __init__(self, receive: Receive) -> None:
        self.gone = False
        self._receive = receive
        self._task = asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(SOON, self._begin)

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        self._task = None

    def _begin(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._task is not None:
            self.gone = True
            self._task.cancel()
