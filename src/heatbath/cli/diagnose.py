"""``heatbath diagnose``: whether a temperature is too low or too high."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from heatbath.cli.case import Case
from heatbath.cli.diagnose_page import show
from heatbath.cli.flags import (
    Chains,
    Json,
    MinP,
    Setting,
    Temperatures,
    TopK,
    TopP,
    checked,
    flag,
    settings,
    temperature_of,
)
from heatbath.cli.models import ModelName, load_model
from heatbath.cli.saved import read_saved
from heatbath.cli.screen import read_input, screen, write_json
from heatbath.cli.table import TARGETS
from heatbath.cli.watched import steady, watch
from heatbath.control import Profile
from heatbath.embedded import load_profile
from heatbath.errors import InputError
from heatbath.sampling import diagnose as judge
from heatbath.sampling.diagnosis.written import after_temperature
from heatbath.types import Model

TEXTS, LENGTH = 8, 240
"""How many texts of how many tokens are written: a loop needs time, and one text may be lucky."""

Target = list[str] | None


def diagnose(
    prompt: Annotated[
        str | None,
        typer.Argument(
            help="The text that the model continues; - reads it from standard input. Left out with --file.",
            metavar="PROMPT",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            help="Judge what a file holds: scores (.npy, or .npz with logits and tokens), saved answers of OpenAI's "
            "interface (JSON, JSONL), or plain text; - reads standard input. -T is then the temperature that was asked "
            "for.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    temperatures: Temperatures = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    chains: Chains = None,
    seed: Annotated[str | None, flag("seed")] = None,
    n: Annotated[str | None, flag("n", "-n", default=TEXTS)] = None,
    max_tokens: Annotated[str | None, flag("max_tokens", default=LENGTH)] = None,
    model: ModelName = None,
    tempered: Annotated[
        bool | None,
        typer.Option(
            "--tempered/--raw",
            help="Whether the log-probabilities in a file are those after the temperature, or --raw, before it. Left "
            "out: known of heatbath's own answers, and found out where others tell.",
            show_default=False,
        ),
    ] = None,
    vocabulary: Annotated[str | None, flag("vocabulary")] = None,
    entropy: Annotated[Target, flag("entropy", panel="Targets")] = None,
    perplexity: Annotated[Target, flag("perplexity", panel="Targets")] = None,
    top_probability: Annotated[Target, flag("top_probability", panel="Targets")] = None,
    relative_entropy: Annotated[Target, flag("relative_entropy", panel="Targets")] = None,
    as_json: Json = False,
) -> None:
    """Say whether a temperature is too low or too high, by what was written at it.

    The model continues the prompt a few times; loops, frozen choices, draws from the tail and surprise are judged.

    Where an interval does not clear its limit, there is no verdict.

    Without -T and --chain, T = 1 is judged.

    \b
    Examples
      heatbath diagnose "Once upon a time" -T 0.2
      heatbath diagnose "The wolf" --chain "min_p(0.1) -> temperature(1.6)"
      heatbath diagnose --file answer.json -T 0.7 --raw
      heatbath diagnose --file scores.npz --entropy 1.0 --json
    """
    values = (entropy, perplexity, top_probability, relative_entropy)
    targets = {
        name: [checked(name, text) for text in texts] for name, texts in zip(TARGETS, values, strict=True) if texts
    }
    others = {"top_k": top_k, "top_p": top_p, "min_p": min_p}
    if (file is None) == (prompt is None):
        raise InputError(
            "there is nothing to judge" if file is None else "there are both a prompt and a file",
            doing="diagnosing",
            instead='write for example heatbath diagnose "Once upon a time" -T 0.2, or --file answer.json',
        )
    if file is not None:
        _alone(chains=chains, seed=seed, n=n, max_tokens=max_tokens, model=model, **others)
        cases = [_of_file(file, temperatures or [], tempered, checked("vocabulary", vocabulary), targets)]
    else:
        if tempered is not None or vocabulary is not None:
            raise InputError(
                "they are about a file, and there is none",
                doing="diagnosing",
                on="--tempered, --raw, --vocabulary",
                instead="leave them out: the scores of the model are at hand",
            )
        wanted = settings(temperatures or ([] if chains else ["1"]), chains or [], **others)
        first, copies, length = checked("seed", seed), checked("n", n, TEXTS), checked("max_tokens", max_tokens, LENGTH)
        first = secrets.randbelow(1_000_000) if first is None else first
        start = read_input().rstrip("\n") if prompt == "-" else prompt or ""
        loaded, profile = load_model(model), load_profile(model)
        seeds = range(first, first + copies)
        cases = [_of_model(loaded, profile, start, setting, seeds, length, targets) for setting in wanted]
    if as_json:
        write_json({"cases": [_document(case) for case in cases]})
        return
    console = screen()
    for case in cases:
        show(console, case)
    if file is None:
        console.print(f" seed {first}", f"[dim](the same again: --seed {first})[/]", markup=True)


def _alone(**flags: Any) -> None:
    """Refuse flags that say how to write, where what was written is given."""
    given = [f"--{name.replace('_', '-')}" for name, value in flags.items() if value is not None]
    if given:
        raise InputError(
            "nothing is written where a file is judged",
            doing="diagnosing",
            on=f"--file with {', '.join(given)}",
            instead="leave them out, or give a prompt in place of the file",
        )


def _of_file(
    path: str, temperatures: Sequence[str], tempered: bool | None, vocabulary: int | None, targets: Mapping[str, Any]
) -> Case:
    asked = [temperature_of(text) for text in temperatures]
    if len(asked) > 1 or None in asked:
        raise InputError(
            "a file was written at one temperature, a number",
            doing="diagnosing",
            on=f"--file {path} with {' '.join(f'-T {text}' for text in temperatures)}",
            instead="write for example -T 0.7, or leave it out",
        )
    texts = read_saved(path)
    temperature = checked("temperature", temperatures[0]) if temperatures else None
    found = judge(texts=texts, temperature=temperature, tempered=tempered, options=vocabulary, wanted=targets or None)
    found = found._replace(verdicts=tuple(each._replace(why=_with_flags(each.why)) for each in found.verdicts))
    own = tempered is None and after_temperature(texts) is False
    name = "standard input" if path == "-" else Path(path).name
    return Case(f"{name}, T = {temperatures[0]}" if temperatures else name, None, texts, "", (), found, None, None, own)


def _with_flags(why: str) -> str:
    return why.replace("tempered=False or tempered=True", "--raw (before) or --tempered (after)")


def _of_model(
    model: Model,
    profile: Profile | None,
    prompt: str,
    setting: Setting,
    seeds: Sequence[int],
    length: int,
    targets: Mapping[str, Any],
) -> Case:
    strands = watch(model, prompt, setting, seeds, length)
    texts = [strand.written for strand in strands]
    found = judge(texts=texts, temperature=steady(strands), wanted=targets or None)
    return Case(setting.label, str(setting.sampler), texts, prompt, strands, found, model, profile)


def _document(case: Case) -> dict[str, Any]:
    found = case.found
    return {
        "name": case.name,
        "chain": case.chain,
        "outcome": found.outcome,
        "verdicts": [verdict._asdict() for verdict in found.verdicts],
        "used": found.used and found.used._asdict(),
        "surprisal": found.surprisal,
        "entropy": found.entropy,
        "sensitivity": found.sensitivity and found.sensitivity._asdict(),
        "effects": [
            {"measure": each.measure, "value": each.value, **each.effects._asdict(), "middle_half": each.rows}
            for each in found.effects
        ],
        "texts": [
            {"text": strand.text, **repeated} for strand, repeated in zip(case.strands, _repeated(case), strict=True)
        ]
        if case.strands
        else _repeated(case),
    }


def _repeated(case: Case) -> list[dict[str, Any]]:
    return [
        {"repeats": each.share, "passage": case.spell(each.passage), "times": each.times}
        if each
        else {"repeats": None, "passage": "", "times": 0}
        for each in case.found.repeated
    ]
