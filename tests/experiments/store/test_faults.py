"""Locks, full disks, servers that go away: patience, a clear error, and nothing lost that was acknowledged."""

import asyncio
import os
import sqlite3
import subprocess
import threading
import time

import pytest
import sqlalchemy as sa

from heatbath.errors import HeatbathError, StoreError
from heatbath.experiments import Decision, Store
from heatbath.experiments.store.tables import answers, decisions
from tests.experiments.made import answer, decision, feedback


def ids(store):
    with store.engine.connect() as connection:
        return set(connection.scalars(sa.select(decisions.c.id)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "heatbath.db"


def test_a_lock_is_waited_for(path, do):
    with Store.open(f"sqlite:///{path}") as store:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        waits = threading.Timer(1.5, other.rollback)  # longer than one statement waits
        waits.start()
        do(store.decided(decision()), store.heard([feedback()]))
        waits.join()
        other.close()
        assert len(ids(store)) == 1


def test_a_lock_that_stays_is_an_error_and_then_it_goes_on(path, do):
    with Store.open(f"sqlite:///{path}", patience=0.2) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store.answered(answer("i"))
        for call in (store.decided(decision()), store.heard([feedback()])):
            with pytest.raises(StoreError, match=r"another process has held its lock for 0\.2 s; end that process"):
                do(call)
        with pytest.raises(StoreError, match="another process has held its lock"):
            store.preferences.put("ann", 0.5)
        other.rollback()
        other.close()
        do(store.decided(decision()))
        do(store.flushed())
        assert len(ids(store)) == 1
        with store.engine.connect() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(answers)) == 1  # it was tried again
        assert store.lost == 0


async def fill(store):
    """Write until the disk is full; what was acknowledged, and the error."""
    acknowledged = []
    while True:
        row = decision(prompt="x" * 20_000)
        try:
            await store.decided(row)
        except HeatbathError as error:
            return acknowledged, error
        acknowledged.append(row.id)


def check_full(store, do, make_room):
    acknowledged, error = do(fill(store))
    assert isinstance(error, StoreError)
    assert "there is no space left for it; make room on the disk" in str(error)
    assert len(acknowledged) > 5
    assert ids(store) == set(acknowledged)
    make_room()
    row = decision(prompt="x" * 20_000)
    do(store.decided(row))
    assert ids(store) == {*acknowledged, row.id}


def test_a_full_database_is_an_error_and_then_it_goes_on(path, do):
    with Store.open(f"sqlite:///{path}") as store:
        do(store.decided(decision()))
        held = store._writer._connection.driver_connection
        held.execute(f"PRAGMA max_page_count = {held.execute('PRAGMA page_count').fetchone()[0] + 100}")
        do(store.flushed())
        with store.engine.begin() as connection:
            connection.execute(sa.delete(decisions))
        check_full(store, do, lambda: held.execute("PRAGMA max_page_count = 100000"))


def test_a_full_disk_is_an_error_and_then_it_goes_on(tmp_path, do):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(500_000))
        with Store.open(f"sqlite:///{disk}/heatbath.db") as store:
            check_full(store, do, ballast.unlink)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_answers_do_not_pile_up_where_the_store_is_unusable(path, do):
    with Store.open(f"sqlite:///{path}", patience=0.05, limit=10) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for place in range(1000):
            store.answered(answer(f"i-{place}"))
        assert len(store._writer._answers) <= 10
        time.sleep(0.3)
        other.rollback()
        other.close()
        do(store.flushed())
        with store.engine.connect() as connection:
            kept = connection.scalar(sa.select(sa.func.count()).select_from(answers))
        assert 0 < kept <= 30
        assert kept + store.lost == 1000


def test_who_brings_too_much_waits_outside(path, do):
    with Store.open(f"sqlite:///{path}", limit=3) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        async def bring():
            tasks = [asyncio.create_task(store.decided(decision())) for _ in range(100)]
            for _ in range(20):
                await asyncio.sleep(0.01)
                assert len(store._writer._items) <= 3
            assert len(store._writer._waiting) >= 94  # three are being written, and three stand in the queue
            other.rollback()
            await asyncio.gather(*tasks)

        do(bring())
        other.close()
        assert len(ids(store)) == 100


def test_a_server_that_is_restarted_under_load_loses_nothing(postgres, do):
    with Store.open(postgres.database()) as store:
        acknowledged = set()

        async def work(until):
            while not until.is_set():
                row = decision()
                await store.decided(row)
                await store.heard([feedback(f"k-{row.id}", row.id)])
                acknowledged.add(row.id)

        async def load():
            until = asyncio.Event()
            workers = [asyncio.create_task(work(until)) for _ in range(8)]
            for mode in ("fast", "immediate"):
                await asyncio.sleep(0.5)
                before = len(acknowledged)
                assert before
                await asyncio.to_thread(postgres.control, "restart", "-m", mode)
                while len(acknowledged) == before:
                    await asyncio.sleep(0.05)
            until.set()
            await asyncio.gather(*workers)

        do(load())
        assert acknowledged <= ids(store)
        assert len(acknowledged) > 100


def test_a_broken_row_of_many_leaves_the_others(store, do):
    async def hand_in():
        rows = [decision(policy=None if place == 3 else "fixed(1)") for place in range(8)]
        return await asyncio.gather(*map(store.decided, rows), return_exceptions=True)

    outcomes = do(hand_in())
    assert [isinstance(each, StoreError) for each in outcomes] == [place == 3 for place in range(8)]
    assert len(ids(store)) == 7
    assert Decision._fields[0] == "id"
