"""``heatbath sample``: one prompt continued at several temperatures, side by side."""

import secrets
import sys
from typing import Annotated, Any

import typer
from rich.live import Live

from heatbath.cli.flags import (
    Chains,
    Frequency,
    Json,
    MinP,
    Presence,
    Repetition,
    Temperatures,
    TopK,
    TopP,
    checked,
    flag,
    settings,
)
from heatbath.cli.models import ModelName, load_model
from heatbath.cli.sample_page import page, splits_at
from heatbath.cli.screen import read_input, screen, write_json
from heatbath.cli.strand import Strand, grow
from heatbath.errors import InputError
from heatbath.types import Model

COMPARED = ("0.2", "0.8", "1.6")
"""The temperatures when none is given: loops, sentences, word salad."""


def sample(
    prompt: Annotated[
        str,
        typer.Argument(
            help="The text to continue; - reads it from standard input, '' starts a new text.",
            metavar="PROMPT",
            show_default=False,
        ),
    ],
    temperatures: Temperatures = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    repetition_penalty: Repetition = None,
    presence_penalty: Presence = None,
    frequency_penalty: Frequency = None,
    chains: Chains = None,
    seed: Annotated[str | None, flag("seed")] = None,
    max_tokens: Annotated[str | None, flag("max_tokens")] = None,
    n: Annotated[str | None, flag("n", "-n")] = None,
    stop: Annotated[list[str] | None, flag("stop", more="May be repeated.")] = None,
    model: ModelName = None,
    as_json: Json = False,
) -> None:
    """Continue one prompt at several temperatures, side by side, coloured by surprise.

    All settings share one seed, so that only the setting makes the difference.

    Without -T and --chain, T = 0.2, 0.8 and 1.6 are compared.

    \b
    Examples
      heatbath sample "Once upon a time" -T 0.2 -T 0.8 -T 1.6
      heatbath sample "The king said" -T "hold_entropy(2.0, horizon=32)" --seed 7
      heatbath sample "The wolf" -T 1.5 --chain "min_p(0.1) -> temperature(1.5)"
      echo "There was once" | heatbath sample - -T 0.7 --json
    """
    wanted = settings(
        temperatures or ([] if chains else COMPARED),
        chains or [],
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        presence_penalty=presence_penalty,
        frequency_penalty=frequency_penalty,
    )
    first, copies, limit = checked("seed", seed), checked("n", n), checked("max_tokens", max_tokens)
    first = secrets.randbelow(1_000_000) if first is None else first
    if "" in (stop or ()):
        raise InputError(
            "an empty text would end every answer at once",
            doing="setting",
            on="--stop ''",
            instead="write for example --stop 'The end.', or leave --stop out",
        )
    strands = [Strand(setting, first + i, stop or ()) for setting in wanted for i in range(copies)]
    if prompt == "-":
        prompt = read_input().rstrip("\n")
    loaded = load_model(model)
    rounds = grow(loaded, prompt, strands, limit)
    if as_json:
        for _ in rounds:
            pass
        write_json(_document(loaded, prompt, strands))
        return
    console = screen()
    if not sys.stdout.isatty():  # coloured or not, what is not looked at while it comes is written once
        for _ in rounds:
            pass
        console.print(page(console, prompt, strands), soft_wrap=not console.is_terminal)
        return
    with Live(console=console, refresh_per_second=15) as live:
        for _ in rounds:
            live.update(page(console, prompt, strands))


def _document(model: Model, prompt: str, strands: list[Strand]) -> dict[str, Any]:
    return {
        "model": model.name,
        "prompt": prompt,
        "texts": [
            {
                "setting": strand.setting.label,
                "chain": str(strand.setting.sampler),
                "seed": strand.seed,
                "text": strand.text,
                "finish_reason": "length" if strand.finish == "context" else strand.finish,  # as over HTTP
                "end": strand.finish,
                "mean_surprisal": strand.mean_surprisal,
                "differs_at": splits_at(strand, strands),
                "tokens": [
                    {"id": drawn.token, "text": text, **drawn.reading._asdict()} for drawn, text in strand.parts()
                ],
            }
            for strand in strands
        ],
    }
