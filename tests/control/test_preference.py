import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import preferred
from heatbath.control.answers import LAPSE, VERDICTS, Ear
from heatbath.control.preference import POINTS

GRID = np.linspace(0, 2, POINTS)


def said(temperature, verdict):
    return hb.Outcome(context={"temperature": temperature, "verdict": verdict})


def told(outcomes, thermostat=None):
    thermostat = thermostat or hb.from_feedback(0.8, 0.3)
    state = thermostat.init()
    for outcome in outcomes:
        state = thermostat.learn(state, outcome)
    return state


def temperature(state, thermostat=None):
    return (thermostat or hb.from_feedback(0.8, 0.3)).step(state, hb.Seen())[0]


def test_the_verdicts_are_the_ordered_answers_of_a_person_who_hears_with_noise():
    """The formula against a simulation that knows nothing of it."""
    rng, ear, optimum, here = np.random.default_rng(0), Ear(0.3, 0.2), 1.1, 0.9
    heard = optimum - here + rng.logistic(scale=0.2, size=200_000)
    shares = np.mean(heard > 0.3), np.mean(abs(heard) <= 0.3), np.mean(heard < -0.3)
    for verdict, share in zip(VERDICTS, shares, strict=True):
        p = math.exp(ear.log_likelihood(said(here, verdict), np.array([optimum]))[0])
        assert (p - LAPSE / 3) / (1 - LAPSE) == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize(
    "sayings",
    [
        [lambda t, v=v: said(t, v) for v in VERDICTS],
        [lambda t, r=r: hb.Outcome(r, context={"temperature": t}) for r in (0, 1)],
        [lambda t, r=r: hb.Outcome(r, context={"temperature": t, "other": 1.3}) for r in (0, 1)],
    ],
)
def test_the_chances_of_all_that_may_be_said_sum_to_one(sayings):
    ear = Ear(0.25, 0.1)
    for here in (0.0, 0.7, 2.0):
        total = sum(np.exp(ear.log_likelihood(saying(here), GRID)) for saying in sayings)
        np.testing.assert_allclose(total, 1, atol=1e-12)


def test_t_is_the_mean_by_bayes_rule():
    outcomes = [said(0.8, "too cold"), said(1.2, "fine"), hb.Outcome(0, context={"temperature": 0.9, "other": 1.4})]
    fine = np.linspace(0, 2, 20_001)
    logs = -0.5 * ((fine - 0.8) / 0.3) ** 2
    for outcome in outcomes:
        logs = logs + Ear(0.3, 0.15).log_likelihood(outcome, fine)
    p = np.exp(logs - logs.max())
    wanted = p @ fine / p.sum()
    assert temperature(told(outcomes)) == pytest.approx(wanted, abs=1e-3)
    assert abs(temperature(told(outcomes)) * 1.05 - wanted) > 1e-2


def test_order_does_not_matter():
    outcomes = [said(t, v) for t in (0.5, 0.9, 1.3) for v in VERDICTS]
    assert temperature(told(outcomes)) == pytest.approx(temperature(told(outcomes[::-1])), abs=1e-12)


def test_each_kind_of_feedback_moves_t_the_way_it_says():
    first = temperature(told([]))
    assert temperature(told([said(0.8, "too cold")])) > first + 0.1
    assert temperature(told([said(0.8, "too hot")])) < first - 0.1
    assert temperature(told([hb.Outcome(1, context={"temperature": 1.2, "other": 0.6})])) > first + 0.05
    assert temperature(told([hb.Outcome(0, context={"temperature": 1.2, "other": 0.6})])) < first - 0.05
    assert temperature(told([hb.Outcome(1, context={"temperature": 1.2})])) > first + 0.05
    even = hb.Outcome(0.5, context={"temperature": 1.0, "other": 0.6})
    assert abs(temperature(told([even])) - first) < 0.06


def test_shrinkage_fades_as_a_person_speaks():
    """Somebody at 1.5 among people at 0.8: first all population, then all their own."""
    rng, thermostat, state, got = np.random.default_rng(1), hb.from_feedback(0.8, 0.2), None, []
    state = thermostat.init()
    for _ in range(60):
        here, state = thermostat.step(state, hb.Seen())
        got.append(here)
        heard = 1.5 - here + rng.logistic(scale=0.15)
        state = thermostat.learn(
            state, said(here, "too cold" if heard > 0.3 else "too hot" if heard < -0.3 else "fine")
        )
    assert got[0] == pytest.approx(0.8, abs=0.01)
    assert 0.8 < got[1] < 1.1
    assert got[-1] == pytest.approx(1.5, abs=0.2)


def test_a_learned_t_is_nearer_than_the_populations_and_than_ones_own_alone():
    rng, own, pooled, alone = np.random.default_rng(5), [], [], []
    shrunk, flat = hb.from_feedback(0.9, 0.25), hb.from_feedback(0.9, 50.0)
    for optimum in np.clip(rng.normal(0.9, 0.25, 60), 0, 2):
        heard = [(t, optimum - t + rng.logistic(scale=0.15)) for t in rng.uniform(0.4, 1.4, 4)]
        answers = [said(t, "too cold" if h > 0.3 else "too hot" if h < -0.3 else "fine") for t, h in heard]
        own.append(temperature(told(answers, shrunk), shrunk) - optimum)
        alone.append(temperature(told(answers, flat), flat) - optimum)
        pooled.append(0.9 - optimum)
    error = [float(np.sqrt(np.mean(np.square(each)))) for each in (own, alone, pooled)]
    assert error[0] < 0.95 * error[1]
    assert error[0] < 0.95 * error[2]


