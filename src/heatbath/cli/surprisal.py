"""How surprising a token was, in five steps that can be told apart without seeing colour.

The steps are the studio's, in bits of surprisal under the model at T = 1. Emphasis grows with surprise on a light and
on a dark background alike, by whatever the terminal can show:

* many colours: plain, coloured, coloured and underlined, filled, filled and bold. The hues are blue and orange, which
  every type of colour vision separates. Coloured text keeps a contrast of at least 4:1 on white and on black, text on a
  filled ground one of at least 5:1.
* sixteen: what they look like is the terminal's choice, and none of them can be read on every ground. So letters keep
  the terminal's own colour, but for the last step, which is white on red.
* none (NO_COLOR): underlined, bold, both, reversed.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from rich.console import Console
from rich.style import Style
from rich.text import Text

BORDERS = (1, 3, 6, 10)
"""Where one step ends and the next begins, in bits; a border belongs to the step above it."""

Styles = Sequence[str]
"""The style of each step."""

MANY = ("", "#2a7fc1", "underline #c05600", "#000000 on #f0c05a", "bold #ffffff on #b02d0a")
SIXTEEN = ("", "underline", "bold underline", "reverse", "bold bright_white on red")
NONE = ("", "underline", "bold", "bold underline", "bold reverse")


def styles_for(console: Console) -> Styles:
    """The styles that this terminal can show."""
    if console.no_color or console.color_system is None:
        return NONE
    return SIXTEEN if console.color_system in ("standard", "windows") else MANY


def in_bits(nats: float) -> float:
    """A surprisal or an entropy in bits.

    >>> in_bits(math.log(8))
    3.0
    """
    return nats / math.log(2)


def style_of(surprisal: float, styles: Styles) -> str:
    """The style for a surprisal in nats.

    >>> style_of(0.9 * math.log(2), MANY), style_of(1.1 * math.log(2), MANY)
    ('', '#2a7fc1')
    """
    return styles[bisect_right(BORDERS, in_bits(surprisal))]


def legend(styles: Styles) -> Text:
    """The key to the styles, on one line."""
    names = (
        f"<{BORDERS[0]}",
        *(f"{low}-{high}" for low, high in pairwise(BORDERS)),
        f">{BORDERS[-1]}",
    )
    key = Text("bits of surprise at T = 1")
    for name, style in zip(names, styles, strict=True):
        key.append("  ").append(f" {name} " if _filled(style) else name, style)
    return key


def _filled(style: str) -> bool:
    parsed = Style.parse(style)
    return bool(parsed.bgcolor or parsed.reverse)
