"""How long does one draw take? heatbath beside its peers and beside the processor's own limit.

Rows of float32 scores shaped like a language model's, -1.3 ln(rank) + N(0, 0.5) in random order, at T = 0.8 (peaked)
and at T = 2 (flat), through one chain after the other. Eight rows at least take turns, for a processor learns the
branches of a row that it sees again and again. Everything runs on one thread, rounds are interleaved, and time is that
of the thread on its processor, so that a busy machine does not blur the ratios; only the two-thread test looks at the
clock. The limit is one pass for the maximum and one for the sum of exponentials of each row. Before anything is timed,
the kernel must have drawn what the reference draws, and the peers nothing that heatbath removes.

    python benchmarks/sampling.py [--quick]
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and PyTorch make their threads

import argparse
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from peers.sampling import Draw, Engine, Steps, engines
from reports.sampling import Claim, Sooner, print_claims, print_heard, print_table

import heatbath as hb
from heatbath import sampling
from heatbath.sampling import asking
from heatbath.sampling.kernel import batch as kernel
from heatbath.sampling.kernel.bits import FAST, key32, take_next
from heatbath.sampling.kernel.weights import LOG2E, weight

TEMPERATURES = {"peaked": 0.8, "flat": 2.0}
HERE = ("temperature", np.nan)
CHAINS: dict[str, Steps] = {  # behind the temperature, or with it where it stands
    "temperature": (),
    "top-k 50": (("top_k", 50),),
    "top-k 1000": (("top_k", 1000),),
    "top-k 5000": (("top_k", 5000),),
    "top-p .1": (("top_p", 0.1),),
    "top-p .5": (("top_p", 0.5),),
    "top-p .95": (("top_p", 0.95),),
    "min-p .05": (("min_p", 0.05),),
    "min-p .001": (("min_p", 0.001),),
    "mixture": (("top_k", 50), ("top_p", 0.95), ("min_p", 0.05)),
    "typical .95": (("typical", 0.95),),
    "top-n-sigma 1": (("top_n_sigma", 1.0),),
    "order of llama.cpp": (("top_k", 40), ("top_p", 0.95), ("min_p", 0.05), HERE),
    "order of vLLM": (HERE, ("min_p", 0.05), ("top_k", 40), ("top_p", 0.95)),
    "order of mlx-lm": (("top_p", 0.95), ("min_p", 0.05), ("top_k", 40), HERE),
    "order of Ollama MLX": (("top_k", 40), HERE, ("top_p", 0.95), ("min_p", 0.05)),
}
"""The mixture has the order of transformers, SGLang, TensorRT-LLM, ExLlamaV2 and text-generation-webui."""

LISTENING = {  # thermostats, and how many times a fixed T they may cost
    "edt": ("edt(0.9, 0.5)", 2.0),
    "dynatemp": ("dynatemp(0.8, 0.5)", 2.0),
    "hold_entropy": ("hold_entropy(2.0)", 3.0),
    "hold_entropy of a mean": ("hold_entropy(2.0, 32)", 3.0),
}
BEHIND = {"top-p .95": "top_p(0.95)"}
"""What stands behind the thermostat, where anything does."""
COMMON = {"temperature", "top_k", "top_p", "min_p"}
TURNS = 8
LEAST = 3  # calls, however long they take
FASTMATH = {"fastmath": FAST | {"nnan"}, "error_model": "numpy"}


class Extent(NamedTuple):
    """How much is measured."""

    chains: tuple[str, ...]
    options: tuple[int, ...]
    batches: tuple[int, ...]
    rounds: int
    seconds: float  # per engine and cell, for those that are slow
    seeds: int


FULL = Extent(tuple(CHAINS), (32_768, 131_072, 262_144), (1, 8, 64), 7, 0.25, 4)
QUICK = Extent(
    ("temperature", "top-k 50", "top-k 1000", "top-p .95", "min-p .05", "mixture", "typical .95", "order of llama.cpp"),
    (32_768, 131_072),
    (1, 8),
    5,
    0.05,
    2,
)


class Cell(NamedTuple):
    kind: str
    chain: str
    options: int
    rows: int

    def __str__(self) -> str:
        return f"{self.kind} {self.chain}, {self.options} x {self.rows}"

    @property
    def steps(self) -> Steps:
        heat = ("temperature", TEMPERATURES[self.kind])
        steps = CHAINS[self.chain]
        return tuple(heat if step is HERE else step for step in (steps if HERE in steps else (HERE, *steps)))


Times = dict[Cell, dict[str, float]]  # microseconds per row of each engine


@cache
def scores(options: int) -> np.ndarray:
    rng = np.random.default_rng(options)
    slope = -1.3 * np.log(np.arange(1, options + 1))
    return np.array([rng.permutation(slope + rng.normal(0, 0.5, options)) for _ in range(64)], np.float32)


@cache
def sampler(steps: Steps) -> hb.Sampler:
    return hb.chain(*(getattr(sampling, name)(number) for name, number in steps))


def with_sampler(steps: Steps, rows: np.ndarray) -> Draw:
    """heatbath as its users call it."""
    return drawing(sampler(steps), rows)


def drawing(ours: hb.Sampler, rows: np.ndarray) -> Draw:
    state = ours.init()

    def draw() -> Any:
        nonlocal state
        choice, state, _ = ours.step(state, rows, seed=7)
        return choice

    return draw


def with_kernel(steps: Steps, rows: np.ndarray) -> Draw:
    """The compiled code alone: what Sampler.step takes longer is Python."""
    codes, plain, numbers, _ = asked(steps).settled
    room, known, nothing = *workspace(rows.shape[1]), np.zeros(len(codes) + 1, bool)
    none, untold = np.zeros(1), np.zeros((1, 3))
    seeds, choices = np.arange(7, 7 + len(rows), dtype=np.uint64), np.empty(len(rows), np.int64)
    positions = itertools.cycle([np.full(len(rows), position, np.uint64) for position in range(64)])
    serve, turn = kernel.part(kernel.DRAW, plain), np.zeros(1, np.int64)

    def draw() -> np.ndarray:
        turn[0] = 0
        serve(
            kernel.DRAW, rows, codes, numbers, seeds, next(positions), none, nothing, *known, *room, turn,
            choices, untold,
        )  # fmt: skip
        return choices

    return draw


def asked(steps: Steps) -> asking.Plan | None:
    """What the kernel is asked for; None where the reference serves."""
    return asking.plan(sampler(steps).steps, sampler(steps).draw.quick)


@cache
def workspace(options: int) -> Any:
    return kernel.room_for(options, np.float32), kernel.peaks_for(options, np.float32)


@njit(**FASTMATH)
def peak(row):
    top = np.int32(-(2**31))
    for i in range(row.shape[0]):
        top = max(top, key32(row[i]))  # a maximum of whole numbers becomes vector code, one of floats does not
    return top


@njit(**FASTMATH)
def mass(row, high, low):
    total = np.float32(0)
    for i in range(row.shape[0]):
        total += weight(row[i], high, low, 0.0)
    return total


@njit(**FASTMATH)
def both(rows, high, low):
    total = 0.0
    for i in range(rows.shape[0]):  # an iterator over the rows would hide that each lies in one piece
        total += peak(rows[i]) + mass(rows[i], high, low)
    return total


def limit(steps: Steps, rows: np.ndarray) -> Draw:
    per = LOG2E / dict(steps)["temperature"]
    high = float(np.float32(per))
    return lambda: both(rows, high, per - high)


def unlike(cell: Cell, seeds: int) -> int:
    """How many draws of the kernel are not those of the reference, or were left to it."""
    ours, rows, wrong = sampler(cell.steps), scores(cell.options)[: cell.rows], 0
    at = np.unique(np.linspace(0, cell.rows - 1, min(cell.rows, 4)).astype(int))
    bare = with_kernel(cell.steps, rows)
    for seed in range(seeds):
        sampling.threads(1 + seed % 2)
        drawn = ours.step((), rows, seed=seed).choice[at]
        plain = ours.step((), rows[at], seed=(at + seed).tolist(), reading=True)  # readings are for the reference
        wrong += int((drawn != plain.choice).sum())
        wrong += int((bare() < 0).sum())
    sampling.threads(1)
    return wrong


def strays(cell: Cell, peers: list[Engine]) -> tuple[int, int]:
    """How many draws of the peers are of options that heatbath removes, and how many draws that were."""
    rows = scores(cell.options)[:2]
    kept = sampler(cell.steps).scores((), rows).scores > -np.inf
    drawn = [np.asarray(draw()) for peer in peers if (draw := peer.prepare(cell.steps, rows))]
    return sum(int((~kept[range(len(rows)), choice]).sum()) for choice in drawn), len(drawn) * len(rows)


def microseconds(draws: Iterator[Draw], calls: int, clock: Callable[[], int] = time.thread_time_ns) -> float:
    began = clock()
    for _ in range(calls):
        next(draws)()
    return (clock() - began) / calls / 1e3


def measure(cell: Cell, everyone: list[Engine], rounds: int, seconds: float) -> dict[str, float]:
    """Medians; who is slow takes part in fewer rounds."""
    rows = scores(cell.options)
    starts = range(0, max(TURNS, cell.rows), cell.rows)
    guess: dict[str, float] = {}
    turns: dict[str, Iterator[Draw]] = {}
    for engine in everyone:
        single = engine.prepare(cell.steps, rows[:1])
        if single:
            single()
            guess[engine.name] = microseconds(itertools.repeat(single), 1) * cell.rows
            draws = [engine.prepare(cell.steps, rows[i : i + cell.rows]) for i in starts]
            turns[engine.name] = itertools.cycle(draw for draw in draws if draw)
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for turn in range(rounds):
        for name in random.Random(turn).sample(list(turns), len(turns)):  # who comes first leaves the caches warm
            if turn >= LEAST and (turn + 1) * guess[name] > seconds * 1e6:
                continue
            if guess[name] < 2e4:
                next(turns[name])()
            calls = int(np.clip(4e3 / guess[name], 1, 200))
            taken[name].append(microseconds(turns[name], calls) / cell.rows)
    return {name: statistics.median(times) for name, times in taken.items()}


@njit(nogil=True, **FASTMATH)
def maxima(rows, turn):
    top = np.int32(-(2**31))
    while True:
        row = take_next(turn)
        if row >= rows.shape[0]:
            return top
        top = max(top, peak(rows[row]))


def with_maxima(rows: np.ndarray, helper: ThreadPoolExecutor) -> Draw:
    """Nothing but the maximum of each row, by as many threads as draw."""

    def draw() -> None:
        turn = np.zeros(1, np.int64)
        helping = helper.submit(maxima, rows, turn) if sampling.threads() > 1 else None
        maxima(rows, turn)
        if helping:
            helping.result()

    return draw


def two_threads(cell: Cell, rounds: int) -> Sooner:
    """How much sooner two threads are done."""
    rows, helper = scores(cell.options), ThreadPoolExecutor(1)
    draws = [itertools.repeat(draw) for draw in (with_sampler(cell.steps, rows), with_maxima(rows, helper))]
    calls = [max(3, int(2e4 / microseconds(each, 3))) for each in draws]  # the system needs time to spread the threads
    taken: dict[tuple[int, int], list[float]] = {at: [] for at in itertools.product((0, 1), (1, 2))}
    got = []
    for _ in range(rounds):
        for (which, number), times in taken.items():
            sampling.threads(number)
            next(draws[which])()
            began = time.process_time_ns()
            times.append(microseconds(draws[which], calls[which], time.perf_counter_ns))
            if (which, number) == (0, 2):
                got.append((time.process_time_ns() - began) / times[-1] / calls[which] / 1e3)
    sampling.threads(1)
    helper.shutdown()
    ours, plain = (statistics.median(taken[which, 1]) / statistics.median(taken[which, 2]) for which in (0, 1))
    return Sooner(ours, plain, statistics.median(got))


def listening(cell: Cell, rounds: int) -> float:
    """How many times a chain at a fixed T the same chain costs under a thermostat that looks at the scores.

    The fixed T is the one that it decides, for ``top_p`` takes longer where the temperature keeps more.
    """
    starts = range(0, max(TURNS, cell.rows), cell.rows)
    shown = scores(cell.options) * np.float32(0.8 / TEMPERATURES[cell.kind])
    name, _, behind = cell.chain.partition(", ")
    decided = hb.parse(f"temperature({LISTENING[name][0]})").scores((), shown[:TURNS]).temperature
    turns = {}
    for text in (LISTENING[name][0], str(float(np.median(decided)))):
        ours = hb.parse(" -> ".join([f"temperature({text})", *([BEHIND[behind]] if behind else [])]))
        draws = [drawing(ours, shown[i : i + cell.rows]) for i in starts]
        turns[text] = itertools.cycle(draws)
        for draw in draws:
            draw()
    taken: dict[str, list[float]] = {text: [] for text in turns}
    for turn in range(3 * rounds):
        for text in random.Random(turn).sample(list(turns), len(turns)):
            taken[text].append(microseconds(turns[text], TURNS))
    listens, fixed = (statistics.median(times) for times in taken.values())
    return listens / fixed


def shown(what: str, cells: list[Cell]) -> Iterator[Cell]:
    for number, cell in enumerate(cells, start=1):
        print(f"\r{what}: {number} of {len(cells)} ", end="", file=sys.stderr, flush=True)
        yield cell
    print(file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer cells and rounds; under a minute")
    extent = QUICK if parser.parse_args().quick else FULL
    peers = list(engines())
    everyone = [Engine("step", with_sampler), Engine("kernel", with_kernel), Engine("limit", limit), *peers]
    served = [name for name in extent.chains if asked(Cell("flat", name, 0, 0).steps)]
    for name in extent.chains:
        if name not in served:
            print(f"served by the reference, not timed: {name}")
    cells = [Cell(*at) for at in itertools.product(TEMPERATURES, served, extent.options, extent.batches)]
    wide = [Cell(*at) for at in itertools.product(TEMPERATURES, served, extent.options, (64,))]

    wrong = {cell: float(unlike(cell, extent.seeds)) for cell in shown("compared with the reference", cells)}
    counts = [strays(cell, peers) for cell in cells if cell.rows == 1]
    stray, drawn = map(sum, zip(*counts, strict=True))
    print(f"draws of the peers that are of options heatbath removes: {stray} of {drawn}")
    assert stray <= drawn / 100, "they must do the same work, but for the rounding at a boundary"

    times = {cell: measure(cell, everyone, extent.rounds, extent.seconds) for cell in shown("measured", cells)}
    threads = {cell: two_threads(cell, extent.rounds) for cell in shown("two threads", wide)}
    print_table(times, threads, [peer.name for peer in peers], extent.batches)
    sooner = {cell: two.ratio for cell, two in threads.items()}
    return int(print_claims(claims(times, sooner, wrong, heard(extent))))


def heard(extent: Extent) -> dict[str, dict[Cell, float]]:
    """What each thermostat that looks at the scores costs, over a fixed T."""
    few = [rows for rows in extent.batches if rows <= TURNS]
    chains = [f"{name}{behind}" for name in LISTENING for behind in ("", *(f", {each}" for each in BEHIND))]
    cells = [Cell(*at) for at in itertools.product(TEMPERATURES, chains, extent.options, few)]
    ratios: dict[str, dict[Cell, float]] = {name: {} for name in LISTENING}
    for cell in shown("listening", cells):
        ratios[cell.chain.partition(", ")[0]][cell] = listening(cell, extent.rounds)
    print_heard(ratios, {name: most for name, (_, most) in LISTENING.items()}, few)
    return ratios


def claims(
    times: Times, threads: dict[Cell, float], wrong: dict[Cell, float], heard: dict[str, dict[Cell, float]]
) -> Iterator[Claim]:
    yield Claim("draws-unlike-reference", wrong, 0, least=False)
    for peer, target in (("transformers", 150.0), ("llama.cpp", 1.0)):
        yield Claim(f"over-{peer}", {cell: t[peer] / t["step"] for cell, t in times.items() if peer in t}, target)
    for name in ("step", "kernel"):
        over = {cell: t[name] / t["limit"] for cell, t in times.items()}
        common = {cell: n for cell, n in over.items() if {step for step, _ in cell.steps} <= COMMON}
        others = {cell: n for cell, n in over.items() if cell not in common}
        yield Claim(f"limits-of-{name}", common, 3.0, least=False)
        yield Claim(f"limits-of-{name}.other-chains", others, 6.0, least=False)
    for name, ratios in heard.items():
        yield Claim(f"{name.replace(' ', '-')}.over-fixed-T", ratios, LISTENING[name][1], least=False)
    yield Claim("two-threads.batch-64", threads, 1.7)


if __name__ == "__main__":
    sys.exit(main())
