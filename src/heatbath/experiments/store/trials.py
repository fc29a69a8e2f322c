"""Experiments in the store, and the policies that they brought."""

from typing import NamedTuple

import sqlalchemy as sa

from heatbath.errors import InputError, StoreError
from heatbath.experiments.experiment import Experiment
from heatbath.experiments.store import tables
from heatbath.experiments.store.connect import writing
from heatbath.experiments.store.small import Base


class Override(NamedTuple):
    """The policy that an experiment gave to a task."""

    policy: str
    experiment: str
    at: float


class Overrides(NamedTuple):
    """Policies that were promoted, by task; the gateway asks them before its configuration."""

    base: Base

    def all(self) -> dict[str, Override]:
        """The policy of every task that has one."""
        rows = self.base.read(sa.select(tables.overrides))
        return {row.task: Override(row.policy, row.experiment, row.at) for row in rows}

    def get(self, task: str) -> Override | None:
        """The policy of a task, if it has one."""
        return self.all().get(task)


class Experiments(NamedTuple):
    """Experiments by name, with the rules that hold between them."""

    base: Base

    def all(self) -> list[Experiment]:
        """Every experiment, by name."""
        table = tables.experiments
        return [
            Experiment.of_record(row[0]) for row in self.base.read(sa.select(table.c.record).order_by(table.c.name))
        ]

    def running(self) -> list[Experiment]:
        """Those that assign."""
        table = tables.experiments
        query = sa.select(table.c.record).where(table.c.status == "running").order_by(table.c.name)
        return [Experiment.of_record(row[0]) for row in self.base.read(query)]

    def get(self, name: str) -> Experiment:
        """The experiment of this name.

        Raises:
            InputError: there is none.
        """
        table = tables.experiments
        found = self.base.read(sa.select(table.c.record).where(table.c.name == name))
        if found:
            return Experiment.of_record(found[0][0])
        names = [row[0] for row in self.base.read(sa.select(table.c.name).order_by(table.c.name).limit(5))]
        known = f"there are {', '.join(names)}" if names else "plan one first: heatbath experiment plan"
        raise InputError("there is no such experiment", doing="reading an experiment", on=repr(name), instead=known)

    def add(self, experiment: Experiment) -> None:
        """Keep a new experiment.

        Raises:
            InputError: there is one of this name.
        """
        table = tables.experiments
        with writing(self.base.engine, self.base.patience) as connection:
            if connection.scalar(sa.select(table.c.name).where(table.c.name == experiment.name)):
                raise InputError(
                    "there is an experiment of this name",
                    doing="planning an experiment",
                    on=experiment.name,
                    instead="give another name: what was measured belongs to the first one",
                    field="name",
                )
            _refuse_second(connection, experiment)
            connection.execute(sa.insert(table).values(**_row(experiment), version=1))

    def change(self, before: Experiment, after: Experiment) -> None:
        """Keep the next step of an experiment; a promotion or its end changes the policy of the task along with it.

        Raises:
            InputError: another experiment of the task is running.
            StoreError: somebody else has changed it meanwhile.
        """
        table = tables.experiments
        with writing(self.base.engine, self.base.patience) as connection:
            query = sa.select(table.c.record, table.c.version).where(table.c.name == before.name).with_for_update()
            found = connection.execute(query).one_or_none()
            if found is None or Experiment.of_record(found.record) != Experiment.of_record(before.record()):
                raise StoreError(
                    "somebody else has changed it meanwhile",
                    doing="changing an experiment",
                    on=before.name,
                    instead="look at it again, and repeat what is still wanted",
                )
            _refuse_second(connection, after)
            changed = sa.update(table).where(table.c.name == before.name)
            connection.execute(changed.values(**_row(after), version=found.version + 1))
            if after.status != before.status:
                _override(connection, before, after)


def _row(experiment: Experiment) -> dict[str, object]:
    return {
        "name": experiment.name,
        "task": experiment.task,
        "status": experiment.status,
        "record": experiment.record(),
    }


def _refuse_second(connection: sa.Connection, experiment: Experiment) -> None:
    """Two experiments on one task would change each other's arms."""
    table = tables.experiments
    if experiment.status != "running":
        return
    if connection.dialect.name == "postgresql":  # two that start at once are told apart
        connection.exec_driver_sql("LOCK TABLE experiments IN SHARE ROW EXCLUSIVE MODE")
    others = (table.c.task == experiment.task) & (table.c.status == "running") & (table.c.name != experiment.name)
    other = connection.scalar(sa.select(table.c.name).where(others))
    if other:
        raise InputError(
            f"{other} is running on the same task",
            doing="starting an experiment",
            on=experiment.name,
            instead=f"stop {other} first, or give it the arms of both",
        )


def _override(connection: sa.Connection, before: Experiment, after: Experiment) -> None:
    """The policy of the task: the winner's when it is promoted; what it was before when that is taken back."""
    table = tables.overrides
    if "promoted" not in (before.status, after.status):
        return
    held = connection.execute(sa.select(table).where(table.c.task == after.task)).one_or_none()
    if after.status == "promoted":
        arm = after.history[-1].note.partition(":")[0]
        connection.execute(sa.delete(table).where(table.c.task == after.task))
        row = {
            "task": after.task,
            "policy": after.arm(arm).policy,
            "experiment": after.name,
            "at": after.history[-1].at,
        }
        connection.execute(sa.insert(table).values(row))
    elif held is not None and held.experiment == after.name:
        connection.execute(sa.delete(table).where(table.c.task == after.task))
        earlier = _earlier(connection, after)
        if earlier is not None:
            connection.execute(sa.insert(table).values(earlier))


def _earlier(connection: sa.Connection, ended: Experiment) -> dict[str, object] | None:
    """The newest promotion on the task that still holds, other than this one's."""
    table = tables.experiments
    same = (table.c.task == ended.task) & (table.c.status == "promoted") & (table.c.name != ended.name)
    found = [Experiment.of_record(row[0]) for row in connection.execute(sa.select(table.c.record).where(same))]
    if not found:
        return None
    last = max(found, key=lambda each: each.history[-1].at)
    arm = last.history[-1].note.partition(":")[0]
    return {"task": last.task, "policy": last.arm(arm).policy, "experiment": last.name, "at": last.history[-1].at}
