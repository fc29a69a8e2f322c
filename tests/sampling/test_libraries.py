"""The same chain on arrays of other libraries: the same kind out, the same options kept, the same tokens drawn."""

import numpy as np
import pytest

import heatbath as hb

SAMPLERS = [
    hb.chain(),
    hb.chain(hb.greedy()),
    hb.chain(hb.temperature(0.7), hb.top_k(10), hb.top_p(0.9), hb.min_p(0.01)),
    hb.chain(hb.min_p(0.05), hb.temperature(1.5)),
    hb.chain(hb.temperature([0, 0.5, 1, 2] * 8), hb.top_k([1, 2, 3, 4] * 8), hb.top_p([0.2, 0.5, 0.9, 1.0] * 8)),
    hb.chain(hb.temperature(hb.hold_entropy(1.0))),
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


def test_gradients_flow_through_the_steps():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scores = torch.tensor([1.0, 2.0, 3.0, -torch.inf], dtype=torch.float64, requires_grad=True)
    t = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    tempered = hb.chain(hb.temperature(t), hb.top_k(2)).scores((), scores).scores
    tempered[1].backward()
    assert scores.grad.tolist() == pytest.approx([0, 1 / 0.7, -1 / 0.7, 0])
    assert t.grad.item() == pytest.approx(1 / 0.7**2)
