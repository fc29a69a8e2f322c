"""mlx-lm: its own sampler up to the draw, on thousands of random rows."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import heatbath as hb
from tests.sampling.orders.rows import Compared, random_rows, random_text
from tests.sampling.orders.settings import random_settings, rng


@pytest.fixture(scope="module")
def utils():
    """mlx-lm's file of samplers, which needs nothing else of it."""
    pytest.importorskip("mlx.core", reason="mlx is not installed")
    package = importlib.util.find_spec("mlx_lm")
    if package is None:
        pytest.skip("mlx-lm is not installed")
    spec = importlib.util.spec_from_file_location(
        "utils", Path(package.submodule_search_locations[0]) / "sample_utils.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def left_by(utils, given, row, text):
    """The probabilities that mlx-lm draws from: its processors, its log-softmax, its sampler before the draw."""
    import mlx.core as mx

    names = [
        "logit_bias",
        *(f"{n}_{what}" for n in ("repetition", "presence", "frequency") for what in ("penalty", "context_size")),
    ]
    logits, tokens = mx.array(row[None]), mx.array(text)
    for processor in utils.make_logits_processors(**{name: given[name] for name in names}):
        logits = processor(tokens, logits)
    drawn = []
    utils.categorical_sampling = lambda logprobs, temp: drawn.append(logprobs * (1.0 / temp)) or mx.array(0)
    sampler = utils.make_sampler(
        **{name: given[name] for name in ("temp", "top_p", "min_p", "top_k", "xtc_probability", "xtc_threshold")}
    )
    sampler(logits - mx.logsumexp(logits, keepdims=True))
    scores = np.array(drawn[0][0], np.float64)
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def test_mlx_lm_keeps_and_draws_from_the_same(utils):
    random, compared = rng(5), Compared()
    for _ in range(100):
        settings = {"temp": 0.8} | random_settings(hb.orders.ENGINES["mlx-lm"], random, 0.5)
        settings["top_k"] = min(settings.get("top_k", 0), 100)
        given = hb.orders.ENGINES["mlx-lm"].read(settings)
        text = random_text(random)
        sampler = hb.orders.mlx_lm(**settings)
        for row in random_rows(random, 20):
            compared.add(sampler, row, text, left_by(utils, given, row, text))
    assert (compared.rows, compared.different) == (2000, []), compared
