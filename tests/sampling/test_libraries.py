"""The same chain on arrays of other libraries: the same kind out, the same options kept, the same tokens drawn."""

import numpy as np
import pytest
from scipy import stats

import heatbath as hb

SAMPLERS = [
    hb.chain(),
    hb.chain(hb.greedy()),
    hb.chain(hb.temperature(0.7), hb.top_k(10), hb.top_p(0.9), hb.min_p(0.01)),
    hb.chain(hb.min_p(0.05), hb.temperature(1.5)),
    hb.chain(hb.temperature([0, 0.5, 1, 2] * 8), hb.top_k([1, 2, 3, 4] * 8), hb.top_p([0.2, 0.5, 0.9, 1.0] * 8)),
    hb.chain(hb.temperature(hb.hold_entropy(1.0))),
    hb.chain(hb.typical(0.7)),
    hb.chain(hb.top_n_sigma(1.0), hb.typical([0.2, 0.5, 0.9, 1.0] * 8)),
    hb.chain(hb.sampling.epsilon(0.01), hb.sampling.eta(0.1)),
    hb.chain(hb.sampling.top_a(0.3), hb.sampling.p_less(normalised=True)),
    hb.chain(hb.top_n_sigma([0.5, 1.0, 1.5, 2.0] * 8, sample=True)),
    hb.chain(hb.sampling.tail_free(0.9)),
    hb.chain(hb.sampling.top_h([0.2, 0.4, 0.8, 1.0] * 8)),
    hb.chain(hb.sampling.min_k([0, 3.0, 30.0, 300.0] * 8)),
    hb.chain(hb.sampling.xtc(0.05, [0.1, 0.5, 0.9, 1.0] * 8, protect=[3])),
    hb.chain(hb.sampling.smoothing(0.2, [1.0, 1.5, 2.0, 3.0] * 8)),
    hb.chain(hb.sampling.mirostat_v1([0.5, 1.0, 1.5, 2.0] * 8)),
    hb.chain(hb.sampling.mirostat_v2([0.5, 1.0, 1.5, 2.0] * 8)),
    hb.chain(hb.sampling.adaptive_p([0.1, 0.3, 0.5, 0.9] * 8)),
]


def rows(dtype):
    scores = np.random.default_rng(4).normal(0, 3, (32, 50)).astype(dtype)
    scores[:, 7] = -np.inf
    return scores


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_draws_the_same(sampler, dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scores = rows(dtype)
    ours = sampler.step(sampler.init(), scores, seed=11, reading=True)
    theirs = sampler.step(sampler.init(), torch.from_numpy(scores), seed=11, reading=True)
    assert isinstance(theirs.choice, torch.Tensor)
    assert theirs.choice.tolist() == ours.choice.tolist()
    assert theirs.reading.kept.tolist() == ours.reading.kept.tolist()
    np.testing.assert_allclose(theirs.reading.entropy_after, ours.reading.entropy_after, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_jax_draws_the_same_up_to_single_precision(sampler):
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    scores = rows("float32")
    ours = sampler.step(sampler.init(), scores, seed=11)
    theirs = sampler.step(sampler.init(), jax.numpy.asarray(scores), seed=11)
    assert isinstance(theirs.choice, jax.Array)
    # sums run in float32 there, so a uniform that falls within its rounding of a boundary may fall on the other side
    assert np.mean(np.asarray(theirs.choice) == ours.choice) >= 31 / 32


EXTREMES = [
    (hb.top_k, 2**31),
    (hb.top_k, 2**63),
    (hb.top_k, np.uint8(40)),
    (hb.top_k, np.array([3, 300, 1], dtype=np.uint16)),
    (hb.top_p, 1e-46),
    (hb.top_p, 1 - 2**-53),
    (hb.min_p, 0),
    (hb.min_p, 1),
    (hb.typical, 1e-46),
    (hb.typical, 1),
    (hb.top_n_sigma, 1e-46),
    (hb.top_n_sigma, 1e300),
    (hb.sampling.epsilon, 1e-300),
    (hb.sampling.eta, 1 - 2**-53),
    (hb.sampling.top_a, 1e-300),
    (hb.sampling.tail_free, 1e-46),
    (hb.sampling.top_h, 1e-46),
    (hb.sampling.min_k, 1e300),
    (hb.sampling.mirostat_v1, 1e300),
    (hb.sampling.mirostat_v2, 1e-46),
    (hb.temperature, 1e-46),
    (hb.temperature, 1e300),
]


@pytest.mark.parametrize(("make", "value"), EXTREMES, ids=lambda each: getattr(each, "__name__", str(each)))
@pytest.mark.parametrize("library", ["numpy", "torch", "jax.numpy"])
def test_extreme_parameters_leave_something_and_never_the_forbidden(make, value, library):
    xp = pytest.importorskip(library, reason=f"{library} is not installed")
    scores = np.tile(np.arange(300, dtype=np.float32) / 10, (3, 1))
    scores[:, 0] = -np.inf
    expected = np.isfinite(hb.chain(make(value)).scores((), scores).scores)
    after = hb.chain(make(value)).scores((), xp.asarray(scores)).scores
    kept = np.isfinite(np.asarray(after))
    assert kept.any(axis=-1).all()
    assert not kept[:, 0].any()
    if make is not hb.temperature and np.any(value != 1 - 2**-53):  # float32 cannot hold the smallest T, nor that p
        assert kept.tolist() == expected.tolist()
    assert (np.asarray(hb.chain(make(value)).step((), xp.asarray(scores), seed=1).choice) > 0).all()


def test_arrays_of_two_libraries_are_refused():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    with pytest.raises(hb.InputError, match="convert one of the two"):
        hb.chain(hb.temperature(torch.tensor(0.7))).step((), np.zeros(3), seed=0)
    with pytest.raises(hb.InputError, match="making top_p"):
        hb.top_p(torch.tensor(0.5, requires_grad=True))


@pytest.mark.parametrize("library", ["numpy", "torch", "jax.numpy"])
def test_draws_of_single_precision_have_the_right_frequencies(library):
    xp = pytest.importorskip(library, reason=f"{library} is not installed")
    logits = np.random.default_rng(0).normal(0, 1.5, 12).astype(np.float32)
    drawn = hb.chain(hb.temperature(1.3)).step((), xp.asarray(np.tile(logits, (50_000, 1))), seed=0).choice
    counts = np.bincount(np.asarray(drawn), minlength=12)

    def p_value(t):
        return stats.chisquare(counts, 50_000 * hb.softmax(logits.astype(float), t)).pvalue

    assert p_value(1.3) > 1e-3
    assert p_value(1.3 * 1.05) < 1e-6


def test_gradients_flow_through_the_steps():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scores = torch.tensor([1.0, 2.0, 3.0, -torch.inf], dtype=torch.float64, requires_grad=True)
    t = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    tempered = hb.chain(hb.temperature(t), hb.top_k(2)).scores((), scores).scores
    tempered[1].backward()
    assert scores.grad.tolist() == pytest.approx([0, 1 / 0.7, -1 / 0.7, 0])
    assert t.grad.item() == pytest.approx(1 / 0.7**2)
