"""The floating-point types in which a chain computes."""

from typing import Any

from heatbath.core import as_scores, namespace
from heatbath.types import Array


def read_rows(logits: Any) -> Array:
    """Checked scores of the caller's library; half precision becomes float32."""
    scores = as_scores(logits)
    xp = namespace(scores)
    return scores if scores.dtype in (xp.float32, xp.float64) else xp.astype(scores, xp.float32)


def widened(scores: Array) -> Array:
    """The scores in float64, in which masses are added, or as they are where the library or the device has none."""
    xp = namespace(scores)
    known = xp.__array_namespace_info__().dtypes(kind="real floating", device=getattr(scores, "device", None))
    return xp.astype(scores, known["float64"]) if "float64" in known else scores
