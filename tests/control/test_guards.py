import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.control import coherence_guard, loop_guard
from heatbath.control.guards import repeats
from heatbath.embedded import load


def tell(thermostat, outcomes, state=None):
    """T before each outcome, ``(positions, ...)``, and the state after the last."""
    state, temperatures = thermostat.init() if state is None else state, []
    for outcome in outcomes:
        temperature, state = thermostat.step(state, hb.Seen())
        temperatures.append(np.asarray(temperature))
        state = thermostat.learn(state, outcome)
    return np.array(np.broadcast_arrays(*temperatures)), state


def chosen(tokens):
    return [hb.Outcome(choice=token) for token in tokens]


def surprising(nats):
    return [hb.Outcome(surprisal=each) for each in nats]


# ------------------------------------------------------------------------------------------------- finding loops


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(2, 4), st.integers(5, 12))
def test_a_repetition_is_found_where_there_is_one(tokens, length, window):
    held = ([-1] * window + tokens)[-window:]
    last = held[-length:]
    wanted = -1 not in last and any(held[at : at + length] == last for at in range(window - length))
    assert bool(repeats(np.array(held), length)) == wanted
    assert repeats(np.array([held, held[::-1]]), length)[0] == wanted


def test_one_token_again_and_again_is_a_loop():
    assert repeats(np.array([-1, 5, 5, 5]), 2)
    assert not repeats(np.array([-1, -1, 5, 5]), 2)
    assert not repeats(np.full(8, -1), 2)


# ------------------------------------------------------------------------------------------------- loop_guard


@pytest.mark.parametrize("period", [1, 2, 7, 30, 50])
def test_a_loop_is_warmed_and_left_in_peace_when_it_is_over(period):
    rng = np.random.default_rng(period)
    begin, loop, end = rng.integers(0, 10**6, 100), rng.integers(0, 10**6, period), rng.integers(0, 10**6, 100)
    temperatures, _ = tell(loop_guard(0.3), chosen([*begin, *np.resize(loop, 3 * period + 60), *end]))
    over = 100 + 3 * period + 60
    assert np.all(temperatures[: 100 + period + 4] == 0.3)
    assert temperatures[over] > 0.3 * 4 * 0.95
    assert temperatures.max() <= 0.3 * 4
    assert np.all(temperatures[over + 10 :] == 0.3)


def test_a_loop_longer_than_the_window_is_not_seen():
    tokens = np.resize(np.arange(70), 400)
    assert np.all(tell(loop_guard(0.3), chosen(tokens))[0] == 0.3)
    assert tell(loop_guard(0.3, window=80), chosen(tokens))[0].max() > 1.1


@pytest.mark.parametrize(("options", "length", "left"), [(1000, 4, True), (50, 4, True), (10, 4, False), (10, 8, True)])
def test_text_without_loops_is_left_alone(options, length, left):
    """False alarms: a hundred streams of tokens that do not depend on each other, some options ten times as likely."""
    rng = np.random.default_rng(1)
    p = np.where(np.arange(options) < options / 5, 10.0, 1.0)
    tokens = rng.choice(options, size=(300, 100), p=p / p.sum())
    temperatures, _ = tell(loop_guard(0.7, length=length), chosen(tokens))
    alarms = (temperatures > 0.7 * 1.05).mean()
    assert alarms == 0 if left else alarms > 0.02  # among so few options, four in a row do come again


def test_loops_are_found_in_all_streams():
    """Misses: loops of two to forty tokens, one token in twenty replaced at random; each stream is warmed in time."""
    rng = np.random.default_rng(2)
    tokens = np.stack(
        [np.resize(rng.integers(0, 500, period), 200) for period in rng.integers(2, 41, size=100)], axis=1
    )
    tokens = np.where(rng.random(tokens.shape) < 0.05, rng.integers(0, 500, tokens.shape), tokens)
    temperatures, _ = tell(loop_guard(0.2), chosen(tokens))
    assert np.mean(temperatures[:110].max(axis=0) > 0.2 * 1.5) >= 0.97
    temperatures, _ = tell(loop_guard(0.2, window=24), chosen(tokens))  # which holds no more than half of them
    assert np.mean(temperatures[:110].max(axis=0) > 0.2 * 1.5) < 0.7


