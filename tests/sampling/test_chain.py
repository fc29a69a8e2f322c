import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb

STEPS = [hb.temperature(0.7), hb.top_k(3), hb.top_p(0.8), hb.min_p(0.1), hb.temperature(hb.hold_entropy(0.5))]


def logits(rows, options=8, seed=0):
    return np.random.default_rng(seed).normal(0, 2, (rows, options))


def test_the_order_is_shown():
    sampler = hb.chain(hb.temperature(0.7), hb.top_k(40), hb.top_p(0.95))
    assert repr(sampler) == "temperature(0.7) -> top_k(40) -> top_p(0.95) -> categorical()"
    assert repr(hb.chain()) == "categorical()"
    assert repr(hb.chain(hb.greedy())) == "greedy()"


def test_two_orders_are_two_samplers():
    row = np.log([0.5, 0.3, 0.15, 0.05])
    first = hb.chain(hb.temperature(3.0), hb.min_p(0.2)).scores((), row).scores
    last = hb.chain(hb.min_p(0.2), hb.temperature(3.0)).scores((), row).scores
    assert np.isfinite(first).tolist() == [True, True, True, True]
    assert np.isfinite(last).tolist() == [True, True, True, False]


@given(st.permutations(STEPS), st.integers(0, 2**32), st.integers(1, 5))
def test_a_row_draws_the_same_whatever_shares_its_batch(steps, seed, rows):
    sampler = hb.chain(*steps)
    scores = logits(rows, seed=seed)
    seeds = [seed * 7 + i * i for i in range(rows)]
    together = sampler.step(sampler.init(), scores, seed=seeds, reading=True)
    for row in range(rows):
        alone = sampler.step(sampler.init(), scores[row], seed=seeds[row], reading=True)
        assert alone.choice == together.choice[row]
        for one, many in zip(alone.reading, together.reading, strict=True):
            np.testing.assert_allclose(many[row], one, rtol=1e-12)


def test_two_streams_through_one_sampler_never_mix():
    sampler = hb.chain(hb.temperature(hb.hold_entropy(0.8, horizon=8)), hb.top_k(5))
    texts = [logits(12, seed=1), logits(12, seed=2)]

    def run(order):
        states, tokens = [sampler.init(), sampler.init()], [[], []]
        places = [0, 0]
        for which in order:
            token, states[which], _ = sampler.step(states[which], texts[which][places[which]], seed=which)
            tokens[which].append(int(token))
            places[which] += 1
        return tokens

    assert run([0] * 12 + [1] * 12) == run([0, 1] * 12) == run([1, 1, 0] * 4 + [0] * 8 + [1] * 4)


def test_the_state_survives_json():
    sampler = hb.chain(hb.temperature(hb.hold_entropy(0.8, horizon=8)), hb.top_k(5))
    scores = logits(10)
    state = stored = sampler.init()
    for row in scores:
        token, state, _ = sampler.step(state, row, seed=3)
        token_again, stored, _ = sampler.step(json.loads(json.dumps(stored)), row, seed=3)
        assert token == token_again


def test_a_seed_at_a_position_gives_a_new_number_each_time():
    sampler = hb.chain()
    state, tokens = sampler.init(), []
    for _ in range(50):
        token, state, _ = sampler.step(state, np.zeros(1000), seed=1)
        tokens.append(int(token))
    assert len(set(tokens)) > 40


def test_a_reading_says_what_happened():
    row = np.log([0.5, 0.25, 0.125, 0.125])
    sampler = hb.chain(hb.temperature(2.0), hb.top_k(2))
    choice, _, reading = sampler.step(sampler.init(), row, seed=5, reading=True)
    assert float(reading.temperature) == 2.0
    assert float(reading.entropy_before) == pytest.approx(1.75 * np.log(2))
    assert int(reading.kept) == 2
    p = np.sqrt([0.5, 0.25])
    p /= p.sum()
    assert float(reading.entropy_after) == pytest.approx(-(p * np.log(p)).sum())
    assert float(reading.surprisal) == pytest.approx(-row[choice])
    assert float(reading.surprisal_after) == pytest.approx(-np.log(p[choice]))
    assert sampler.step(sampler.init(), row, seed=5).reading is None


def test_what_came_of_a_decision_reaches_the_thermostat():
    average = hb.Thermostat(
        init=lambda: 1.0,
        step=lambda state, seen: (state, state),
        learn=lambda state, outcome: state if outcome.reward is None else (state + outcome.reward) / 2,
    )
    sampler = hb.chain(hb.top_k(3), hb.temperature(average))
    _, state, _ = sampler.step(sampler.init(), [1.0, 2.0], seed=0)
    state = sampler.learn(state, hb.Outcome(reward=3.0))
    assert float(sampler.scores(state, [1.0, 2.0]).temperature) == 2.0
    assert sampler.learn((), hb.Outcome(reward=0.0)) == (0, ((), 0.5))


def test_a_step_is_told_what_was_chosen_and_how_surprising_that_was():
    told = []

    def learn(state, outcome):
        told.append(outcome)
        return state

    spy = hb.Thermostat(init=tuple, step=lambda state, seen: (2.0, state), learn=learn)
    row = np.log([0.64, 0.32, 0.04])
    sampler = hb.chain(hb.top_k(2), hb.temperature(spy), hb.greedy())
    sampler.step(sampler.init(), row, seed=0)
    (outcome,) = told
    assert (int(outcome.choice), outcome.reward) == (0, None)
    assert float(outcome.surprisal) == pytest.approx(-np.log(2 / 3))  # as it reached the step, after top_k
    assert float(outcome.surprisal_after) == pytest.approx(-np.log(np.sqrt(2) / (np.sqrt(2) + 1)))  # as it left it


