import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

import heatbath as hb
from heatbath.control import learned, thompson
from heatbath.control.bandit import CURVES
from heatbath.sampling import stack


def reward_of(temperature):
    return 0.75 - 0.45 * np.minimum((np.asarray(temperature) - 0.8) ** 2, 1)


def taught(thermostat, count=150, seed=0, curve=reward_of, **features):
    rng, state = np.random.default_rng(seed), thermostat.init()
    for _ in range(count):
        temperature, state = thermostat.step(state, hb.Seen(context=features))
        said = hb.Outcome(reward=rng.random() < curve(temperature), context={"temperature": temperature, **features})
        state = thermostat.learn(state, said)
    return state


def streams(count, **settings):
    """States of streams that draw different numbers, side by side."""
    return stack([thompson(0, 2, seed=seed, **settings).init() for seed in range(count)])


def draws(thermostat, state, count, **context):
    """T of as many decisions from one state, at which nothing is learned."""
    drawn = []
    for _ in range(count):
        temperature, state = thermostat.step(state, hb.Seen(context=context))
        drawn.append(temperature)
    return np.array(drawn)


@pytest.mark.parametrize("settings", [{}, {"floor": 0.3}, {"steps": 7}, {"features": ["night"]}])
def test_the_density_integrates_to_one(settings):
    thermostat = thompson(0.2, 1.7, **settings)
    context = {"night": 0.5} if "features" in settings else {}
    state = taught(thermostat, **context)
    steps = settings.get("steps")
    at = np.linspace(0.2, 1.7, steps) if steps else 0.2 + 1.5 * (np.arange(6400) + 0.5) / 6400
    density = [thermostat.density(state, hb.Seen(context=context), float(t)) for t in at]
    assert np.sum(density) * (1 if steps else 1.5 / 6400) == pytest.approx(1, rel=1e-9)
    assert min(density) >= settings.get("floor", 0.02) / (steps or 1.5) * (1 - 1e-12)


@pytest.mark.parametrize("settings", [{}, {"floor": 0.5}, {"steps": 9}, {"features": ["night"]}])
def test_t_is_drawn_with_its_density_and_the_test_would_notice(settings):
    thermostat = thompson(0, 2, seed=5, **settings)
    context = {"night": True} if "features" in settings else {}
    state = taught(thermostat, 60, **context)
    drawn = draws(thermostat, state, 6000, **context)
    axis = thermostat.step.__self__.axis
    cells = axis.temperatures
    density = np.array([thermostat.density(state, hb.Seen(context=context), float(t)) for t in cells])
    p = density if axis.steps else density * axis.width

    def p_value(temperatures):
        counts = np.bincount(axis.cell(temperatures), minlength=cells.size)
        common = 6000 * p >= 5
        seen = np.append(counts[common], counts[~common].sum())
        wanted = np.append(6000 * p[common], 6000 * p[~common].sum())
        return scipy_stats.chisquare(seen[wanted > 0], wanted[wanted > 0]).pvalue

    assert p_value(drawn) > 0.001
    if not axis.steps:
        assert p_value(np.minimum(drawn * 1.05, 2)) < 1e-6
        within = (drawn - cells[axis.cell(drawn)]) / axis.width + 0.5
        assert scipy_stats.kstest(within, "uniform").pvalue > 0.001
    else:
        assert p_value(cells[np.roll(np.arange(9), 1)[axis.cell(drawn)]]) < 1e-6


def test_the_density_is_that_before_the_step_and_after_it():
    thermostat = thompson(0, 2)
    state = taught(thermostat)
    temperature, after = thermostat.step(state, hb.Seen())
    before = thermostat.density(state, hb.Seen(), temperature)
    assert before == thermostat.density(after, hb.Seen(), temperature)
    assert before >= 0.98 / CURVES / (2 / 64) * 0.999  # drawn from a curve, or far more often than not


def test_a_floor_of_one_is_uniform():
    thermostat = thompson(0, 2, floor=1)
    drawn = draws(thermostat, taught(thermostat, 100), 4000)
    assert scipy_stats.kstest(drawn / 2, "uniform").pvalue > 0.001
    assert scipy_stats.kstest(np.minimum(drawn * 1.05, 2) / 2, "uniform").pvalue < 1e-3


def outcomes(count, seed=1, **more):
    rng = np.random.default_rng(seed)
    return [
        hb.Outcome(
            reward=float(rng.random()), context={"temperature": t, "night": n} | {k: v[i] for k, v in more.items()}
        )
        for i, (t, n) in enumerate(zip(rng.uniform(0, 2, count), rng.uniform(-1, 1, count), strict=True))
    ]


