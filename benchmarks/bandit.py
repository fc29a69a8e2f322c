"""How fast is the best temperature found, and what does it cost? heatbath beside bandits that share nothing along T.

Every run has a curve of its own: peaks of any place and width, slopes, nothing at all, two peaks, nine unrelated
values, one spike; rewards that come late, a curve that jumps, one that depends on a context; and logs, replayed.
Rewards are booleans. *Regret* is what was lost against always playing the best, over all decisions: mean, median and
worst tenth of the runs. *Samples* are the decisions until a player is 95 % sure that no T is better than its best by
more than the margin (0.05), looked at every 20 decisions: the median, and the mean with runs that never decide counted
as the horizon, which flatters who is slow; *wrong* are the decisions that lost more than the margin. Those who play
nine temperatures are compared with the best of the nine, those who play every T with the best of the range.

    python benchmarks/bandit.py [--quick]
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import importlib.util
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bandits.players import UCB1, Arms, Cats, Heatbath, Player, TrackAndStop
from bandits.problems import FINE, Problem, replayed, simulated
from scipy.stats import binom

import heatbath as hb
from heatbath.control import thompson

DATA = Path(os.environ.get("HEATBATH_DATA", Path(__file__).parents[1] / "data"))
LOOK, SURE, NOMINAL = 20, 0.95, 0.05
SMOOTH, ROUGH = ("peak inside", "monotone"), ("rough", "one spike")

PLAYERS: dict[str, Callable[[Problem, int], Player]] = {
    "independent arms, Thompson": lambda problem, runs: Arms(problem, runs, 1),
    "UCB1": lambda problem, runs: UCB1(problem, runs, 2),
    "track-and-stop": lambda problem, runs: TrackAndStop(problem, runs, 3),
    "heatbath": lambda problem, runs: Heatbath(problem, runs, 1000, every=False),
    "heatbath, every T": lambda problem, runs: Heatbath(problem, runs, 1000, every=True),
    "Vowpal Wabbit, every T": lambda problem, runs: Cats(problem, runs, 1),
}


class Result(NamedTuple):
    regret: np.ndarray
    samples: np.ndarray
    """inf where it never decided."""
    wrong: np.ndarray


def play(player: Player, problem: Problem, runs: int, horizon: int, *, every: bool) -> Result:
    rng = np.random.default_rng(1)
    offered = np.linspace(problem.low, problem.high, FINE) if every else problem.temperatures()
    offered = np.tile(offered, (runs, 1))
    regret, samples, wrong = np.zeros(runs), np.full(runs, np.inf), np.zeros(runs, bool)
    waiting: deque[tuple[np.ndarray, ...]] = deque()
    decides = not (problem.context or problem.half_life or problem.delay)
    for count in range(horizon):
        context = rng.choice([-1.0, 1.0], runs) if problem.context else np.zeros(runs)
        best = problem.curve(offered, count, context).max(axis=1)
        temperature = player.choose(context)
        mean = problem.curve(temperature[:, None], count, context)[:, 0]
        regret += best - mean
        waiting.append((context, temperature, (rng.random(runs) < mean) * 1.0))
        if len(waiting) > problem.delay:
            player.hear(*waiting.popleft())
        open_ = np.flatnonzero(np.isinf(samples))
        if decides and (count + 1) % LOOK == 0 and open_.size:
            found, confidence = player.sure(open_, problem.margin)
            new, at = open_[confidence >= SURE], found[confidence >= SURE]
            samples[new] = count + 1
            value = problem.curve(np.tile(at, (runs, 1)) if at.size else offered, count, context)
            if at.size:
                wrong[new] = best[new] - value[new, np.arange(at.size)] > problem.margin + 1e-9
    return Result(regret, samples, wrong)


def line(name: str, result: Result, horizon: int) -> str:
    regret, samples, wrong = result
    decided = np.isfinite(samples)
    text = f"  {name:28}{regret.mean():8.1f}{np.median(regret):8.1f}{np.quantile(regret, 0.9):8.1f}"
    if not decided.any():
        return text
    half = np.median(samples)
    middle = f"{half:.0f}" if np.isfinite(half) else f">{horizon}"
    return (
        f"{text}{middle:>9}{np.minimum(samples, horizon).mean():8.0f}"
        f"{decided.mean():9.0%}{wrong.sum():6d} of {decided.sum()}"
    )


def decision_time() -> float:
    """Microseconds of the processor for a step with 54 numbers, the least of several rounds."""
    thermostat = thompson(0, 2, features=list("abcde"))
    context = dict.fromkeys("abcde", 0.3)
    state, rounds = thermostat.init(), []
    for _ in range(20):
        start = time.thread_time()
        for _ in range(200):
            thermostat.step(state, hb.Seen(context=context))
        rounds.append((time.thread_time() - start) / 200 * 1e6)
    return min(rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs and decisions; under a minute")
    quick = parser.parse_args().quick
    runs, horizon, few = (12, 400, 2) if quick else (120, 1500, 20)
    cats = importlib.util.find_spec("vowpalwabbit") is not None
    if not cats:
        print("left out, not installed: Vowpal Wabbit")
    if not DATA.exists():
        print(f"left out, no folder {DATA} (HEATBATH_DATA): the replayed logs")
    found: dict[tuple[str, str], Result] = {}
    print(f"{runs} runs of {horizon} decisions (Vowpal Wabbit: {few})")
    print(f"  {'':28}{'regret':>8}{'median':>8}{'worst':>8}{'samples':>9}{'mean':>8}{'decided':>9}  wrong")
    for problem in (*simulated(runs, horizon, 7), *replayed(runs, DATA)):
        print(f"{problem.name}, {problem.low:g} to {problem.high:g}")
        for name, make in PLAYERS.items():
            every = name.endswith("every T")
            if (every and not problem.continuous) or (name.startswith("Vowpal") and not cats):
                continue
            count = few if name.startswith("Vowpal") else runs
            shown = problem._replace(curve=_first(problem, count, runs))
            found[problem.name, name] = play(make(problem, count), shown, count, horizon, every=every)
            print(line(name, found[problem.name, name], horizon), flush=True)
    return claims(found, horizon, quick)


def _first(problem: Problem, count: int, runs: int) -> Callable[[np.ndarray, int, np.ndarray], np.ndarray]:
    """The curves of the first few runs."""
    if count == runs:
        return problem.curve

    def curve(at: np.ndarray, when: int, context: np.ndarray) -> np.ndarray:
        padded = np.concatenate([at, np.tile(at[:1], (runs - count, 1))])
        return problem.curve(padded, when, np.resize(context, runs))[:count]

    return curve


def claims(found: dict[tuple[str, str], Result], horizon: int, quick: bool) -> int:
    def ratio(names: tuple[str, ...], of: Callable[[Result], float]) -> list[float]:
        ours, theirs = ([of(found[name, who]) for name in names] for who in ("heatbath", "independent arms, Thompson"))
        return [one / other for one, other in zip(ours, theirs, strict=True)]

    def samples(result: Result) -> float:
        return min(float(np.median(result.samples)), horizon)

    decisions = [found[name, "heatbath"] for name in (*SMOOTH, "two peaks", *ROUGH)]
    wrong, decided = (
        sum(int(r.wrong.sum()) for r in decisions),
        sum(int(np.isfinite(r.samples).sum()) for r in decisions),
    )
    regret = ratio((*SMOOTH, "peak, 50 late"), lambda result: float(result.regret.mean()))
    rows = [
        ("bandit.samples.smooth-over-arms", max(ratio(SMOOTH, samples)), 0.5),
        ("bandit.samples.rough-over-arms", max(ratio(ROUGH, samples)), 1.2),
        ("bandit.regret.smooth-over-arms", max(regret), 1.0),
        ("bandit.decision-us", decision_time(), 100.0),
    ]
    if quick:  # of a dozen runs only the time says something
        rows = rows[-1:]
    good = [value <= target for _, value, target in rows]
    for (name, value, target), fine in zip(rows, good, strict=True):
        print(f"claim {name} {value:.2f} <={target:g} {'PASS' if fine else 'FAIL'}")
    fits = wrong <= binom.ppf(0.999, decided, NOMINAL)
    print(f"claim bandit.wrong-decisions {wrong / max(decided, 1):.3f} <={NOMINAL:g} {'PASS' if fits else 'FAIL'}")
    return int(not (all(good) and fits))


if __name__ == "__main__":
    sys.exit(main())
