import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from heatbath.cli.plot import LABEL, Frame, Mark, bar, curve, gauge

FRAME = Frame(width=40, height=8, right=2.0, top=1.0)
X = np.linspace(0, 2, 50)


def drawn(y: np.ndarray, *marks: Mark, plain: bool = False, frame: Frame = FRAME) -> list[str]:
    return [line.plain for line in curve(frame, X, y, marks, plain=plain)]


def area(lines: list[str], frame: Frame = FRAME) -> list[str]:
    return [line[LABEL + 2 :].ljust(frame.width) for line in lines[: frame.height]]


@given(st.floats(0, 1), st.integers(1, 60), st.booleans())
def test_a_bar_is_as_long_as_its_share_to_the_finest_character(share: float, width: int, plain: bool) -> None:
    text = bar(share, width, plain=plain)
    finest = 1 if plain else 8
    filled = len(text) if plain else 8 * text.count("█") + sum(" ▏▎▍▌▋▊▉".index(c) for c in text if c != "█")
    assert filled == max(int(share * width * finest + 0.5), int(share > 0))
    assert text.isascii() == plain or not text


def test_nothing_has_no_bar_and_next_to_nothing_has_one() -> None:
    assert bar(0.0, 20) == ""
    assert bar(1e-12, 20) == "▏"


def test_a_rising_line_runs_from_the_lower_left_to_the_upper_right() -> None:
    cells = area(drawn(X / 2))
    assert cells[-1][0] != " "
    assert cells[0][-1] != " "
    first = [min(i for i, c in enumerate(row) if c != " ") for row in cells]
    assert first == sorted(first, reverse=True)


def test_a_steep_curve_has_no_gap() -> None:
    for cells in (area(drawn((X > 1).astype(float))), area(drawn((X < 1).astype(float)))):
        assert all(row.strip() for row in cells)


def test_marks_lie_over_the_curve_and_those_beyond_the_frame_become_arrows() -> None:
    cells = area(drawn(X / 2, Mark(1.0, 0.5, "●"), Mark(99.0, 1.0, "●")))
    row = next(row for row in cells if "●" in row)
    assert abs(row.index("●") - 19.5) <= 1
    assert cells[0][-1] == "▸"


@given(st.floats(0, 2), st.booleans())
def test_a_mark_on_the_curve_touches_it(x: float, plain: bool) -> None:
    y = X**2 / 4
    bare = area(drawn(y, plain=plain))
    marked = area(drawn(y, Mark(x, float(np.interp(x, X, y)), "@"), plain=plain))
    ((row, column),) = [(i, line.index("@")) for i, line in enumerate(marked) if "@" in line]
    around = [line[max(0, column - 1) : column + 2] for line in bare[max(0, row - 1) : row + 2]]
    assert "".join(around).strip()
    assert abs(column - x / 2 * (FRAME.width - 1)) <= 1


def test_plain_pictures_are_ascii_and_every_line_fits() -> None:
    for plain in (False, True):
        lines = drawn(X / 2, Mark(1.0, 0.5, "#"), plain=plain)
        assert all(cell_len(line) <= FRAME.width + LABEL + 2 + 3 for line in lines)
    assert all(line.isascii() for line in lines)


def test_axes_are_numbered() -> None:
    lines = drawn(X / 2)
    assert lines[0].split()[0] == "1"
    assert lines[-2].split()[0] == "0"
    assert lines[-1].split() == ["0", "0.5", "1", "1.5", "2"]


def test_a_gauge_has_its_limit_in_the_middle():
    assert gauge(0.0, 0.0, 0.05, 0.5, 21) == "●┤        │          "
    assert gauge(0.9, 1.0, 1.1, 1.0, 21) == "         ├●┤         "
    assert gauge(1.5, 2.5, 3.5, 1.0, 11) == "     │  ├─▸"
    assert gauge(-2.0, -1.5, -1.0, 1.0, 11, plain=True) == "<    |     "
