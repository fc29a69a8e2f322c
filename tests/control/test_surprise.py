import json
import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import hold_surprise


def certain_and_open(rng, length, rows, options=50):
    sharp = np.where(rng.random((length, rows, 1)) < 2 / 3, 12.0, 1.5)
    return sharp * rng.normal(size=(length, rows, options))


def drive(thermostat, stream, rng, state=None):
    """T and the surprisal of what was drawn, at each position of a stream ``(positions, B, V)``, and the state."""
    state = thermostat.init() if state is None else state
    temperatures, surprisals = [], []
    for scores in stream:
        temperature, state = thermostat.step(state, hb.Seen(scores))
        tempered = scores / np.asarray(temperature)[:, None]
        choice = np.argmax(tempered + rng.gumbel(size=scores.shape), axis=-1)
        nats = -np.take_along_axis(hb.log_softmax(scores), choice[:, None], axis=-1)[:, 0]
        state = thermostat.learn(state, hb.Outcome(choice=choice, surprisal=nats))
        temperatures.append(np.asarray(temperature))
        surprisals.append(nats)
    return np.array(temperatures), np.array(surprisals), state


# ------------------------------------------------------------------------------------------------- what it holds


@pytest.mark.parametrize("horizon", [8, 32])
@pytest.mark.parametrize("target", [1.0, 2.0, 3.0])
def test_the_mean_surprisal_of_a_long_stream_is_the_target(target, horizon):
    rng = np.random.default_rng(1)
    thermostat = hold_surprise(target, horizon, coldest=0.05)
    _, surprisals, _ = drive(thermostat, certain_and_open(rng, 1500, rows=16), rng)
    settled = surprisals[300:]
    assert settled.mean() == pytest.approx(target, rel=0.02)  # and would fail at a target 5 % off
    np.testing.assert_allclose(settled.mean(axis=0), target, rtol=0.1)
    assert settled.std() > 0.5 * target  # not each position


def test_the_luck_of_the_draws_is_made_good():
    """At a fixed T the mean of n draws is off by sd / sqrt(n); here the errors cancel."""
    rng = np.random.default_rng(2)
    stream = certain_and_open(rng, 900, rows=60)
    _, held, _ = drive(hold_surprise(1.0, 16), stream, rng)
    steady = float(np.exp(np.log(drive(hold_surprise(1.0, 16), stream, rng)[0][200:]).mean()))
    _, free, _ = drive(hb.fixed([steady] * 60), stream, rng)
    assert held[300:].mean(axis=0).std() < 0.4 * free[300:].mean(axis=0).std()


def test_t_moves_more_than_where_the_entropy_is_held():
    rng = np.random.default_rng(3)
    stream = certain_and_open(rng, 1200, rows=30)
    surprise, _, _ = drive(hold_surprise(1.0, 32), stream, rng)
    entropy, _, _ = drive(hb.hold_entropy(1.0, 32), stream, rng)
    assert np.log(entropy[200:]).std() < 0.9 * np.log(surprise[200:]).std()


@pytest.mark.parametrize("start", [0.2, 4.0])
def test_from_any_start_it_comes_back_and_stays(start):
    """Stability: a hundred streams forget their start within a few horizons, and none swings ever wider."""
    rng = np.random.default_rng(4)
    thermostat = hold_surprise(1.0, 32, start=start, coldest=0.05, hottest=5.0)
    temperatures, surprisals, _ = drive(thermostat, certain_and_open(rng, 1000, rows=100), rng)
    late = np.log(temperatures[-400:])
    assert abs(np.log(temperatures[160:200]).mean() - late.mean()) < 0.15 * abs(math.log(start) - late.mean())
    assert late[-200:].std() < 1.2 * late[:200].std()
    assert surprisals[200:].mean() == pytest.approx(1.0, rel=0.03)


