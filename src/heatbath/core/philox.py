"""The counter-based generator behind every random number of heatbath: what it gives depends on a seed and a place.

The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
2011): ten rounds that mix a 128-bit counter under a 64-bit key. There is no state to share, so the order of calls, the
batch and the number of threads cannot matter, and any implementation of the published generator gives the same
numbers.

A round needs the low 64 bits of a product and shifts of them. NumPy has unsigned integers for that; on a device,
PyTorch's signed ones serve, which keep the same low bits, if what a shift brings in from the sign is masked away.
Python's own integers serve for one number, at a tenth of the cost of an array.
"""

import numpy as np
import numpy.typing as npt

from heatbath.types import Array

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
LOW = 0xFFFFFFFF
HALF = 32
ROUNDS = 10

Words = npt.NDArray[np.uint64] | Array
"""64-bit integers: uint64 in NumPy, int64 with the same bits in PyTorch, or Python's integers from 0 to 2**64 - 1."""


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[Words, Words]) -> tuple[Words, Words, Words, Words]:
    """Philox4x32-10: four 32-bit words of counter and two of key in, four random 32-bit words out.

    Words are held in 64 bits, because each round needs 64-bit products.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        product0, product1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = upper(product1) ^ c1 ^ k0, product1 & LOW, upper(product0) ^ c3 ^ k1, product0 & LOW
        k0, k1 = (k0 + KEY_STEPS[0]) & LOW, (k1 + KEY_STEPS[1]) & LOW
    return c0, c1, c2, c3


def upper(words: Words) -> Words:
    """The upper 32 bits."""
    return (words >> HALF) & LOW
