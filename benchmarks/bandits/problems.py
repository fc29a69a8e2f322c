"""What is to be learned: curves of reward against temperature, simulated and replayed, one per run."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

Floats = np.ndarray
FINE = 401


class Problem(NamedTuple):
    """As many runs as there are curves, side by side. Rewards are booleans."""

    name: str
    low: float
    high: float
    arms: int
    """How many temperatures those play that know only a few, equally spaced."""
    curve: Callable[[Floats, int, Floats], Floats]
    """The mean reward ``(runs, n)`` of temperatures ``(runs, n)`` at a time, where the context is ``(runs,)``."""
    smooth: bool = True
    delay: int = 0
    """A reward comes after so many decisions."""
    half_life: float | None = None
    """Known to the players, where the curve changes."""
    context: bool = False
    continuous: bool = True
    """Whether T may lie between the arms."""
    margin: float = 0.05
    """Which loss would not matter."""

    def temperatures(self) -> Floats:
        return np.linspace(self.low, self.high, self.arms)


def bump(at: Floats, middle: Floats, width: Floats) -> Floats:
    return np.exp(-0.5 * ((at - middle) / width) ** 2)


def between(values: Floats, low: float, high: float) -> Callable[[Floats, int, Floats], Floats]:
    """Straight lines between values at equally spaced temperatures."""

    def curve(at: Floats, _time: int, _context: Floats) -> Floats:
        place = (at - low) / (high - low) * (values.shape[1] - 1)
        left = np.clip(np.floor(place).astype(int), 0, values.shape[1] - 2)
        part = place - left
        one, two = (np.take_along_axis(values, left + step, axis=1) for step in (0, 1))
        return (1 - part) * one + part * two

    return curve


def simulated(runs: int, horizon: int, seed: int) -> Iterator[Problem]:
    rng = np.random.default_rng(seed)

    def among(low: float, high: float) -> Floats:
        return rng.uniform(low, high, (runs, 1))

    def nine(name: str, curve: Callable[[Floats, int, Floats], Floats], **more: object) -> Problem:
        return Problem(name, 0.0, 2.0, 9, curve, **more)  # type: ignore[arg-type]

    level, height, middle, width = among(0.2, 0.5), among(0.15, 0.45), among(0.4, 1.6), among(0.3, 0.8)

    def peak(at: Floats, _time: int, _context: Floats) -> Floats:
        return level + height * bump(at, middle, width)

    yield nine("peak inside", peak)
    side, scale = rng.choice([-1, 1], (runs, 1)), among(0.2, 0.6)
    yield nine("monotone", lambda at, _t, _x: level + height / (1 + np.exp(side * (at - middle) / scale)))
    yield nine("flat", lambda at, _t, _x: 0.5 + 0 * at)
    first, second, lower = among(0.3, 0.7), among(1.3, 1.7), among(0.5, 0.9)

    def two(at: Floats, _time: int, _context: Floats) -> Floats:
        return level + height * np.maximum(bump(at, first, 0.25), lower * bump(at, second, 0.25))

    yield nine("two peaks", two)
    yield nine("rough", between(rng.uniform(0.3, 0.8, (runs, 9)), 0, 2), smooth=False)
    spike = np.full((runs, 9), 0.4)
    spike[np.arange(runs), rng.integers(0, 9, runs)] = 0.65
    yield nine("one spike", between(spike, 0, 2), smooth=False)
    yield nine("peak, 50 late", peak, delay=50)
    later = 2 - middle

    def jump(at: Floats, time: int, _context: Floats) -> Floats:
        return level + height * bump(at, middle if time < horizon // 2 else later, width)

    yield nine("peak that jumps", jump, half_life=horizon / 4)
    shift = among(0.2, 0.5)
    yield nine("by context", lambda at, _t, x: level + height * bump(at, 1 + x[:, None] * shift, width), context=True)


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return list(csv.DictReader(file))


def replayed(runs: int, data: Path) -> Iterator[Problem]:
    """A decision is answered by a row of the log that was made at its T, drawn with replacement."""
    answers = data / "jhu-llm-temperature" / "answers.csv.gz"
    if answers.exists():
        right: dict[tuple[str, ...], dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
        for row in rows_of(answers):
            given = row["answers_1_to_10"].split(",")
            sweep = right[row["model"], row["prompt"], row["exam"]]
            sweep[float(row["temperature"])].append(sum(one == row["correct"] for one in given) / len(given))
        sweeps = np.array([[np.mean(sweep[t]) for t in sorted(sweep)] for sweep in right.values()])
        values = sweeps[np.arange(runs) % len(sweeps)]
        yield Problem("exams, 12 sweeps", 0, 1, values.shape[1], between(values, 0, 1), continuous=False)
    for campaign in ("men", "women"):
        clicks = data / "open-bandit-small" / f"random-{campaign}.csv.gz"
        items = data / "open-bandit-small" / f"{campaign}-item_context.csv"
        if clicks.exists() and items.exists():
            feature = {row["item_id"]: float(row["item_feature_0"]) for row in rows_of(items)}
            rows = [(feature[row["item_id"]], int(row["click"])) for row in rows_of(clicks)]
            order = np.array([click for _, click in sorted(rows, key=lambda row: row[0])])
            rates = np.array([part.mean() for part in np.array_split(order, 9)])
            values = np.tile(rates, (runs, 1))
            curve = between(values, 0, 1)
            yield Problem(f"clicks, {campaign}", 0, 1, 9, curve, smooth=False, continuous=False, margin=0.001)
