"""How long does one draw from a PyTorch tensor take by the steps that never wait for a device?

On the processor they are not what draws (the compiled kernel is, and stands beside them): here they show what their
design costs, on one thread, by the time of the thread. On a GPU (``--device cuda``) they are what draws; there the
clock counts, and PyTorch is told to raise an error at every operation that waits for the device. Rounds are
interleaved. Before anything is timed, the tokens must be those of NumPy.

The columns: ``unlooked``, as tensors on a device are drawn from; ``looked``, the same steps with their values checked
at once, which lets top-p and typical rank a head first; ``NumPy``, the plain steps on NumPy arrays; ``kernel``, what
a tensor on the processor gets; ``transformers``, its warpers, softmax and multinomial; ``compiled``, the unlooked step
behind ``torch.compile``, whose compilation takes about a minute a chain and is not counted.

    python benchmarks/tensors.py [--quick] [--compile] [--device cuda]
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
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from peers.sampling import Steps, with_transformers

import heatbath as hb
from heatbath import sampling

CHAINS: dict[str, Steps] = {
    "temperature": (),
    "top-k 50": (("top_k", 50),),
    "top-p .95": (("top_p", 0.95),),
    "min-p .05": (("min_p", 0.05),),
    "mixture": (("top_k", 50), ("top_p", 0.95), ("min_p", 0.05)),
    "typical .95": (("typical", 0.95),),
}
COMPILED = ("mixture",)
Draw = Callable[[], Any]


class Cell(NamedTuple):
    chain: str
    options: int
    rows: int

    def __str__(self) -> str:
        return f"{self.chain}, {self.options} x {self.rows}"

    @property
    def steps(self) -> Steps:
        return ("temperature", 0.8), *CHAINS[self.chain]


def scores(options: int, rows: int) -> np.ndarray:
    rng = np.random.default_rng(options)
    slope = -1.3 * np.log(np.arange(1, options + 1))
    return np.array([rng.permutation(slope + rng.normal(0, 0.5, options)) for _ in range(rows)], np.float32)


def made(cell: Cell) -> hb.Sampler:
    return hb.chain(*(getattr(sampling, name)(number) for name, number in cell.steps))


def plain(sampler: hb.Sampler) -> hb.Sampler:
    """The same without the compiled kernel."""
    return sampler._replace(draw=sampler.draw._replace(quick=None))


def stepping(sampler: hb.Sampler, rows: Any, seed: Any, position: Any) -> Draw:
    state = (position, sampler.init()[1])

    def draw() -> Any:
        nonlocal state
        choice, state, _ = sampler.step(state, rows, seed=seed)
        return choice

    return draw


@contextmanager
def never_waiting(device: str) -> Iterator[None]:
    with hb.core.checks(now=False):
        if device != "cuda":
            yield
            return
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")


def within(context: Callable[[], Any], draw: Draw) -> Draw:
    def inside() -> Any:
        with context():
            return draw()

    return inside


def compiled(sampler: hb.Sampler, rows: Any, seed: Any) -> Draw:
    step = torch.compile(lambda logits, at: sampler.step(at, logits, seed=seed)[:2], fullgraph=True)
    state: Any = (torch.tensor(0, device=rows.device), sampler.init()[1])

    def draw() -> Any:
        nonlocal state
        choice, state = step(rows, state)
        return choice

    draw()
    state = (torch.zeros_like(state[0]), state[1])
    return draw


def engines(cell: Cell, device: str, compiling: bool) -> dict[str, Draw]:
    sampler, rows = made(cell), scores(cell.options, cell.rows)
    tensor = torch.from_numpy(rows).to(device)
    seeds = torch.arange(7, 7 + cell.rows, device=device)
    found = {
        "unlooked": within(partial(never_waiting, device), stepping(sampler, tensor, 7, 0)),
        "looked": within(partial(hb.core.checks, now=True), stepping(plain(sampler), tensor, 7, 0)),
        "NumPy": stepping(plain(sampler), rows, 7, 0),
        "kernel": stepping(sampler, rows, 7, 0),
    }
    theirs = with_transformers("transformers").prepare(cell.steps, tensor)
    if theirs:
        found["transformers"] = theirs
    if compiling and cell.chain in COMPILED:
        found["compiled"] = compiled(sampler, tensor, seeds)
    return found


def unlike(drawing: dict[str, Draw], steps: int) -> int:
    """How many tokens are not those of NumPy."""
    wrong = 0
    for _ in range(steps):
        drawn = {name: np.asarray(draw().tolist()) for name, draw in drawing.items() if name != "transformers"}
        wrong += sum(int((tokens != drawn["NumPy"]).sum()) for tokens in drawn.values())
    return wrong


def microseconds(draw: Draw, device: str) -> float:
    clock = time.thread_time_ns if device == "cpu" else time.perf_counter_ns
    calls = 3 if device == "cpu" else 20
    draw()
    if device == "cuda":
        torch.cuda.synchronize()
    began = clock()
    for _ in range(calls):
        draw()
    if device == "cuda":
        torch.cuda.synchronize()
    return (clock() - began) / calls / 1e3


def measure(cell: Cell, drawing: dict[str, Draw], device: str, rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in drawing}
    for turn in range(rounds):
        for name in random.Random(turn).sample(list(drawing), len(drawing)):
            taken[name].append(microseconds(drawing[name], device) / cell.rows)
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer cells and rounds; under a minute")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well; minutes")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    sizes = ((32_768,), (1, 8), 3) if asked.quick else ((32_768, 131_072), (1, 8), 5)
    cells = [Cell(*at) for at in itertools.product(CHAINS, sizes[0], sizes[1])]
    times, wrong = {}, {}
    for cell in cells:
        drawing = engines(cell, asked.device, asked.compile)
        wrong[cell] = unlike(drawing, 3)
        times[cell] = measure(cell, drawing, asked.device, sizes[2])
    print_table(times, sizes[1])
    return int(print_claims(times, wrong))


def print_table(times: dict[Cell, dict[str, float]], batches: tuple[int, ...]) -> None:
    names = ["unlooked", "looked", "NumPy", "kernel", "transformers", "compiled"]
    print(f"\nMicroseconds per row in batches of {' / '.join(map(str, batches))}.\n")
    print(f"| | options | {' | '.join(names)} |")
    print("|" + "---|" * (len(names) + 2))
    for cell in times:
        if cell.rows == batches[0]:
            rows = [times[cell._replace(rows=number)] for number in batches]
            columns = [" / ".join(f"{row[name]:.0f}" for row in rows if name in row) for name in names]
            print(f"| {cell.chain} | {cell.options} | {' | '.join(columns)} |")


def print_claims(times: dict[Cell, dict[str, float]], wrong: dict[Cell, int]) -> bool:
    """A line per claim with its worst cell, before them the cells that fall short; whether one failed."""
    over = {cell: t["transformers"] / t["unlooked"] for cell, t in times.items() if "transformers" in t}
    short = {cell: ratio for cell, ratio in over.items() if ratio < 1}
    for cell, ratio in sorted(short.items(), key=lambda item: item[1]):
        print(f"  slower than transformers: {ratio:.2f}  {cell}")
    print(f"\nclaim tensors.draws-unlike-numpy {sum(wrong.values())} <=0 {'FAIL' if any(wrong.values()) else 'PASS'}")
    print(f"claim tensors.over-transformers {min(over.values()):.2f} >=1 {'FAIL' if short else 'PASS'}")
    return bool(short) or any(wrong.values())


if __name__ == "__main__":
    sys.exit(main())
