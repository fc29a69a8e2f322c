"""The store as a whole: opened by its address, it records, remembers and tells."""

import asyncio
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from heatbath.errors import ConflictError, InputError, StoreError
from heatbath.experiments.records import Answer, Decision, Feedback
from heatbath.experiments.store.connect import RacedError, connect, reading, refusal, shown, trouble, writing
from heatbath.experiments.store.insert import Insert
from heatbath.experiments.store.small import Base, Keys, Learners, Preferences, Routes
from heatbath.experiments.store.trials import Experiments, Overrides
from heatbath.experiments.store.version import check_version, migrate, version_of
from heatbath.experiments.store.writer import LIMIT, Writer

DEFAULT = "sqlite:///heatbath.db"
PATIENCE = 30.0
"""Seconds for which a lock, or the way back of a database, is waited for."""


class Store:
    """Where decisions, answers and feedback are kept, and what was decided from them.

    One file of SQLite with no set-up, or PostgreSQL for several gateways at once. It is a
    :class:`~heatbath.experiments.Recorder`: a decision that was awaited survives ``kill -9``, and feedback a loss of
    power, too. The small things have a place each: ``experiments``, ``overrides``, ``learners``,
    ``preferences``, ``keys``, ``routes``.

    >>> import asyncio, tempfile
    >>> from heatbath.experiments import Feedback, Store
    >>> folder = tempfile.TemporaryDirectory()
    >>> thumb = Feedback("k-1", "01890a5d-ac96-774b-bcce-b302099a8057", "liked", 1_700_000_000.0, number=1.0)
    >>> with Store.open(f"sqlite:///{folder.name}/heatbath.db") as store:
    ...     asyncio.run(store.heard([thumb])), asyncio.run(store.heard([thumb]))
    ([True], [False])
    >>> folder.cleanup()

    How to choose: SQLite for one gateway on one machine, which is most of them: it takes more decisions a second than a
    gateway makes. PostgreSQL where several replicas share what they learn.
    """

    def __init__(self, engine: sa.Engine, *, patience: float = PATIENCE, limit: int = LIMIT) -> None:
        self.engine, self.patience, self._limit = engine, patience, limit
        base = Base(engine, patience)
        self.experiments, self.overrides = Experiments(base), Overrides(base)
        self.learners, self.preferences = Learners(base), Preferences(base)
        self.keys, self.routes = Keys(base), Routes(base)
        self._writer: Writer | None = None
        self._starting = threading.Lock()

    @classmethod
    def open(cls, url: str = DEFAULT, *, patience: float = PATIENCE, limit: int = LIMIT) -> Self:
        """Open a store; one that is not there is made, an older one is brought up to date.

        Arguments:
            url: ``sqlite:///heatbath.db`` (a file beside the working directory), ``sqlite:////var/lib/heatbath.db``, or
                ``postgresql://user:password@host/database``.
            patience: seconds for which a lock of another process is waited for before there is an error.
            limit: records that wait to be written at most; whoever brings more waits.

        Raises:
            InputError: the address cannot be used.
            StoreError: the database cannot be opened, or a newer heatbath has written it.
            MissingExtraError: PostgreSQL without its driver.
        """
        if not patience >= 0 or not limit >= 1:
            raise InputError(
                "patience is >= 0, and limit is >= 1",
                doing="opening a store",
                on=f"patience={patience!r}, limit={limit!r}",
                instead="leave them out",
            )
        store = cls(connect(url, patience), patience=patience, limit=limit)
        try:
            store.migrate()
        except BaseException:
            store.engine.dispose()
            raise
        return store

    def migrate(self) -> list[str]:
        """Bring the tables up to date; the versions that were gone through, none where they are the newest."""
        until = time.monotonic() + self.patience
        while True:
            try:
                with reading(self.engine, self.patience) as connection:
                    newest = check_version(version_of(connection), str(self))
                break
            except StoreError as error:  # turning a file into a write-ahead log wants it alone for a moment
                if trouble(error.__cause__ or error) != "busy" or time.monotonic() > until:
                    raise
                time.sleep(0.01)
        if newest:
            return []
        with writing(self.engine, self.patience) as connection:
            return migrate(connection, str(self))

    async def decided(self, decision: Decision) -> None:
        """Keep a decision; returns when it survives the end of this process, however sudden.

        Raises:
            StoreError: it cannot be kept.
        """
        await self._writing().put(decision)

    def answered(self, answer: Answer) -> None:
        """Keep an answer, soon; it may be lost with this process, and is where the store stays unusable for long."""
        self._writing().answer(answer)

    async def heard(self, feedback: Sequence[Feedback]) -> list[bool]:
        """Keep feedback; returns when it survives a loss of power.

        Returns:
            For each whether it is new; False where the same has come before, however often.

        Raises:
            ConflictError: other feedback stands under the same key; the rest of the call has been kept.
            StoreError: it cannot be kept.
        """
        kept: list[bool] = await self._writing().put(feedback=tuple(feedback)) if feedback else []
        return kept

    async def flushed(self) -> None:
        """Wait until all that was handed in before has been written, answers included."""
        writer = self._writing()
        while writer.answers_wait:
            await asyncio.sleep(0.02)
        await writer.put()

    def record(
        self, decisions: Sequence[Decision] = (), answers: Sequence[Answer] = (), feedback: Sequence[Feedback] = ()
    ) -> list[bool]:
        """Keep many records in one transaction, and wait for it: for imports and simulations.

        Returns:
            For each feedback whether it is new.

        Raises:
            ConflictError: other feedback stands under the same key; all else has been kept.
            StoreError: nothing could be kept.
        """
        insert, until = Insert(self.engine.dialect), time.monotonic() + self.patience
        while True:
            try:
                with writing(self.engine, self.patience) as connection:
                    cursor: Any = connection.connection.cursor()
                    insert.records(cursor, Decision, decisions, again=True)
                    insert.records(cursor, Answer, answers, again=True)
                    [outcome] = insert.feedback(cursor, [feedback]) if feedback else [[]]
                break
            except (RacedError, UnicodeError, OverflowError, self.engine.dialect.loaded_dbapi.Error) as error:
                if not isinstance(error, RacedError) or time.monotonic() > until:
                    raise refusal(error, str(self), self.patience) from error
        if isinstance(outcome, ConflictError):
            raise outcome
        return outcome

    @property
    def lost(self) -> int:
        """Answers that could not be kept."""
        return self._writer.lost if self._writer else 0

    def close(self) -> None:
        """Write what has been handed in, and let go of the database."""
        if self._writer:
            self._writer.close()
        self.engine.dispose()

    def _writing(self) -> Writer:
        if self._writer is None:
            with self._starting:
                self._writer = self._writer or Writer(self.engine, patience=self.patience, limit=self._limit)
        return self._writer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __str__(self) -> str:
        return shown(self.engine.url)
