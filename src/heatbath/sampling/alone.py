"""Whether a chain serves one text by itself: what a server asks before it takes a request in.

Behind that point the request shares a batch, and an error of its own would end the others with it.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np

from heatbath.errors import InputError
from heatbath.sampling.chain import Sampler
from heatbath.types import NOTHING

MOST_OPTIONS = 1 << 19
"""More than any vocabulary has; stands for one whose size is not known."""

TEXT_ONLY = "the text so far is all that is known here; by_rule is for loops that follow a grammar"
"""What to say of a thermostat that looks at more than the text."""


def check_one_row(
    sampler: Sampler, vocabulary: int | None, *, context: Mapping[str, Any] = NOTHING, instead: str = ""
) -> None:
    """Apply the chain once to one row of equal scores, as its first decision would.

    Arguments:
        sampler: the chain of a request.
        vocabulary: how many tokens the model has; None: not known, so that ids are taken as far as any model has them.
        context: what is known where the chain will run, with any value.
        instead: what to write where the chain looks at something else.

    Raises:
        InputError: it has parameters for several rows, which would go to texts by their place in a batch; names a token
            that the model has not; leaves nothing to draw from; looks at what is not known.
    """
    row = np.zeros(MOST_OPTIONS if vocabulary is None else vocabulary, dtype=np.float32)
    with knowing(instead):
        sampler.scores(sampler.init(), row, seed=0, context=context)


class knowing:  # noqa: N801  used like a function, at every token
    """Where a chain looks at something that is not known here, say what to write instead *here*."""

    __slots__ = ("instead",)

    def __init__(self, instead: str) -> None:
        self.instead = instead

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, InputError) and error.field == "context" and self.instead:
            error.instead = self.instead
