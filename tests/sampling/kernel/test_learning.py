"""Chains that learn, look back or listen go on alike by the kernel and by the reference."""

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling import asking

pytest.importorskip("numba")

SCORES = np.random.default_rng(5).normal(0, 2.2, (6, 3, 5000)).astype(np.float32)

LEARNING = [
    (hb.sampling.mirostat_v2(2.0),),
    (hb.temperature(1.2), hb.sampling.mirostat_v2(4.0, renormalised=True), hb.temperature(0.9)),
    (hb.min_p(0.02), hb.sampling.adaptive_p(0.3)),
    (hb.temperature(hb.control.hold_surprise(4.0, 8)), hb.top_p(0.9)),
    (hb.temperature(hb.hold_entropy(3.0, horizon=8)),),
    (hb.top_p(0.9), hb.temperature(hb.hold_entropy(0.3, 8, unit="share")), hb.temperature(hb.by_confidence(0.5, 1))),
    (hb.temperature(hb.hold_entropy(1.5, 8, unit="ratio")), hb.sampling.mirostat_v2(3.0)),
    (hb.top_k(1), hb.temperature(hb.hold_entropy(1.5, 8))),
    (hb.temperature(hb.hold_entropy(3.0)), hb.min_p(0.01)),
    (hb.typical(0.9), hb.temperature(hb.control.coherence_guard(1.3, 2.0)), hb.temperature(hb.control.edt(1.0, 1.5))),
    (hb.temperature(hb.control.loop_guard(0.1, window=4, length=2)), hb.sampling.xtc(0.01, 0.5, [3])),
]
LOOKING_BACK = [
    (hb.penalties(1.3, 0.5, 0.2, window=8, prompt=True), hb.temperature(0.8), hb.top_p(0.9)),
    (hb.sampling.logit_bias({3: 2.5, 7: -1.0}), hb.sampling.mirostat_v2(3.0)),
    (hb.sampling.mirostat_v1(3.0), hb.sampling.bans([1, 2]), hb.sampling.mirostat_v2(2.0), hb.min_p(0.01)),
    (hb.sampling.xtc(0.01, 0.5), hb.sampling.no_repeat_ngram(2), hb.sampling.xtc(0.005, 0.5)),
]


@pytest.fixture
def served(monkeypatch):
    """What the kernel gave whenever it was asked to draw."""
    drawn, serve = [], asking.serve

    def served(what, *given):
        choices = serve(what, *given)
        drawn.extend([choices] * (what == "DRAW"))
        return choices

    monkeypatch.setattr(asking, "serve", served)
    return drawn


@pytest.mark.parametrize("steps", [*LEARNING, *LOOKING_BACK], ids=str)
@pytest.mark.parametrize("kind", ["numpy", "one row", "torch"])
def test_a_stream_goes_on_as_by_the_reference(steps, kind, served):
    sampler = hb.chain(*steps)
    quick = slow = sampler.init([5, 3, 5])
    for at in SCORES:
        given = at[0] if kind == "one row" else at if kind == "numpy" else pytest.importorskip("torch").asarray(at)
        one, quick, _ = sampler.step(quick, given, seed=11)
        other, slow, _ = sampler.step(slow, given, seed=11, reading=True)
        assert type(one) is type(other)
        assert one.tolist() == other.tolist()
        close(quick, slow)
    assert len(served) == len(SCORES)
    assert all((choices >= 0).all() for choices in served)


def close(state, other):
    if isinstance(other, tuple):
        assert isinstance(state, tuple)
        for part, its in zip(state, other, strict=True):
            close(part, its)
    else:
        assert type(state) is type(other) or "torch" in str(type(other))  # plain numbers serve all libraries
        np.testing.assert_allclose(state, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("steps", [(), (hb.temperature(1.5), hb.top_k(50)), (hb.sampling.mirostat_v2(3.0),)], ids=str)
@pytest.mark.parametrize("packed", [False, True])
def test_masks_are_served(steps, packed, served):
    sampler = hb.chain(*steps)
    mask = np.random.default_rng(1).random((3, 5024)) < 0.3
    words = np.packbits(mask, axis=-1, bitorder="little").view(np.int32) if packed else mask[:, :5000]
    quick = sampler.step(sampler.init(), SCORES[0], seed=3, mask=words)
    slow = sampler.step(sampler.init(), SCORES[0], seed=3, mask=words, reading=True)
    assert quick.choice.tolist() == slow.choice.tolist()
    close(quick.state, slow.state)
    assert served
    assert (served[-1] >= 0).all()


class Heard:
    """A thermostat that keeps what it is told."""

    def __init__(self, hears=("choice", "surprisal", "surprisal_after")):
        self.told = []
        self.thermostat = hb.Thermostat(tuple, lambda state, seen: (0.7, state), self.learn, looks=False, hears=hears)

    def learn(self, state, outcome):
        self.told.append(outcome)
        return state


@pytest.mark.parametrize("before", [(), (hb.temperature(3.0),), (hb.top_k(30),), (hb.temperature(0),)], ids=str)
@pytest.mark.parametrize("behind", [(), (hb.typical(0.9),), (hb.greedy(),)], ids=str)
def test_learners_are_told_the_surprisals_of_the_reference(before, behind):
    heard = Heard()
    sampler = hb.chain(*before, hb.temperature(heard.thermostat), *behind)
    sampler.step(sampler.init(), SCORES[0], seed=2)
    sampler.step(sampler.init(), SCORES[0], seed=2, reading=True)
    quick, slow = heard.told
    assert quick.choice.tolist() == slow.choice.tolist()
    np.testing.assert_allclose(quick.surprisal, slow.surprisal, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(quick.surprisal_after, slow.surprisal_after, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("reading", [False, True])
def test_what_nobody_hears_is_not_told(reading):
    heard = Heard(hears=("choice",))
    sampler = hb.chain(hb.temperature(heard.thermostat))
    sampler.step(sampler.init(), SCORES[0], seed=2, reading=reading)
    assert heard.told[0].choice is not None
    assert heard.told[0].surprisal is heard.told[0].surprisal_after is None


def test_protected_options_that_are_none_are_refused():
    sampler = hb.chain(hb.sampling.xtc(0.01, 1.0, [5000]))
    with pytest.raises(hb.InputError, match="5000"):
        sampler.step(sampler.init(), SCORES[0], seed=2)
