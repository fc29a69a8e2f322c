"""Experiments in which nothing differs, through the store and the results, looked at again and again: few are fooled.

Users differ from each other and answer several times, feedback comes late, and sometimes twice: what the statistics see
is what a gateway would have written.
"""

import numpy as np
import pytest
from scipy.stats import binom

pytest.importorskip("sqlalchemy", reason="the extra heatbath[gateway] is not installed")

from heatbath.experiments import Decision, Experiment, Feedback, Store, new_id
from heatbath.experiments import results as told
from heatbath.experiments.results import results
from heatbath.stats import fixed_n
from tests.experiments.made import NOW

STORES, EXPERIMENTS, UNITS = 20, 200, 900
ARMS = {"cool": "fixed(0.7)", "warm": "fixed(1.2)", "hot": "fixed(1.6)"}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    rng, folder, opened = np.random.default_rng(20), tmp_path_factory.mktemp("aa"), []
    for number in range(EXPERIMENTS):
        if number % (EXPERIMENTS // STORES) == 0:
            opened.append(Store.open(f"sqlite:///{folder}/{number}.db"))
        arms, known = dict(list(ARMS.items())[: 2 + number % 2]), ["before"] if number % 4 == 0 else []
        name = f"aa-{number}"
        made = Experiment.define(name, task=name, arms=arms, metric="liked", tuned_for=UNITS, covariates=known)
        made = made.started(at=NOW)
        opened[-1].experiments.add(made)
        simulate(opened[-1], made, rng)
    yield opened
    for store in opened:
        store.close()


def simulate(store, experiment, rng):
    decisions, feedback = [], []
    for place in range(UNITS):
        user, taste = f"user-{place}", rng.beta(2, 3)
        arm, propensity = experiment.assign(user)
        for again in range(1 + rng.poisson(0.7)):
            at = NOW + 100.0 * place + 50 * again
            id = new_id(at)
            decisions.append(
                Decision(id, at, "gpt-4.1", experiment.task, experiment.arms[arm].policy, None, 1.0, 1.0, "adjustable",
                         "c", user, experiment.name, experiment.arms[arm].name, propensity)
            )  # fmt: skip
            if rng.random() < 0.7:
                for word in range(1 + (rng.random() < 0.1)):
                    number, late = float(rng.random() < taste), at + rng.exponential(3000)
                    feedback.append(Feedback(f"{id}-{word}", id, "liked", late, number))
    store.record(decisions, feedback=feedback)


def fooled(stores):
    """Experiments that showed a difference at any of their looks, and those that recommended something at the end."""
    ever = ended = 0
    for store in stores:
        for experiment in store.experiments.all():
            result = results(store, experiment, looks=12)
            beside = [a > 0 or b < 0 for look in result.course for a, b in zip(look.low, look.high, strict=True)]
            ever += any(beside)
            ended += result.decision != "wait"
    return ever, ended


LIMIT = int(binom.ppf(0.999, EXPERIMENTS, 0.05))


def test_looking_often_fools_at_most_one_in_twenty(stores):
    ever, ended = fooled(stores)
    assert ever <= LIMIT
    assert ended <= LIMIT


def test_textbook_intervals_looked_at_as_often_would_be_noticed(stores, monkeypatch):
    monkeypatch.setattr(told, "interval_at", lambda each, _, alpha: fixed_n(each.basis, alpha=alpha))
    ever, _ = fooled(stores)
    assert ever > LIMIT
