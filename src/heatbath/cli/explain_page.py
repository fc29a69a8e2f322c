"""The screen of ``heatbath explain``: a table with bars, a plot, and a sentence for each setting."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from heatbath.cli.distribution import Column, Scores, entropy_curve
from heatbath.cli.plot import LABEL, Frame, Mark, bar, curve
from heatbath.cli.screen import ascii_only, number, percent, printable
from heatbath.cli.surprisal import in_bits

HUES = ("#808080", "#2a7fc1", "#c85a00", "#0f8f6c", "#b0568c")
"""Gray for the model as it is, then one for each setting in turn; all are at least 3.9:1 on white and on black."""

FIGURE = 8
"""Characters for a percentage and the blank behind it."""

POINT, HOLLOW = ("●", "#"), ("○", "o")
"""The signs of a setting, in Unicode and in ASCII: as it is, and after options were cut."""

ENDS = (2.0, 4.0, 8.0, 12.0, 16.0, 20.0)
"""Where the axis of T may end: quarters of it are round numbers, and a longer one would hide the usual values."""

MEASURES: dict[str, Callable[[Column], str]] = {
    "entropy, nats": lambda column: f"{column.entropy:.3f}",
    "entropy, bits": lambda column: f"{in_bits(column.entropy):.3f}",
    "perplexity": lambda column: f"{column.perplexity:.2f}",
    "effective choices": lambda column: f"{column.effective_choices:.2f}",
    "top probability": lambda column: percent(column.top_probability),
    "heat capacity": lambda column: f"{column.heat_capacity:.3f}",
    "options kept": lambda column: str(column.kept),
}


class Page(NamedTuple):
    """What is shown, and how much room there is."""

    names: list[str]
    scores: Scores
    listed: npt.NDArray[np.intp]
    """The options that have a row of their own, the best first."""
    plain: bool
    width: int


class Scale(NamedTuple):
    """What all tables have in common, so that their bars can be compared."""

    names: int
    """Characters for the name of an option or a measure."""
    length: int
    """Characters of the longest bar."""
    full: float
    """The probability that it stands for."""


def show(console: Console, names: list[str], scores: Scores, columns: Sequence[Column], rows: int) -> None:
    """Write the page. The first column is the model as it is; columns that do not fit beside it come in more tables."""
    listed = np.argsort(-scores, kind="stable")[:rows]
    page = Page([printable(name) for name in names], scores, listed, ascii_only(console), console.width)
    hued = [(column, HUES[0] if i == 0 else HUES[1 + (i - 1) % (len(HUES) - 1)]) for i, column in enumerate(columns)]
    same = any(column.chain == columns[0].chain for column in columns[1:])
    told = hued[1:] if same else hued  # a setting that is the model as it is stands in its place
    named = max(17, min(page.width // 3, max(cell_len(page.names[i]) for i in listed)))
    fixed = named + 11
    beside = min(len(told), max(1, (page.width - fixed) // (FIGURE + 6)))
    scale = Scale(
        names=named,
        length=max(0, min(24, (page.width - fixed) // beside - FIGURE - 3)),
        full=max(column.top_probability for column in columns),
    )
    logits = max(cell_len("logit"), *(cell_len(number(page.scores[i])) for i in listed))
    if page.width < named + logits + FIGURE + 6 + 2 * page.plain:  # blanks around three columns, and lines between
        console.print(*_stacked(page, told), sep="\n", no_wrap=True, overflow="ellipsis")
    else:
        for start in range(0, len(told), beside):
            console.print(Text(), _table(page, told[start : start + beside], scale), sep="\n")
    console.print(Text(), *_plot(page, told, columns[0]), Text(), sep="\n")
    words = Table.grid(padding=(0, 1), pad_edge=True)
    for column, hue in hued[1:]:
        words.add_row(Text(POINT[page.plain], hue), sentence(page.names, scores, column, columns[0]))
    console.print(words)


def _table(page: Page, group: Sequence[tuple[Column, str]], scale: Scale) -> Table:
    table = Table(box=box.ASCII if page.plain else box.SIMPLE, show_edge=False, pad_edge=True)
    table.add_column("option", overflow="ellipsis", no_wrap=True, max_width=scale.names)
    table.add_column("logit", justify="right", no_wrap=True)
    for column, hue in group:
        table.add_column(Text(column.label, hue), min_width=FIGURE + scale.length)
    for option in page.listed:
        cells = [_cell(float(column.probabilities[option]), scale, hue, page.plain) for column, hue in group]
        table.add_row(page.names[option], number(page.scores[option]), *cells)
    others = len(page.names) - len(page.listed)
    if others:  # no bar: it would be read as that of one option
        rest = [float(np.delete(column.probabilities, page.listed).sum()) for column, _ in group]
        table.add_row(f"{others} others", "", *map(_share, rest))
    table.add_section()
    for name, measure in MEASURES.items():
        table.add_row(Text(name, "dim"), "", *(Text(f"{measure(column):>{FIGURE - 1}}") for column, _ in group))
    return table


def _stacked(page: Page, hued: Sequence[tuple[Column, str]]) -> list[Text]:
    """Where no table fits: one setting below the other, numbers before names, of which as much is shown as fits."""
    lines = [Text(), Text("logit")]
    lines += [Text(f"{number(page.scores[option]):>{FIGURE - 1}} {page.names[option]}") for option in page.listed]
    for column, hue in hued:
        lines += [Text(), Text(column.label, hue)]
        lines += [_counted(float(column.probabilities[option]), page.names[option]) for option in page.listed]
        others = len(page.names) - len(page.listed)
        if others:
            lines.append(_counted(float(np.delete(column.probabilities, page.listed).sum()), f"{others} others"))
        lines += [Text(f"{measure(column):>{FIGURE - 1}} ").append(name, "dim") for name, measure in MEASURES.items()]
    return lines


def _counted(share: float, name: str) -> Text:
    figure = _share(share)
    return figure.append(" " * (FIGURE - len(figure))).append(name)


def _cell(share: float, scale: Scale, hue: str, plain: bool) -> Text:
    return _share(share).append(bar(share / scale.full, scale.length, plain=plain), hue)


def _share(share: float) -> Text:
    return Text(f"{percent(share):>{FIGURE - 1}} ") if share else Text(f"{'-':>{FIGURE - 3}}", "dim")


def _plot(page: Page, hued: Sequence[tuple[Column, str]], before: Column) -> list[Text]:
    finite = [column.temperature for column, _ in hued if np.isfinite(column.temperature)]
    frame = Frame(
        width=max(10, min(72, page.width - LABEL - 4)),
        height=9,
        right=next((end for end in ENDS if end >= 1.1 * max(finite)), ENDS[-1]),
        top=float(np.log(np.isfinite(page.scores).sum())) or 1.0,
    )
    temperatures, entropies = entropy_curve(page.scores, frame.right)
    point, hollow = POINT[page.plain], HOLLOW[page.plain]
    marks = []
    for column, hue in hued:
        marks.append(
            Mark(column.temperature, float(np.interp(column.temperature, temperatures, entropies)), point, hue)
        )
        if cuts(column, before):
            marks.append(Mark(column.temperature, column.entropy, hollow, hue))
    cut = f", {hollow} after options were cut" if len(marks) > len(hued) else ""
    title = Text(f" entropy in nats against T: {point} a setting{cut}", "dim")
    return [title, *curve(frame, temperatures, entropies, marks, plain=page.plain)]


def sentence(names: Sequence[str], scores: Scores, column: Column, before: Column) -> str:
    """What a setting does, in words."""
    best = names[int(column.probabilities.argmax())]
    tied = int((scores == scores.max()).sum())
    if column.kept == 1 and column.temperature == 0 and tied > 1:
        text = f"{best} is always drawn, the first of {tied} tied for the best; as T falls towards 0 they share evenly."
    elif column.kept == 1:
        text = f"{best} is always drawn; nothing is left to chance."
    elif np.isinf(column.temperature):
        text = f"the scores no longer matter; each of {column.kept} options is drawn equally often."
    else:
        text = (
            f"{best} is drawn {percent(column.top_probability)} of the time "
            f"({percent(before.top_probability)} at T = 1). "
            f"The choice is {_compared(column.entropy, before.entropy)}, by its perplexity as open as one among "
            f"{column.perplexity:.1f} equal options ({before.perplexity:.1f} at T = 1)."
        )
    if cuts(column, before):
        lost = float(before.probabilities[column.probabilities == 0].sum())
        text += f" Cut: {before.kept - column.kept} of {before.kept} options, with {percent(lost)} at T = 1."
    return f"{column.label}: {text}"


def cuts(column: Column, before: Column) -> bool:
    """Whether the setting takes options away; T = 0 takes no notice of them, which is not the same."""
    return column.kept < before.kept and column.temperature > 0


def _compared(after: float, before: float) -> str:
    if abs(after - before) < 5e-4:
        return "neither sharper nor more open"
    return "sharper" if after < before else "more open"
