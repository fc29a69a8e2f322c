"""Who learns: heatbath and its peers, many runs side by side."""

from typing import Any, Protocol

import numpy as np

import heatbath as hb
from bandits.problems import Floats, Problem
from heatbath.control import learned, thompson
from heatbath.sampling import row_of, stack


class Player(Protocol):
    """Chooses for every run at once, and hears of every run at once."""

    def choose(self, context: Floats) -> Floats: ...

    def hear(self, context: Floats, temperature: Floats, reward: Floats) -> None: ...

    def sure(self, rows: Floats, margin: float) -> tuple[Floats, Floats]:
        """The best T of these runs, and the probability that none is better by more than a margin."""
        ...


class Heatbath:
    """``thompson`` over every T, or over the few."""

    def __init__(self, problem: Problem, runs: int, seed: int, *, every: bool) -> None:
        settings: dict[str, Any] = {"half_life": problem.half_life, "steps": None if every else problem.arms}
        self.names = ["x"] if problem.context else []
        make = [
            thompson(problem.low, problem.high, features=self.names, seed=seed + i, **settings) for i in range(runs)
        ]
        self.thermostat, self.state, self.one = make[0], stack([each.init() for each in make]), make[0].init()

    def choose(self, context: Floats) -> Floats:
        temperature, self.state = self.thermostat.step(self.state, hb.Seen(context={"x": context}))
        return np.asarray(temperature)

    def hear(self, context: Floats, temperature: Floats, reward: Floats) -> None:
        said = hb.Outcome(reward=reward, context={"temperature": temperature, "x": context})
        self.state = self.thermostat.learn(self.state, said)

    def sure(self, rows: Floats, margin: float) -> tuple[Floats, Floats]:
        some = stack([row_of(self.one, self.state, int(row)) for row in rows])
        found = learned(self.thermostat, some, margin=margin, curves=600)
        return found.best, found.confidence


class Arms:
    """Temperatures that teach each other nothing: a beta posterior each, one set of arms per context."""

    def __init__(self, problem: Problem, runs: int, seed: int) -> None:
        self.at, self.rng = problem.temperatures(), np.random.default_rng(seed)
        self.fading = 0.5 ** (1 / problem.half_life) if problem.half_life else 1.0
        self.won, self.lost, self.tried = np.zeros((3, runs, 2, self.at.size))
        self.row, self.time = np.arange(runs), 0

    def choose(self, context: Floats) -> Floats:
        self.time += 1
        group = (context > 0).astype(int)
        if self.fading < 1:
            self.tried *= self.fading
        arm = self.pick(*(each[self.row, group] for each in (self.won, self.lost, self.tried)))
        self.tried[self.row, group, arm] += 1
        return self.at[arm]

    def pick(self, won: Floats, lost: Floats, tried: Floats) -> Floats:  # noqa: ARG002  others count what is outstanding
        return self.rng.beta(1 + won, 1 + lost).argmax(axis=1)

    def hear(self, context: Floats, temperature: Floats, reward: Floats) -> None:
        group, arm = (context > 0).astype(int), np.abs(temperature[:, None] - self.at).argmin(axis=1)
        if self.fading < 1:
            self.won *= self.fading
            self.lost *= self.fading
        self.won[self.row, group, arm] += reward
        self.lost[self.row, group, arm] += 1 - reward

    def sure(self, rows: Floats, margin: float) -> tuple[Floats, Floats]:
        won, lost = 1 + self.won[rows, 0], 1 + self.lost[rows, 0]
        drawn = self.rng.beta(won[:, None], lost[:, None], (rows.size, 600, self.at.size))
        best = (won / (won + lost)).argmax(axis=1)
        loss = drawn.max(axis=2) - np.take_along_axis(drawn, best[:, None, None], axis=2)[..., 0]
        return self.at[best], (loss <= margin).mean(axis=1)


class UCB1(Arms):
    """Auer, Cesa-Bianchi and Fischer, 2002; the same posterior says when it is sure."""

    def pick(self, won: Floats, lost: Floats, tried: Floats) -> Floats:
        mean = np.where(won + lost > 0, won / np.maximum(won + lost, 1e-9), 0.5)
        total = np.maximum(tried.sum(axis=1, keepdims=True), 1)
        bound = mean + np.sqrt(2 * np.log(total) / np.maximum(tried, 1e-9))
        return np.where(tried < 0.5, np.inf, bound).argmax(axis=1)


