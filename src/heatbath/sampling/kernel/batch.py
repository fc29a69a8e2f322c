"""Many rows through a chain."""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from heatbath.sampling.kernel.bits import BLOCK
from heatbath.sampling.kernel.row import MAPS, MIN_P, TEMPERATURE, TOP_K, TOP_P, draw_row
from heatbath.sampling.kernel.sweeps import jit
from heatbath.sampling.random import KEY_STEPS, MULTIPLIERS, ROUNDS

OPS = {"temperature": TEMPERATURE, "top_k": TOP_K, "top_p": TOP_P, "min_p": MIN_P}
"""The steps that the kernel knows, by the name that :class:`heatbath.sampling.step.Op` gives."""

ROOM = 16384
"""So many options at most are gathered."""

FIRST, SECOND = (int(number) for number in MULTIPLIERS)
STEP_0, STEP_1 = (int(number) for number in KEY_STEPS)


@numba.njit(inline="always")
def uniform(seed: Any, position: Any) -> Any:
    """What :func:`heatbath.sampling.random.uniforms` gives the draw of one row."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = position & low, position >> half, np.uint64(0), np.uint64(0)
    k0, k1 = seed & low, seed >> half
    for _ in range(ROUNDS):
        one, two = np.uint64(FIRST) * c0, np.uint64(SECOND) * c2
        c0, c1, c2, c3 = (two >> half) ^ c1 ^ k0, two & low, (one >> half) ^ c3 ^ k1, one & low
        k0, k1 = (k0 + np.uint64(STEP_0)) & low, (k1 + np.uint64(STEP_1)) & low
    high = np.float64(np.int64(c0 >> np.uint64(5)))
    return (high * 67108864.0 + np.float64(np.int64(c1 >> np.uint64(6)))) * 1.1102230246251565e-16


@jit
def draw_rows(
    x: Any, ops: Any, numbers: Any, seeds: Any, positions: Any, work: Any, first: Any, end: Any, choices: Any
) -> Any:
    """Draw for the rows from first to end; what is negative of the choices, or 0.

    ``numbers`` and ``positions`` have one row for all, or one per row.
    """
    each, every = 1 if numbers.shape[0] > 1 else 0, 1 if positions.shape[0] > 1 else 0
    told, least = np.empty(3), 0
    for row in range(first, end):
        chance = uniform(seeds[row], positions[row * every])
        choices[row] = draw_row(x[row], ops, numbers[row * each], chance, work, told)
        least = min(least, choices[row])
    return least


def workspace(options: int, kind: npt.DTypeLike) -> tuple[npt.NDArray[Any], ...]:
    """What one thread needs to draw for rows of so many options."""
    blocks = -(-options // BLOCK)
    return (
        np.empty(BLOCK, kind),
        np.empty(blocks, kind),
        np.empty(blocks * BLOCK, np.float32),
        np.empty(blocks),
        np.empty(blocks),
        np.empty(ROOM, np.int64),
        *(np.empty(ROOM) for _ in range(4)),
        *(np.empty(MAPS) for _ in range(2)),
    )
