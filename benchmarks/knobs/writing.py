"""Texts of a model at a temperature, and what is added up over them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import heatbath as hb
from heatbath.embedded.ngram import NGramModel
from heatbath.types import Model

from .units import BYTES, ENTROPY, JUDGED, REPEATED, SUMS, TOKENS, TOP, WINDOWS, Known

WINDOW = 12
"""Bytes: two or three words that stood in the text before are a repetition."""


class Extent(NamedTuple):
    """How much is written."""

    texts: int
    bytes: int
    temperatures: tuple[float, ...]
    """The raw T that are compared."""
    grid: tuple[float, ...]
    """Those at which the second profile has texts."""


class Subject(NamedTuple):
    """A model of the comparison."""

    model: Model
    kind: str
    text: str
    """What it continues."""
    numbers: int
    """Parameters of a network, counts of an n-gram model."""
    prompts: Sequence[str]
    """What it has not seen, twice as many as texts are written."""


class Written(NamedTuple):
    """Several texts."""

    sums: np.ndarray
    """(texts, sums)"""
    rows: list[np.ndarray]
    """The scores along each text, (tokens, V)."""
    texts: list[bytes]


def write(model: Model, prompts: Sequence[str], temperature: float, seed: int, size: int, judge: NGramModel) -> Written:
    """Continue each prompt by so many bytes, or to its end."""
    sampler = hb.chain(hb.temperature(temperature))
    encoded = [model.tokenizer.encode(prompt) for prompt in prompts]
    scores, cache = model.start(encoded)
    state, running = sampler.init(), np.arange(len(prompts))
    texts, rows = [b"" for _ in prompts], [[] for _ in prompts]
    sums = np.zeros((len(prompts), len(SUMS)))
    while len(running):
        sums[running, TOKENS] += 1
        sums[running, ENTROPY] += hb.entropy(scores, temperature)
        sums[running, TOP] += hb.top_probability(scores, temperature)
        tokens, state, _ = sampler.step(state, scores, seed=seed + running)
        going = np.zeros(len(running), dtype=bool)
        for place, (row, token) in enumerate(zip(running, tokens.tolist(), strict=True)):
            rows[row].append(scores[place])
            texts[row] += model.tokenizer.token_bytes(token)
            room = len(encoded[row]) + len(rows[row]) < model.context
            going[place] = room and len(texts[row]) < size and token not in model.stop_tokens
        running = running[going]
        if len(running):
            scores, cache = model.step(cache.rows(np.flatnonzero(going).tolist()), tokens[going].tolist())
    for own, prompt, text in zip(sums, prompts, texts, strict=True):
        windows = [text[at : at + WINDOW] for at in range(len(text) - WINDOW + 1)]
        own[BYTES], own[WINDOWS], own[REPEATED] = len(text), len(windows), len(windows) - len(set(windows))
        begun = prompt.encode()
        own[JUDGED] = judge.surprisals(list(begun + text))[len(begun) :].sum()
    return Written(sums, [np.stack(own) for own in rows], texts)


def profile_once(model: Model, prompts: Sequence[str], extent: Extent, judge: NGramModel) -> Known:
    """A profile on texts at T = 1, as the one that ships."""
    written = write(model, prompts, 1.0, 0, extent.bytes, judge)
    total = written.sums.sum(0)
    every = -(-model.vocabulary // 2048)  # of a large vocabulary fewer positions: 97 temperatures take their time
    profile = hb.Profile.measure((rows[::every] for rows in written.rows), model=model.name)
    return Known(model.vocabulary, float(total[BYTES] / total[TOKENS]), profile)


def profile_each(model: Model, prompts: Sequence[str], extent: Extent, judge: NGramModel) -> Known:
    """A profile that has texts written at each of its T: what it says of a T, it has seen that T do."""
    totals = np.array(
        [
            write(model, prompts, temperature, 5000 + 100 * place, extent.bytes, judge).sums.sum(0)
            for place, temperature in enumerate(extent.grid)
        ]
    )
    entropy = np.array([0.0, *totals[:, ENTROPY] / totals[:, TOKENS], math.log(model.vocabulary)])
    top = np.array([1.0, *totals[:, TOP] / totals[:, TOKENS], 1 / model.vocabulary])
    entropy, top = np.maximum.accumulate(entropy), np.minimum.accumulate(top)
    unknown = (0.0,) * len(entropy)  # the errors are of no use here
    curves = (hb.control.Curve(tuple(mean.tolist()), unknown) for mean in (entropy, entropy / entropy[-1], top))
    positions, grid = int(totals[:, TOKENS].sum()), (0.0, *extent.grid, math.inf)
    one = totals[extent.grid.index(1.0)]
    return Known(
        model.vocabulary, one[BYTES] / one[TOKENS], hb.Profile(model.name, positions, len(prompts), grid, *curves)
    )
