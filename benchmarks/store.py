"""What a decision and its answer cost in the store: requests per second, and CPU per request.

Concurrent tasks await a decision and hand in an answer, as the gateway does; nothing else runs, so that all CPU is the
store's. The floor is printed beside it: the same rows by ``executemany`` of the driver, in transactions of as many.

    python benchmarks/store.py [--quick] [--url postgresql://...]
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from heatbath.experiments import Answer, Decision, Experiment, Feedback, Store, new_id
from heatbath.experiments.results import results

BUDGET = 30.0
"""Microseconds of CPU per request, in all threads together."""


def rows(count: int) -> list[tuple[Decision, Answer]]:
    at = 1_700_000_000.0
    made = (
        Decision(new_id(at + n), at + n, "gpt-4.1", "poem", "fixed(0.7)", None, 0.7, 0.7, "adjustable", "c0ffee",
                 "0123456789abcdef", "poem", "warm", 0.5)
        for n in range(count)
    )  # fmt: skip
    return [(each, Answer(each.id, each.at, 200, 0.5, 0.1, 12, 34, "stop")) for each in made]


def record(store: Store, made: list[tuple[Decision, Answer]], concurrency: int) -> tuple[float, float, float]:
    """Requests per second, and microseconds of CPU in the event loop's thread and in all threads."""

    async def run() -> tuple[float, float, float]:
        left = iter(made)

        async def work() -> None:
            for decision, answer in left:
                await store.decided(decision)
                store.answered(answer)

        wall, loop, every = time.perf_counter(), time.thread_time(), time.process_time()
        await asyncio.gather(*(work() for _ in range(concurrency)))
        await store.flushed()
        wall, loop, every = time.perf_counter() - wall, time.thread_time() - loop, time.process_time() - every
        return len(made) / wall, loop / len(made) * 1e6, every / len(made) * 1e6

    return asyncio.run(run())


def bare(path: Path, made: list[tuple[Decision, Answer]], together: int) -> float:
    """Microseconds of CPU per request of the driver alone."""
    with Store.open(f"sqlite:///{path}"):
        pass
    connection = sqlite3.connect(path, isolation_level=None)
    start = time.process_time()
    for place in range(0, len(made), together):
        decisions, answers = zip(*made[place : place + together], strict=True)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO decisions VALUES ({', '.join('?' * 16)})", decisions)
        connection.executemany(f"INSERT INTO answers VALUES ({', '.join('?' * 11)})", answers)
        connection.execute("COMMIT")
    return (time.process_time() - start) / len(made) * 1e6


def read(store: Store, requests: int) -> float:
    """Seconds of CPU for a result of so many requests, each with an answer and every second with feedback."""
    arms = {"cool": "fixed(0.7)", "warm": "fixed(1.2)"}
    rail = {"name": "seconds", "margin": 0.1}
    poem = Experiment.define("poem", task="poem", arms=arms, metric="liked", guardrails=[rail]).started(at=1.0)
    store.experiments.add(poem)
    for start in range(0, requests, 50_000):
        made = rows(min(50_000, requests - start))
        decisions, answers, feedback = [], [], []
        for place, (decision, answer) in enumerate(made, start):
            unit = f"user-{place // 5}"
            arm = poem.arms[poem.assign(unit).arm].name
            decisions.append(decision._replace(unit=unit, arm=arm))
            answers.append(answer)
            if place % 2:
                feedback.append(Feedback(decision.id, decision.id, "liked", decision.at, float(place % 3 == 0)))
        store.record(decisions, answers, feedback)
    begin = time.process_time()
    assert results(store, poem).requests == requests
    return time.process_time() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows; under a minute")
    parser.add_argument("--url", help="an empty database; left out, a file of SQLite")
    given = parser.parse_args()
    count, many = (10_000, 100_000) if given.quick else (50_000, 1_000_000)
    claims = []
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'concurrency':>11}{'requests/s':>12}{'loop, us':>10}{'all, us':>10}{'driver alone, us':>18}")
        for concurrency in (1, 16, 64):
            made = rows(count if concurrency > 1 else count // 5)
            with Store.open(given.url or f"sqlite:///{folder}/{concurrency}.db") as store:
                rate, loop, every = record(store, made, concurrency)
            floor = bare(Path(folder) / f"bare-{concurrency}.db", made, concurrency)
            print(f"{concurrency:11}{rate:12.0f}{loop:10.1f}{every:10.1f}{floor:18.1f}")
            if concurrency > 1:
                claims.append((f"store.cpu-us.concurrency-{concurrency}", every, BUDGET))
        with Store.open(f"sqlite:///{folder}/read.db") as store:
            seconds = read(store, many)
        print(f"\na result of {many} requests with answers, and feedback on half of them: {seconds:.1f} s of CPU")
        claims.append(("store.result-cpu-us-per-request", seconds / many * 1e6, 15.0))
    print()
    for name, measured, target in claims:
        print(f"claim {name} {measured:.1f} <={target:g} {'PASS' if measured <= target else 'FAIL'}")
    return int(any(measured > target for _, measured, target in claims))


if __name__ == "__main__":
    sys.exit(main())
