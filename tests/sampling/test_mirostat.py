"""Both versions: what they keep, how they learn, and that they hold their target."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import mirostat_v1, mirostat_v2, row_of, stack
from tests.sampling.kept import kept, llama_left, random_rows
from tests.sampling.llama import llama

VERSIONS = [mirostat_v1, mirostat_v2]
WEIGHTS = st.lists(st.integers(0, 12), min_size=1, max_size=10).filter(any)
BIT = math.log(2)


def named(make):
    return make.__name__


@given(WEIGHTS, st.floats(-1, 6))
def test_version_2_keeps_what_is_no_more_surprising_than_mu(weights, mu):
    total = sum(weights)
    surprisals = [math.log(total / w) if w else math.inf for w in weights]
    row = [math.log(w) if w else -math.inf for w in weights]
    expected = [i for i, s in enumerate(surprisals) if s <= mu + 1e-12 or s == min(surprisals)]
    assert kept(mirostat_v2(1.0), row, state=mu) == expected


def test_version_2_keeps_a_surprisal_of_exactly_mu():
    assert kept(mirostat_v2(1.0), np.log([1 / 2, 1 / 4, 1 / 8, 1 / 8]), state=2 * BIT) == [0, 1]
    assert kept(mirostat_v2(1.0), np.log([0.7, 0.2, 0.1]), state=-math.log(0.1)) == [0, 1, 2]


def paper(row, mu):
    """How many the paper's algorithm 1 keeps, as its text has it, with k rounded down; mu in nats."""
    p = np.sort(hb.softmax(np.array([score for score in row if score > -math.inf])))[::-1]
    t = [math.log((i + 2) / (i + 1)) for i in range(min(len(p), 100) - 1)]
    b = [math.log(p[i] / p[i + 1]) for i in range(len(t))]
    s = np.dot(t, b) / np.dot(t, t)
    e = s - 1
    return max(int((e * math.exp(mu) / (1 - len(p) ** -e)) ** (1 / s)), 1)


@pytest.mark.parametrize("mu", [0.5, 2.0, 5.0])
def test_version_1_keeps_as_many_as_the_paper(mu):
    for row in random_rows(rows=100, options=300):
        assert len(kept(mirostat_v1(1.0), [*row, -math.inf], state=mu)) == min(paper(row, mu), 300)


@pytest.mark.parametrize("slope", [0.5, 1.0, 1.0 + 1e-12, 1.5, 4.0])
def test_version_1_on_zipfs_law_itself(slope):
    ranks, mu = np.arange(1, 1001), 3.0
    whole = np.log(1000) if abs(slope - 1) < 1e-9 else (1 - 1000 ** (1 - slope)) / (slope - 1)
    expected = int((math.exp(mu) / whole) ** (1 / slope))
    assert len(kept(mirostat_v1(1.0), -slope * np.log(ranks), state=mu)) == max(expected, 1)


def test_version_1_at_a_slope_of_exactly_one():
    row = [math.log(2), 0.0]  # k = exp(mu) / ln 2
    assert [len(kept(mirostat_v1(1.0), row, state=mu)) for mu in (0.3, 0.4)] == [1, 2]


@pytest.mark.parametrize("row", [[0.0] * 5, [0.0], [0.0, -math.inf], [0.0, -1e4], [0.0, 0.0, -1e4], [1e308, -1e308]])
@pytest.mark.parametrize("mu", [-50.0, 0.0, 1e3])
@pytest.mark.parametrize("make", VERSIONS, ids=named)
def test_the_best_and_its_equals_always_stay(make, row, mu):
    assert set(kept(make(1.0), row, state=mu)) >= {i for i, score in enumerate(row) if score == max(row)}


