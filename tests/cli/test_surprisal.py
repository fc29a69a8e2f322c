import io
import math
import re

import pytest
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.style import Style

from heatbath.cli.surprisal import BORDERS, MANY, NONE, SIXTEEN, legend, style_of, styles_for

XTERM = {"black": (0, 0, 0), "red": (205, 0, 0), "bright_white": (255, 255, 255)}
"""What xterm makes of the names, but for those that a user has set."""


def rgb(color: Color) -> tuple[int, int, int]:
    return XTERM.get(color.name) or color.get_truecolor()


def luminance(color: tuple[int, int, int]) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    brighter, darker = sorted((luminance(a), luminance(b)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def rendered(name: str | None, *, no_color: bool = False) -> list[str]:
    """The codes in front of each step of the legend, as a terminal gets them."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, color_system=name, width=100, no_color=no_color)
    console.print(legend(styles_for(console)), end="")
    written = file.getvalue().split("T = 1", 1)[1]
    steps = ("<1", "1-3", "3-6", "6-10", ">10")
    return [
        (re.search(rf"(?:\x1b\[([0-9;]*)m)? ?{step} ?(?=\x1b| |$)", written) or pytest.fail(step))[1] or ""
        for step in steps
    ]


def test_a_border_belongs_to_the_step_above_it() -> None:
    for index, border in enumerate(BORDERS):
        assert style_of((border - 1e-9) * math.log(2), MANY) == MANY[index]
        assert style_of((border + 1e-9) * math.log(2), MANY) == MANY[index + 1]
    assert style_of(math.inf, MANY) == MANY[-1]


@pytest.mark.parametrize("style", MANY[1:])
@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT])
def test_every_step_can_be_read_on_white_and_on_black(style: str, system: ColorSystem) -> None:
    parsed = Style.parse(style)
    assert parsed.color is not None
    color = rgb(parsed.color.downgrade(system))
    if parsed.bgcolor:
        assert contrast(color, rgb(parsed.bgcolor.downgrade(system))) >= 5
    else:
        assert contrast(color, (255, 255, 255)) >= 4
        assert contrast(color, (0, 0, 0)) >= 4


def test_with_sixteen_colours_letters_stand_on_a_ground_of_their_own_or_keep_the_terminals_colour() -> None:
    for style in map(Style.parse, SIXTEEN):
        assert (style.color is None) == (style.bgcolor is None)
        if style.color and style.bgcolor:
            assert contrast(rgb(style.color), rgb(style.bgcolor)) >= 5


def test_steps_differ_without_seeing_colour() -> None:
    """Filled and bare, underlined and bold: what is left when hues are taken away, but for the faintest of many."""
    for styles in (MANY[1:], SIXTEEN, NONE):
        parsed = [Style.parse(style) for style in styles]
        assert len({(bool(s.bgcolor or s.reverse), s.underline, s.bold) for s in parsed}) == len(styles)


def test_a_terminal_without_colour_gets_five_marks_of_growing_emphasis() -> None:
    plain = ["", "4", "1", "1;4", "1;7"]  # underlined, bold, both, bold and reversed
    assert rendered("truecolor", no_color=True) == plain
    assert rendered("standard", no_color=True) == plain
    assert rendered(None) == [""] * 5  # no terminal: no codes at all


def test_a_terminal_of_sixteen_colours_gets_names_and_not_the_nearest_of_others() -> None:
    assert rendered("standard") == ["", "4", "1;4", "7", "1;97;41"]
    assert rendered("256") == ["", "38;5;31", "4;38;5;130", "38;5;16;48;5;215", "1;38;5;231;48;5;124"]


def test_the_program_picks_the_styles_by_its_terminal(heatbath) -> None:
    words = ("sample", "The", "-T", "3", "--seed", "1", "--max-tokens", "30")
    assert "\x1b[1;7m >10 " in heatbath(*words, terminal=True, NO_COLOR="1").out
    assert "\x1b[1;97;41m >10 " in heatbath(*words, terminal=True, TERM="xterm").out
    words = ("diagnose", "The", "-T", "3", "--seed", "1", "--max-tokens", "30", "-n", "1")
    assert "\x1b[1;97;41m >10 " in heatbath(*words, terminal=True, TERM="xterm").out


def test_the_legend_names_every_step() -> None:
    for styles in (MANY, SIXTEEN, NONE):
        assert legend(styles).plain.split()[7:] == ["<1", "1-3", "3-6", "6-10", ">10"]
        assert [span.style for span in legend(styles).spans] == [style for style in styles if style]