def close(one, other):
    """States of the same sums and curves."""
    for first, second in zip(one[4], other[4], strict=True):
        np.testing.assert_allclose(first, second, atol=1e-9)
    np.testing.assert_allclose(one[5], other[5], atol=1e-6)


def test_rewards_may_come_late_and_in_any_order():
    thermostat = thompson(0, 2, features=["night"])
    said = outcomes(40)
    soon = late = thermostat.init()
    for outcome in said:
        _, soon = thermostat.step(soon, hb.Seen(context={"night": 0}))
        soon = thermostat.learn(soon, outcome)
    for _ in said:
        _, late = thermostat.step(late, hb.Seen(context={"night": 0}))
    for place in np.random.default_rng(2).permutation(40):
        late = thermostat.learn(late, said[place])
    close(soon, late)


def test_fading_rewards_too_if_they_say_which_decision_they_are_about():
    thermostat = thompson(0, 2, half_life=7)
    said = outcomes(30, decision=list(range(30)))
    soon = late = thermostat.init()
    for outcome in said:
        _, soon = thermostat.step(soon, hb.Seen())
        soon = thermostat.learn(soon, outcome)
    for number in range(30):  # three rounds of decisions, and what came of them in between, later ones first
        _, late = thermostat.step(late, hb.Seen())
        if number % 10 == 9:
            for outcome in reversed(said[number - 9 : number + 1]):
                late = thermostat.learn(late, outcome)
    close(soon, late)


def test_after_half_a_life_a_reward_counts_half():
    thermostat = thompson(0, 2, half_life=4)
    _, state = thermostat.step(thermostat.init(), hb.Seen())
    state = thermostat.learn(state, hb.Outcome(reward=1, context={"temperature": 0.5}))
    for _ in range(4):
        _, state = thermostat.step(state, hb.Seen())
    state = thermostat.learn(state, hb.Outcome(reward=0, context={"temperature": 0.5}))
    assert state[4][0] == pytest.approx(1.5)
    assert state[4][1] == pytest.approx(0.25 * 1.5)


def test_one_that_forgets_follows_a_change():
    rng, best = np.random.default_rng(3), {}
    for half_life in (None, 150):
        thermostat = thompson(0, 2, steps=9, half_life=half_life)
        state = thermostat.init()
        for middle in (0.4, 1.6):
            for _ in range(500):
                temperature, state = thermostat.step(state, hb.Seen())
                liked = rng.random() < 0.9 - 0.4 * abs(temperature - middle)
                state = thermostat.learn(state, hb.Outcome(reward=liked, context={"temperature": temperature}))
        best[half_life] = learned(thermostat, state).mean
    at = np.linspace(0, 2, 9)
    assert at[np.argmax(best[150])] >= 1.25
    assert abs(best[150] - (0.9 - 0.4 * abs(at - 1.6)))[-3:].max() < abs(best[None] - (0.9 - 0.4 * abs(at - 1.6))).max()


def test_a_feature_moves_the_best_t():
    thermostat, rng = thompson(0, 2, features=["code"], seed=1), np.random.default_rng(0)
    state = thermostat.init()
    for _ in range(900):
        code = bool(rng.random() < 0.5)
        temperature, state = thermostat.step(state, hb.Seen(context={"code": code}))
        liked = rng.random() < 0.9 - 0.5 * abs(temperature - (0.3 if code else 1.5))
        state = thermostat.learn(state, hb.Outcome(reward=liked, context={"temperature": temperature, "code": code}))
    assert learned(thermostat, state, {"code": True}).best < 0.7
    assert learned(thermostat, state, {"code": False}).best > 1.1


def test_regret_is_a_fraction_of_guessing_and_a_broken_one_would_show():
    rng, decisions, people = np.random.default_rng(1), 300, 24
    thermostat, state, lost = thompson(0, 2), streams(people), np.zeros(people)
    for _ in range(decisions):
        temperature, state = thermostat.step(state, hb.Seen())
        mean = reward_of(temperature)
        lost += 0.75 - mean
        said = hb.Outcome(reward=(rng.random(people) < mean) * 1.0, context={"temperature": temperature})
        state = thermostat.learn(state, said)
    guessing = decisions * (0.75 - reward_of(np.linspace(0, 2, 1001)).mean())
    assert lost.mean() < 0.5 * guessing
    assert np.quantile(lost, 0.9) < 0.7 * guessing
    assert lost.mean() > 0.05 * guessing  # nobody can know before having tried


