"""The sampler for mlx-lm, on MLX arrays."""

import numpy as np
import pytest

import heatbath as hb
from heatbath.embedded import load
from tests.integrations.rows import CHAINS, LENGTH, ROW, alone, logits, p_values

mx = pytest.importorskip("mlx.core", reason="MLX is not installed")

from heatbath.integrations.mlx_lm import HeatbathSampler


def logprobs(scores):
    """As mlx-lm computes them for its samplers."""
    array = mx.array(scores)
    return array - mx.logsumexp(array, axis=-1, keepdims=True)


@pytest.mark.parametrize("text", [text for text in CHAINS if "1.3" not in text])  # no repetition penalty: see its docs
def test_each_row_draws_what_the_chain_draws_alone(text):
    scores, prompts = logits(2), [[3, 1, 3], [2, 2, 4]]
    sample = HeatbathSampler(text, seed=[5, 9], prompt=prompts)
    tokens = []
    for step in range(LENGTH):
        drawn = sample(logprobs(scores[step]))
        assert isinstance(drawn, mx.array)
        assert drawn.shape == (2,)
        tokens.append(drawn.tolist())
    for row, seed in enumerate((5, 9)):
        expected = alone(hb.parse(text), np.array([logprobs(s) for s in scores[:, row]]), prompts[row], seed=seed)
        assert [both[row] for both in tokens] == expected


def test_half_precision_is_read():
    assert HeatbathSampler("greedy()", seed=0)(mx.array([[0.0, 2.0, 1.0]], dtype=mx.bfloat16)).tolist() == [1]


def test_rows_that_come_or_go_are_refused():
    sample = HeatbathSampler(0.7, seed=1)
    sample(mx.zeros((2, 4)))
    with pytest.raises(hb.InputError, match="the call before had 2 rows, and this one has 3"):
        sample(mx.zeros((3, 4)))


def test_draws_have_the_right_frequencies():
    drawn = HeatbathSampler(1.3, seed=0)(mx.array(np.tile(ROW, (20_000, 1))))
    right, wrong = p_values(np.bincount(np.array(drawn), minlength=len(ROW)))
    assert right > 1e-3
    assert wrong < 1e-4


def test_mlx_lm_writes_what_the_embedded_model_writes():
    """mlx-lm itself, on the shipped weights."""
    library = pytest.importorskip("mlx_lm.models.qwen3", reason="mlx-lm is not installed")
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from mlx_lm.generate import generate_step

    from training import qwen3

    torch_model, model = qwen3.load(), load()
    weights = {name: mx.array(weight.numpy()) for name, weight in torch_model.state_dict().items()}
    del weights["lm_head.weight"]  # the embedding again
    known = torch_model.config.to_dict() | {"rope_theta": torch_model.config.rope_parameters["rope_theta"]}
    mlx_model = library.Model(library.ModelArgs.from_dict(known))
    mlx_model.load_weights(list(weights.items()))

    text = "penalties(presence=0.5) -> temperature(hold_surprise(2.0, 8)) -> min_p(0.02)"
    ids, sampler = model.tokenizer.encode("Once upon a time there was a king"), hb.parse(text)
    sample = HeatbathSampler(text, seed=3, prompt=ids)
    generated = [int(token) for token, _ in generate_step(mx.array(ids), mlx_model, sampler=sample, max_tokens=12)]
    (scores, cache), state, expected = model.start([ids]), sampler.init(ids), []
    for _ in range(12):
        token, state, _ = sampler.step(state, scores[0], seed=3)
        expected.append(int(token))
        scores, cache = model.step(cache, expected[-1:])
    assert generated == expected
