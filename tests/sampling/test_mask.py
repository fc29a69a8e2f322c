import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling.mask import allow


def packed(allowed):
    """Bits as the grammar engines pack them: option i is bit i % 32 of word i // 32."""
    bits = np.zeros((*allowed.shape[:-1], -(-allowed.shape[-1] // 32) * 32), dtype=np.uint8)
    bits[..., : allowed.shape[-1]] = allowed
    return np.packbits(bits, axis=-1, bitorder="little").view(np.int32)


@given(st.integers(1, 100), st.integers(1, 3), st.integers(0, 2**32))
def test_bits_and_booleans_say_the_same(options, rows, seed):
    random = np.random.default_rng(seed)
    allowed = random.random((rows, options)) < 0.5
    allowed[:, random.integers(options)] = True
    scores = random.normal(size=(rows, options))
    expected = np.where(allowed, scores, -np.inf)
    for mask in (allowed, packed(allowed), packed(allowed).view(np.uint32), allowed.tolist()):
        np.testing.assert_array_equal(allow(scores, mask), expected)


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_masks_of_other_libraries(library):
    xp = pytest.importorskip(library)
    allowed = np.array([[True, False, True], [False, True, True]])
    scores = xp.asarray(np.zeros((2, 3), np.float32))
    for mask in (allowed, xp.asarray(allowed), packed(allowed), xp.asarray(packed(allowed))):
        assert np.isfinite(np.asarray(allow(scores, mask))).tolist() == allowed.tolist()


def test_what_is_masked_is_never_drawn_and_the_reading_knows_the_model():
    sampler = hb.chain(hb.temperature(5.0))
    row = np.array([3.0, 0.0, 1.0, 2.0])
    mask = np.array([False, True, True, False])
    drawn = sampler.step((), np.tile(row, (500, 1)), seed=0, mask=mask, reading=True)
    assert set(drawn.choice.tolist()) == {1, 2}
    assert float(drawn.reading.entropy_before[0]) == pytest.approx(float(hb.entropy(row)))
    assert drawn.reading.kept.tolist() == [2] * 500
    assert np.isfinite(sampler.scores((), row, mask=mask).scores).tolist() == mask.tolist()


@pytest.mark.parametrize(
    ("mask", "why"),
    [
        (np.zeros(4, bool), "every option that the scores leave open is masked"),
        (np.array([True, False, False, False]), "every option that the scores leave open is masked"),
        (np.ones(3, bool), r"bool of shape \(3,\)"),
        (np.ones(4), r"float64 of shape \(4,\)"),
        (np.ones(4, np.int32), r"int32 of shape \(4,\)"),
        ([[True] * 4] * 2, r"bool of shape \(2, 4\)"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(mask, why):
    row = np.array([-np.inf, 0.0, 1.0, 2.0])
    with pytest.raises(hb.InputError, match=why):
        hb.chain().step((), row, seed=0, mask=mask)


def test_the_row_that_is_masked_whole_is_named():
    with pytest.raises(hb.InputError, match="row 1 of mask"):
        hb.chain().step((), np.zeros((2, 2)), seed=0, mask=[[True, True], [False, False]])


def test_each_shape_is_said_once():
    with pytest.raises(hb.InputError) as error:
        allow(np.zeros(3), np.ones(2, bool))
    assert error.value.instead == "give booleans of shape (3,), or packed bits, int32 of shape (1,)"
    with pytest.raises(hb.InputError, match=r"booleans of shape \(3,\) or \(2, 3\), or packed bits"):
        allow(np.zeros((2, 3)), np.ones(2, bool))