def test_what_is_allowed_is_left_alone():
    """Every second half of ten tokens is a stock phrase."""
    rng = np.random.default_rng(3)
    tokens = [token for _ in range(60) for token in [*rng.integers(100, 10**6, 10), *range(10)]]
    assert tell(loop_guard(0.5, allowed=0.8), chosen(tokens))[0].max() == 0.5
    assert tell(loop_guard(0.5, allowed=0.2), chosen(tokens))[0].max() > 0.6


def test_it_settles_and_does_not_swing():
    """A text whose repetition answers to T: the hotter, the rarer. The guard finds the balance and stays there."""
    rng, guard = np.random.default_rng(4), loop_guard(0.2, window=16, length=2)
    states, tokens, temperatures = guard.init(), np.zeros(200, np.int64), []
    for _ in range(400):
        temperature, states = guard.step(states, hb.Seen())
        temperature = np.broadcast_to(temperature, (200,))
        loops = rng.random(200) < np.exp(-temperature)
        tokens = np.where(loops, (tokens + 1) % 4, rng.integers(10, 10**6, 200))
        states = guard.learn(states, hb.Outcome(choice=tokens))
        temperatures.append(temperature)
    late = np.array(temperatures[100:])
    assert 0.22 < late.mean() < 0.6
    assert late[150:].std() == pytest.approx(late[:150].std(), rel=0.1)
    centred = late - late.mean(axis=0)
    lags = [np.mean(centred[lag:] * centred[:-lag]) / centred.var() for lag in range(1, 60)]
    assert min(lags) > -0.15  # a swing would show as a negative lag


def test_the_inner_thermostat_learns_and_keeps_its_state():
    guard = loop_guard(hb.control.hold_surprise(1.0, 8))
    _, state = guard.step(guard.init(), hb.Seen(np.arange(5.0)))
    state = guard.learn(state, hb.Outcome(choice=1, surprisal=3.0))
    assert state[0][0] < 1.0
    assert guard.learn(state, hb.Outcome(reward=1.0)) == state


@pytest.mark.parametrize("t", [0, math.inf])
def test_the_ends_stay_what_they_are(t):
    assert np.all(tell(loop_guard(t), chosen([1] * 50))[0] == t)
    assert np.all(tell(coherence_guard(t, 1.0), surprising([9.0] * 50))[0] == t)


def test_rows_do_not_mix():
    loops, free = [3] * 60, list(range(60))
    temperatures, _ = tell(
        loop_guard(0.3), [hb.Outcome(choice=np.array(pair)) for pair in zip(loops, free, strict=True)]
    )
    assert temperatures[-1][0] > 1.1
    assert temperatures[-1][1] == 0.3


def test_the_state_goes_through_json():
    guard = loop_guard(0.3, window=12, length=2)
    tokens = np.random.default_rng(5).integers(0, 3, size=(40, 2))
    _, (held, share, window) = tell(guard, chosen(tokens[:20]))
    stored = json.loads(json.dumps((held, share, window.tolist())))
    one, other = (tell(guard, chosen(tokens[20:]), each)[0] for each in ((held, share, window), stored))
    np.testing.assert_array_equal(one, other)


# ------------------------------------------------------------------------------------------------- coherence_guard


def test_below_the_limit_nothing_happens():
    rng = np.random.default_rng(6)
    assert np.all(tell(coherence_guard(1.2, 2.0), surprising([2.0] * 200))[0] == 1.2)
    nats = rng.exponential(1.0, size=(500, 200))  # what is drawn at T = 1 has an exponential tail
    temperatures, _ = tell(coherence_guard(1.2, 2.0), surprising(nats))
    assert (temperatures < 1.2 * 0.95).mean() < 0.002  # false alarms


