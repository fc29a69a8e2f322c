"""Temperature of whole texts on the shipped model: is it exact, and what does it buy at equal cost?

`python benchmarks/power.py [--quick]`. First continuations of two tokens, all 2048 * 2048 of which can be added up: the
mean of ln p of the samples against the exact one, with two wrong ones that must be refused. Then longer texts, at equal
cost in tokens that the model draws or reads: T per token, the likeliest of n texts, one of n resampled by importance,
looking ahead, and the moves of `heatbath.sampling.power`.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy makes its threads

import argparse
import itertools
import statistics
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

import heatbath as hb
from heatbath.embedded import load
from heatbath.sampling import look_ahead, power
from heatbath.types import Model

PROMPTS = (
    "There was once a king who",
    "The little girl",
    "The old woman said to the",
    "Once upon a time",
    "In a deep forest there lived",
    "One day, a boy found",
)
TOKENS, MOVES = 32, 20
POWERS = (1.5, 2.0, 3.0, 5.0)
SINGLE = (0.7, 0.5, 0.35, 0.25, 0.15, 0.07)
"""T per token of single texts, among them the colder ones whose texts are as likely as those of a power."""
SEVERAL = (1.0, 0.85, 0.7, 0.6, 0.5, 0.35)


class Text(NamedTuple):
    tokens: tuple[int, ...]
    log_p: float
    log_q: float
    """Under the chain that drew it."""


class Line(NamedTuple):
    """What one way of sampling gives: means over all texts."""

    nats: float
    """ln p of a text."""
    distinct: float
    """Different pairs of neighbouring tokens among all pairs, over the texts of one prompt."""
    overlap: float
    """The share of a text's 4-grams that stand in another text of the same prompt."""
    drawn: float
    read: float


def per_token(model: Model, prompts: Sequence[Sequence[int]], temperature: float, seed: int) -> list[Text]:
    """One text of each prompt by a plain loop."""
    sampler = hb.chain(hb.temperature(temperature))
    scores, cache = model.start(prompts)
    state, alive = sampler.init(), list(range(len(prompts)))
    tokens: list[list[int]] = [[] for _ in prompts]
    logs = np.zeros((2, len(prompts)))
    while True:
        seeds = [seed + row for row in alive]
        choice, state, reading = sampler.step(state, scores, seed=seeds, reading=True)
        logs[:, alive] -= reading.surprisal, reading.surprisal_after
        for row, token in zip(alive, choice.tolist(), strict=True):
            tokens[row].append(token)
        keep = [place for place, token in enumerate(choice.tolist()) if token not in model.stop_tokens]
        if not keep or len(tokens[alive[keep[0]]]) == TOKENS:
            return [Text(tuple(own), *map(float, pair)) for own, pair in zip(tokens, logs.T, strict=True)]
        alive = [alive[place] for place in keep]
        scores, cache = model.step(cache.rows(keep), choice[keep].tolist())


def grams(tokens: tuple[int, ...], n: int) -> list[tuple[int, ...]]:
    return list(zip(*(tokens[i:] for i in range(n)), strict=False))


def measured(groups: Sequence[Sequence[object]], drawn: float, read: float) -> Line:
    """Of the texts, grouped by prompt."""
    distinct, overlap = [], []
    for group in groups:
        pairs = [pair for text in group for pair in grams(text.tokens, 2)]
        distinct.append(len(set(pairs)) / len(pairs))
        for one, other in itertools.permutations(group, 2):
            there, here = set(grams(other.tokens, 4)), grams(one.tokens, 4)
            overlap.append(sum(gram in there for gram in here) / max(1, len(here)))
    nats = statistics.fmean(text.log_p for group in groups for text in group)
    return Line(nats, statistics.fmean(distinct), statistics.fmean(overlap), drawn, read)


