"""Many rows in one statement, in the quickest way that each database has."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from heatbath.errors import ConflictError
from heatbath.experiments.records import Answer, Decision, Feedback
from heatbath.experiments.store.connect import RacedError
from heatbath.experiments.store.tables import RECORDS

CHUNK = 500
"""Keys that one statement asks about."""


class Insert:
    """Inserts records by way of a cursor of the driver: no work per row in Python but the driver's own."""

    def __init__(self, dialect: sa.Dialect) -> None:
        quote, mark = dialect.identifier_preparer.quote, "?" if dialect.paramstyle == "qmark" else "%s"
        self._mark, self._into, self._copy = mark, {}, {}
        self.copies = dialect.name == "postgresql"
        """Whether rows go in by COPY, which refuses those that are there already."""
        for kind, table in RECORDS.items():
            columns = ", ".join(quote(column.name) for column in table.columns)
            marks = ", ".join([mark] * len(table.columns))
            self._into[kind] = f"INSERT INTO {table.name} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
            self._copy[kind] = f"COPY {table.name} ({columns}) FROM STDIN"
            if kind is Feedback:
                self._known = f"SELECT {columns} FROM {table.name} WHERE {quote('key')} IN "  # noqa: S608  our own names

    def records(
        self, cursor: Any, kind: type[Decision] | type[Answer], rows: Sequence[Any], *, again: bool = False
    ) -> None:
        """Store decisions or answers.

        Arguments:
            cursor: of the driver, in a transaction.
            kind: of all the rows.
            rows: records.
            again: whether some of them may be there already, from an attempt whose end is not known.
        """
        if not rows:
            return
        if self.copies and not again:
            with cursor.copy(self._copy[kind]) as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(self._into[kind], rows)

    def feedback(self, cursor: Any, calls: Sequence[Sequence[Feedback]]) -> list[list[bool] | ConflictError]:
        """Store feedback, call by call, each key once.

        Raises:
            RacedError: another process is storing the same keys.
        """
        known = self._of_keys(cursor, {row.key for call in calls for row in call})
        new: list[Feedback] = []
        outcomes: list[list[bool] | ConflictError] = []
        for call in calls:
            heard: list[bool | None] = []
            for row in call:
                before = known.setdefault(row.key, row)
                heard.append(True if before is row else False if _content(before) == _content(row) else None)
                if before is row:
                    truth = isinstance(row.number, bool)  # PostgreSQL takes none for a number
                    new.append(row._replace(number=float(row.number or 0)) if truth else row)
            outcomes.append(_outcome(call, heard))
        if new:
            cursor.executemany(self._into[Feedback], new)
            if cursor.rowcount != len(new):
                raise RacedError
        return outcomes

    def _of_keys(self, cursor: Any, keys: Iterable[str]) -> dict[str, Feedback]:
        wanted, known = list(keys), {}
        for start in range(0, len(wanted), CHUNK):
            part = wanted[start : start + CHUNK]
            cursor.execute(f"{self._known}({', '.join([self._mark] * len(part))})", part)
            known.update({row[0]: Feedback(*row) for row in cursor.fetchall()})
        return known


def _content(row: Feedback) -> tuple[Any, ...]:
    """What was said; when it arrived is no part of it."""
    return row.inference, row.metric, row.number, row.text, row.other, row.said


def _outcome(call: Sequence[Feedback], heard: list[bool | None]) -> list[bool] | ConflictError:
    wrong = [row.key for row, each in zip(call, heard, strict=True) if each is None]
    if not wrong:
        return [bool(each) for each in heard]
    return ConflictError(
        "other feedback has come under this key" if len(wrong) == 1 else "other feedback has come under these keys",
        doing="storing feedback",
        on=", ".join(map(repr, wrong[:3])) + ", ..." * (len(wrong) > 3),
        instead="give every new feedback a key of its own; the same key is for sending the same again",
        field="key",
        heard=heard,
    )
