"""The screen of ``heatbath diagnose``: a line for each verdict, what to do, what was written, and what each T does."""

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from heatbath.cli.case import Case
from heatbath.cli.diagnose_effects import plot, sentence, table
from heatbath.cli.diagnose_texts import AGAIN, looping, sample
from heatbath.cli.plot import gauge
from heatbath.cli.screen import ascii_only, printable
from heatbath.cli.surprisal import in_bits, styles_for
from heatbath.sampling import Diagnosis, Verdict

BLUE, ORANGE, GREEN = "#2a7fc1", "#c85a00", "#0f8f6c"
STYLES = {"too low": BLUE, "too high": ORANGE, "not as asked": ORANGE, "fine": GREEN, "no verdict": "dim"}
SIGNS = {"too low": "▼v", "too high": "▲^", "not as asked": "≠!", "fine": "✓+", "no verdict": "·?"}
HEADS = {"too low": "T is too low", "too high": "T is too high", "fine": "T is fine", "no verdict": "no verdict"}


class Page(NamedTuple):
    """Where it is written."""

    width: int
    plain: bool


def show(console: Console, case: Case) -> None:
    """Write the page of one case."""
    page, found = Page(console.width, ascii_only(console)), case.found
    console.print(Text(), Padding(_head(case, page), (0, 1), expand=False), Text(), _verdicts(found, page), sep="\n")
    said = [_said(verdict, case) for verdict in found.verdicts if verdict.outcome != "fine"]
    if said:
        console.print(Text(), *(Padding(each, (0, 1), expand=False) for each in said), sep="\n")
    if any(verdict.remedies for verdict in found.verdicts):
        console.print(Text(), Padding(_remedies(found), (0, 1), expand=False), sep="\n")
    if case.strands:
        console.print(Text(), Padding(sample(case, styles_for(console)), (0, 1), expand=False), sep="\n")
    if found.response is not None and found.sensitivity is not None:
        lines = plot(found, found.response, STYLES[found.outcome], *page)
        console.print(Text(), *lines, Text(), table(found.effects, case.profile, *page), sep="\n")
        console.print(Text(), Padding(sentence(found.sensitivity), (0, 1), expand=False), sep="\n")
    console.print()


def _head(case: Case, page: Page) -> Text:
    outcome = case.found.outcome
    sign = SIGNS[outcome][page.plain]
    name = printable(case.name)
    head = Text.assemble((f"{sign} {HEADS[outcome]}", f"bold {STYLES[outcome]}"), ("  " + name, "bold"))
    count = sum(len(text.tokens or ()) for text in case.texts)
    texts = f"{len(case.texts)} text{'s' * (len(case.texts) != 1)}"
    by = f"{case.model.name}: " if case.model else ""
    head.append(f"\n{by}{texts}, {count} tokens" if count else f"\n{by}{texts}", "dim")
    if case.found.surprisal is not None:
        head.append(f", {in_bits(case.found.surprisal):.2f} bits of surprise a token", "dim")
        bounds = case.found.entropy
        if bounds is not None and bounds[0] == bounds[1]:
            head.append(f" (the model itself, at T = 1: {in_bits(bounds[0]):.2f})", "dim")
        elif bounds is not None:
            high = f" to {in_bits(bounds[1]):.2f}" if isfinite(bounds[1]) else " or more"
            head.append(f" (the model itself, at T = 1: {in_bits(bounds[0]):.2f}{high})", "dim")
    if case.own:
        head.append("\nanswered by heatbath itself: the log-probabilities are those before the temperature", "dim")
    return head


MEASURES = {
    "loops": "repeated runs",
    "frozen": "choices frozen by T",
    "tail": "draws from the tail",
    "surprise": "surprise, bits",
    "temperature": "T that was used",
}


def _verdicts(found: Diagnosis, page: Page) -> Table:
    table = Table(box=box.ASCII if page.plain else box.SIMPLE, show_edge=False, pad_edge=True)
    width = min(31, page.width - 66)
    table.add_column("verdict", no_wrap=True)
    table.add_column("measured", overflow="fold")
    table.add_column("value and interval", no_wrap=page.width >= 70)
    table.add_column("limit", justify="right", no_wrap=True)
    if width >= 9:
        mark = "|" if page.plain else "│"
        table.add_column(Text(f"{'':{width // 2}}{mark} limit"[:width]), no_wrap=True)
    for verdict in found.verdicts:
        style = STYLES[verdict.outcome]
        label = Text(f"{SIGNS[verdict.outcome][page.plain]} {verdict.outcome}", style)
        cells: list[RenderableType] = [label, MEASURES[verdict.name], *_numbers(verdict)]
        if width >= 9:
            cells.append(_gauge(verdict, width, page.plain, style))
        table.add_row(*cells)
    return table


def _numbers(verdict: Verdict) -> tuple[str, str]:
    if verdict.value is None or verdict.low is None or verdict.high is None:
        return "-", "-"
    shown = _shown(verdict)
    limit = "-" if verdict.threshold is None else shown(verdict.threshold)
    low, high = (shown(end).removesuffix(" %") for end in (verdict.low, verdict.high))
    return f"{shown(verdict.value)}  ({low} to {high})", limit


def _shown(verdict: Verdict) -> Callable[[float], str]:
    """How the numbers of a verdict are written."""
    if verdict.name == "surprise":
        return lambda value: f"{in_bits(value):.2f}"
    return lambda value: f"{value:.3g}" if verdict.name == "temperature" else f"{100 * value:.0f} %"


def _gauge(verdict: Verdict, width: int, plain: bool, style: str) -> Text:
    numbers = (verdict.low, verdict.value, verdict.high, verdict.threshold)
    if any(value is None for value in numbers) or not isfinite(verdict.threshold or 0.0) or not verdict.threshold:
        return Text()
    low, value, high, limit = (min(float(each or 0.0), 1e9) for each in numbers)
    return Text(gauge(low, value, high, limit, width, plain=plain), style)


def _said(verdict: Verdict, case: Case) -> Text:
    text = Text.assemble((f"{verdict.name}: ", f"bold {STYLES[verdict.outcome]}"), f"{verdict.why}.")
    if verdict.name == "loops" and verdict.outcome != "fine":
        which = looping(case.found)
        worst = None if which is None else case.found.repeated[which]
        if worst is not None and worst.passage:
            passage = printable(" ".join(case.spell(worst.passage).split()))
            text.append(f"\n  {worst.times} times: ").append(
                passage if len(passage) <= 120 else f"{passage[:117]}...", AGAIN
            )
    return text


def _remedies(found: Diagnosis) -> Text:
    """Under the verdicts that it answers, every remedy once, on a line of its own, so that it can be copied."""
    answered: dict[str, list[str]] = {}
    for verdict in found.verdicts:
        for remedy in verdict.remedies:
            answered.setdefault(remedy, []).append(verdict.name)
    together: dict[tuple[str, ...], list[str]] = {}
    for remedy, verdicts in answered.items():
        together.setdefault(tuple(verdicts), []).append(remedy)
    text = Text()
    for names, remedies in together.items():
        text.append(f"{chr(10) if text else ''}against {' and '.join(names)}", "dim")
        for index, remedy in enumerate(remedies):
            text.append("\n or  " if index else "\ntry  ", "dim").append(remedy, "bold")
    return text
