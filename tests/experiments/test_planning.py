"""A plan is that of the statistics, with days, and tunes the experiment."""

import pytest

from heatbath.errors import InputError
from heatbath.experiments import Experiment
from heatbath.experiments.planning import planned
from heatbath.stats import minimum_effect, sample_size

ARMS = {"cool": "fixed(0.7)", "warm": "fixed(1)", "hot": "fixed(1.5)"}


@pytest.fixture
def poem():
    return Experiment.define("poem", task="poem", arms=ARMS, metric="liked", weights=[2, 1, 1], alpha=0.1)


def test_a_plan_for_an_effect_is_the_sample_size(poem):
    found = planned(poem, effect=0.04, rate=0.3, per_day=100)
    plan = sample_size(0.04, rate=0.3, alpha=0.1, weights=[0.5, 0.25, 0.25])
    assert found.plan == plan
    assert (found.days, found.expected_days) == (plan.units / 100, plan.expected_units / 100)
    assert found.experiment == poem._replace(tuned_for=plan.tuned_for)
    assert f"That is {-(-plan.units // 100)} days" in str(found)


def test_a_plan_for_a_time_is_the_least_effect(poem):
    found = planned(poem, days=20, sd=1.0, per_day=100)
    assert found.plan == minimum_effect(2000, sd=1.0, alpha=0.1, weights=[0.5, 0.25, 0.25])


def test_what_cannot_be_planned_is_refused(poem):
    for wrong in ({}, {"effect": 0.1, "days": 3}):
        with pytest.raises(InputError, match="exactly one of effect and days"):
            planned(poem, rate=0.3, **wrong)
    with pytest.raises(InputError, match="days say nothing without traffic"):
        planned(poem, days=3, rate=0.3)
    with pytest.raises(InputError, match="per_day is a number > 0"):
        planned(poem, effect=0.1, rate=0.3, per_day=0)
    with pytest.raises(InputError, match="it has begun"):
        planned(poem.started(), effect=0.1, rate=0.3)
