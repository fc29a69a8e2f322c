"""From rows to units: what was assigned is what is analysed, and everybody who was assigned counts."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.stats.checks import as_numbers, same_shape


class Units(NamedTuple):
    """One entry per assigned unit, in the order of the roster."""

    total: npt.NDArray[np.float64]
    """Sum of the values of its rows; 0 of a unit without rows."""
    rows: npt.NDArray[np.float64]
    """How many rows it has."""


def by_unit(unit: Any, values: Any, *, roster: Any) -> Units:
    """Add up rows by the unit that was assigned: intention to treat.

    ``total_u = sum of values of rows of u``, ``rows_u`` their number, for *every* u of the roster.

    Arguments:
        unit: the user or conversation of each row, ``(n,)``: names or numbers.
        values: an outcome of each row, ``(n,)``.
        roster: all units that were assigned to this arm, each once, whether they came back or not, and whatever they
            were in the end served (a fallback, an error, another arm's answer from a cache).

    Returns:
        :class:`Units`.

    Raises:
        InputError: a row of a unit that is not on the roster, or a unit that is on it twice.

    >>> from heatbath.stats import by_unit, joint, moments, ratio
    >>> users = by_unit(["ann", "bob", "ann"], [1, 0, 1], roster=["ann", "bob", "eve"])
    >>> users.total.tolist(), users.rows.tolist()
    ([2.0, 0.0, 0.0], [2.0, 1.0, 0.0])
    >>> float(moments(users.total).mean), float(ratio(joint(users.total, users.rows)).mean)  # per user, per answer
    (0.6666666666666666, 0.6666666666666666)

    How to choose: before everything else when a unit has several rows. Leaving out units by what happened after
    assignment (no answer, a fallback) compares groups that the treatment itself has sorted.

    Reference: Kohavi, Tang and Xu, "Trustworthy online controlled experiments", 2020, chapters on triggering and on
    units.
    """
    doing = "adding up rows by unit"
    of, everybody, y = np.asarray(unit), np.asarray(roster), as_numbers(values, "values", doing)
    same_shape(doing, unit=of, values=y)
    names, first = np.unique(everybody, return_index=True)
    if len(names) < everybody.size:
        twice = next(iter(set(range(everybody.size)) - set(first.tolist())))
        raise InputError(
            f"{everybody[twice].tolist()!r} is on the roster twice",
            doing=doing,
            on=f"a roster of {everybody.size} units",
            instead="name each unit once, in the arm it was first assigned to",
            field="roster",
        )
    place = np.searchsorted(names, of) if names.size else np.zeros(of.shape, dtype=np.int64)
    found = (place < len(names)) & (names[np.minimum(place, len(names) - 1)] == of) if names.size else of != of
    if not np.all(found):
        raise InputError(
            f"{of[int(np.argmin(found))].tolist()!r} has rows and is not on the roster",
            doing=doing,
            on=f"{of.size} rows of a roster of {everybody.size} units",
            instead="hand in the rows of one arm with the roster of that arm",
            field="unit",
        )
    at = first[place]
    total = np.bincount(at, weights=y, minlength=everybody.size).astype(np.float64)
    return Units(total, np.bincount(at, minlength=everybody.size).astype(np.float64))
