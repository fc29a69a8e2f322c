"""A database by its address: SQLite as a file, PostgreSQL by URL; and what its errors mean."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from heatbath.errors import InputError, MissingExtraError, StoreError

BUSY = 1.0
"""Seconds for which one statement waits for SQLite's lock; the store itself is more patient."""

EXAMPLE = "write sqlite:///heatbath.db, or postgresql://user@host/database"
WRITING = {"writing": True}


class RacedError(Exception):
    """Another process has stored some of the same rows at this moment; whoever tries again sees them."""


def connect(url: str, patience: float = BUSY) -> sa.Engine:
    """An engine for the address. Transactions of SQLite read, unless :func:`writing` says that they write.

    Raises:
        InputError: it is no address, or one of a database that is not known here.
        MissingExtraError: the driver of PostgreSQL is not installed.
    """
    doing = "opening a store"
    try:
        parsed = sa.make_url(url)
        kind = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, AttributeError):
        raise InputError("it is no address of a database", doing=doing, on=repr(url), instead=EXAMPLE) from None
    if kind == "postgresql":
        try:
            return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        except ModuleNotFoundError:
            raise MissingExtraError(
                "psycopg is not installed", doing=doing, instead="pip install 'heatbath[postgresql]'"
            ) from None
    if kind != "sqlite":
        why = f"{kind} is not among the databases that keep it"
        raise InputError(why, doing=doing, on=shown(parsed), instead=EXAMPLE)
    if parsed.database in (None, "", ":memory:") or "mode" in parsed.query:
        raise InputError("it is a store that forgets", doing=doing, on=repr(url), instead="write sqlite:///heatbath.db")
    engine = sa.create_engine(parsed, connect_args={"timeout": min(BUSY, patience), "check_same_thread": False})
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def shown(url: sa.URL) -> str:
    """The address without its password."""
    return url.render_as_string(hide_password=True)


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, and not behind our back
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: sa.Connection) -> None:
    """A transaction that will write takes the lock at once: one that reads first may be refused when it writes."""
    writes = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: sa.Engine, patience: float) -> Iterator[sa.Connection]:
    """A connection in a transaction that writes, and that is durable when it is over, a loss of power included.

    Raises:
        StoreError: another process has held the lock for longer than ``patience`` seconds, or the database refuses.
    """
    with telling(engine, patience), engine.connect().execution_options(**WRITING) as connection:
        until = time.monotonic() + patience
        if connection.dialect.name == "sqlite":
            raw = connection.connection.driver_connection
            raw.execute("PRAGMA synchronous = FULL")  # type: ignore[union-attr]
        while True:
            try:
                transaction = connection.begin()
                break
            except DBAPIError as error:
                if trouble(error) != "busy" or time.monotonic() > until:
                    raise
                time.sleep(0.01)
        with transaction:
            yield connection


@contextmanager
def reading(engine: sa.Engine, patience: float) -> Iterator[sa.Connection]:
    """A connection in a transaction that reads one state of the database throughout.

    Raises:
        StoreError: the database refuses.
    """
    steady = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with telling(engine, patience), engine.connect().execution_options(**steady) as connection, connection.begin():
        yield connection


@contextmanager
def telling(engine: sa.Engine, patience: float) -> Iterator[None]:
    """Say errors of the database in our words."""
    try:
        yield
    except DBAPIError as error:
        raise refusal(error, shown(engine.url), patience) from error


def trouble(error: BaseException) -> str:
    """What an error of the database means.

    Returns:
        "busy": somebody else holds the lock, try again; "gone": the connection is lost, try again on a new one; "full":
        there is no space; "row": these values cannot be stored, others can; "broken": anything else.
    """
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, RacedError):
        return "busy"
    if isinstance(error, UnicodeError | OverflowError | TypeError):
        return "row"
    name = type(error).__name__
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        busy = code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        full = code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_WRITE
        return "busy" if busy else "full" if full else "row" if name in ROWS else "broken"
    state = getattr(error, "sqlstate", None)
    if state in ("40001", "40P01", "55P03"):
        return "busy"
    if state == "53100":
        return "full"
    if name in ("OperationalError", "AdminShutdown", "CrashShutdown", "CannotConnectNow") and (
        state is None or state[:2] in ("08", "57", "53")
    ):
        return "gone"
    return "row" if any(kind.__name__ in ROWS for kind in type(error).__mro__) else "broken"


ROWS = ("IntegrityError", "DataError", "InterfaceError", "ProgrammingError", "NotSupportedError")


def refusal(error: BaseException, store: str, patience: float) -> StoreError:
    """The error of the store that tells of an error of the database."""
    kind = trouble(error)
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    why, instead = {
        "busy": (
            f"another process has held its lock for {patience:g} s",
            "end that process or its transaction; several gateways at once belong on PostgreSQL",
        ),
        "gone": (f"it cannot be reached ({said})", "start the database, or correct the address"),
        "full": ("there is no space left for it", "make room on the disk, or shorten the retention"),
        "row": (f"the values cannot be stored ({said})", "correct the values"),
        "broken": (f"the database says: {said}", "see to the database"),
    }[kind]
    if "unable to open database file" in said:
        why, instead = "the file cannot be opened or made", "give a file in a folder that exists and may be written to"
    elif "not a database" in said:
        why, instead = "the file is no database of SQLite", "give another file"
    return StoreError(why, doing="using the store", on=store, instead=instead)
