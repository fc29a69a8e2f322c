"""The scores that the kernel hands on are those of the reference, to the last bit.

Those of adaptive_p are made from exponentials, and every library rounds its own.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import asking
from tests.sampling.kernel.test_same_as_reference import STEPS, made, rows

pytest.importorskip("numba")


@pytest.fixture
def handed(monkeypatch):
    """Counts what the kernel handed on."""
    counted = []

    def hand(*args):
        counted.append(made := original(*args))
        return made

    original = asking.hand
    monkeypatch.setattr(asking, "hand", hand)
    return counted


def both(sampler, logits, **given):
    """What the kernel hands on, however short the rows are, and what the reference does."""
    state, found = sampler.init(given.pop("prompt", ())), []
    for compiled in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asking, "worthwhile", lambda _, compiled=compiled: compiled)
            found.append(sampler.scores(state, logits, **given))
    return found


def same(one, other, off=0.0):
    assert type(one.scores) is type(other.scores)
    assert one.scores.dtype == other.scores.dtype
    np.testing.assert_allclose(np.asarray(one.scores), np.asarray(other.scores), rtol=off, atol=off)
    assert np.array_equal(np.asarray(one.temperature), np.asarray(other.temperature))
    assert np.asarray(one.temperature).dtype == np.asarray(other.temperature).dtype
    assert repr(one.state) == repr(other.state)


@settings(deadline=None, max_examples=300)
@given(rows(), st.lists(STEPS, max_size=4))
def test_every_chain_on_every_row_hands_on_what_the_reference_does(row, steps):
    last = next((place for place, step in enumerate(steps, start=1) if str(step).startswith("adaptive_p")), None)
    same(*both(hb.chain(*steps[:last]), row, seed=7), off=1e-14 if last else 0.0)


@pytest.mark.parametrize("cut", [hb.min_p(1e-9), hb.top_k(30), hb.sampling.epsilon(1e-300)])
def test_few_options_are_divided_by_t_and_not_multiplied_by_its_inverse(cut):
    for row in np.random.default_rng(3).normal(0, 2, (40, 40)):
        same(*both(hb.chain(cut, hb.temperature(0.8)), row))


@pytest.mark.parametrize("number", ["1", "[0.7, 0.0, inf, 1.4]"])
def test_rows_of_a_batch_have_their_own_numbers(handed, number):
    logits = np.random.default_rng(2).normal(0, 3, (4, 5000)).astype(np.float32)
    t = float(number) if number == "1" else [0.7, 0.0, np.inf, 1.4]
    sampler = hb.chain(hb.temperature(t), hb.top_p([0.9, 0.5, 0.2, 1.0]), hb.temperature(2))
    same(*both(sampler, logits))
    assert handed[0] is not None


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("shape", [(5000,), (3, 5000)])
def test_tensors_come_back_as_tensors(handed, kind, shape):
    torch = pytest.importorskip("torch")
    logits = torch.randn(shape, generator=torch.Generator().manual_seed(1)).mul(3).to(getattr(torch, kind))
    one, other = both(hb.parse("min_p(0.01) -> temperature(0.7)"), logits)
    assert torch.equal(one.scores > -torch.inf, other.scores > -torch.inf)
    torch.testing.assert_close(one.scores, other.scores, rtol=4e-16, atol=0)  # PyTorch divides a bit otherwise
    assert one.scores.dtype == other.scores.dtype == (torch.float64 if kind == "float64" else torch.float32)
    assert torch.equal(one.temperature, other.temperature)
    assert handed == [handed[0]]
    assert handed[0] is not None


def test_gradients_go_through_the_reference(handed):
    torch = pytest.importorskip("torch")
    logits = torch.linspace(0, 3, 5000, requires_grad=True)
    hb.chain(hb.temperature(0.5)).scores((), logits).scores.logsumexp(0).backward()
    assert logits.grad is not None
    assert handed == []


def test_behind_steps_of_the_reference_the_kernel_goes_on(handed):
    logits = np.random.default_rng(3).normal(0, 3, (2, 5000)).astype(np.float32)
    sampler = hb.chain(hb.penalties(presence=1.5, prompt=True), hb.temperature(0.7), hb.top_p(0.9))
    same(*both(sampler, logits, prompt=[[3, 4], [5, 6]]))
    assert handed[0] is not None


def test_a_mask_counts(handed):
    logits = np.random.default_rng(4).normal(0, 3, 5000).astype(np.float32)
    same(*both(hb.parse("temperature(0.7) -> top_k(3)"), logits, mask=np.arange(5000) % 7 == 0))
    assert handed[0] is not None


def test_a_listening_temperature_is_near_and_its_scores_follow(handed):
    logits = np.random.default_rng(5).normal(0, 3, (3, 5000)).astype(np.float32)
    for text in ("temperature(hold_entropy(2.0))", "temperature(edt(0.9, 0.5))", "temperature(hold_entropy(2.0, 8))"):
        one, other = both(hb.parse(text), logits)
        np.testing.assert_allclose(one.temperature, other.temperature, rtol=1e-4)
        tempered = (logits - logits.max(-1, keepdims=True)).astype(np.float64) / one.temperature[:, None]
        np.testing.assert_allclose(one.scores, tempered, rtol=1e-6)
    assert len(handed) == 3
    assert None not in handed


def test_what_is_wrong_is_still_said():
    logits = np.zeros((2, 5000), np.float32)
    logits[1, 7] = np.nan
    with pytest.raises(hb.InputError, match=r"row 1 of logits.*NaN"):
        hb.chain(hb.temperature(0.7)).scores((), logits)
    with pytest.raises(hb.InputError, match="give a seed"):
        hb.chain(made("xtc", 0.1, 1.0)).scores((), np.zeros(5000, np.float32))
