"""Making a reading of one decision."""

from heatbath.core import entropy, log_softmax, namespace
from heatbath.types import Array, Reading, Temperature


def surprisal(scores: Array, choice: Array) -> Array:
    """-ln p of the choice, ``(...)``, under scores ``(..., V)``."""
    return -namespace(scores).take_along_axis(log_softmax(scores), choice[..., None], axis=-1)[..., 0]


def read(before: Array, after: Array, choice: Array, temperature: Temperature) -> Reading:
    """The reading of rows ``(B, V)`` whose scores were ``before`` and, when drawn from, ``after``."""
    xp = namespace(before)
    one = xp.ones_like(before[..., 0])

    return Reading(
        temperature=one * temperature,
        entropy_before=entropy(before),
        entropy_after=entropy(after),
        kept=xp.sum(xp.astype(after > -xp.inf, xp.int32), axis=-1),
        surprisal=surprisal(before, choice),
        surprisal_after=surprisal(after, choice),
    )
