"""One thread that writes: whatever has come while the last transaction was committed shares the next one.

So awaiting durability costs a caller microseconds of work, and the database as few commits as it can keep up with.
Decisions and feedback are acknowledged after the commit; answers are not waited for, and travel with the next
transaction.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from heatbath.errors import ConflictError, StoreError
from heatbath.experiments.records import Answer, Decision, Feedback
from heatbath.experiments.store.connect import refusal, shown, trouble
from heatbath.experiments.store.insert import Insert

LINGER = 0.1
"""Seconds that an answer waits for a transaction that it can share."""

LIMIT = 4096
"""Items that wait at most; whoever brings more waits until there is room."""

TOGETHER = 1024
"""Items that share a transaction at most."""


class Item(NamedTuple):
    """A decision, the feedback of one call, or nothing but the wish to know that all before it is stored."""

    future: asyncio.Future[Any]
    decision: Decision | None = None
    feedback: Sequence[Feedback] = ()


Outcome = tuple[asyncio.Future[Any], Any, BaseException | None]


class Writer:
    """The thread, its queues, and its connection."""

    def __init__(self, engine: sa.Engine, *, patience: float, limit: int = LIMIT) -> None:
        self.lost = 0
        """Answers that were given up because the store could not take them."""
        self._engine, self._patience, self._limit = engine, patience, limit
        self._insert = Insert(engine.dialect)
        self._items: deque[Item] = deque()
        self._answers: deque[Answer] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._due = 0.0
        self._connection: Any = None
        self._thread = threading.Thread(target=self._run, name="heatbath store", daemon=True)
        self._thread.start()

    async def put(self, decision: Decision | None = None, feedback: Sequence[Feedback] = ()) -> Any:
        """Hand in an item and wait until it is durable."""
        loop = asyncio.get_running_loop()
        while len(self._items) >= self._limit:
            waiter = loop.create_future()
            self._waiting.append(waiter)
            self._wake.set()
            await waiter
        if self._closing.is_set():
            raise StoreError("it has been closed", doing="using the store", instead="open it again")
        future = loop.create_future()
        self._items.append(Item(future, decision, feedback))
        if not self._wake.is_set():
            self._wake.set()
        return await future

    def answer(self, answer: Answer) -> None:
        """Hand in an answer."""
        if self._closing.is_set() or len(self._answers) >= self._limit:
            self.lost += 1
            return
        self._answers.append(answer)
        if len(self._answers) == 1:
            self._due = time.monotonic() + LINGER
            self._wake.set()

    @property
    def answers_wait(self) -> bool:
        """Whether answers are still to be written."""
        return bool(self._answers)

    def close(self) -> None:
        """Store what has been handed in, and end."""
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait(max(self._due - time.monotonic(), 0.0) if self._answers else None)
            self._wake.clear()
            closing = self._closing.is_set()
            items = [self._items.popleft() for _ in range(min(len(self._items), TOGETHER))]
            while self._waiting:
                _tell([(self._waiting.popleft(), None, None)])
            if items or (self._answers and (closing or time.monotonic() >= self._due)):
                answers = [self._answers.popleft() for _ in range(len(self._answers))]
                _tell(self._save(items, answers, closing))
            if self._items:
                self._wake.set()
            elif closing:
                self._disconnect()
                return

    def _save(self, items: list[Item], answers: list[Answer], closing: bool = False) -> list[Outcome]:
        """Store them together, or where some values cannot be stored, each by itself."""
        try:
            results = self._patiently(items, answers)
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait are told, and the thread goes on
            if trouble(error) == "row" and len(items) + len(answers) > 1:
                alone = [outcome for item in items for outcome in self._save([item], [])]
                for answer in answers:
                    self._save([], [answer])
                return alone
            self._keep(answers, trouble(error), closing)
            return [(item.future, None, refusal(error, shown(self._engine.url), self._patience)) for item in items]
        return [
            (item.future, None, result) if isinstance(result, ConflictError) else (item.future, result, None)
            for item, result in zip(items, results, strict=True)
        ]

    def _keep(self, answers: list[Answer], kind: str, closing: bool) -> None:
        """Try answers again when the trouble may be over, as long as there is room for them."""
        room = 0 if closing or kind == "row" else max(self._limit - len(self._answers), 0)
        self._answers.extendleft(reversed(answers[-room:] if room else []))
        self.lost += max(len(answers) - room, 0)
        self._due = time.monotonic() + 10 * LINGER

    def _patiently(self, items: list[Item], answers: list[Answer]) -> list[Any]:
        until, again, pause = time.monotonic() + self._patience, False, 0.005
        while True:
            try:
                return self._transaction(items, answers, again)
            except Exception as error:
                kind = trouble(error)
                self._undo(kind)
                if kind == "row" and not again and self._insert.copies:
                    pass  # a copy refuses what is there already, an insert passes over it
                elif kind not in ("busy", "gone") or time.monotonic() > until:
                    raise
                again = True
                time.sleep(pause)
                pause = min(2 * pause, 0.25)

    def _transaction(self, items: list[Item], answers: list[Answer], again: bool) -> list[Any]:
        connection = self._connected()
        cursor = connection.cursor()
        calls = [item.feedback for item in items if item.feedback]
        if self._engine.dialect.name == "sqlite":
            cursor.execute(f"PRAGMA synchronous = {'FULL' if calls else 'NORMAL'}")
            cursor.execute("BEGIN IMMEDIATE")
        decisions = [item.decision for item in items if item.decision is not None]
        self._insert.records(cursor, Decision, decisions, again=again)
        self._insert.records(cursor, Answer, answers, again=again)
        outcomes = iter(self._insert.feedback(cursor, calls) if calls else ())
        connection.commit()
        return [next(outcomes) if item.feedback else None for item in items]

    def _connected(self) -> Any:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
        return self._connection

    def _undo(self, kind: str) -> None:
        if self._connection is None:
            return
        try:
            self._connection.rollback()
        except Exception:  # noqa: BLE001  it is lost, and given back below
            kind = "gone"
        if kind == "gone":
            self._connection.invalidate()
            self._connection = None

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _tell(outcomes: list[Outcome]) -> None:
    """Wake those who wait, each in its own loop, with one call a loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        loops.setdefault(outcome[0].get_loop(), []).append(outcome)
    for loop, told in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, told)
        except RuntimeError:  # the loop has been closed, and nobody waits in it
            continue


def _settle(outcomes: list[Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():  # whoever waited has gone
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