class TrackAndStop(Arms):
    """Garivier and Kaufmann, 2016, for normal rewards of variance 1/4, with the margin added to every gap; the stopping
    rule of TensorZero: ``(gap + margin)^2 / (2 (v / n_1 + v / n_a)) > ln((1 + ln t) / 0.05)``."""

    variance = 0.25

    def __init__(self, problem: Problem, runs: int, seed: int) -> None:
        super().__init__(problem, runs, seed)
        self.margin, self.share = problem.margin, np.full((runs, self.at.size), 1 / self.at.size)

    def pick(self, won: Floats, lost: Floats, tried: Floats) -> Floats:
        n = tried
        if self.time % 10 == 1:
            self.share = self.proportions(won / np.maximum(won + lost, 1e-9))
        behind = np.sqrt(n.sum(axis=1, keepdims=True)) - self.at.size / 2 > n
        forced = np.where(n < 10, n, np.where(behind, n, np.inf))
        tracked = (n.sum(axis=1, keepdims=True) * self.share - n).argmax(axis=1)
        return np.where(np.isfinite(forced).any(axis=1), forced.argmin(axis=1), tracked)

    def proportions(self, mean: Floats) -> Floats:
        best = mean.argmax(axis=1)
        gap = 0.5 * (mean.max(axis=1, keepdims=True) - mean + self.margin) ** 2
        gap[np.arange(best.size), best] = np.inf
        low, high = np.zeros((best.size, 1)), gap.min(axis=1, keepdims=True)
        for _ in range(40):  # the shares x, relative to the best arm's, have squares that sum to 1
            middle = (low + high) / 2
            above = ((middle / (gap - middle)) ** 2).sum(axis=1, keepdims=True) > 1
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        share = low / (gap - low)
        share[np.arange(best.size), best] = 1
        return share / share.sum(axis=1, keepdims=True)

    def sure(self, rows: Floats, margin: float) -> tuple[Floats, Floats]:
        won, lost = self.won[rows, 0], self.lost[rows, 0]
        n = np.maximum(won + lost, 1e-9)
        mean = won / n
        best = mean.argmax(axis=1)
        top, most = (np.take_along_axis(each, best[:, None], axis=1) for each in (mean, n))
        evidence = (top - mean + margin) ** 2 / (2 * self.variance * (1 / most + 1 / n))
        evidence[np.arange(best.size), best] = np.inf
        enough = evidence.min(axis=1) > np.log((1 + np.log(max(self.time, 1))) / 0.05)
        return self.at[best], np.where(enough, 1.0, 0.0)


class Cats:
    """Vowpal Wabbit's continuous actions: a tree over 16 temperatures, smoothed (Majzoubi et al., 2020)."""

    def __init__(self, problem: Problem, runs: int, seed: int) -> None:
        import vowpalwabbit

        low, high = problem.low, problem.high
        settings = f"--cats 16 --bandwidth {(high - low) / 16} --min_value {low} --max_value {high} --epsilon 0.05"
        make = vowpalwabbit.Workspace
        self.learners = [make(f"{settings} --quiet --random_seed {seed + run}") for run in range(runs)]
        self.density: dict[tuple[int, float], float] = {}

    def choose(self, context: Floats) -> Floats:
        got = [vw.predict(f"|f x={x:g}") for vw, x in zip(self.learners, context, strict=True)]
        self.density |= {(run, temperature): density for run, (temperature, density) in enumerate(got)}
        return np.array([temperature for temperature, _ in got])

    def hear(self, context: Floats, temperature: Floats, reward: Floats) -> None:
        for run, (vw, x, t, r) in enumerate(zip(self.learners, context, temperature, reward, strict=True)):
            vw.learn(f"ca {t}:{1 - r:g}:{self.density[run, float(t)]} |f x={x:g}")

    def sure(self, rows: Floats, margin: float) -> tuple[Floats, Floats]:  # noqa: ARG002  it knows no uncertainty
        return np.zeros(rows.size), np.zeros(rows.size)