def test_the_smallest_horizon_does_not_run_away():
    rng = np.random.default_rng(5)
    temperatures, surprisals, _ = drive(hold_surprise(1.5, 4), certain_and_open(rng, 1500, rows=10), rng)
    assert surprisals[200:].mean() == pytest.approx(1.5, rel=0.05)
    assert ((temperatures[200:] < 0.26) | (temperatures[200:] > 4.9)).mean() < 0.02  # seldom at a bound


def test_a_target_below_the_best_options_waits_at_the_bound():
    rng = np.random.default_rng(6)
    flat = np.broadcast_to(np.linspace(1, 0, 10), (300, 5, 10))
    temperatures, _, state = drive(hold_surprise(0.1, 8), flat, rng)
    assert np.all(temperatures[-1] == 0.25)
    temperatures, _, _ = drive(hold_surprise(2.25, 8), flat, rng, state)  # and nothing was stored up
    assert np.median(temperatures[60]) > 0.4


def test_the_first_draw_is_at_the_start_and_one_draw_moves_little():
    rng = np.random.default_rng(7)
    temperatures, _, _ = drive(hold_surprise(1.0, 64, start=0.7), certain_and_open(rng, 500, rows=4), rng)
    assert np.all(temperatures[0] == 0.7)
    assert np.abs(np.diff(np.log(temperatures), axis=0)).max() < 12 / 64


# ------------------------------------------------------------------------------------------------- being told


def test_without_being_told_nothing_moves():
    thermostat, scores = hold_surprise(1.0, 8), np.arange(5.0)
    state = thermostat.init()
    for _ in range(3):
        temperature, state = thermostat.step(state, hb.Seen(scores))
        state = thermostat.learn(state, hb.Outcome(reward=1.0))
        assert temperature == 1.0


def test_being_told_twice_counts_once():
    thermostat, outcome = hold_surprise(1.0, 8), hb.Outcome(surprisal=3.0)
    _, state = thermostat.step(thermostat.init(), hb.Seen(np.arange(5.0)))
    once = thermostat.learn(state, outcome)
    assert once[0] < 1.0
    assert thermostat.learn(once, outcome) == once


def test_a_position_with_one_option_is_no_decision():
    forced = np.full((2, 30), -np.inf)
    forced[0, 7] = 1.0
    forced[1] = np.arange(30) / 10
    thermostat = hold_surprise(0.2, 16)
    _, state = thermostat.step(thermostat.init(), hb.Seen(forced))
    (one, several), (slope, other), _ = thermostat.learn(state, hb.Outcome(surprisal=[0.0, 0.1]))
    assert (one, slope) == (1.0, 0.2)
    assert several > 1.0
    assert other > 0.2


@pytest.mark.parametrize("options", [50, 8000])
def test_a_sampler_tells_it(options):
    """Also where nobody asks for a reading, and however large the vocabulary."""
    sampler = hb.chain(hb.temperature(hold_surprise(2.0, 8)), hb.min_p(0.01))
    scores, state = 3 * np.random.default_rng(8).normal(size=(2, options)), sampler.init()
    read = sampler.init()
    for _ in range(5):
        choice, state, _ = sampler.step(state, scores, seed=3)
        same, read, reading = sampler.step(read, scores, seed=3, reading=True)
        assert choice.tolist() == same.tolist()
    assert state[0] == read[0]
    exact = 0 if options < 4096 else 1e-8  # a kernel measures the slopes of larger rows
    for part, its in zip(state[1][0], read[1][0], strict=True):
        np.testing.assert_allclose(part, its, rtol=exact)
    assert np.all(reading.temperature != 1.0)