def test_two_temperature_steps_multiply():
    sampler = hb.chain(hb.temperature(2.0), hb.temperature(3.0))
    row = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(hb.softmax(sampler.scores((), row).scores), hb.softmax(row, 6.0))
    assert float(sampler.step((), row, seed=0, reading=True).reading.temperature) == 6.0


def test_half_precision_is_computed_in_single():
    row = np.array([0.0, 1.0, 2.0], dtype=np.float16)
    assert hb.chain(hb.temperature(0.3)).scores((), row).scores.dtype == np.float32


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ([], "there is nothing to choose from"),
        ([np.nan, 1.0], "logits, position 0: the score is NaN"),
        ([np.inf, 1.0], r"logits, position 0: the score is \+inf"),
        ([-np.inf, -np.inf], "every score is -inf"),
        (3.0, "one number is not a row of scores"),
        ([[[1.0, 2.0]]], r"the scores have shape \(1, 1, 2\)"),
        (["a", "b"], "scores are real numbers"),
        ([[1.0, 2.0], [-np.inf, -np.inf]], "row 1"),
    ],
)
def test_scores_that_cannot_be_drawn_from_are_refused(scores, why):
    with pytest.raises(hb.InputError, match=why) as caught:
        hb.chain(hb.temperature(0.7)).step((), scores, seed=0)
    assert str(caught.value).startswith("sampling on ")
    assert caught.value.instead


def test_a_chain_that_cannot_be_is_refused_with_its_position():
    with pytest.raises(hb.InputError, match=r"at position 2, greedy\(\) draws"):
        hb.chain(hb.temperature(0.7), hb.greedy(), hb.top_k(3))
    with pytest.raises(hb.InputError, match=r"at position 1, 0.7 is neither"):
        hb.chain(0.7, hb.top_k(3))
    with pytest.raises(hb.InputError, match=r"at position 1, hold_entropy\(2.0\) is neither"):
        hb.chain(hb.hold_entropy(2.0))


SAMPLER = hb.chain(hb.temperature(0.7), hb.top_k(2))


@pytest.mark.parametrize(
    "state",
    [
        "abc",
        5,
        None,
        [1, 2, 3],
        np.array([0, 1]),
        {"position": 0},
        (0, ()),
        (0, ((),)),
        (-1, ((), ())),
        (1.5, ((), ())),
        ("a", ((), ())),
        ([0, 1, 2], ((), ())),
        ([[0]], ((), ())),
    ],
    ids=repr,
)
def test_what_is_no_state_of_the_chain_is_refused(state):
    with pytest.raises(hb.InputError, match=r"sampling on temperature\(0\.7\)") as caught:
        SAMPLER.step(state, [[1.0, 2.0], [2.0, 1.0]], seed=0)
    assert caught.value.field == "state"


@pytest.mark.parametrize(
    ("decided", "why"),
    [
        (lambda count: 1.0 - 1.1 * count, "negative"),
        (lambda count: float("nan"), "NaN"),
        (lambda count: "hot", "real number"),
        (lambda count: None, "real number"),
        (lambda count: [0.5, 0.5, 0.5], "one number per row"),
        (hb.hold_entropy, "real number"),
    ],
)
def test_a_thermostat_cannot_decide_what_is_no_temperature(decided, why):
    sampler = hb.chain(hb.temperature(decided))
    with pytest.raises(hb.InputError, match=why) as caught:
        sampler.step((1, (1,)), [[3.0, 1.0, 0.0], [0.0, 1.0, 2.0]], seed=0)
    assert caught.value.doing == "asking for a temperature"


def test_a_state_may_hold_arrays():
    counts = hb.Thermostat(init=lambda: np.zeros(3), step=lambda state, seen: (1.0, state + np.arange(3)))
    sampler = hb.chain(hb.temperature(counts))
    _, state, _ = sampler.step(sampler.init(), [1.0, 2.0], seed=0)
    _, state, _ = sampler.step(state, [1.0, 2.0], seed=0)
    assert state[1][0].tolist() == [0, 2, 4]


def test_a_frozen_choice_stays_frozen_however_hot_what_follows():
    sampler = hb.chain(hb.temperature(0), hb.temperature(float("inf")))
    token, _, reading = sampler.step((), [1.0, 3.0, 2.0], seed=0, reading=True)
    assert (int(token), float(reading.temperature)) == (1, 0.0)


def test_the_smallest_temperatures_are_not_zero():
    scores = np.array([[1.0, 1.0]] * 200, dtype=np.float32)
    drawn = hb.chain(hb.temperature(1e-46)).step((), scores, seed=0).choice
    assert 60 < drawn.sum() < 140


def test_jax_under_jit_is_told_where_to_draw():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    sampler = hb.chain(hb.temperature(0.7))
    traced = jax.jit(lambda seed, row: sampler.step((), row, seed=seed).choice)
    with pytest.raises(hb.InputError, match="a seed is an integer"):
        traced(3, jax.numpy.ones(4))


@pytest.mark.parametrize("options", [3, 4096])  # by the plain steps, and by the kernel
def test_a_masked_array_is_refused(options):
    scores = np.ma.array(np.zeros(options), mask=np.arange(options) > 1)
    with pytest.raises(hb.InputError, match=r"masked array.*write -inf"):
        hb.chain(hb.temperature(0.7)).step((), scores, seed=1)


def test_jax_is_named_only_where_it_is():
    with pytest.raises(hb.InputError, match="is no whole number >= 0") as error:
        hb.chain().step((-1, ()), np.zeros(3), seed=1)
    assert "jax" not in error.value.instead
    jax = pytest.importorskip("jax")
    with pytest.raises(hb.InputError, match=r"draw outside of jax\.jit"):
        jax.jit(lambda at: hb.chain().step((at, ()), np.zeros(3), seed=1).choice)(3)