def test_streams_of_other_seeds_draw_other_numbers():
    thermostat = thompson(0, 2)
    temperature, _ = thermostat.step(streams(50), hb.Seen())
    assert len(set(np.asarray(temperature).tolist())) == 50


def test_two_people_never_mix():
    thermostat = thompson(0, 2)
    ann, bob = thompson(0, 2, seed=1).init(), thompson(0, 2, seed=2).init()
    alone, _ = thermostat.step(bob, hb.Seen())
    for _ in range(20):
        temperature, ann = thermostat.step(ann, hb.Seen())
        ann = thermostat.learn(ann, hb.Outcome(reward=1, context={"temperature": temperature}))
    assert thermostat.step(bob, hb.Seen())[0] == alone
    assert bob[4][0] == 0


def test_without_a_reward_nothing_is_learned():
    thermostat = thompson(0, 2)
    state = thermostat.init()
    assert thermostat.learn(state, hb.Outcome(choice=3)) is state


def test_rewards_are_read_within_their_range():
    one, other = thompson(0, 2), thompson(0, 2, rewards=[-1, 3])
    first = one.learn(one.init(), hb.Outcome(reward=0.75, context={"temperature": 1.0}))
    second = other.learn(other.init(), hb.Outcome(reward=2.0, context={"temperature": 1.0}))
    close(first, second)


@pytest.mark.parametrize(
    ("arguments", "settings", "field"),
    [
        ((-0.1, 1), {}, "low"),
        ((1, 1), {}, "high"),
        ((0, math.inf), {}, "high"),
        ((math.nan, 1), {}, "low"),
        ((0, 2), {"features": "night"}, "features"),
        ((0, 2), {"features": ["temperature"]}, "features"),
        ((0, 2), {"features": ["a", "a"]}, "features"),
        ((0, 2), {"features": [3]}, "features"),
        ((0, 2), {"knots": 2}, "knots"),
        ((0, 2), {"knots": 33}, "knots"),
        ((0, 2), {"knots": 16, "features": ["a", "b", "c"]}, "knots"),
        ((0, 2), {"steps": 1}, "steps"),
        ((0, 2), {"steps": 65}, "steps"),
        ((0, 2), {"floor": -0.1}, "floor"),
        ((0, 2), {"floor": 1.1}, "floor"),
        ((0, 2), {"half_life": 0}, "half_life"),
        ((0, 2), {"rewards": [1, 0]}, "rewards"),
        ((0, 2), {"rewards": 3}, "rewards"),
        ((0, 2), {"rewards": [0, math.inf]}, "rewards"),
        ((0, 2), {"seed": 1.5}, "seed"),
        ((0, 2), {"seed": 2**64}, "seed"),
    ],
)
def test_bad_arguments_are_refused(arguments, settings, field):
    with pytest.raises(hb.InputError) as refused:
        thompson(*arguments, **settings)
    assert refused.value.field == field
    assert refused.value.doing == "making thompson"
    assert refused.value.instead


@pytest.mark.parametrize(
    ("reward", "context", "field"),
    [
        (1, {"night": 0}, "context"),
        (1, {"temperature": 2.1, "night": 0}, "temperature"),
        (1, {"temperature": math.nan, "night": 0}, "temperature"),
        (1, {"temperature": "warm", "night": 0}, "temperature"),
        (1.5, {"temperature": 1, "night": 0}, "reward"),
        (math.nan, {"temperature": 1, "night": 0}, "reward"),
        (1, {"temperature": 1}, "context"),
        (1, {"temperature": 1, "night": 1.5}, "context"),
        (1, {"temperature": 1, "night": "yes"}, "context"),
        (1, {"temperature": 1, "night": 0, "decision": 3}, "context"),
        (1, {"temperature": 1, "night": 0, "decision": -1}, "decision"),
    ],
)
def test_bad_outcomes_are_refused(reward, context, field):
    thermostat = thompson(0, 2, features=["night"], half_life=10)
    with pytest.raises(hb.InputError) as refused:
        thermostat.learn(thermostat.init(), hb.Outcome(reward=reward, context=context))
    assert refused.value.field == field
    assert refused.value.instead


@pytest.mark.parametrize("state", [(), None, 3, (1, 2, 3, 4, 5, 6), (0, 0, 0, 0, (0.0, 0.0, [0.0], [[0.0]]), [[0.0]])])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(hb.InputError, match="is no state of thompson"):
        thompson(0, 2).step(state, hb.Seen())


def test_a_feature_that_is_missing_is_refused():
    thermostat = thompson(0, 2, features=["night"])
    with pytest.raises(hb.InputError, match="the feature night is missing"):
        thermostat.step(thermostat.init(), hb.Seen())
