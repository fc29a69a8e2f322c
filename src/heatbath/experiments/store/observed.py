"""What was observed of an experiment, as arrays: requests, values of metrics, and what was known before."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from heatbath.experiments.experiment import Experiment
from heatbath.experiments.metrics import Metric
from heatbath.experiments.store import tables
from heatbath.experiments.store.connect import reading
from heatbath.experiments.store.store import Store

CHUNK = 50_000
"""Rows that are in memory as rows at once."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

d, a, f = tables.decisions, tables.answers, tables.feedback


class Requests(NamedTuple):
    """The requests that an experiment decided, one entry each."""

    place: dict[str, int]
    """Where each inference id stands in the arrays."""
    unit: Ints
    """Units are numbered in the order in which they are met."""
    arm: Ints
    """The place of the arm in the experiment; -1 of an arm that it does not have."""
    at: Floats
    units: list[str]
    """The name of each unit."""


class Values(NamedTuple):
    """What a metric was, as it came in: one entry for each feedback or answer."""

    request: Ints
    value: Floats
    order: Floats
    """Which came last is what counts: when it was said, or else received."""
    received: Floats


class Observed:
    """One state of the store, of which several metrics are asked."""

    def __init__(self, connection: sa.Connection, experiment: Experiment, until: float | None) -> None:
        self._connection, self._experiment = connection, experiment
        self._until = float("inf") if until is None else until
        self._mine = (d.c.experiment == experiment.name) & (d.c.at <= self._until)

    def requests(self) -> Requests:
        """Every request that was decided by the experiment."""
        arms = {arm.name: place for place, arm in enumerate(self._experiment.arms)}
        alone = self._experiment.unit == "request"
        whom = d.c.id if alone else sa.func.coalesce(d.c.unit, d.c.id)
        place: dict[str, int] = {}
        units: dict[str, int] = {}
        unit, arm, at = [], [], []
        for ids, whose, which, when in self._columns(sa.select(d.c.id, whom, d.c.arm, d.c.at).where(self._mine)):
            place.update(zip(ids, range(len(place), len(place) + len(ids)), strict=True))
            unit.append(np.fromiter((units.setdefault(each, len(units)) for each in whose), np.int64, len(whose)))
            arm.append(np.fromiter((arms.get(each, -1) for each in which), np.int64, len(which)))
            at.append(np.array(when, dtype=np.float64))
        return Requests(place, _joined(unit, np.int64), _joined(arm, np.int64), _joined(at), list(units))

    def values(self, metric: Metric, requests: Requests) -> Values:
        """Every value of a metric at these requests."""
        request, value, order, received = [], [], [], []
        for ids, numbers, said, when in self._columns(_values(metric).where(self._mine)):
            request.append(np.fromiter(map(requests.place.__getitem__, ids), np.int64, len(ids)))
            value.append(np.array(numbers, dtype=np.float64))
            received.append(np.array(when, dtype=np.float64))
            order.append(np.array(said, dtype=np.float64))
        found = Values(_joined(request, np.int64), _joined(value), _joined(order), _joined(received))
        known = np.isfinite(found.value) & (found.received <= self._until)
        return Values(found.request[known], found.value[known], found.order[known], found.received[known])

    def before(self, metric: Metric) -> dict[str, float]:
        """The mean of a metric of each unit of the experiment before it began."""
        whole = _values(metric).subquery()
        members = sa.select(d.c.unit).where(self._mine, d.c.unit.is_not(None))
        begun = min((event.at for event in self._experiment.history if event.status == "running"), default=0.0)
        query = (
            sa.select(d.c.unit, sa.func.avg(whole.c.number))
            .join(whole, whole.c.id == d.c.id)
            .where(d.c.at < begun, whole.c.received < begun, d.c.unit.in_(members))
            .group_by(d.c.unit)
        )
        return {unit: float(mean) for unit, mean in self._connection.execute(query)}

    def prompt_lengths(self, requests: Requests) -> Floats:
        """The length of each request's prompt, as its context has it; NaN where it has none."""
        lengths = np.full(len(requests.at), np.nan)
        for ids, contexts in self._columns(sa.select(d.c.id, d.c.context).where(self._mine, d.c.context.is_not(None))):
            for id, context in zip(ids, contexts, strict=True):
                found = json.loads(context).get("prompt_length")
                lengths[requests.place[id]] = found if isinstance(found, int | float) else np.nan
        return lengths

    def orphans(self, metric: Metric) -> int:
        """Feedback of this metric since the start whose decision the store has not seen."""
        seen = sa.select(sa.literal(1)).where(d.c.id == f.c.inference).exists()
        since = f.c.received >= min(self._experiment.begun, 1e300)
        asked = (f.c.metric == metric.name) & since & (f.c.received <= self._until)
        return int(self._connection.scalar(sa.select(sa.func.count()).select_from(f).where(asked, ~seen)) or 0)

    def _columns(self, query: sa.Select[Any]) -> Iterator[tuple[tuple[Any, ...], ...]]:
        """The rows of a query by chunks, as columns; straight from the driver, since there may be millions."""
        compiled, raw = query.compile(self._connection), self._connection.connection.driver_connection
        lets_go = self._connection.dialect.name == "postgresql"  # rows stay with the server until they are asked for
        cursor: Any = raw.cursor("observed") if lets_go else raw.cursor()  # type: ignore[union-attr]
        values = compiled.params
        cursor.execute(
            str(compiled), [values[name] for name in compiled.positiontup or ()] if compiled.positional else values
        )
        while rows := cursor.fetchmany(CHUNK):
            yield tuple(zip(*rows, strict=True))
        cursor.close()


@contextmanager
def observed(store: Store, experiment: Experiment, until: float | None = None) -> Iterator[Observed]:
    """What the store has of an experiment at one moment, whoever writes meanwhile.

    Arguments:
        store: the store.
        experiment: whose requests.
        until: only what was decided and received until then; None is all.
    """
    with reading(store.engine, store.patience) as connection:
        yield Observed(connection, experiment, until)


def _values(metric: Metric) -> sa.Select[Any]:
    """Decision, number, order and time of arrival of each value."""
    if not metric.of_answers:
        order = sa.func.coalesce(f.c.said, f.c.received).label("order")
        joined = sa.select(f.c.inference.label("id"), f.c.number, order, f.c.received).join(d, d.c.id == f.c.inference)
        return joined.where(f.c.metric == metric.name, f.c.number.is_not(None))
    failed = sa.case((a.c.status >= 400, 1.0), else_=0.0)
    number = failed if metric.name == "error" else a.c[metric.name]
    whole = sa.select(a.c.id, number.label("number"), a.c.at.label("order"), a.c.at.label("received"))
    return whole.join(d, d.c.id == a.c.id).where(number.is_not(None))


def _joined(parts: list[Any], kind: Any = np.float64) -> Any:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)
