"""The random numbers of a row."""

from typing import Any

import numba
import numpy as np

from heatbath.core.philox import KEY_STEPS, MULTIPLIERS, ROUNDS

FIRST, SECOND = (int(number) for number in MULTIPLIERS)
STEP_0, STEP_1 = (int(number) for number in KEY_STEPS)


@numba.njit(inline="always")
def uniform(seed: Any, position: Any, part: Any) -> Any:
    """What :func:`heatbath.sampling.random.uniforms` gives one part of the chain of one row."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = position & low, position >> half, np.uint64(part), np.uint64(0)
    k0, k1 = seed & low, seed >> half
    for _ in range(ROUNDS):
        one, two = np.uint64(FIRST) * c0, np.uint64(SECOND) * c2
        c0, c1, c2, c3 = (two >> half) ^ c1 ^ k0, two & low, (one >> half) ^ c3 ^ k1, one & low
        k0, k1 = (k0 + np.uint64(STEP_0)) & low, (k1 + np.uint64(STEP_1)) & low
    high = np.float64(np.int64(c0 >> np.uint64(5)))
    return (high * 67108864.0 + np.float64(np.int64(c1 >> np.uint64(6)))) * 1.1102230246251565e-16
