"""What is read for a result is what was written, in both databases, also where it takes several chunks."""

import json
import sys

import numpy as np
import pytest

from heatbath.experiments import Experiment, Metric, new_id
from heatbath.experiments.results import results
from heatbath.experiments.store.observed import observed
from tests.experiments.made import NOW, answer, decision, feedback

ARMS = {"cool": "fixed(0.7)", "warm": "fixed(1.2)"}


@pytest.fixture
def poem(store, monkeypatch):
    monkeypatch.setattr(sys.modules["heatbath.experiments.store.observed"], "CHUNK", 7)
    made = Experiment.define(
        "poem", task="poem", arms=ARMS, metric="liked", covariates=["before", "prompt_length"],
        guardrails=[{"name": "first_seconds", "margin": 1}, {"name": "error", "margin": 0.5}],
    ).started(at=NOW)  # fmt: skip
    store.experiments.add(made)
    return made


def fill(store, units=300):
    rows, answers, said = [], [], []
    for place in range(units):
        unit = f"u{place}"
        early = decision(NOW - 50, id=new_id(NOW - 50), unit=unit)
        said.append(feedback(f"early-{place}", early.id, received=NOW - 40, number=place % 2))
        context = json.dumps({"prompt_length": place % 5})
        late = decision(
            NOW + place, id=new_id(NOW + place), unit=unit, experiment="poem", arm=("cool", "warm")[place % 2],
            propensity=0.5, context=context,
        )  # fmt: skip
        rows += [early, late]
        answers.append(answer(late.id, NOW + place, status=500 if place % 10 == 0 else 200))
        said.append(feedback(f"late-{place}", late.id, received=NOW + place + 1, number=place % 3 == 0))
        said.append(feedback(f"other-{place}", late.id, metric="funny", received=NOW, number=9.0))
    said.append(feedback("comment", late.id, text="nice", number=None))
    said.append(feedback("orphan", "never seen", received=NOW + 5))
    store.record(rows, answers, said)


def test_requests_and_values_are_those_of_the_experiment(store, poem):
    fill(store)
    with observed(store, poem) as seen:
        requests = seen.requests()
        assert sorted(requests.units) == sorted(f"u{place}" for place in range(300))
        assert np.bincount(requests.arm).tolist() == [150, 150]
        liked = seen.values(Metric.read("liked"), requests)
        assert (liked.value.size, liked.value.sum()) == (300, 100)
        assert (liked.received - requests.at[liked.request] == 1).all()
        error = seen.values(Metric.read("error"), requests)
        assert (error.value.size, error.value.sum()) == (300, 30)
        assert seen.before(poem.metric) == {f"u{place}": place % 2 for place in range(300)}
        assert np.bincount(seen.prompt_lengths(requests).astype(int)).tolist() == [60] * 5
        assert seen.orphans(poem.metric) == 1
    with observed(store, poem, NOW + 9.5) as seen:
        requests = seen.requests()
        assert requests.at.size == 10
        assert seen.values(Metric.read("liked"), requests).value.size == 9
        assert requests.unit.max() == 9


def test_a_result_is_made_of_them(store, poem):
    fill(store)
    result = results(store, poem)
    assert (result.units, result.requests, result.orphans) == (300, 300, 1)
    assert [arm.rated for arm in result.arms] == [150, 150]
    assert [rail.metric for rail in result.arms[1].guardrails] == ["first_seconds", "error"]
    assert result.arms[1].guardrails[1].effect == pytest.approx(-0.2)
