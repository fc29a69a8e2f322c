"""An experiment checks what it is given, survives JSON, and lives by its rules."""

import json
import re

import pytest

from heatbath.errors import InputError, SpecError
from heatbath.experiments import Experiment, Guardrail, Metric

GOOD = {"task": "poem", "arms": {"cool": "fixed(0.7)", "warm": "hold_entropy(2.0)"}, "metric": "liked"}


def defined(**fields):
    return Experiment.define(fields.pop("name", "poem"), at=1.0, **{**GOOD, **fields})


def test_it_survives_json():
    made = defined(
        guardrails=[{"name": "seconds", "margin": 0.5}, {"metric": {"name": "score", "kind": "number"}, "margin": 1}],
        covariates=["before"], weights=[1, 3], method="asymptotic", unit="conversation",
    ).started(at=2.0, note="go").reweighted({"cool": 1, "warm": 1}, at=3.0)  # fmt: skip
    assert Experiment.of_record(json.loads(json.dumps(made.record()))) == made
    assert made.guardrails[0] == Guardrail(Metric("seconds", "number", "lower"), 0.5)
    assert (made.begun, made.reweighted_at) == (2.0, 3.0)


def test_weights_that_change_before_the_start_change_nothing_later():
    assert defined().reweighted([1, 2], at=2.0).started(at=3.0).reweighted_at is None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "a b"}, "name is letters, digits"),
        ({"name": ""}, "name is letters, digits"),
        ({"task": ""}, "task is letters"),
        ({"arms": {"one": "fixed(1)"}}, "two arms at least"),
        ({"arms": ["fixed(1)", "fixed(2)"]}, "two arms at least"),
        ({"arms": {"a": "fixed(1)", "b b": "fixed(1)"}}, "an arm's name is letters"),
        ({"arms": {"a": "fixed(1)", "b": "top_k(3)"}}, "it is a chain, and not a thermostat"),
        ({"arms": {"a": "fixed(1)", "b": 1.2}}, "a policy is the text form of a thermostat"),
        ({"arms": {"a": "fixed(1)", "b": "fixed(-1)"}}, "a temperature is never negative"),
        ({"weights": {"cool": 1}}, "weights name every arm once; name cool, warm"),
        ({"weights": [1, 2, 3]}, "there is one weight per arm"),
        ({"weights": [1, 0]}, "weights is a number > 0"),
        ({"weights": [1, float("nan")]}, "weights is a number > 0"),
        ({"unit": "house"}, "unit is one of user, conversation, request"),
        ({"method": "guess"}, "method is one of asymptotic, exact"),
        ({"method": "exact", "metric": {"name": "x", "kind": "number"}}, "the exact method is for booleans"),
        ({"method": "exact", "covariates": ["before"]}, "the exact method is for booleans"),
        ({"covariates": ["weather"]}, "covariates is one of before, prompt_length"),
        ({"unit": "request", "covariates": ["before"]}, "a request has no past"),
        ({"alpha": 1}, "alpha lies between 0 and 1"),
        ({"alpha": "x"}, "alpha is a number"),
        ({"tuned_for": 0}, "tuned_for is a number > 0"),
        ({"metric": ""}, "it is neither a name nor a table"),
        ({"metric": 7}, "it is neither a name nor a table"),
        ({"metric": {"name": "x", "colour": 1}}, "it has no field 'colour'"),
        ({"metric": {"name": "x", "kind": "text"}}, "kind is one of boolean, number"),
        ({"metric": {"name": "x", "better": "more"}}, "better is one of higher, lower"),
        ({"metric": {"name": "x", "silence": "no"}}, "silence is a number"),
        ({"metric": {"name": "x", "within": -1}}, "within is a number >= 0"),
        ({"metric": {"name": "seconds", "silence": 0}}, "seconds is read from the answers"),
        ({"guardrails": [{"name": "seconds"}]}, "a guardrail needs a metric and a margin"),
        ({"guardrails": [{"name": "seconds", "margin": 0}]}, "margin is a number > 0"),
    ],
)
def test_what_cannot_be_is_refused(fields, says):
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        defined(**fields)
    assert caught.value.doing
    assert caught.value.instead


def test_a_policy_that_does_not_parse_shows_the_place():
    with pytest.raises(SpecError, match="fxied"):
        defined(arms={"a": "fixed(1)", "b": "fxied(1)"})
    assert defined(arms={"a": "inherit", "b": "leave out"}).arms[1].policy == "leave out"


def test_the_course_of_a_life():
    life = defined().started(at=2.0).stopped(at=3.0).started(at=4.0).promoted("warm", at=5.0).rolled_back(at=6.0)
    assert [event.status for event in life.history] == [
        "planned", "running", "stopped", "running", "promoted", "rolled back"
    ]  # fmt: skip
    assert life.begun == 2.0


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (lambda made: made.stopped(), "it is planned, and cannot become stopped; what can follow: running"),
        (lambda made: made.promoted("warm"), "it is planned, and cannot become promoted"),
        (lambda made: made.started().started(), "it is running, and cannot become running"),
        (lambda made: made.started().rolled_back(), "it is running, and cannot become rolled back"),
        (lambda made: made.started().promoted("hot"), "there is no such arm; write one of cool, warm"),
    ],
)
def test_steps_out_of_order_are_refused(step, says):
    with pytest.raises(InputError, match=says):
        step(defined())