def run(make, lib, tau, eta, rows):
    """llama.cpp's own stream through the rows, and ours led along the same choices: what either keeps."""
    bits = (len(rows[0]), 0, tau, eta, 100) if make is mirostat_v1 else (0, tau, eta)
    init = lib.llama_sampler_init_mirostat if make is mirostat_v1 else lib.llama_sampler_init_mirostat_v2
    sampler, theirs = hb.chain(make(tau * BIT, eta, renormalised=True)), init(*bits)
    state = sampler.init()
    for row in rows:
        after = sampler.scores(state, row.astype(np.float32).astype(float)).scores
        found, choice = llama_left(theirs, row)
        yield np.flatnonzero(np.isfinite(after)).tolist(), sorted(option for option, _, _ in found)
        p = next(p for option, _, p in found if option == choice)
        state = sampler.learn(state, hb.Outcome(surprisal_after=-math.log(p)))
    lib.llama_sampler_free(theirs)


@pytest.mark.parametrize("tau", [1.0, 2.0, 3.0])  # from about 5, its k of flat rows overflows, and 1 is left
@pytest.mark.parametrize("make", VERSIONS, ids=named)
def test_llama_goes_the_same_way(make, tau):
    different = [ours != theirs for ours, theirs in run(make, llama(), tau, 0.1, random_rows(rows=150))]
    assert not any(different)


def test_mu_moves_against_the_error():
    sampler = hb.chain(hb.temperature(2.0), mirostat_v2(1.5, 0.2))
    state = sampler.init()
    assert state == (0, ((), 3.0))
    row = np.array([2.0, 1.0, 0.0, -3.0])
    choice, after, _ = sampler.step(state, row, seed=4)
    surprisal = -hb.log_softmax(row, 2.0)[choice]  # of the scores that reach the step
    assert after[1][1] == pytest.approx(3.0 - 0.2 * (surprisal - 1.5))


def test_surprisals_are_measured_before_the_cut_or_behind_it():
    row = np.log([0.5, 0.25, 0.15, 0.1])
    for renormalised, p in ((False, 0.5), (True, 0.5 / 0.75)):
        sampler = hb.chain(mirostat_v2(1.0, 0.3, renormalised=renormalised), hb.greedy())
        _, state, _ = sampler.step((0, (1.5,)), row, seed=0)
        assert state[1][0] == pytest.approx(1.5 - 0.3 * (-math.log(p) - 1.0))


@pytest.mark.parametrize("numbers", [(1e308, 0.1), (1.0, 1e308), (1e308, 1e308)])
@pytest.mark.parametrize("make", VERSIONS, ids=named)
def test_the_largest_numbers_leave_a_state_that_can_move(make, numbers):
    sampler = hb.chain(make(*numbers))
    state = sampler.init()
    for position, row in enumerate(synthetic(6, 50)):
        _, state, _ = sampler.step(state, row, seed=position)
        assert math.isfinite(state[1][0])


def test_a_reward_told_later_moves_nothing():
    sampler = hb.chain(mirostat_v2(1.0))
    assert sampler.learn(sampler.init(), hb.Outcome(reward=1.0)) == sampler.init()


def synthetic(length, options=2000, seed=0):
    """A stream of Zipf's laws whose slopes change slowly, in another order of the options each time."""
    random = np.random.default_rng(seed)
    ranks = np.log(np.arange(1, options + 1))
    for position in range(length):
        yield random.permutation(-(1.5 + 0.3 * math.sin(position / 50)) * ranks)


@pytest.mark.parametrize("tau", [1.3, 2.0])
@pytest.mark.parametrize("make", VERSIONS, ids=named)
def test_the_mean_surprisal_is_the_target(make, tau):
    sampler, told = hb.chain(make(tau)), []
    state = sampler.init()
    for row in synthetic(3000):
        choice, state, _ = sampler.step(state, row, seed=7)
        told.append(-hb.log_softmax(row)[choice])
    held = np.mean(told[500:])
    assert held == pytest.approx(tau, abs=0.05)
    free = [-hb.log_softmax(row)[hb.chain().step((), row, seed=i).choice] for i, row in enumerate(synthetic(500))]
    assert np.mean(free) > tau + 0.5  # it is not the stream's own


