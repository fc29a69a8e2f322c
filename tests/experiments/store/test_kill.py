"""kill -9 at a hundred random moments: whatever was acknowledged is there."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import sqlalchemy as sa

from heatbath.experiments import Store
from heatbath.experiments.store.tables import decisions, feedback

KILLS = 100


def test_nothing_that_was_acknowledged_is_lost_by_kill_9(url):
    moments, acknowledged, written = random.Random(7), {"d": set(), "f": set()}, 0
    with Store.open(url):
        pass
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("under_load.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as helper:
        for _ in range(KILLS):
            helper.stdin.write(f"{url}\n")
            helper.stdin.flush()
            timer = None
            for line in helper.stdout:
                word, _, value = line.strip().partition(" ")
                if word == "over":
                    break
                if word == "pid":
                    pid = int(value)
                else:
                    acknowledged[word].add(value)
                    if timer is None:  # it has begun to write: some moment from now
                        timer = threading.Timer(moments.uniform(0, 0.1), os.kill, (pid, signal.SIGKILL))
                        timer.start()
            timer.join()
            with Store.open(url) as store, store.engine.connect() as connection:
                there = set(connection.scalars(sa.select(decisions.c.id)))
                heard = set(connection.scalars(sa.select(feedback.c.key)))
            assert acknowledged["d"] <= there
            assert acknowledged["f"] <= heard
            written += 1
        helper.stdin.close()
    assert written == KILLS
    assert len(acknowledged["d"]) > 10 * KILLS
    assert len(acknowledged["f"]) > KILLS
