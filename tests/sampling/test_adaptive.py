import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import adaptive_p
from tests.sampling.kept import llama_left, random_rows
from tests.sampling.llama import llama

WEIGHTS = st.lists(st.integers(0, 12), min_size=1, max_size=10).filter(any)


@given(WEIGHTS, st.floats(0, 1), st.floats(0, 1))
def test_scores_follow_the_distance_to_the_aim(weights, target, mean):
    sampler = hb.chain(adaptive_p(target))
    row = np.array([math.log(w) if w else -math.inf for w in weights])
    aim = min(max(2 * target - mean, 0), 1)
    for w, score in zip(weights, sampler.scores((0, (mean,)), row).scores, strict=True):
        d = abs(w / sum(weights) - aim) / 0.3
        assert score == (pytest.approx(5 - 10 * d * d / (1 + d), rel=1e-9, abs=1e-9) if w else -math.inf)


@pytest.mark.parametrize(("target", "decay"), [(0.3, 0.9), (0.5, 0.5), (0.8, 0.99), (0.4, 0.0)])
def test_llama_goes_the_same_way(target, decay):
    lib = llama()
    theirs, ours = lib.llama_sampler_init_adaptive_p(target, decay, 1), hb.chain(adaptive_p(target, decay))
    state = ours.init()
    for row in random_rows(rows=60, options=12):
        found, choice = llama_left(theirs, row)
        lib.llama_sampler_accept(theirs, choice)
        after = ours.scores(state, row).scores
        q = {option: p for option, _, p in found}
        np.testing.assert_allclose(hb.softmax(after), [q[i] for i in range(12)], rtol=2e-4)
        state = ours.learn(state, hb.Outcome(surprisal=-hb.log_softmax(row)[choice]))
    lib.llama_sampler_free(theirs)


def test_the_mean_begins_at_the_target_and_forgets():
    sampler = hb.chain(hb.min_p(0.1), adaptive_p(0.5, 0.8))
    assert sampler.init() == (0, ((), 0.5))
    row = np.log([0.6, 0.3, 0.08, 0.02])
    choice, state, _ = sampler.step(sampler.init(), row, seed=2)
    p = np.array([0.6, 0.3, 0.08])[choice] / 0.98  # of the scores that reach the step
    assert state[1][1] == pytest.approx(0.8 * 0.5 + 0.2 * p)


def mean_probability(target, rows):
    cut = hb.min_p(0.05)
    sampler = hb.chain(cut, adaptive_p(target, 0.95))
    state, drawn = sampler.init(), []
    for row in rows:
        choice, state, _ = sampler.step(state, row, seed=5)
        drawn.append(hb.softmax(hb.chain(cut).scores((), row).scores)[choice])
    return np.mean(drawn)


def test_the_mean_probability_of_what_is_drawn_nears_the_target():
    rows = random_rows(rows=1500, options=30)
    found = [mean_probability(target, rows) for target in (0.2, 0.3, 0.4)]
    assert found == pytest.approx([0.2, 0.3, 0.4], abs=0.05)


def test_streams_of_a_batch_are_those_that_go_alone():
    sampler = hb.chain(adaptive_p([0.3, 0.6], [0.9, 0.5]))
    rows, together = random_rows(rows=20, options=9), sampler.init()
    alone = [hb.chain(adaptive_p(0.3, 0.9)), hb.chain(adaptive_p(0.6, 0.5))]
    states = [one.init() for one in alone]
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        together = json.loads(json.dumps(sampler.step(together, np.stack([first, second]), seed=[3, 8]).state))
        states = [one.step(state, row, seed=seed).state for one, state, row, seed in
                  zip(alone, states, (first, second), (3, 8), strict=True)]  # fmt: skip
    assert together[1][0] == pytest.approx([state[1][0] for state in states])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [((value,), "target") for value in (-0.1, 1.1, math.nan, "1", None, True, [])]
    + [((0.5, value), "decay") for value in (-0.1, 1, math.nan, "1", None, True, [])],
)
def test_illegal_numbers_are_refused(wrong, field):
    with pytest.raises(hb.InputError, match=rf"making adaptive_p on adaptive_p\(.*: {field} must be") as caught:
        adaptive_p(*wrong)
    assert caught.value.field == field
