"""Letting go of what is old, a little at a time, so that whoever writes hardly waits."""

import time
from typing import NamedTuple

import sqlalchemy as sa

from heatbath.errors import InputError
from heatbath.experiments.store import tables
from heatbath.experiments.store.connect import writing
from heatbath.experiments.store.store import Store

CHUNK = 5000
"""Rows of a transaction."""


class Retained(NamedTuple):
    """How many rows were let go of."""

    decisions: int
    answers: int
    feedback: int
    blanked: int
    """Rows of experiments that still run: they stay, without prompts, texts and comments."""


def retain(store: Store, *, days: float, now: float | None = None) -> Retained:
    """Delete decisions, answers and feedback that are older than so many days.

    Rows of experiments that are running stay until they are stopped, since results would change under the eyes of those
    who look; what people wrote in them goes all the same.

    Arguments:
        store: the store.
        days: >= 0.
        now: seconds since 1970, UTC; None is now.

    Raises:
        InputError: days out of range.
        StoreError: the store cannot be written.

    How to choose: as short as your users were promised. It may run at any time, beside a gateway that writes.
    """
    if not isinstance(days, int | float) or isinstance(days, bool) or not 0 <= days < float("inf"):
        raise InputError(
            "days is a number >= 0", doing="retaining", on=f"days={days!r}", instead="write days=90", field="days"
        )
    before = (time.time() if now is None else now) - days * 86400
    d, a, f, e = tables.decisions, tables.answers, tables.feedback, tables.experiments
    runs = sa.select(e.c.name).where(e.c.status == "running")
    kept = sa.select(d.c.id).where(d.c.experiment.in_(runs))
    old_answers = (a.c.at < before) & a.c.id.not_in(kept)
    old_feedback = (f.c.received < before) & f.c.inference.not_in(kept)
    old_decisions = (d.c.at < before) & (d.c.experiment.is_(None) | d.c.experiment.not_in(runs))
    blanked = (
        _blank(store, d.c.id, d.c.prompt, d.c.at < before)
        + _blank(store, a.c.id, a.c.text, a.c.at < before)
        + _blank(store, f.c.key, f.c.text, f.c.received < before)
    )
    answers = _delete(store, a.c.id, old_answers)
    heard = _delete(store, f.c.key, old_feedback)
    return Retained(_delete(store, d.c.id, old_decisions), answers, heard, blanked)


def _delete(store: Store, key: sa.Column[str], which: sa.ColumnElement[bool]) -> int:
    return _by_chunks(store, key, which, sa.delete(key.table))


def _blank(store: Store, key: sa.Column[str], text: sa.Column[str | None], which: sa.ColumnElement[bool]) -> int:
    changed = sa.update(key.table).values({text.name: None})
    return _by_chunks(store, key, which & text.is_not(None), changed)


def _by_chunks(
    store: Store, key: sa.Column[str], which: sa.ColumnElement[bool], statement: sa.Delete | sa.Update
) -> int:
    done = 0
    while True:
        with writing(store.engine, store.patience) as connection:
            some = sa.select(key).where(which).limit(CHUNK)
            count = connection.execute(statement.where(key.in_(some))).rowcount
        done += count
        if count < CHUNK:
            return done
