"""The screen of ``heatbath sample``: the texts in columns, coloured by surprise."""

import re
from collections.abc import Sequence
from statistics import fmean

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from heatbath.cli.screen import ascii_only, number, printable
from heatbath.cli.strand import Strand
from heatbath.cli.surprisal import Styles, in_bits, legend, style_of, styles_for

NARROWEST = 28
"""Characters that a column needs; with less the texts stand one below the other."""

GAP = 4
FINISHED = {"stop": "then it ended", "length": "then it was cut", "context": "cut by the context", "": "so far"}


def page(console: Console, prompt: str, strands: Sequence[Strand]) -> RenderableType:
    """Everything that the screen shows of these strands at this moment."""
    sign, styles = "*" if ascii_only(console) else "◆", styles_for(console)
    several = len({strand.seed for strand in strands}) > 1
    heads = [f"{strand.setting.label}, seed {strand.seed}" if several else strand.setting.label for strand in strands]
    splits = [splits_at(strand, strands) for strand in strands]
    texts = [_text(prompt, strand, split, sign, styles) for strand, split in zip(strands, splits, strict=True)]
    notes = ["\n".join(summary(strand, split, sign)) for strand, split in zip(strands, splits, strict=True)]
    beside = console.is_terminal and len(strands) > 1 and (console.width - GAP) // len(strands) >= NARROWEST + GAP
    body = _columns(heads, texts, notes) if beside else _stack(heads, texts, notes)
    seed = Text.assemble(f"seed {strands[0].seed}", (f"  (the same again: --seed {strands[0].seed})", "dim"))
    if not console.is_terminal:
        return Group(body, seed)
    return Group(Text(), body, Padding(Group(legend(styles), seed), (0, GAP // 2 if beside else 0)))


def _columns(heads: Sequence[str], texts: Sequence[Text], notes: Sequence[str]) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, expand=True, show_edge=False, padding=(0, GAP // 2))
    for head, note in zip(heads, notes, strict=True):
        table.add_column(Text(head, "bold"), footer=Text(note, "not bold dim"), ratio=1, vertical="top")
    table.add_row(*texts)
    return Group(table, Text())


def _stack(heads: Sequence[str], texts: Sequence[Text], notes: Sequence[str]) -> RenderableType:
    blocks: list[RenderableType] = []
    for head, text, note in zip(heads, texts, notes, strict=True):
        blocks += [Text(head, "bold"), text, Text(note.replace("\n", ", "), "dim"), Text()]
    return Group(*blocks)


def _text(prompt: str, strand: Strand, split: int | None, sign: str, styles: Styles) -> Text:
    shown = Text().append(printable(prompt), "dim")
    surprisal = 0.0  # of the tokens that write the next characters together
    for index, (drawn, characters) in enumerate(strand.parts()):
        surprisal += drawn.reading.surprisal
        word = characters.lstrip()
        shown.append(characters[: len(characters) - len(word)])
        if index == split:
            shown.append(sign, "bold")
        if characters:
            shown.append(printable(word), style_of(surprisal, styles))
            surprisal = 0.0
    return shown


def splits_at(strand: Strand, strands: Sequence[Strand]) -> int | None:
    """The first token at which a strand differs from the first strand of its seed; None where none does."""
    first = next(other for other in strands if other.seed == strand.seed)
    mine, theirs = ([placed.token.token for placed in each.tokens] for each in (strand, first))
    differ = (index for index, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b)
    return next(differ, None)


def summary(strand: Strand, split: int | None, sign: str) -> list[str]:
    """What there is to say about a strand, in a few words each."""
    mean = strand.mean_surprisal
    words = re.findall(r"\w+", strand.text.lower())
    lines = [
        "no token" if mean is None else f"{in_bits(mean):.2f} bits of surprise a token",
        f"{len(set(words))} of {len(words)} words distinct",
        f"{len(strand.tokens)} tokens, {FINISHED[strand.finish]}",
    ]
    used = [placed.token.reading.temperature for placed in strand.tokens]
    if used and max(used) != min(used):
        lines.append(f"T {number(min(used))} to {number(max(used))}, {number(fmean(used))} on average")
    if split is not None:
        lines.append(f"{sign} differs from token {split + 1} on")
    return lines
