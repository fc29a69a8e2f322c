"""What a chain has left of a row, the room to work in, and first steps into it."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.sampling.kernel.bits import BLOCK
from heatbath.sampling.kernel.maps import MAPS, lowest, map_all, map_band, mapped
from heatbath.sampling.kernel.moments import scale_of
from heatbath.sampling.kernel.ops import INFINITE, NAN, NOTHING
from heatbath.sampling.kernel.sweeps import at_least, fill_tail, gather, jit, peak, weigh_again, weigh_only
from heatbath.sampling.kernel.weights import LIMIT, LOG2E


class Work(NamedTuple):
    """Room to work in, of one thread."""

    tail: Any
    """The options behind the last whole block, filled up with -inf."""
    w: Any
    """Fast weights of all options."""
    sums: Any
    """Their sum in each block."""
    over: Any
    """The sums of a part of the band."""
    ids: Any
    """Options that were gathered, in their order."""
    base: Any
    """Their scores."""
    q: Any
    """Their scores as the chain has made them so far."""
    v: Any
    m: Any
    """Any numbers of gathered options."""
    maps: Any
    points: Any
    """At places in the chain: the logarithm of the sum of the weights, the best score, and how many maps there were."""


ROOM = 16384
"""So many options at most are gathered."""

MOST_STEPS = 64
"""So many steps at most, with what follows them, where any wants to be told of the draw."""


def room_for(options: int, kind: npt.DTypeLike) -> Any:
    """What one thread needs for rows of so many options: the tail, and all the rest in one piece, see :func:`laid_out`.

    Each array takes a call from Python some time, and a named tuple of arrays takes more than all the rest.
    """
    blocks = -(-options // BLOCK)
    numbers = blocks * (BLOCK // 2 + 2) + 5 * ROOM + 4 * MAPS + 3 * (MOST_STEPS + 1)
    return np.empty(BLOCK, kind), np.empty(numbers)


@jit
def laid_out(tail: Any, room: Any, blocks: Any) -> Any:
    """The arrays of a room."""
    weights = blocks * (BLOCK // 2)
    sums = room[weights:]
    gathered = sums[2 * blocks :]
    others = gathered[5 * ROOM :]
    return Work(
        tail,
        room[:weights].view(np.float32),
        sums[:blocks],
        sums[blocks : 2 * blocks],
        gathered[:ROOM].view(np.int64),
        gathered[ROOM : 2 * ROOM],
        gathered[2 * ROOM : 3 * ROOM],
        gathered[3 * ROOM : 4 * ROOM],
        gathered[4 * ROOM : 5 * ROOM],
        others[: 4 * MAPS].reshape((MAPS, 4)),
        others[4 * MAPS :].reshape((MOST_STEPS + 1, 3)),
    )


class Left(NamedTuple):
    """What a chain has left of a row."""

    code: Any
    """0, or :data:`GIVE_UP`."""
    low: Any
    high: Any
    end: Any
    """high; inf as long as nothing was cut above, which passes over the row need not look at then."""
    top: Any
    """The largest score of the band."""
    number: Any
    """Of gathered options; -1: they are still many."""
    maps: Any
    """How many."""
    per: Any
    """Among many: ``q - max q = (x - top) per``; NaN where a map is no scaling."""
    last: Any
    """The ``per`` of the weights that were computed last; -1 where there are none, or the top was another."""
    total: Any
    """The sum of the weights, where ``sums`` are those of what is left; else -1."""
    doubt: Any
    """How far that may be off."""


@jit
def first_look(x: Any, tail: Any, tops: Any) -> Any:
    """The largest score of a row, and 0 or what is wrong with it."""
    fill_tail(x, tail)
    top = np.float64(peak(x, tail, tops))
    if np.isnan(top):
        return top, NAN
    if top == np.inf:
        return top, INFINITE
    return top, NOTHING if top == -np.inf else 0


@jit
def weighable(top: Any, per: Any) -> Any:
    """Whether fast weights serve."""
    return (per < 1e30) & (abs(top) * per * LOG2E < LIMIT)


@jit
def near(row: Any, low: Any, high: Any, top: Any, maps: Any, count: Any, ids: Any, base: Any, q: Any) -> Any:
    """Gather what has any weight at all; -1 where that is too much."""
    x, tail, tops = row
    low = max(low, lowest(mapped(top, maps, count) - 800.0, top, maps, count))
    number = gather(x, tail, tops, at_least(x, low), at_least(x, high), ids, base)
    map_all(q, number, base, maps, count)
    return number


@jit
def weigh_left(x: Any, left: Left, known: Any, work: Any) -> Any:
    """The sum of the weights, in the scale of the fast ones, and its doubt; the sums of the blocks are filled.

    ``known`` is the sum, where they already are.
    """
    if known >= 0.0:
        return known, left.doubt
    low, end = at_least(x, left.low), at_least(x, left.end)
    if left.last == left.per:
        return weigh_again(x, work.tail, low, end, work.w, work.sums)
    return weigh_only(x, work.tail, low, end, scale_of(left.top, left.per)[0], work.sums)


@jit
def write_left(x: Any, left: Left, out: Any, work: Any) -> Any:
    """Write down the scores of what is left, as the chain has made them, and -inf for the rest; whether that could be.

    Where T is so small that what has no weight was not gathered, the reference has to write.
    """
    if not weighable(left.top, left.per):
        return False
    if left.number < 0:
        map_band(out, x, left.low, left.high, work.maps, left.maps)
        return True
    for i in range(out.shape[0]):
        out[i] = -np.inf
    for i in range(left.number):
        out[work.ids[i]] = work.q[i]
    return True
