"""Many rows through a chain."""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from heatbath.sampling.kernel.bits import BLOCK, take_next
from heatbath.sampling.kernel.chance import uniform
from heatbath.sampling.kernel.draw import choose, draw_left
from heatbath.sampling.kernel.glance import counts, look_at, warmth_for
from heatbath.sampling.kernel.left import MOST_STEPS as MOST_STEPS
from heatbath.sampling.kernel.left import first_look, laid_out, write_left
from heatbath.sampling.kernel.left import room_for as room_for
from heatbath.sampling.kernel.ops import GIVE_UP
from heatbath.sampling.kernel.row import run, run_plainly
from heatbath.sampling.kernel.sweeps import OPTIONS, built_in, fill_tail, jit

DRAW, DRAW_AT, SCORES, COUNTS, LOOK, WARMTH = range(6)
"""What is asked of each row behind the steps: an option, by its seed and position or at a given number in [0, 1); the
scores themselves; how many options tie, are left, and how far the second is; the numbers of :func:`look_at` at a T; the
T with an entropy."""


entered = numba.njit(cache=True, _nrt=False, **OPTIONS)
"""For what Python calls, and is kept with all that it calls itself."""


def part(what: int, plain: bool) -> Any:
    """The part of the kernel that serves this: each is compiled when it is needed first.

    ``plain``: the steps are of :data:`heatbath.sampling.kernel.ops.PLAIN`, and none wants to be told of the draw.
    """
    return serve_plainly if plain and what in (DRAW, DRAW_AT, SCORES) else serve_any


@built_in
def look(x: Any, tail: Any, peaks: Any, tops: Any, at: Any) -> Any:
    """The largest score and 0, or what is wrong with the row; ``peaks`` is to be filled again if it stays true."""
    top, code = peaks[at], 0
    if np.isnan(top):
        top, code = first_look(x, tail, tops[at])
    else:
        fill_tail(x, tail)
    peaks[at] = np.nan
    return top, code


@entered
def serve_plainly(
    what: Any, x: Any, ops: Any, numbers: Any, seeds: Any, positions: Any, asked: Any, wanted: Any, peaks: Any,
    tops: Any, tail: Any, room: Any, turn: Any, choices: Any, told: Any,
) -> None:  # fmt: skip
    work = laid_out(tail, room, tops.shape[1])
    several, keep, every = numbers.shape[0] > 1, tops.shape[0] > 1, positions.shape[0] > 1
    while True:
        row = take_next(turn)
        if row >= x.shape[0]:
            break
        at = row if keep else 0
        top, code = look(x[row], work.tail, peaks, tops, at)
        choices[row] = code
        if code < 0:
            continue
        seed, position = seeds[row], positions[row if every else 0]
        given = numbers[row if several else 0]
        left = run_plainly(x[row], ops, given, seed, position, top, tops[at], wanted, work)
        choices[row] = left.code
        if left.code >= 0 and what == SCORES:
            choices[row] = 0 if write_left(x[row], left, told[row], work) else GIVE_UP
        elif left.code >= 0:
            number = asked[row] if what == DRAW_AT else uniform(seed, position, 0)
            choices[row] = choose(x[row], left, left.total, number, tops[at], work)


@jit
def serve_row(
    what: Any, x: Any, row: Any, ops: Any, given: Any, seeds: Any, positions: Any, asked: Any, wanted: Any, peaks: Any,
    tops: Any, work: Any, choices: Any, told: Any,
) -> None:  # fmt: skip
    """Serve one of the rows, see :func:`serve_any`, with its numbers ``given``."""
    at = row if tops.shape[0] > 1 else 0
    top, code = look(x[row], work.tail, peaks, tops, at)
    choices[row] = code
    if code < 0:
        return
    seed, position = seeds[row], positions[row if positions.shape[0] > 1 else 0]
    left = run(x[row], ops, given, seed, position, top, tops[at], wanted, work)
    out = told[row if told.shape[0] > 1 else 0]
    choices[row] = min(left.code, 0)
    if left.code < 0:
        return
    if what in (DRAW, DRAW_AT):
        number = asked[row] if what == DRAW_AT else uniform(seed, position, 0)
        choices[row] = draw_left(x[row], left, number, tops[at], wanted, out, work)
        return
    if what == SCORES:
        choices[row] = 0 if write_left(x[row], left, out, work) else GIVE_UP
        return
    if what == COUNTS:
        out[0], out[1], out[2] = counts(x[row], tops[at], left, work)
    elif what == LOOK:
        out[0], out[1], out[2] = look_at(x[row], tops[at], left, asked[row], work)
    else:
        out[0] = warmth_for(x[row], tops[at], left, asked[row], out[0], out[1], work)
    if np.isnan(out[0]):
        choices[row] = GIVE_UP
    elif left.top == top:  # else tops are those of what is left
        peaks[at] = top


@entered
def serve_any(
    what: Any, x: Any, ops: Any, numbers: Any, seeds: Any, positions: Any, asked: Any, wanted: Any, peaks: Any,
    tops: Any, tail: Any, room: Any, turn: Any, choices: Any, told: Any,
) -> None:  # fmt: skip
    """Serve the rows whose turn it is, until there are none: as many threads as like may do so at once.

    ``numbers``, ``positions``, ``told``, ``peaks`` and ``tops`` have one row for all, or one per row; with several, or
    several calls for one, ``peaks`` keeps the largest score of each row, and NaN where it is not known. ``told`` gets
    the numbers that were asked for; of a draw, the surprisals of the choice at the places in the chain that are
    ``wanted``. For a T with an entropy it begins with how many options tie and are left. ``choices`` gets the choice, 0
    where none was asked for, or a negative code. ``tail`` and ``room`` are those of one thread, see
    :func:`heatbath.sampling.kernel.left.room_for`; ``turn`` is that of all, and begins at 0.
    """
    work, several = laid_out(tail, room, tops.shape[1]), numbers.shape[0] > 1
    while True:
        row = take_next(turn)
        if row >= x.shape[0]:
            break
        serve_row(
            what, x, row, ops, numbers[row if several else 0], seeds, positions, asked, wanted, peaks, tops, work,
            choices, told,
        )  # fmt: skip


def peaks_for(options: int, kind: npt.DTypeLike, rows: int = 1) -> Any:
    """Where the largest scores of rows and of their blocks are kept, none of them known."""
    return np.full(rows, np.nan), np.empty((rows, -(-options // BLOCK)), kind)
