"""Drawing for many texts at once. Texts that share a sampler are drawn by one call, which changes none of them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.sampling import Sampler, row_of, stack
from heatbath.service.text import SoFar
from heatbath.types import Reading, State


class Wanted(NamedTuple):
    """A draw to be made."""

    sampler: Sampler
    state: State
    seed: int
    reading: bool
    scores: npt.NDArray[np.float32]
    """``(V,)``."""
    text: Callable[[], str]
    """The text so far, prompt included, for thermostats that look at it."""


class Drawn(NamedTuple):
    """A draw that was made."""

    token: int
    state: State
    reading: Reading | None


def draw(wanted: Sequence[Wanted]) -> list[Drawn | Exception]:
    """Make each draw; one that fails does not touch the others."""
    groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for place, one in enumerate(wanted):
        groups[id(one.sampler), one.reading].append(place)
    outcomes: dict[int, Drawn | Exception] = {}
    for places in groups.values():
        outcomes |= zip(places, _each([wanted[place] for place in places]), strict=True)
    return [outcomes[place] for place in range(len(wanted))]


def _each(members: Sequence[Wanted]) -> Sequence[Drawn | Exception]:
    try:
        return _step(members)
    except Exception as error:  # noqa: BLE001  whatever a chain does, it ends one text and not the others
        return [error] if len(members) == 1 else [outcome for one in members for outcome in _each([one])]


def _step(members: Sequence[Wanted]) -> list[Drawn]:
    """One call for all. A single row is a batch of one, so that the same arithmetic runs whatever shares the call."""
    sampler, with_reading = members[0].sampler, members[0].reading
    choices, states, reading = sampler.step(
        stack([one.state for one in members]),
        np.stack([one.scores for one in members]),
        seed=[one.seed for one in members],
        context=SoFar([one.text for one in members]),
        reading=with_reading,
    )
    return [
        Drawn(
            int(choice),
            row_of(one.state, states, row),
            reading and Reading(*(float(column[row]) for column in reading)),
        )
        for row, (one, choice) in enumerate(zip(members, choices, strict=True))
    ]
