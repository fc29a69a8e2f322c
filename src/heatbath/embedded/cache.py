"""What a model remembers of several texts: keys and values, right-aligned, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError

Keys = npt.NDArray[Any]
"""Keys or values of one layer, ``(B, heads, P, head width)``."""


@dataclass(frozen=True, slots=True)
class KeyValueCache:
    """Keys and values of ``B`` texts of different lengths.

    The tensors have room for the longest text, P tokens; a shorter text fills the last places of its row, and what
    stands before it is padding that nothing looks at.
    """

    past: tuple[Keys, ...]
    lengths: tuple[int, ...]
    """Tokens seen so far, one number per row."""

    def rows(self, keep: Sequence[int]) -> Self:
        """The cache of these rows only, in this order; a row may be named more than once.

        Raises:
            InputError: there is no such row.
        """
        wrong = [row for row in keep if not 0 <= row < len(self.lengths)]
        if wrong:
            raise InputError(
                f"the cache has rows 0 to {len(self.lengths) - 1}",
                doing="keeping rows of a cache",
                on=f"row {wrong[0]}",
                instead="name rows that it has",
            )
        lengths = tuple(self.lengths[row] for row in keep)
        room = max(lengths, default=0)
        chosen = list(keep)
        past = tuple(part[chosen, :, part.shape[2] - room :] for part in self.past)  # padding goes with the long rows
        return type(self)(past, lengths)

    def join(self, other: Self) -> Self:
        """The rows of this cache followed by the rows of the other."""
        room = max(self.lengths + other.lengths, default=0)
        past = tuple(
            np.concatenate((_widen(mine, room), _widen(theirs, room)))
            for mine, theirs in zip(self.past, other.past, strict=True)
        )
        return type(self)(past, self.lengths + other.lengths)

    def attention_mask(self, new: int) -> npt.NDArray[np.int64]:
        """1 where a row has a token, 0 where it has padding, with ``new`` more tokens: ``(B, P + new)``."""
        room = max(self.lengths, default=0)
        from_end = np.arange(room + new, 0, -1)
        return (from_end <= np.array(self.lengths)[:, None] + new).astype(np.int64)

    def positions(self, new: int) -> npt.NDArray[np.int64]:
        """The positions of the next ``new`` tokens of each row, ``(B, new)``."""
        return np.array(self.lengths, dtype=np.int64)[:, None] + np.arange(new)


def _widen(part: Keys, room: int) -> Keys:
    missing = room - part.shape[2]
    return np.pad(part, ((0, 0), (0, 0), (missing, 0), (0, 0))) if missing else part
