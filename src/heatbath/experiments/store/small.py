"""The small tables, one row per thing: states of learners, knobs of users, API keys, states of routes.

Every call is one transaction of its own, and blocks: in a service it belongs into a thread (``asyncio.to_thread``).
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from heatbath.experiments.store import tables
from heatbath.experiments.store.connect import reading, writing


class Base(NamedTuple):
    """Where it is, and how long it waits for a lock."""

    engine: sa.Engine
    patience: float

    def read(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """All rows of a query."""
        with reading(self.engine, self.patience) as connection:
            return connection.execute(query).all()

    def put(self, table: sa.Table, **values: Any) -> None:
        """Write the row with this primary key anew."""
        insert: Any = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        key = [column.name for column in table.primary_key]
        rest = {name: value for name, value in values.items() if name not in key}
        statement = insert(table).values(values).on_conflict_do_update(index_elements=key, set_=rest)
        with writing(self.engine, self.patience) as connection:
            connection.execute(statement)


class Learner(NamedTuple):
    """The state of a thermostat that learns, and how often it has been saved."""

    state: Any
    version: int


class Learners(NamedTuple):
    """States of learners, by name. Several replicas learn the same: each saves only what it made of the newest."""

    base: Base

    def get(self, name: str) -> Learner | None:
        """The newest state; None of a learner that has none yet."""
        table = tables.learners
        found = self.base.read(sa.select(table.c.state, table.c.version).where(table.c.name == name))
        return Learner(found[0].state, found[0].version) if found else None

    def put(self, name: str, state: Any, *, after: int = 0, at: float | None = None) -> bool:
        """Save a state that was made from version ``after``, 0 where there was none.

        Returns:
            False where somebody else has saved another meanwhile, and nothing was changed: get that, learn, try again.
        """
        table, changed = tables.learners, time.time() if at is None else at
        with writing(self.base.engine, self.base.patience) as connection:
            if after:
                newest = (table.c.name == name) & (table.c.version == after)
                made = connection.execute(
                    sa.update(table).where(newest).values(state=state, version=after + 1, changed=changed)
                )
                return made.rowcount == 1
            insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            row = {"name": name, "state": state, "version": 1, "changed": changed}
            new = insert(table).values(row).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
            made = connection.execute(new)
            return made.rowcount == 1


class Preferences(NamedTuple):
    """The knob that a user has set, by user."""

    base: Base

    def get(self, user: str) -> float | None:
        """Where the user has set it; None where never."""
        table = tables.preferences
        found = self.base.read(sa.select(table.c.knob).where(table.c.user == user))
        return float(found[0][0]) if found else None

    def put(self, user: str, knob: float, *, at: float | None = None) -> None:
        """Remember where the user has set it."""
        self.base.put(tables.preferences, user=user, knob=knob, changed=time.time() if at is None else at)

    def remove(self, user: str) -> None:
        """Forget what the user has set."""
        with writing(self.base.engine, self.base.patience) as connection:
            connection.execute(sa.delete(tables.preferences).where(tables.preferences.c.user == user))


class Key(NamedTuple):
    """An API key, without the key."""

    hash: str
    name: str
    scopes: tuple[str, ...]
    made: float
    revoked: float | None


class Keys(NamedTuple):
    """API keys, by their hash; the key itself is never seen here."""

    base: Base

    def all(self) -> list[Key]:
        """Every key, the oldest first, revoked ones too."""
        table = tables.keys
        return [_key(row) for row in self.base.read(sa.select(table).order_by(table.c.made, table.c.hash))]

    def get(self, hash: str) -> Key | None:
        """The key with this hash, a revoked one too."""
        found = self.base.read(sa.select(tables.keys).where(tables.keys.c.hash == hash))
        return _key(found[0]) if found else None

    def add(self, hash: str, name: str, scopes: Sequence[str], *, at: float | None = None) -> None:
        """Remember a key."""
        made = time.time() if at is None else at
        self.base.put(tables.keys, hash=hash, name=name, scopes=list(scopes), made=made, revoked=None)

    def revoke(self, hash: str, *, at: float | None = None) -> bool:
        """Let a key be good for nothing from now on; False where there is no such key that still is."""
        table = tables.keys
        valid = (table.c.hash == hash) & table.c.revoked.is_(None)
        with writing(self.base.engine, self.base.patience) as connection:
            made = connection.execute(sa.update(table).where(valid).values(revoked=time.time() if at is None else at))
            return made.rowcount == 1


def _key(row: sa.Row[Any]) -> Key:
    return Key(row.hash, row.name, tuple(row.scopes), row.made, row.revoked)


class RouteState(NamedTuple):
    """The state of temperature that a route was found to have."""

    state: str
    why: str
    changed: float


class Routes(NamedTuple):
    """States of temperature on routes, as they were learned from what upstreams answered."""

    base: Base

    def all(self) -> dict[str, RouteState]:
        """The state of every route of which something was learned."""
        rows = self.base.read(sa.select(tables.route_states))
        return {row.route: RouteState(row.state, row.why, row.changed) for row in rows}

    def put(self, route: str, state: str, why: str, *, at: float | None = None) -> None:
        """Remember the state of a route, and by what it was known."""
        changed = time.time() if at is None else at
        self.base.put(tables.route_states, route=route, state=state, why=why, changed=changed)
