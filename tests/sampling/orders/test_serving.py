"""vLLM and SGLang on PyTorch: their own functions, in the order of their samplers, on thousands of random rows."""

from types import SimpleNamespace

import numpy as np
import pytest

import heatbath as hb
from tests.sampling.orders.rows import OPTIONS, Compared, drawn_from, random_rows
from tests.sampling.orders.settings import random_settings, rng
from tests.sampling.orders.source import functions

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
LATER = {"ban_sequences", "repetition", "presence", "frequency", "logit_bias"}


def test_vllm_keeps_and_draws_from_the_same():
    heat, cut_min_p = (
        functions("vllm", f"v1/sample/{file}", name, torch=torch)[0]
        for file, name in (
            ("sampler.py", "Sampler.apply_temperature"),
            ("logits_processor/builtin.py", "MinPLogitsProcessor.apply"),
        )
    )
    [cut] = functions("vllm", "v1/sample/ops/topk_topp_sampler.py", "apply_top_k_top_p_pytorch", torch=torch)
    random, compared = rng(3), Compared()
    for _ in range(100):
        settings = random_settings(hb.orders.ENGINES["vLLM"], random, 0.6, LATER)
        given = hb.orders.ENGINES["vLLM"].read(settings)
        rows = random_rows(random, 20)
        logits = heat(torch.tensor(rows), torch.full((20,), given["temperature"]), True)
        logits = cut_min_p(SimpleNamespace(min_p_count=1, min_p=torch.tensor(given["min_p"])), logits)
        k = torch.full((20,), min(given["top_k"] if given["top_k"] > 0 else OPTIONS, OPTIONS))
        left = cut(logits, k, torch.full((20,), given["top_p"])).softmax(-1).numpy()
        for row, theirs in zip(rows, left, strict=True):
            compared.add(hb.orders.vllm(**settings), row, (), theirs)
    assert (compared.rows, compared.different) == (2000, []), compared


def test_sglang_keeps_and_draws_from_the_same():
    [filtered] = functions(
        "sglang",
        "srt/layers/sampler.py",
        "top_k_top_p_min_p_sampling_from_probs_torch",
        torch=torch,
    )
    random, compared = rng(4), Compared()
    for _ in range(100):
        settings = random_settings(hb.orders.ENGINES["SGLang"], random, 0.6, LATER) | {"sampling_backend": "pytorch"}
        given = hb.orders.ENGINES["SGLang"].read(settings)
        rows = random_rows(random, 20)
        probabilities = (torch.tensor(rows) / given["temperature"]).softmax(-1)
        k = torch.full((20,), given["top_k"] if given["top_k"] > 0 else 1 << 30)
        numbers = (torch.full((20,), given[name]) for name in ("top_p", "min_p"))
        _, weights, order, _ = filtered(
            probabilities, k, *numbers, given["min_p"] > 0, None, None, return_filtered_probs=True
        )
        left = torch.zeros_like(weights).scatter_(-1, order.long(), weights).numpy()
        for row, theirs in zip(rows, left, strict=True):
            compared.add(hb.orders.sglang(**settings), row, (), theirs / theirs.sum())
    assert (compared.rows, compared.different) == (2000, []), compared


def test_the_joint_filter_is_top_p_before_top_k():
    row = np.log([0.4, 0.3, 0.2, 0.1])
    joint = hb.orders.sglang(top_k=2, top_p=0.65)
    assert np.flatnonzero(drawn_from(joint, row)).tolist() == [0, 1]
    assert np.flatnonzero(drawn_from(hb.orders.vllm(top_k=2, top_p=0.55), row)).tolist() == [0]  # 0.4 / 0.7 reaches it
    assert np.flatnonzero(drawn_from(hb.orders.sglang(top_k=2, top_p=0.55), row)).tolist() == [0, 1]
