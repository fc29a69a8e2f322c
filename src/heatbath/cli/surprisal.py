"""How surprising a token was, in five steps that can be told apart without seeing colour.

The steps are the studio's, in bits of surprisal under the model at T = 1. Emphasis grows with surprise on a light and
on a dark background alike: plain, coloured, coloured and underlined, filled, filled and bold. The hues are blue and
orange, which every type of colour vision separates. Coloured text keeps a contrast of at least 4:1 on white and on
black, text on a filled ground one of at least 5:1.
"""

import math
from bisect import bisect_right
from itertools import pairwise

from rich.text import Text

BORDERS = (1, 3, 6, 10)
"""Where one step ends and the next begins, in bits; a border belongs to the step above it."""

STYLES = ("", "#2a7fc1", "underline #c85a00", "#000000 on #f0c05a", "bold #ffffff on #b03a0a")


def in_bits(nats: float) -> float:
    """A surprisal or an entropy in bits.

    >>> in_bits(math.log(8))
    3.0
    """
    return nats / math.log(2)


def style_of(surprisal: float) -> str:
    """The style for a surprisal in nats.

    >>> style_of(0.9 * math.log(2)), style_of(1.1 * math.log(2))
    ('', '#2a7fc1')
    """
    return STYLES[bisect_right(BORDERS, in_bits(surprisal))]


def legend() -> Text:
    """The key to the styles, on one line."""
    names = (
        f"<{BORDERS[0]}",
        *(f"{low}-{high}" for low, high in pairwise(BORDERS)),
        f">{BORDERS[-1]}",
    )
    key = Text("bits of surprise at T = 1")
    for name, style in zip(names, STYLES, strict=True):
        key.append("  ").append(f" {name} " if " on " in style else name, style)
    return key
