"""The engine: many requests share one model, token by token."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import ParamSpec, Self, TypeVar

import numpy as np

from heatbath.errors import HeatbathError
from heatbath.service.batch import Alternative, Batch, Event, Generated, Generation, Row, Scores
from heatbath.service.prompt import ContextError, room_after
from heatbath.service.shares import Shares
from heatbath.types import Model

STOPPING = "the service is stopping"
LATER = "try again in a moment"

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["Alternative", "Answers", "BusyError", "ContextError", "Engine", "Generated", "Generation", "StoppingError"]


class BusyError(HeatbathError):
    """So many texts are waiting that one more is refused."""


class StoppingError(HeatbathError):
    """The engine is closed."""


class Answers:
    """The tokens of a request's texts as they come: an asynchronous iterator of (index of the text, token)."""

    def __init__(self, rows: Sequence[Row], drop: Callable[[Row], None]) -> None:
        self.queue: asyncio.Queue[tuple[int, Generated | Exception]] = asyncio.Queue()
        self._rows = rows
        self._drop = drop
        self._open = {index for index, row in enumerate(rows) if row.limit}  # a text of no tokens is at its end

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, Generated]:
        while self._open:
            index, outcome = await self.queue.get()
            if index not in self._open:
                continue  # came while the text was being given up
            if isinstance(outcome, Exception):
                raise outcome
            if outcome.finish:
                self._open.discard(index)
            return index, outcome
        raise StopAsyncIteration

    def give_up(self, index: int) -> None:
        """No more of this text is wanted."""
        self._open.discard(index)
        self._drop(self._rows[index])


class Engine:
    """Generates many texts at once.

    The model runs in a thread of its own, one call per token for all running texts, so the event loop never waits for
    it. Texts join and leave between two tokens; :mod:`heatbath.service.shares` says who runs when there are more texts
    than rows. Every text is drawn with its own sampler state and seed, so what else runs cannot change its random
    numbers. It can change the last digits of its scores, where the model's batched arithmetic rounds otherwise; then a
    text may, rarely, part from what it would have been alone.

    Arguments:
        model: anything that gives scores.
        max_rows: texts in one model call.
        max_waiting: texts that may wait for a row; more are refused with :class:`BusyError`.
    """

    def __init__(self, model: Model, *, max_rows: int = 16, max_waiting: int = 256) -> None:
        self.model = model
        self.max_waiting = max_waiting
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="heatbath-model")
        self._batch = Batch(model)
        self._shares: Shares[Row] = Shares(max_rows)
        self._answers: dict[Row, tuple[Answers, int]] = {}
        self._task: asyncio.Task[None] | None = None
        self._looking = 0
        self._one_look = asyncio.Lock()  # readings of scores take turns with the running texts, one for one
        self._closed = False

    @property
    def running(self) -> int:
        """Texts in the next model call."""
        return len(self._shares.running)

    @property
    def waiting(self) -> int:
        """Texts and readings of scores that wait for their turn."""
        return len(self._shares.waiting) + self._looking

    async def scores(self, tokens: Sequence[int]) -> Scores:
        """The model's scores after these tokens, ``(V,)``: no temperature, no truncation.

        Raises:
            ContextError: the text is longer than the model's context.
            BusyError, StoppingError: the engine takes no more work.
        """
        room_after(tokens, self.model, needed=0)
        self._admit(1)
        self._looking += 1
        try:
            async with self._one_look:
                scores, _ = await self._in_thread(self.model.start, [list(tokens)])
        finally:
            self._looking -= 1
        row: Scores = np.asarray(scores[0])
        return row

    async def generate(self, generation: Generation) -> AsyncGenerator[Generated, None]:
        """The tokens of one text as they come; to stop early, close the iterator (``contextlib.aclosing``)."""
        async with self.answers([generation]) as answers:
            async for _, generated in answers:
                yield generated

    @asynccontextmanager
    async def answers(self, generations: Sequence[Generation]) -> AsyncIterator[Answers]:
        """The texts of one request; leaving the context gives up what is not finished.

        Raises:
            ContextError: a prompt leaves no room.
            BusyError, StoppingError: the engine takes no more work.
        """
        rows = self._rows(generations)
        answers = Answers(rows, self._drop)
        self._answers |= {row: (answers, index) for index, row in enumerate(rows) if row.limit}
        self._shares.add(row for row in rows if row.limit)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield answers
        finally:
            for row in rows:
                self._drop(row)

    def _rows(self, generations: Sequence[Generation]) -> list[Row]:
        ticket = self._shares.ticket()
        groups: dict[tuple[int, ...], list[Row]] = defaultdict(list)
        rows = []
        for generation in generations:
            prompt = tuple(generation.prompt)
            wanted, known = generation.max_tokens, [*prompt, *generation.given]
            room = room_after(known, self.model, needed=0 if wanted == 0 else 1)
            row = Row(
                generation,
                ticket,
                limit=len(generation.given) + (room if wanted is None else min(wanted, room)),
                cut_by="context" if wanted is None or wanted > room else "length",
                group=groups[prompt],
                state=generation.sampler.init(known),
            )
            groups[prompt].append(row)
            rows.append(row)
        self._admit(len(rows))
        return rows

    def _admit(self, count: int) -> None:
        if self._closed:
            raise StoppingError(STOPPING, instead=LATER)
        if self.waiting and self.waiting + count > self.max_waiting:
            raise BusyError(f"{self.waiting} texts are waiting already", instead=LATER)

    async def _run(self) -> None:
        try:
            while running := self._shares.arrange():
                self._deliver(await self._in_thread(self._batch.turn, running))
        except Exception as error:  # noqa: BLE001  a mistake in the engine must not leave its clients waiting
            self._fail(error)
        finally:
            self._task = None
            self._batch.clear()

    async def _in_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *args, **kwargs))

    def _deliver(self, events: Sequence[Event]) -> None:
        self._shares.count([row for row, outcome in events if isinstance(outcome, Generated)])
        for row, outcome in events:
            if row in self._answers:
                answers, index = self._answers[row]
                answers.queue.put_nowait((index, outcome))
            if row.over:
                self._drop(row)

    def _drop(self, row: Row) -> None:
        row.over = True
        self._answers.pop(row, None)
        self._shares.remove(row)

    def _fail(self, error: Exception) -> None:
        """End every text with this error."""
        for row, (answers, index) in list(self._answers.items()):
            answers.queue.put_nowait((index, error))
            self._drop(row)

    async def close(self) -> None:
        """Fail whatever is unfinished with :class:`StoppingError`, and take no more."""
        self._closed = True
        self._fail(StoppingError(STOPPING, instead=LATER))
        if self._task:
            await self._task
        self._thread.shutdown(wait=False)