def test_a_target_above_the_entropy_of_the_stream_changes_nothing():
    sampler = hb.chain(mirostat_v2(6.0))
    state = sampler.init()
    for position, row in enumerate(synthetic(300)):
        choice, state, _ = sampler.step(state, row, seed=7)
        if position > 100:
            assert choice == hb.chain().step((position, ()), row, seed=7).choice


def test_the_mean_is_held_behind_the_cut_where_that_is_asked():
    sampler, before, behind = hb.chain(mirostat_v2(2.0, renormalised=True)), [], []
    state = sampler.init()
    for row in synthetic(2500):
        _, state, reading = sampler.step(state, row, seed=7, reading=True)
        before.append(float(reading.surprisal))
        behind.append(float(reading.surprisal_after))
    assert np.mean(behind[500:]) == pytest.approx(2.0, abs=0.05)
    assert np.mean(before[500:]) > 2.2


@pytest.mark.parametrize("make", VERSIONS, ids=named)
def test_streams_of_a_batch_are_those_that_go_alone(make):
    sampler = hb.chain(make(1.5))
    rows = [list(synthetic(20, 50, seed)) for seed in (1, 2)]
    states, together = [sampler.init(), sampler.init()], sampler.init()
    for position in range(20):
        for stream in (0, 1):
            _, states[stream], _ = sampler.step(states[stream], rows[stream][position], seed=stream)
        together = json.loads(json.dumps(together))
        _, together, _ = sampler.step(together, np.stack([rows[0][position], rows[1][position]]), seed=0)
    for stream in (0, 1):
        alone, ours = states[stream][1][0], row_of(sampler.init(), together, stream)[1][0]
        assert ours == pytest.approx(alone, rel=1e-12)
    assert stack(states)[1][0] == pytest.approx(together[1][0], rel=1e-12)


@pytest.mark.parametrize("make", VERSIONS, ids=named)
def test_every_row_may_have_its_own_numbers(make):
    sampler = hb.chain(make([0.5, 2.0], [0.1, 0.4]), hb.greedy())
    row = next(synthetic(1, 50))
    _, state, _ = sampler.step(sampler.init(), np.stack([row, row]), seed=0)
    for i, (tau, eta) in enumerate([(0.5, 0.1), (2.0, 0.4)]):
        _, alone, _ = hb.chain(make(tau, eta), hb.greedy()).step((), row, seed=0)
        assert state[1][0][i] == pytest.approx(alone[1][0])


@pytest.mark.parametrize("make", VERSIONS, ids=named)
def test_it_learns_on_tensors_and_drags_no_gradients(make):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    sampler = hb.chain(make(1.0))
    rows = torch.tensor(np.stack(list(synthetic(3, 40))), requires_grad=True)
    ours = sampler.step(sampler.init(), rows.detach().numpy(), seed=3).state[1][0]
    theirs = sampler.step(sampler.init(), rows, seed=3).state[1][0]
    assert isinstance(theirs, torch.Tensor)
    assert not theirs.requires_grad
    assert theirs.tolist() == pytest.approx(ours)


@pytest.mark.parametrize("make", VERSIONS, ids=named)
@pytest.mark.parametrize(
    ("wrong", "field"),
    [((value,), "tau") for value in (0, -1, math.nan, math.inf, "1", None, True, [])]
    + [((1.0, value), "eta") for value in (0, -1, math.nan, math.inf, "1", None, True, [])],
)
def test_illegal_numbers_are_refused(make, wrong, field):
    with pytest.raises(
        hb.InputError, match=rf"making {make.__name__} on {make.__name__}\(.*: {field} must be"
    ) as caught:
        make(*wrong)
    assert caught.value.field == field


@pytest.mark.parametrize("make", VERSIONS, ids=named)
def test_where_to_measure_is_named_by_a_truth(make):
    with pytest.raises(hb.InputError, match="renormalised is True or False"):
        make(1.0, renormalised="after")