def test_a_text_that_falls_apart_is_cooled_in_time_and_left_in_peace_afterwards():
    rng = np.random.default_rng(7)
    nats = np.concatenate(
        [rng.exponential(1.0, (100, 200)), rng.exponential(5.0, (60, 200)), rng.exponential(1.0, (150, 200))]
    )
    temperatures, _ = tell(coherence_guard(1.2, 2.0), surprising(nats))
    cooled = temperatures[100:130].min(axis=0)
    assert np.mean(cooled < 1.2 * 0.6) >= 0.99  # misses
    assert temperatures.min() >= 1.2 * 0.25
    assert np.mean(temperatures[230:] < 1.2 * 0.95) < 0.005


def test_cooling_is_the_formula():
    guard = coherence_guard(0.8, 2.0, coolest=0.5, horizon=4)
    temperature, _ = guard.step(((), 3.0), hb.Seen())
    assert temperature == pytest.approx(0.8 * 0.5**0.5)
    assert guard.learn(((), 3.0), hb.Outcome(surprisal=5.0)) == ((), 3.5)
    assert guard.learn(((), 3.0), hb.Outcome(reward=1.0)) == ((), 3.0)
    assert guard.step(((), 100.0), hb.Seen())[0] == pytest.approx(0.4)


def test_it_settles_where_heat_and_guard_agree():
    """Surprisal that answers to T: the mean settles between the limit and what the heat alone would give."""
    rng, guard = np.random.default_rng(8), coherence_guard(1.5, 2.0, horizon=4)
    state, seen = guard.init(), []
    for _ in range(600):
        temperature, state = guard.step(state, hb.Seen())
        nats = rng.exponential(2.2 * np.broadcast_to(temperature, (100,)) ** 2)
        state = guard.learn(state, hb.Outcome(surprisal=nats))
        seen.append((np.broadcast_to(temperature, (100,)), nats))
    temperatures, nats = np.moveaxis(np.array(seen[100:]), 1, 0)
    assert 2.0 < nats.mean() < 2.2 * 1.5**2 * 0.75
    assert temperatures[250:].std() == pytest.approx(temperatures[:250].std(), rel=0.1)


# ------------------------------------------------------------------------------------------------- on a real model


@pytest.fixture(scope="module")
def tales():
    return load()


PROMPTS = ("Once upon a time", "The king", "The girl went into the forest and", "A prince")


def write(model, thermostat, rows=8, length=200):
    """Tokens and surprisals ``(length, texts)`` of texts that the model does not end by itself."""
    sampler, cache, scores = hb.chain(hb.temperature(thermostat)), None, []
    for prompt in PROMPTS:
        first, begun = model.start([model.tokenizer.encode(prompt)])
        begun = begun.rows([0] * rows)
        scores, cache = [*scores, first.repeat(rows, axis=0)], begun if cache is None else cache.join(begun)
    scores, state, seen = np.concatenate(scores), sampler.init(), []
    for _ in range(length):
        scores = scores.copy()
        scores[:, list(model.stop_tokens)] = -np.inf
        choice, state, reading = sampler.step(state, scores, seed=0, reading=True)
        seen.append((choice, reading.surprisal))
        scores, cache = model.step(cache, choice.tolist())
    tokens, nats = (np.array(part) for part in zip(*seen, strict=True))
    return tokens, nats


def looping(tokens, length=6, begin=60):
    """The share of positions that end a repetition of six tokens in the text so far."""
    return np.mean([repeats(tokens[:end].T, length) for end in range(begin, len(tokens))])


def test_a_cold_text_loops_less_and_stays_as_likely(tales):
    """What the docstring's table says, on fewer texts."""
    alone, nats = write(tales, 0.2)
    guarded, guarded_nats = write(tales, loop_guard(0.2))
    _, warmer_nats = write(tales, 0.4)
    assert looping(guarded) < 0.75 * looping(alone)
    assert guarded_nats.mean() < nats.mean() + 0.1
    assert guarded_nats.mean() < warmer_nats.mean()