def compared(model: Model, prompts: Sequence[str], each: int) -> dict[str, Line]:
    """Every way of sampling, by name."""
    ids = [model.tokenizer.encode(prompt) for prompt in prompts]
    rows = [prompt for prompt in ids for _ in range(each)]
    lines = {}

    def show(name: str, texts: Sequence[object], drawn: float, read: float) -> None:
        line = lines[name] = measured([texts[i : i + each] for i in range(0, len(texts), each)], drawn, read)
        print(f"{name:38}{line.nats:9.1f}{line.distinct:11.3f}{line.overlap:11.3f}{drawn:9.0f}{read:8.0f}", flush=True)

    def show_rows(name: str, texts: Sequence[object]) -> None:
        show(name, texts, statistics.fmean(r.drawn for r in texts), statistics.fmean(r.read for r in texts))

    print(f"{'':38}{'ln p':>9}{'distinct-2':>11}{'overlap-4':>11}{'drawn':>9}{'read':>8}")
    for alpha in POWERS:
        show_rows(
            f"power, T = 1/{alpha:g}", power(model, rows, alpha=alpha, max_tokens=TOKENS, moves=MOVES, seed=1).rows
        )
    quarters = power(model, rows, alpha=2, max_tokens=TOKENS, moves=MOVES * 2 // 5, blocks=4, seed=1)
    show_rows("power, T = 1/2, in 4 blocks", quarters.rows)
    spent = lines["power, T = 1/2"]
    several = max(1, round((spent.drawn + spent.read) / TOKENS))
    for alpha in (2.0, 3.0):
        found = look_ahead(model, rows, alpha=alpha, max_tokens=TOKENS, horizon=4, candidates=6, rollouts=1, seed=1)
        show_rows(f"look ahead, T = 1/{alpha:g}", found.rows)
    prompt = statistics.fmean(map(len, ids))
    for temperature in SINGLE:
        show(f"per token, T = {temperature}", per_token(model, rows, temperature, 1), TOKENS, prompt)
    many = [row for row in rows for _ in range(several)]
    random = np.random.default_rng(0)
    for temperature in SEVERAL:
        texts = per_token(model, many, temperature, 1)
        tries = [texts[i : i + several] for i in range(0, len(texts), several)]
        best = [max(group, key=lambda text: text.log_p) for group in tries]
        show(f"likeliest of {several}, T = {temperature} per token", best, several * TOKENS, prompt)
        if temperature == 0.5:
            alpha = 1 / temperature
            weights = [hb.softmax([alpha * text.log_p - text.log_q for text in group]) for group in tries]
            kept = [group[random.choice(several, p=own)] for group, own in zip(tries, weights, strict=True)]
            show(f"one of {several}, resampled to T = 1/{alpha:g}", kept, several * TOKENS, prompt)
    return lines


def exact(model: Model, prompt: list[int], alpha: float) -> tuple[float, float, float]:
    """Two tokens: the mean of ln p under the power and under T per token, and the total variation between the two."""
    scores, cache = model.start([prompt])
    first = hb.log_softmax(scores[0].astype(np.float64))
    logs = np.full((model.vocabulary, model.vocabulary), -np.inf)
    tempered = logs.copy()
    for begin in range(0, model.vocabulary, 256):
        tokens = list(range(begin, min(begin + 256, model.vocabulary)))
        following = model.step(cache.rows([0] * len(tokens)), tokens)[0].astype(np.float64)
        logs[tokens] = first[tokens, None] + hb.log_softmax(following)
        tempered[tokens] = hb.log_softmax(first, 1 / alpha)[tokens, None] + hb.log_softmax(following, 1 / alpha)
    for token in model.stop_tokens:  # a text of one token
        logs[token], tempered[token] = -np.inf, -np.inf
        logs[token, 0], tempered[token, 0] = first[token], hb.log_softmax(first, 1 / alpha)[token]
    shares, plain = hb.softmax(logs.ravel(), 1 / alpha), np.exp(tempered.ravel())
    finite = np.where(logs.ravel() > -np.inf, logs.ravel(), 0)
    return float(shares @ finite), float(plain @ finite), float(abs(shares - plain).sum() / 2)


def checked(model: Model, chains: int) -> dict[str, float]:
    """How many standard errors the samples' mean of ln p is from the exact one, and from two wrong ones."""
    prompt, alpha = model.tokenizer.encode(PROMPTS[0]), 2.0
    right, plain, apart = exact(model, prompt, alpha)
    wrong = exact(model, prompt, 1.05 * alpha)[0]
    rows = power(model, [prompt] * chains, alpha=alpha, max_tokens=2, moves=24, seed=0).rows
    logs = np.array(
        [statistics.fmean(row.trace[12:]) for row in rows]
    )  # one number per chain, as moves are no strangers
    mean, error = logs.mean(), logs.std() / np.sqrt(chains)
    print(f"two tokens, T = 1/2, all {model.vocabulary**2} continuations: mean ln p {right:.3f} exactly, {mean:.3f} +- "
          f"{error:.3f} of {chains} chains; T per token {plain:.3f}, total variation {apart:.3f}")  # fmt: skip
    return {"exact": abs(mean - right) / error, "plain": abs(mean - plain) / error, "5%": abs(mean - wrong) / error}


def as_diverse(line: Line, lines: dict[str, Line], kind: str) -> float:
    """The ln p at which texts of another kind have the distinct-2 of this line, between the two nearest T."""
    curve = sorted((other.distinct, other.nats) for name, other in lines.items() if name.startswith(kind))
    return float(np.interp(line.distinct, *zip(*curve, strict=True)))


def claims(far: dict[str, float], lines: dict[str, Line]) -> Iterator[tuple[str, float, str, float]]:
    """Name, measured, and what it must be."""
    yield "power.two-tokens.standard-errors-from-exact", far["exact"], "<=", 3
    yield "power.two-tokens.standard-errors-from-alpha-5%-off", far["5%"], ">=", 3
    yield "power.two-tokens.standard-errors-from-T-per-token", far["plain"], ">=", 3
    plain = lines["per token, T = 0.5"].nats
    for kind, name in (("power", "power, T = 1/2"), ("look-ahead", "look ahead, T = 1/2")):
        line = lines[name]
        yield f"{kind}.T=1/2.nats-over-T-per-token", line.nats - plain, ">=", 5
        yield (
            f"{kind}.T=1/2.nats-over-T-per-token-as-diverse",
            line.nats - as_diverse(line, lines, "per token"),
            ">=",
            3,
        )
        yield (
            f"{kind}.T=1/2.nats-over-likeliest-of-n-as-diverse",
            line.nats - as_diverse(line, lines, "likeliest"),
            ">=",
            0,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer texts; under a minute")
    quick = parser.parse_args().quick
    model = load()
    far = checked(model, 1000 if quick else 2000)
    prompts, each = (PROMPTS[:3], 4) if quick else (PROMPTS, 6)
    print(f"{len(prompts)} prompts, {each} texts each, {TOKENS} tokens at most; {MOVES} moves; means over the texts")
    lines = compared(model, prompts, each)
    if not quick:
        begin = [model.tokenizer.encode(prompt) for prompt in prompts for _ in range(2)]
        traces = np.array(
            [row.trace for row in power(model, begin, alpha=2, max_tokens=TOKENS, moves=160, seed=9).rows]
        )
        shown = ", ".join(f"{traces[:, moves - 1].mean():.1f} after {moves}" for moves in (10, 20, 40, 80, 160))
        print(f"ln p along the moves, T = 1/2, {len(begin)} chains: {shown}")
    failed = False
    for name, value, sign, target in claims(far, lines):
        passed = value <= target if sign == "<=" else value >= target
        failed |= not passed
        print(f"claim {name} {value:.2f} {sign}{target} {'PASS' if passed else 'FAIL'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
