"""Masks as input: which options something outside, such as a grammar, allows at this decision."""

from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library, known
from heatbath.errors import InputError
from heatbath.types import Array

BITS = 32


def allow(scores: Array, mask: Any) -> Array:
    """The scores with -inf for what the mask does not allow.

    Arguments:
        scores: ``(..., V)``.
        mask: booleans ``(V,)`` or ``(..., V)``; or int32 or uint32 words of packed bits, ``(ceil(V / 32),)`` or
            ``(..., ceil(V / 32))``, option i being bit ``i % 32`` of word ``i // 32``; or None, which allows all.

    Raises:
        InputError: another type or shape, or a row in which nothing is left.
    """
    if mask is None:
        return scores
    xp, options = namespace(scores), scores.shape[-1]
    given = mask if hasattr(mask, "ndim") else np.asarray(mask)
    if namespace(given) is not xp:
        given = in_library(xp, np.asarray(given), scores)
    words = -(-options // BITS)
    name = str(given.dtype).rpartition(".")[2]
    shape, rows = tuple(given.shape), tuple(scores.shape[:-1])
    size = {"bool": options, "int32": words, "uint32": words}.get(name)
    if size is None or shape not in ((size,), (*rows, size)):
        raise InputError(
            f"it is {name} of shape {shape}",
            on="mask",
            instead=f"give booleans of shape {_shapes(rows, options)}, or packed bits, int32 of shape "
            f"{_shapes(rows, words)}",
            field="mask",
        )
    allowed = given if name == "bool" else _unpacked(xp, given, options)
    left = xp.where(allowed, scores, xp.full_like(scores, -xp.inf))
    some = xp.any(left > -xp.inf, axis=-1)
    if known(xp.all(some)) is False:
        row = int(np.argmin(np.asarray(some.tolist()))) if rows else None
        raise InputError(
            "every option that the scores leave open is masked",
            on="mask" if row is None else f"row {row} of mask",
            instead="allow at least one option whose score is above -inf",
            field="mask",
        )
    return left


def _shapes(rows: tuple[int, ...], size: int) -> str:
    return " or ".join(map(str, dict.fromkeys([(size,), (*rows, size)])))


def _unpacked(xp: Any, packed: Array, options: int) -> Array:
    signed = xp.astype(packed, xp.int32)[..., None]  # the bits stay, and every library shifts this type
    bits = signed >> xp.arange(BITS, dtype=xp.int32, device=getattr(packed, "device", None))
    flat = xp.reshape(bits & 1, (*packed.shape[:-1], packed.shape[-1] * BITS))
    return xp.astype(flat[..., :options], xp.bool)
