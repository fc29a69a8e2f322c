"""How far a text repeats itself, found where it lies, without reading it.

What :func:`heatbath.sampling.past.repeats` finds one token after the other in a list, these find for all tokens at once
in the tensors of PyTorch, at the price of comparing every token with the same number of others.
"""

from collections.abc import Sequence

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library
from heatbath.sampling.history import NO_TOKEN
from heatbath.types import Array


def repeated(text: Array, most: int) -> Array:
    """Before each token of ``(B, L)``, how many in a row are those that the text ends with, at most ``most``."""
    xp, (rows, length) = namespace(text), text.shape
    most = min(most, length)
    if most == 0:
        return xp.zeros_like(text)
    nothing = xp.full((rows, most), NO_TOKEN, dtype=text.dtype, device=text.device)
    before = xp.concat([nothing, text], axis=-1)[:, : length + most - 1].unfold(-1, most, 1)
    end = text[:, None, length - most :]
    same = (before == end) & (end != NO_TOKEN)
    unlike = xp.concat([xp.flip(~same, axis=-1), xp.ones_like(same[..., :1])], axis=-1)
    return xp.argmax(xp.astype(unlike, xp.int8), axis=-1)


def since(text: Array, breakers: Sequence[tuple[int, ...]]) -> Array:
    """How many tokens came after the breaker that began last, ``(B,)``; L where there is none."""
    xp, (_, length) = namespace(text), text.shape
    best = xp.full(text.shape[:1], -1, dtype=xp.int64, device=text.device)
    widest = max(map(len, breakers)) + 1
    for breaker in breakers:
        if len(breaker) <= length:
            found = text.unfold(-1, len(breaker), 1) == in_library(xp, np.asarray(breaker), text)
            places = xp.arange(found.shape[1], device=text.device) * widest + len(breaker)  # the last, then the longest
            best = xp.maximum(best, xp.max(xp.where(xp.all(found, axis=-1), places, -1), axis=-1))
    return xp.where(best < 0, length, length - best // widest - best % widest)
