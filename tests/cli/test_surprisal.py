import math

import pytest
from rich.color import Color
from rich.style import Style

from heatbath.cli.surprisal import BORDERS, STYLES, legend, style_of


def luminance(color: Color) -> float:
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color.get_truecolor())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: float, b: float) -> float:
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def test_a_border_belongs_to_the_step_above_it() -> None:
    for index, border in enumerate(BORDERS):
        assert style_of((border - 1e-9) * math.log(2)) == STYLES[index]
        assert style_of((border + 1e-9) * math.log(2)) == STYLES[index + 1]
    assert style_of(math.inf) == STYLES[-1]


@pytest.mark.parametrize("style", STYLES[1:])
def test_every_step_can_be_read_on_white_and_on_black(style: str) -> None:
    parsed = Style.parse(style)
    assert parsed.color is not None
    if parsed.bgcolor:
        assert contrast(luminance(parsed.color), luminance(parsed.bgcolor)) >= 5
    else:
        assert contrast(luminance(parsed.color), 1.0) >= 4
        assert contrast(luminance(parsed.color), 0.0) >= 4


def test_steps_differ_without_colour() -> None:
    """Filled and bare, underlined and bold: what is left when hues are taken away, but for the faintest step."""
    shapes = [(bool(s.bgcolor), bool(s.underline), bool(s.bold)) for s in map(Style.parse, STYLES)]
    assert len(set(shapes[1:])) == len(STYLES) - 1


def test_the_legend_names_every_step() -> None:
    assert legend().plain.split()[7:] == ["<1", "1-3", "3-6", "6-10", ">10"]
    assert [span.style for span in legend().spans] == [style for style in STYLES if style]
