"""Taking options away by name, and seeing to it that something is left."""

from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.core.arrays import first_bad, in_library, known
from heatbath.errors import InputError
from heatbath.types import Array


def forbid(scores: Array, banned: npt.NDArray[np.bool_]) -> Array:
    """The scores ``(..., V)`` with -inf where an option is banned; ``banned`` broadcasts against them.

    Raises:
        InputError: a row of which nothing is left.
    """
    xp = namespace(scores)
    left = xp.where(in_library(xp, banned, scores), xp.full_like(scores, -xp.inf), scores)
    check_left(
        left,
        "every option that the scores leave open is banned",
        "ban fewer, or put the step before those that remove options",
    )
    return left


def check_left(scores: Array, why: str, instead: str) -> None:
    """Refuse rows whose best score is not finite, for such a row cannot be drawn from.

    Raises:
        InputError: there is one; the message names the first.
    """
    xp = namespace(scores)
    fine = xp.isfinite(xp.max(scores, axis=-1))
    if known(xp.all(fine)) is False:
        row: Any = first_bad(fine, fine)[0]
        raise InputError(f"{why}, in {row}" if row else why, instead=instead)
