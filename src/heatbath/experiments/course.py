"""From requests to units, as time goes on: who is in which arm, and the mean of a metric of each."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.experiments.metrics import Metric

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Roster(NamedTuple):
    """Every unit that counts, in the arm it was first assigned to, whatever it was served in the end."""

    arm: Ints
    """Of each unit; -1 where it does not count."""
    at: Floats
    """When each was first assigned."""
    first: Ints
    """The request at which it was."""
    crossed: int
    """Units that were later served by another arm; they stay in their first."""
    excluded: int
    """Units that were first assigned under other weights."""

    @classmethod
    def of(cls, unit: Ints, arm: Ints, at: Floats, since: float | None) -> "Roster":
        """From the unit, arm and time of each request; only units that were first assigned from ``since`` on count."""
        units = int(unit.max()) + 1 if unit.size else 0
        order = np.argsort(at, kind="stable")[::-1]
        first = np.zeros(units, dtype=np.int64)
        first[unit[order]] = order  # the earliest comes last, and stays
        arms, times = arm[first], at[first]
        crossed = np.unique(unit[arm != arms[unit]]).size if units else 0
        late = np.ones(units, dtype=bool) if since is None else times >= since
        return cls(np.where(late, arms, -1), times, first, int(crossed), int((~late).sum()))

    def counts(self, arms: int, until: float = np.inf, which: Any = True) -> Ints:
        """Units of each arm that were assigned until then."""
        there = self.arm[(self.arm >= 0) & (self.at <= until) & which]
        return np.bincount(there, minlength=arms).astype(np.int64)


class Changes(NamedTuple):
    """How the sum and the number of a unit's values change as they come in, sorted by time."""

    unit: Ints
    at: Floats
    total: Floats
    rows: Floats

    @classmethod
    def of(cls, metric: Metric, requests: Any, values: Any, only: Ints | None = None) -> "Changes":
        """From the values of a metric; of several at one request the last one counts.

        Arguments:
            metric: says what silence counts as.
            requests: with the unit and time of each request.
            values: with the request, value, order and arrival of each value.
            only: the requests that count; None is all.
        """
        order = np.lexsort((values.order, values.request))
        request, value, received = values.request[order], values.value[order], values.received[order]
        again = np.zeros(request.size, dtype=bool)
        again[1:] = request[1:] == request[:-1]
        earlier = np.concatenate([[0.0], value[:-1]]) if value.size else value
        silent = metric.silence
        total = value - np.where(again, earlier, 0.0 if silent is None else silent)
        count = np.where(again | (silent is not None), 0.0, 1.0)
        if silent is not None:
            number = len(requests.at)
            request = np.concatenate([np.arange(number), request])
            received = np.concatenate([requests.at, received])
            total = np.concatenate([np.full(number, silent), total])
            count = np.concatenate([np.ones(number), count])
        if only is not None:
            wanted = np.isin(request, only)
            request, received, total, count = request[wanted], received[wanted], total[wanted], count[wanted]
        when = np.maximum(received, requests.at[request])  # nothing is known before it was asked
        order = np.argsort(when, kind="stable")
        return cls(requests.unit[request[order]], when[order], total[order], count[order])

    def at_looks(self, units: int, looks: Sequence[float]) -> Iterator[tuple[Floats, Floats]]:
        """Sum and number of each unit's values at each of these rising times."""
        total, count, start = np.zeros(units), np.zeros(units), 0
        for end in np.searchsorted(self.at, looks, side="right"):
            part = slice(start, end)
            total = total + np.bincount(self.unit[part], weights=self.total[part], minlength=units)
            count = count + np.bincount(self.unit[part], weights=self.rows[part], minlength=units)
            start = end
            yield total, count


def looks_of(times: Floats, most: int) -> list[float]:
    """Times at which to look: equally many units between two of them, the last one after everything."""
    if not times.size:
        return [np.inf]
    shares = np.linspace(0, 1, most + 1)[1:-1]
    return [*np.unique(np.quantile(times, shares, method="lower")).tolist(), np.inf]
