import gc
from functools import partial

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling import asking

pytest.importorskip("numba")


def plan_of(sampler):
    return asking.plan(sampler.steps, sampler.draw.quick)


def test_a_chain_that_never_changes_is_planned_once():
    sampler = hb.chain(hb.temperature(0.5), hb.top_k(7), hb.min_p(0.25))
    plan = plan_of(sampler)
    assert plan.settled.numbers == pytest.approx(np.array([[0.5, 7.0, np.log(0.25)]]))
    assert plan_of(sampler) is plan


def test_what_may_change_is_asked_for_at_every_decision():
    for step in (hb.temperature(hb.schedules.linear(1.0, 0.5, 9)), hb.temperature([0.5, 0.7]), hb.top_k([3, 5])):
        assert plan_of(hb.chain(step, hb.top_p(0.9))).settled is None


def test_there_is_no_plan_for_what_only_the_reference_does():
    assert plan_of(hb.chain(hb.temperature(0.5), hb.sampling.gumbel())) is None
    assert plan_of(hb.chain(hb.sampling.repetition(1.2))) is None


def test_plans_are_neither_mistaken_for_another_nor_kept_for_ever():
    for number in range(3 * asking.MOST_PLANS):
        t = 1.0 + number
        assert plan_of(hb.chain(hb.temperature(t))).settled.numbers[0, 0] == t
        gc.collect(0)
    assert len(asking._plans) <= asking.MOST_PLANS


def test_the_draw_that_ends_the_chain_is_part_of_the_plan():
    steps = hb.chain(hb.temperature(0.5)).steps
    assert len(asking.plan(steps, ()).settled.codes) == 1
    assert len(asking.plan(steps, hb.greedy().quick).settled.codes) == 2
    scores = np.random.default_rng(0).normal(0, 9, (3, 5000)).astype(np.float32)
    assert hb.chain(hb.greedy()).step((), scores, seed=0).choice.tolist() == scores.argmax(-1).tolist()


def test_states_of_several_rows_have_one_position_each():
    scores = np.random.default_rng(0).normal(0, 3, (3, 5000)).astype(np.float32)
    sampler = hb.chain(hb.temperature(2.0), hb.top_p(0.9))
    choice, state, _ = sampler.step(([0, 5, 9], ((), ())), scores, seed=[4, 4, 4])
    assert state[0] == [1, 6, 10]
    alone = [int(sampler.step((at, ((), ())), row, seed=4).choice) for at, row in zip([0, 5, 9], scores, strict=True)]
    assert choice.tolist() == alone
    with pytest.raises(hb.InputError, match="state"):
        sampler.step(([0], ((), ())), scores, seed=4)


@pytest.mark.parametrize("step", [hb.temperature([0.5]), hb.top_k([5]), hb.sampling.smoothing([0.3], [1.0])], ids=str)
def test_one_number_per_row_is_refused_for_a_single_row(step):
    for call in (hb.chain(step).scores, partial(hb.chain(step).step, seed=0)):
        with pytest.raises(hb.InputError, match="single row"):
            call((), np.zeros(5000, np.float32))