def test_the_surprisal_is_held_behind_a_truncation_too():
    """The truncation takes surprise away, and T makes up for it; the entropy before it knows nothing of that."""
    stream = 2.0 * np.random.default_rng(9).normal(size=(1200, 8, 60))
    mean, used = {}, {}
    for thermostat in (hold_surprise(2.0, 16), hb.hold_entropy(2.0, 16)):
        for behind in ((), (hb.top_p(0.8),)):
            sampler = hb.chain(hb.temperature(thermostat), *behind)
            state, seen = sampler.init(), []
            for scores in stream:
                _, state, reading = sampler.step(state, scores, seed=1, reading=True)
                seen.append((reading.surprisal, reading.temperature))
            mean[thermostat.made.name, bool(behind)], used[thermostat.made.name, bool(behind)] = np.mean(
                seen[200:], axis=(0, 2)
            )
    assert mean["hold_surprise", True] == pytest.approx(2.0, rel=0.02)
    assert used["hold_surprise", True] > 1.2 * used["hold_surprise", False]
    assert used["hold_entropy", True] == used["hold_entropy", False]
    assert mean["hold_entropy", True] < 0.9 * mean["hold_entropy", False]


def test_the_state_goes_through_json():
    rng, thermostat = np.random.default_rng(10), hold_surprise(1.0, 16)
    stream = certain_and_open(rng, 40, rows=3)
    _, _, state = drive(thermostat, stream[:20], rng)
    stored = json.loads(json.dumps(state))
    one, other = (drive(thermostat, stream[20:], np.random.default_rng(1), each)[0] for each in (state, stored))
    np.testing.assert_array_equal(one, other)


def test_the_controller_runs_inside_jit():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    thermostat = hold_surprise(1.0, 8)
    scores = jax.numpy.asarray(np.random.default_rng(11).normal(size=(4, 6)), dtype="float32")

    def step(state, scores):
        temperature, state = thermostat.step(state, hb.Seen(scores))
        return temperature, thermostat.learn(state, hb.Outcome(surprisal=scores[:, 0] ** 2))

    plain, state = step(thermostat.init(), scores)
    plain, _ = step(state, scores)
    traced, state = jax.jit(step)(thermostat.init(), scores)
    traced, _ = jax.jit(step)(state, scores)
    np.testing.assert_allclose(traced, plain, rtol=1e-5)


# ------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"target": -1}, "target"),
        ({"target": math.nan}, "target"),
        ({"target": "2"}, "target"),
        ({"horizon": 3}, "horizon"),
        ({"horizon": None}, "horizon"),
        ({"start": 0}, "start"),
        ({"coldest": 0}, "coldest"),
        ({"coldest": 2}, "start"),
        ({"hottest": math.inf}, "hottest"),
    ],
)
def test_bad_arguments_are_refused(arguments, field):
    with pytest.raises(hb.InputError) as refused:
        hold_surprise(**{"target": 1.0, "horizon": 8, **arguments})
    assert refused.value.field == field
    assert refused.value.doing == "making hold_surprise"
    assert refused.value.instead


@pytest.mark.parametrize("state", [(), 3, (1.0, 2.0), (1.0, "a", -1.0), (0.0, 1.0, -1.0), (1.0, -2.0, -1.0), None])
def test_a_foreign_state_is_refused(state):
    with pytest.raises(hb.InputError) as refused:
        hold_surprise(1.0, 8).step(state, hb.Seen(np.arange(5.0)))
    assert refused.value.field == "state"


@pytest.mark.parametrize("surprisal", [-1.0, math.nan, "much", [1.0, -1.0]])
def test_what_is_no_surprisal_is_refused(surprisal):
    thermostat = hold_surprise(1.0, 8)
    _, state = thermostat.step(thermostat.init(), hb.Seen(np.arange(5.0)))
    with pytest.raises(hb.InputError, match="surprisal is one number >= 0, or one per row"):
        thermostat.learn(state, hb.Outcome(surprisal=surprisal))


def test_an_outcome_of_other_rows_is_refused():
    thermostat = hold_surprise(1.0, 8)
    _, state = thermostat.step(thermostat.init(), hb.Seen(np.zeros((3, 5))))
    with pytest.raises(hb.InputError, match=r"state has shape \(3,\)"):
        thermostat.learn(state, hb.Outcome(surprisal=[1.0, 2.0]))
