"""What every step and every draw keeps. They are found in the registry: one without an example fails."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.made import MAKERS
from tests.sampling.numbers import given_numbers

STEPS = {
    "temperature": [hb.temperature(0.7), hb.temperature(0), hb.temperature(np.inf)],
    "top_k": [hb.top_k(2)],
    "top_p": [hb.top_p(0.8), hb.top_p(0.8, reaching=False)],
    "min_p": [hb.min_p(0.1)],
    "repetition": [hb.sampling.repetition(1.3), hb.sampling.repetition(1.3, 4, False, 2)],
    "presence": [hb.sampling.presence(0.5, prompt=True)],
    "frequency": [hb.sampling.frequency(0.5, prompt=True)],
    "penalties": [hb.penalties(1.3, 0.5, 0.2, window=3, prompt=True)],
    "dry": [hb.sampling.dry(0.8, allowed_length=1, breakers=[3, [4, 5]])],
    "no_repeat_ngram": [hb.sampling.no_repeat_ngram(2)],
    "logit_bias": [hb.sampling.logit_bias({0: -100, 1: 2.5})],
    "bans": [hb.sampling.bans([0])],
    "ban_sequences": [hb.sampling.ban_sequences([[1, 0], [2]])],
    "typical": [hb.typical(0.2), hb.typical(0.9)],
    "epsilon": [hb.sampling.epsilon(0.1)],
    "eta": [hb.sampling.eta(0.1)],
    "top_a": [hb.sampling.top_a(0.3)],
    "p_less": [hb.sampling.p_less(), hb.sampling.p_less(normalised=True)],
    "top_n_sigma": [hb.top_n_sigma(1.0), hb.top_n_sigma(0.5, sample=True)],
    "tail_free": [hb.sampling.tail_free(0.9)],
    "top_h": [hb.sampling.top_h(0.4)],
    "min_k": [hb.sampling.min_k(), hb.sampling.min_k(0)],
    "xtc": [hb.sampling.xtc(0.1, 0.5), hb.sampling.xtc(0.1, 1.0)],
    "smoothing": [hb.sampling.smoothing(0.3), hb.sampling.smoothing(0.3, 3.0)],
    "mirostat_v1": [hb.sampling.mirostat_v1(1.0)],
    "mirostat_v2": [hb.sampling.mirostat_v2(1.0), hb.sampling.mirostat_v2(0.1, 0.5, renormalised=True)],
    "adaptive_p": [hb.sampling.adaptive_p(0.5)],
}
DRAWS = {"greedy": [hb.greedy()], "categorical": [hb.categorical()], "gumbel": [hb.sampling.gumbel()]}
MAY_REFUSE = {"no_repeat_ngram", "logit_bias", "bans", "ban_sequences"}
"""Steps that name options: they refuse a row in which these are not, or in which nothing else is left."""
PENALTIES = {"repetition", "presence", "frequency", "penalties", "dry"}
MAY_DROP_THE_BEST = MAY_REFUSE | PENALTIES | {"typical", "xtc", "adaptive_p"}
"""Steps whose purpose is to look past the best option."""

EVERY = [pytest.param(each, id=repr(each)) for examples in STEPS.values() for each in examples]


def test_every_maker_has_an_example():
    for kind, examples in (("step", STEPS), ("draw", DRAWS)):
        ours = {name for name, make in MAKERS[kind].items() if make.__module__.startswith("heatbath.")}
        assert ours == set(examples), f"give every {kind} an example in this file"


ROWS = st.lists(st.sampled_from([-np.inf, -1e4, -1.0, 0.0, 2.0, 1e4]), min_size=1, max_size=9).filter(
    lambda row: max(row) > -np.inf
)


@pytest.mark.parametrize("step", EVERY)
@given(ROWS, st.lists(st.integers(0, 8), max_size=6))
def test_every_step_keeps_one_option_and_forgives_none(step, row, prompt):
    before = np.array(row)
    given_row = before.copy()
    sampler = hb.chain(step)
    try:
        after = sampler.scores(sampler.init(prompt), before, seed=1).scores
    except hb.InputError:
        assert step.made.name in MAY_REFUSE
        return
    assert (after > -np.inf).any()
    assert not (after > -np.inf)[before == -np.inf].any()
    assert not np.isnan(after).any()
    if step.made.name not in MAY_DROP_THE_BEST:
        assert after[np.argmax(before)] == after.max()
    assert np.array_equal(before, given_row)


@pytest.mark.parametrize("step", EVERY)
def test_every_step_prints_as_it_is_read(step):
    assert hb.parse(repr(step)).steps[0].made == step.made


@pytest.mark.parametrize("step", EVERY)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_row_does_not_depend_on_its_batch_mates(step, seed, rows):
    random = np.random.default_rng(seed)
    scores, prompts = random.normal(0, 3, (rows, 12)), random.integers(0, 12, (rows, 5)).tolist()
    sampler = hb.chain(step)
    together = sampler.step(sampler.init(prompts), scores, seed=seed)
    kept = sampler.scores(sampler.init(prompts), scores, seed=seed).scores
    for row in range(rows):
        alone = sampler.step(sampler.init(prompts[row]), scores[row], seed=seed + row)
        np.testing.assert_allclose(
            kept[row], sampler.scores(sampler.init(prompts[row]), scores[row], seed=seed + row).scores, rtol=1e-12
        )
        assert alone.choice == together.choice[row]


@pytest.mark.parametrize("draw", [pytest.param(each, id=repr(each)) for some in DRAWS.values() for each in some])
def test_every_draw_takes_an_option_that_is_left(draw):
    scores = np.array([[-np.inf, 1.0, -np.inf, 0.5]])
    for u in np.linspace(0, 1 - 2**-53, 50):
        assert draw.pick(scores, given_numbers(np.array([u]), np.full((1, 4), u)))[0] in (1, 3)
