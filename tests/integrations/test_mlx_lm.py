"""The sampler for mlx-lm, on MLX arrays."""

import inspect

import numpy as np
import pytest

import heatbath as hb
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


def test_it_fits_where_mlx_lm_takes_a_sampler():
    generate = pytest.importorskip("mlx_lm.generate", reason="mlx-lm is not installed")
    assert "sampler" in inspect.signature(generate.generate_step).parameters
