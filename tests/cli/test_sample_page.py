"""What the screen of ``heatbath sample`` shows, read as text."""

import io
import math

import pytest
from rich.console import Console
from rich.text import Text

from heatbath.cli.flags import settings
from heatbath.cli.sample_page import page, splits_at, summary
from heatbath.cli.strand import Drawn, Strand
from heatbath.cli.surprisal import MANY
from heatbath.service.text import Placed
from heatbath.types import Reading

WORDS = ["once", " upon", " a", " time", " Once", "\n", "\x1b[2J"]


def strand(tokens, temperature="1", seed=0, surprisal=0.5, used=(1.0,)):
    (setting,) = settings([temperature], [])
    made = Strand(setting, seed)
    for index, token in enumerate(tokens):
        reading = Reading(used[index % len(used)], 1.0, 1.0, 5, surprisal * math.log(2), 0.1)
        made.tokens.append(Placed(Drawn(token, WORDS[token].encode(), reading), len(made.text)))
        made.text += WORDS[token]
    made.finish = "length"
    return made


def shown(strands, width=100, terminal=True, encoding="utf-8", prompt="P:"):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(
        file=stream, width=width, force_terminal=terminal, color_system=None, markup=False, highlight=False
    )
    console.print(page(console, prompt, strands), soft_wrap=not terminal)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_a_strand_is_compared_with_the_first_of_its_seed():
    first, same, later, other = strand([0, 1, 2]), strand([0, 1, 2]), strand([0, 1, 3]), strand([3], seed=1)
    assert [splits_at(each, [first, same, later, other]) for each in (first, same, later, other)] == [
        None,
        None,
        2,
        None,
    ]


def test_the_first_difference_is_marked_before_the_word():
    text = shown([strand([0, 1, 2], "0.2"), strand([0, 3, 2], "2")])
    assert "P:once ◆time a" in text
    assert "P:once upon a" in text
    assert "◆ differs from token 2 on" in text


def test_ascii_output_stays_ascii():
    text = shown([strand([0, 1, 2], "0.2"), strand([0, 3, 2], "2")], encoding="ascii")
    assert "P:once *time a" in text
    assert text.isascii()


@pytest.mark.parametrize("width", [30, 60, 120, 200])
def test_nothing_is_wider_than_the_terminal(width):
    strands = [strand([0, 1, 2, 3] * 20, temperature) for temperature in ("0.1", "1", "2", "hold_entropy(2.0)")]
    assert max(map(len, shown(strands, width).splitlines())) <= width


def test_a_token_cannot_steer_the_terminal():
    assert "\x1b" not in shown([strand([0, 6])], terminal=False)
    assert "once\\x1b[2J" in shown([strand([0, 6])], terminal=False)


def test_words_are_counted_without_case_and_surprise_is_in_bits():
    lines = summary(strand([0, 1, 4], surprisal=2.0), None, "◆")
    assert lines[0].startswith("2.00 bits")
    assert lines[1] == "2 of 3 words distinct"
    assert lines[2].startswith("3 tokens")


@pytest.mark.parametrize(
    ("finish", "said"),
    [("stop", "then it ended"), ("length", "then it was cut"), ("context", "cut by the context"), ("", "so far")],
)
def test_why_a_text_ended_is_told(finish, said):
    made = strand([0, 1])
    made.finish = finish
    assert summary(made, None, "◆")[2] == f"2 tokens, {said}"


def test_a_moving_temperature_is_told():
    assert summary(strand([0, 1], used=(0.5, 1.5)), None, "◆")[-1] == "T 0.5 to 1.5, 1 on average"
    assert not any(line.startswith("T ") for line in summary(strand([0, 1]), None, "◆"))


def test_tokens_wear_the_style_of_their_surprise_and_blanks_wear_none():
    console = Console(force_terminal=True, width=80, color_system="truecolor", no_color=False)
    (_, text, *_) = page(console, "P:", [strand([0, 1], surprisal=7.0)]).renderables[1].renderables
    assert isinstance(text, Text)
    styled = [text.plain[span.start : span.end] for span in text.spans if MANY[3] in str(span.style)]
    assert styled == ["once", "upon"]


def test_the_seed_and_the_legend_are_told():
    text = shown([strand([0], seed=42)])
    assert "--seed 42" in text
    assert "bits of surprise at T = 1" in text
    assert "bits of surprise at T = 1" not in shown([strand([0], seed=42)], terminal=False)
