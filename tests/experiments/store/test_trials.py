"""Experiments in the store: one running per task, promotions that reach the task and can be taken back."""

import threading

import pytest

from heatbath.errors import InputError, StoreError
from heatbath.experiments import Experiment


def planned(name, task="poem", warm="fixed(1.2)"):
    return Experiment.define(name, task=task, arms={"cool": "fixed(0.7)", "warm": warm}, metric="liked", at=1.0)


def step(store, before, after):
    store.experiments.change(before, after)
    return after


def test_experiments_are_kept_as_they_are(store):
    one, two = planned("b"), planned("a").started(at=2.0)
    store.experiments.add(one)
    store.experiments.add(two)
    assert store.experiments.all() == [two, one]
    assert store.experiments.running() == [two]
    assert store.experiments.get("b") == one
    with pytest.raises(InputError, match="there is an experiment of this name"):
        store.experiments.add(planned("b"))
    with pytest.raises(InputError, match="there is no such experiment; there are a, b"):
        store.experiments.get("c")


def test_one_runs_on_a_task_at_a_time(store):
    for each in (planned("a"), planned("b"), planned("c", task="prose")):
        store.experiments.add(each)
    a = step(store, planned("a"), planned("a").started(at=2.0))
    step(store, planned("c", task="prose"), planned("c", task="prose").started(at=2.0))
    with pytest.raises(InputError, match="a is running on the same task; stop a first"):
        store.experiments.change(planned("b"), planned("b").started(at=3.0))
    step(store, a, a.stopped(at=4.0))
    step(store, planned("b"), planned("b").started(at=5.0))


def test_whoever_changes_what_has_changed_is_told(store):
    store.experiments.add(planned("a"))
    started = step(store, planned("a"), planned("a").started(at=2.0))
    with pytest.raises(StoreError, match="somebody else has changed it meanwhile"):
        store.experiments.change(planned("a"), planned("a").started(at=3.0))
    assert store.experiments.get("a") == started


def test_two_that_start_at_once_are_told_apart(store):
    for name in ("a", "b"):
        store.experiments.add(planned(name))
    barrier, outcomes = threading.Barrier(2), []

    def start(name):
        barrier.wait()
        try:
            store.experiments.change(planned(name), planned(name).started(at=2.0))
            outcomes.append("started")
        except InputError:
            outcomes.append("refused")

    threads = [threading.Thread(target=start, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "started"]


def test_a_promotion_reaches_the_task_and_is_taken_back(store):
    store.experiments.add(planned("first").started(at=2.0))
    first = planned("first").started(at=2.0)
    first = step(store, first, first.promoted("warm", at=3.0, note="it won"))
    assert store.overrides.get("poem")[:2] == ("fixed(1.2)", "first")
    store.experiments.add(planned("second", warm="fixed(1.5)").started(at=4.0))
    second = planned("second", warm="fixed(1.5)").started(at=4.0)
    second = step(store, second, second.promoted("warm", at=5.0))
    assert store.overrides.all()["poem"] == ("fixed(1.5)", "second", 5.0)
    second = step(store, second, second.rolled_back(at=6.0))
    assert store.overrides.get("poem")[:2] == ("fixed(1.2)", "first")
    step(store, first, first.rolled_back(at=7.0))
    assert store.overrides.get("poem") is None


def test_taking_back_what_has_been_replaced_leaves_the_newer_one(store):
    first = planned("first").started(at=2.0)
    store.experiments.add(first)
    first = step(store, first, first.promoted("warm", at=3.0))
    second = planned("second", warm="fixed(1.5)").started(at=4.0)
    store.experiments.add(second)
    step(store, second, second.promoted("warm", at=5.0))
    step(store, first, first.rolled_back(at=6.0))
    assert store.overrides.get("poem")[:2] == ("fixed(1.5)", "second")


def test_the_small_things_are_remembered(store):
    assert store.learners.get("poem") is None
    assert store.learners.put("poem", {"mean": [0.1, 0.2]})
    assert not store.learners.put("poem", {"mean": []})
    assert store.learners.put("poem", {"mean": [1 / 3]}, after=1)
    assert not store.learners.put("poem", {"mean": []}, after=1)
    assert store.learners.get("poem") == ({"mean": [1 / 3]}, 2)
    store.preferences.put("ann", 0.1 + 0.2)
    store.preferences.put("ann", 0.4)
    assert (store.preferences.get("ann"), store.preferences.get("bob")) == (0.4, None)
    store.preferences.remove("ann")
    assert store.preferences.get("ann") is None
    store.keys.add("h", "ci", ["call", "feedback"], at=1.0)
    assert store.keys.get("h") == ("h", "ci", ("call", "feedback"), 1.0, None)
    assert (store.keys.revoke("h", at=2.0), store.keys.revoke("h"), store.keys.revoke("x")) == (True, False, False)
    assert [key.revoked for key in store.keys.all()] == [2.0]
    store.routes.put("o3", "rejected", "400", at=1.0)
    store.routes.put("o3", "adjustable", "by hand", at=2.0)
    assert store.routes.all() == {"o3": ("adjustable", "by hand", 2.0)}
