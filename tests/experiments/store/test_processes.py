"""Several processes on one store at once: nothing is lost, and each feedback is new to exactly one of them."""

import asyncio
import multiprocessing

import pytest
import sqlalchemy as sa

from heatbath.experiments import Store
from heatbath.experiments.store.tables import decisions, feedback
from tests.experiments.made import NOW, decision
from tests.experiments.made import feedback as heard

SHARED = 150


def write(url, barrier, results):
    async def one(store, place):
        await store.decided(decision(NOW - place))  # clocks differ
        [new] = await store.heard([heard(f"shared-{place}", received=NOW + place)])
        return new

    async def work(store):
        return await asyncio.gather(*(one(store, place) for place in range(SHARED)))

    with Store.open(url) as store:
        barrier.wait()
        results.put([place for place, new in enumerate(asyncio.run(work(store))) if new])


@pytest.mark.parametrize("number", [2, 3])
def test_several_processes_write_at_once(url, number):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(number), context.Queue()
    processes = [context.Process(target=write, args=(url, barrier, results)) for _ in range(number)]
    for process in processes:
        process.start()
    new = [place for _ in processes for place in results.get(timeout=60)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert sorted(new) == list(range(SHARED))
    with Store.open(url) as store, store.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(decisions)) == number * SHARED
        assert connection.scalar(sa.select(sa.func.count()).select_from(feedback)) == SHARED