def test_what_a_person_sets_wins_and_can_be_taken_back():
    thermostat = hb.from_feedback(0.8, 0.3)
    state = told([said(0.8, "too cold"), hb.Outcome(context={"setting": 0.4})])
    assert temperature(state) == 0.4
    state = thermostat.learn(state, said(0.4, "too cold"))
    assert temperature(state) == 0.4
    assert preferred(thermostat, state).answers == 2
    assert "as it was set" in str(preferred(thermostat, state))
    state = thermostat.learn(state, hb.Outcome(context={"setting": "auto"}))
    assert temperature(state) == temperature(told([said(0.8, "too cold"), said(0.4, "too cold")]))


def test_what_says_nothing_changes_nothing():
    thermostat = hb.from_feedback(0.8, 0.3)
    state = thermostat.init()
    assert thermostat.learn(state, hb.Outcome(choice=4, surprisal=0.3)) == state


def test_several_people_side_by_side():
    thermostat = hb.from_feedback(0.8, 0.3)
    both = hb.Outcome(context={"temperature": [0.8, 0.9], "verdict": ["too cold", "too hot"]})
    state = thermostat.learn(thermostat.init(), both)
    state = thermostat.learn(state, hb.Outcome(context={"setting": ["auto", 0.3]}))
    cold, hot = (temperature(told([one])) for one in (said(0.8, "too cold"), said(0.9, "too hot")))
    got, _ = thermostat.step(state, hb.Seen(np.zeros((2, 4))))
    np.testing.assert_allclose(got, [cold, 0.3])
    assert preferred(thermostat, tuple(part[1] for part in state)).learned == pytest.approx(hot)


def test_one_slip_is_survived():
    answers = [said(1.5, "fine")] * 10
    assert abs(temperature(told([*answers, said(1.5, "too hot")])) - temperature(told(answers))) < 0.15


@pytest.mark.parametrize(
    ("arguments", "settings", "field"),
    [
        ((2.1, 0.3), {}, "mean"),
        ((math.nan, 0.3), {}, "mean"),
        ((0.8, 0), {}, "spread"),
        ((0.8, 0.3), {"low": -1}, "low"),
        ((0.8, 0.3), {"low": 1, "high": 1}, "high"),
        ((0.8, 0.3), {"width": 0}, "width"),
        ((0.8, 0.3), {"noise": math.inf}, "noise"),
    ],
)
def test_bad_arguments_are_refused(arguments, settings, field):
    with pytest.raises(hb.InputError) as refused:
        hb.from_feedback(*arguments, **settings)
    assert refused.value.field == field
    assert refused.value.doing == "making from_feedback"
    assert refused.value.instead


@pytest.mark.parametrize(
    "outcome",
    [
        hb.Outcome(context={"verdict": "fine"}),
        hb.Outcome(context={"temperature": -1, "verdict": "fine"}),
        hb.Outcome(context={"temperature": "warm", "verdict": "fine"}),
        said(0.8, "lukewarm"),
        said(0.8, 3),
        hb.Outcome(2, context={"temperature": 0.8}),
        hb.Outcome(math.nan, context={"temperature": 0.8}),
        hb.Outcome("yes", context={"temperature": 0.8}),
        hb.Outcome(1, context={"temperature": 0.8, "other": math.nan}),
        hb.Outcome(context={"setting": "warm"}),
        hb.Outcome(context={"setting": -1}),
        hb.Outcome(context={"setting": math.inf}),
        hb.Outcome(context={"temperature": [0.8, 0.9], "verdict": ["fine"]}),
    ],
)
def test_answers_that_cannot_be_read_are_refused(outcome):
    thermostat = hb.from_feedback(0.8, 0.3)
    with pytest.raises(hb.InputError) as refused:
        thermostat.learn(thermostat.init(), outcome)
    assert refused.value.instead
    assert refused.value.doing == "learning what somebody likes"


@pytest.mark.parametrize("state", [(), None, (1, 2), (-1.0, 0, [0.0] * 5), (-1.0, 0, "x"), ([-1.0], [0], [0.0] * 129)])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(hb.InputError, match="is no state of from_feedback"):
        hb.from_feedback(0.8, 0.3).step(state, hb.Seen())


def test_only_a_preference_is_explained():
    with pytest.raises(hb.InputError, match="it learns no preference"):
        preferred(hb.fixed(1), ())
    thermostat = hb.from_feedback(0.8, 0.3)
    two = thermostat.learn(thermostat.init(), hb.Outcome(context={"setting": [0.3, 0.4]}))
    with pytest.raises(hb.InputError, match="several people"):
        preferred(thermostat, two)
