"""Pictures made of characters: bars, and a curve in braille dots; plain ASCII where the output has nothing else."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.text import Text

EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each of the 4 x 2 dots of a braille character, which is U+2800 plus their sum."""


def bar(share: float, width: int, *, plain: bool = False) -> str:
    """A bar that fills ``share`` of ``width`` characters, to an eighth of one; whatever is above zero shows.

    >>> bar(0.5, 5), bar(0.5, 5, plain=True), bar(1e-9, 5)
    ('██▌', '###', '▏')
    """
    per_character = 1 if plain else 8
    units = max(int(share > 0 and width > 0), int(share * width * per_character + 0.5))
    return "#" * units if plain else "█" * (units // 8) + EIGHTHS[units % 8]


def gauge(low: float, value: float, high: float, limit: float, width: int, *, plain: bool = False) -> str:
    """An interval on a line from 0 to twice a limit, which stands in the middle; arrows where it goes on.

    >>> gauge(0.1, 0.2, 0.3, limit=0.5, width=11), gauge(1, 2, 3, limit=0.5, width=11, plain=True)
    (' ├●┤ │     ', '     |    >')
    """
    line, left, right, point, mark = ("-", "[", "]", "*", "|") if plain else ("─", "├", "┤", "●", "│")
    begin, middle, end = (_nearest(each / (2 * limit), width) for each in (low, value, high))
    cells = [" "] * width
    cells[begin : end + 1] = line * (end + 1 - begin)
    cells[begin], cells[end], cells[middle] = left, right, point
    if width // 2 not in (begin, middle, end):
        cells[width // 2] = mark
    if value > 2 * limit:
        cells[-1] = BEYOND[plain]
    if value < 0:
        cells[0] = BEFORE[plain]
    return "".join(cells)


BEYOND, BEFORE = ("▸", ">"), ("◂", "<")


LABEL = 6
"""Characters for a number beside the y axis."""


class Mark(NamedTuple):
    """A point to show on a plot."""

    x: float
    y: float
    sign: str
    style: str = ""


class Frame(NamedTuple):
    """The area of a plot: its size in characters, and the upper ends of its axes, which begin at 0."""

    width: int
    height: int
    right: float
    top: float


def curve(
    frame: Frame, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], marks: Sequence[Mark], *, plain: bool = False
) -> list[Text]:
    """A curve as lines of text, marks drawn over it, with numbered axes.

    Arguments:
        frame: the area.
        x: of the points of the curve, rising.
        y: of the points of the curve.
        marks: points to show; an arrow stands for one that lies further to the right.
        plain: use ASCII characters only.
    """
    across, up = (1, 1) if plain else (2, 4)  # dots in a character
    wide, high = frame.width * across, frame.height * up
    dots = np.zeros((high, wide), dtype=bool)
    heights = np.interp(np.linspace(0, frame.right, wide), x, y)
    rows = [_nearest(1 - height / frame.top, high) for height in heights]
    for column, row in enumerate(rows):
        before = rows[max(column - 1, 0)]
        dots[min(row, before + 1) : max(row, before - 1) + 1, column] = True  # joined to the column before
    blocks = dots.reshape(frame.height, up, frame.width, across).swapaxes(1, 2)
    area = [[(_character(block, plain), "") for block in line] for line in blocks]
    for mark in marks:
        row = _nearest(1 - mark.y / frame.top, high) // up
        column = _nearest(mark.x / frame.right, wide) // across
        area[row][column] = (mark.sign if mark.x <= frame.right else BEYOND[plain], mark.style)
    return [*_with_y_axis(area, frame, plain), *_x_axis(frame, plain)]


def _nearest(share: float, count: int) -> int:
    """Which of ``count`` places lies at this share of the way from the first to the last."""
    return round(min(max(share, 0.0), 1.0) * (count - 1))


def _character(block: npt.NDArray[np.bool_], plain: bool) -> str:
    if not block.any():
        return " "
    return "." if plain else chr(0x2800 + int(DOTS[block].sum()))


def _with_y_axis(area: list[list[tuple[str, str]]], frame: Frame, plain: bool) -> list[Text]:
    lines = []
    for row, cells in enumerate(area):
        numbered = row in (0, (frame.height - 1) // 2)
        value = frame.top * (1 - row / (frame.height - 1))
        label = f"{value:{LABEL}.3g} {'+' if plain else '┤'}" if numbered else f"{'':{LABEL}} {'|' if plain else '│'}"
        lines.append(Text.assemble((label, "dim"), *cells))
    return lines


def _x_axis(frame: Frame, plain: bool) -> list[Text]:
    corner, line, tick = ("+", "-", "+") if plain else ("└", "─", "┬")
    rule, numbers = [line] * frame.width, [" "] * (frame.width + LABEL)
    for part in range(5):
        column = round(part / 4 * (frame.width - 1))
        rule[column] = tick
        text = f"{frame.right * part / 4:.3g}"
        start = max(0, column - len(text) // 2)
        numbers[start : start + len(text)] = text
    left = f"{0:{LABEL}} "
    return [Text(left + corner + "".join(rule), "dim"), Text(" " * len(left) + " " + "".join(numbers).rstrip(), "dim")]
