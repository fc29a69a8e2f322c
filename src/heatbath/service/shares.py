"""Who runs next: requests share the model equally, counted in tokens.

The batch has room for ``max_rows`` rows; more may be alive. The rule is weighted fair queueing with equal weights: the
request that was served least goes first, and a row steps aside once its request is ``QUANTUM`` tokens ahead of one that
waits. A new request starts level with a clock that advances as an even share would, so it neither pays for the past nor
profits from it: a short request overtakes long ones, and an endless row of short ones cannot starve a long one. All
rows of a request count against it, so n = 16 answers take no larger a share than one.

Reference: Demers, Keshav and Shenker, "Analysis and simulation of a fair queueing algorithm", SIGCOMM 1989.
"""

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

QUANTUM = 16
"""Tokens by which a request may be ahead before it makes room: one swap costs a copy of the caches."""


class Ticket:
    """What one request was given so far."""

    def __init__(self, served: float) -> None:
        self.served = served


class Sharing(Protocol):
    """A row that belongs to a request."""

    @property
    def ticket(self) -> Ticket: ...

    @property
    def fresh(self) -> bool:
        """Its prompt was not read yet."""
        ...


RowT = TypeVar("RowT", bound=Sharing)


class Shares(Generic[RowT]):
    """The rows that run and the rows that wait."""

    def __init__(self, max_rows: int) -> None:
        self.max_rows = max_rows
        self.running: list[RowT] = []
        self.waiting: list[RowT] = []
        self._clock = 0.0

    def ticket(self) -> Ticket:
        """A ticket for a new request, level with an even share."""
        return Ticket(self._clock)

    def add(self, rows: Iterable[RowT]) -> None:
        """Rows that want to run."""
        self.waiting += rows

    def remove(self, row: RowT) -> None:
        """A row that has ended or was given up."""
        for rows in (self.running, self.waiting):
            if row in rows:
                rows.remove(row)

    def arrange(self) -> Sequence[RowT]:
        """Decide who runs until the next token; called once a token.

        Returns:
            the rows that run now. One row at most is swapped, and one fresh row at most enters, so that those who are
            in the middle of a text wait for one copy and one prompt at most.
        """
        while self.waiting and len(self.running) < self.max_rows and not any(row.fresh for row in self.running):
            self._enter()
        if self.waiting and len(self.running) == self.max_rows:
            ahead = max(reversed(self.running), key=_served)
            if _served(ahead) - min(map(_served, self.waiting)) >= QUANTUM:
                self.running.remove(ahead)
                self._enter()
                self.waiting.append(ahead)
        return tuple(self.running)

    def _enter(self) -> None:
        row = min(self.waiting, key=_served)  # the first of equals: those who came first
        self.waiting.remove(row)
        self.running.append(row)

    def count(self, served: Sequence[RowT]) -> None:
        """One token each was given to these rows."""
        requests = {id(row.ticket) for rows in (self.running, self.waiting) for row in rows}
        self._clock += len(served) / max(len(requests), 1)
        for row in served:
            row.ticket.served += 1


def _served(row: Sharing) -> float:
    return row.ticket.served