def test_a_hot_text_stays_together(tales):
    worst = {}
    for name, thermostat in (("alone", 1.3), ("guarded", coherence_guard(1.3, 2.5))):
        _, nats = write(tales, thermostat)
        windows = np.lib.stride_tricks.sliding_window_view(nats, 32, axis=0).mean(axis=-1)
        worst[name] = windows.max(axis=0).mean()
    assert worst["guarded"] < 0.85 * worst["alone"]


# ------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "arguments", "field"),
    [
        (loop_guard, (-1,), "temperature"),
        (loop_guard, ("warm",), None),
        (loop_guard, (0.3, 4), "window"),
        (loop_guard, (0.3, 64.0), "window"),
        (loop_guard, (0.3, 1025), "window"),
        (loop_guard, (0.3, 2**60), "window"),
        (loop_guard, (0.3, 64, 2000), "window"),
        (loop_guard, (0.3, 64, 1), "length"),
        (loop_guard, {"allowed": 1}, "allowed"),
        (loop_guard, {"allowed": -0.1}, "allowed"),
        (loop_guard, {"warmest": 1}, "warmest"),
        (loop_guard, {"warmest": math.inf}, "warmest"),
        (loop_guard, {"horizon": 3}, "horizon"),
        (coherence_guard, (1.0, 0), "limit"),
        (coherence_guard, (1.0, math.inf), "limit"),
        (coherence_guard, {"limit": 2, "coolest": 0}, "coolest"),
        (coherence_guard, {"limit": 2, "coolest": 1}, "coolest"),
        (coherence_guard, {"limit": 2, "horizon": 2}, "horizon"),
    ],
)
def test_bad_arguments_are_refused(make, arguments, field):
    with pytest.raises(hb.InputError) as refused:
        make(0.7, **arguments) if isinstance(arguments, dict) else make(*arguments)
    assert refused.value.field == field
    assert refused.value.instead


@pytest.mark.parametrize("guard", [loop_guard(0.3), coherence_guard(0.3, 1.0)])
@pytest.mark.parametrize("state", [(), 3, None, (1.0,), "ab"])
def test_a_foreign_state_is_refused(guard, state):
    with pytest.raises(hb.InputError, match="is no state of"):
        guard.step(state, hb.Seen())
    with pytest.raises(hb.InputError, match="is no state of"):
        guard.learn(state, hb.Outcome(choice=1, surprisal=1.0))


def test_a_window_of_other_rows_is_refused():
    _, state = tell(loop_guard(0.3), chosen(np.zeros((3, 4), np.int64)))
    with pytest.raises(hb.InputError, match=r"the window in the state has shape \(4, 64\)"):
        loop_guard(0.3).learn(state, hb.Outcome(choice=np.zeros(5, np.int64)))
    with pytest.raises(hb.InputError, match="and 32 tokens of each row were expected"):
        loop_guard(0.3, 32).learn(state, hb.Outcome(choice=np.zeros(4, np.int64)))


@pytest.mark.parametrize("wrong", [-1, "a", [1, -2]])
def test_what_is_no_choice_is_refused(wrong):
    with pytest.raises(hb.InputError, match="choice is one number >= 0, or one per row"):
        loop_guard(0.3).learn(loop_guard(0.3).init(), hb.Outcome(choice=wrong))


@pytest.mark.parametrize("around", [loop_guard, lambda inner: coherence_guard(inner, 0.3)])
def test_what_a_thermostat_inside_answers_is_checked(around):
    guard = around(hb.Thermostat(init=tuple, step=lambda state, seen: None))
    with pytest.raises(hb.InputError, match="its step gave None, and not T and a state"):
        guard.step(guard.init(), hb.Seen(np.zeros(4)))
