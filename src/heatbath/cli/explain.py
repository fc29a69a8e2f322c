"""``heatbath explain``: what a temperature does to a list of scores."""

from typing import Annotated, Any

import numpy as np
import typer

from heatbath.cli.distribution import Column, at, reference, solved
from heatbath.cli.explain_page import show
from heatbath.cli.flags import Chains, Json, MinP, Temperatures, TopK, TopP, checked, flag, settings
from heatbath.cli.numbers import read_numbers
from heatbath.cli.screen import number, screen, write_json
from heatbath.cli.table import TARGETS
from heatbath.errors import InputError

COMPARED = ("0.5", "2")
"""The temperatures when nothing else is asked for."""

Target = list[str] | None


def explain(
    logits: Annotated[
        list[str],
        typer.Argument(
            help="The scores: numbers, negative ones and -inf (forbidden) included; a JSON list; a file that holds "
            "either; or - for standard input.",
            metavar="LOGITS",
            show_default=False,
        ),
    ],
    temperatures: Temperatures = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    chains: Chains = None,
    entropy: Annotated[Target, flag("entropy", panel="Targets")] = None,
    perplexity: Annotated[Target, flag("perplexity", panel="Targets")] = None,
    top_probability: Annotated[Target, flag("top_probability", panel="Targets")] = None,
    relative_entropy: Annotated[Target, flag("relative_entropy", panel="Targets")] = None,
    names: Annotated[
        str | None,
        typer.Option(help="What the options are called, set apart by commas.", metavar="A,B,C", show_default=False),
    ] = None,
    rows: Annotated[str | None, flag("rows")] = None,
    as_json: Json = False,
) -> None:
    """Show what a temperature does to a list of scores, in numbers and a small plot.

    Without -T, --chain and a target, T = 0.5 and T = 2 are compared.

    \b
    Examples
      heatbath explain 2.0 1.0 0.5 -1 -T 0.7
      heatbath explain 2 1 -1 --names tea,coffee,salt -T 0.3 -T 1.5 --min-p 0.1
      heatbath explain scores.json --entropy 1.0
      echo "[2, 1, -1]" | heatbath explain - --chain "top_k(2)" --json
    """
    scores = np.asarray(read_numbers(logits), dtype=np.float64)
    named = _names(names, scores.size)
    before = reference(scores)
    values = (entropy, perplexity, top_probability, relative_entropy)
    targets = [(name, text) for name, texts in zip(TARGETS, values, strict=True) for text in texts or ()]
    texts = temperatures or ([] if chains or targets else COMPARED)
    wanted = settings(texts, chains or [], top_k=top_k, top_p=top_p, min_p=min_p)
    for name, text in targets:
        found = solved(scores, name, text)
        setting = settings([repr(found)], [], top_k=top_k, top_p=top_p, min_p=min_p)[0]
        wanted.append(setting._replace(label=f"{name.replace('_', ' ')} {text}, T = {number(found)}"))
    columns = [before, *(at(scores, setting) for setting in wanted)]
    if as_json:
        write_json(_document(scores, named, columns))
    else:
        show(screen(), named, scores, columns, checked("rows", rows))


def _names(text: str | None, count: int) -> list[str]:
    if text is None:
        return [f"#{position}" for position in range(1, count + 1)]
    names = [name.strip() for name in text.split(",")]
    if len(names) != count or not all(names):
        counted = f"the number of scores is {count}, that of names {len(names)}"
        raise InputError(
            counted if len(names) != count else f"name {names.index('') + 1} is blank",
            doing="naming the options",
            on=f"--names {text!r}",
            instead="give one name for each score, set apart by commas",
        )
    return names


def _document(scores: Any, names: list[str], columns: list[Column]) -> dict[str, Any]:
    return {
        "options": [{"name": name, "logit": score} for name, score in zip(names, scores, strict=True)],
        "settings": [column._asdict() for column in columns],
    }
