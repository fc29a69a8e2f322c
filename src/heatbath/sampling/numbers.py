"""The floating-point type in which a chain computes."""

from typing import Any

from heatbath.core.arrays import has_float64
from heatbath.core.scores import read
from heatbath.errors import InputError
from heatbath.sampling.left import spoilt
from heatbath.types import Array


def read_rows(logits: Any) -> tuple[Array, Any]:
    """Checked scores in the widest floating point that the caller's library and device have, and the type they came in.

    A chain computes in float64 from the first step to the draw: its sums run over whole vocabularies, and whether an
    option is kept must not hang on the rounding of float32. JAX by default, and Apple's GPUs, have none; float32 then
    serves. Half precision counts as having come in float32.

    Raises:
        InputError: the scores are no row and no batch of rows, or cannot be drawn from.
    """
    xp, scores, top = read(logits)
    if scores.ndim > 2:
        raise InputError(
            f"the scores have shape {tuple(scores.shape)}",
            instead="give one row, shape (V,), or several, shape (B, V)",
            field="logits",
        )
    came = scores.dtype if scores.dtype in (xp.float32, xp.float64) else xp.float32
    return spoilt(xp.astype(scores, xp.float64 if has_float64(xp, scores) else xp.float32), top), came
