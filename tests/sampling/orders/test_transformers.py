"""transformers: its published values, and the processors that ``generate`` builds, on thousands of random rows."""

import warnings

import numpy as np
import pytest

import heatbath as hb
from tests.sampling.orders.rows import OPTIONS, Compared, drawn_from, random_rows, random_text
from tests.sampling.orders.settings import random_settings, rng

# tests/generation/test_logits_process.py of transformers: a setting, rows of probabilities, and what is left of them
PUBLISHED = [
    ({"top_p": 0.8}, [0.3, 0.1, 0.1, 0.5], [0.3, 0, 0, 0.5]),
    ({"top_p": 0.8}, [0.15, 0.3, 0.3, 0.25], [0, 0.3, 0.3, 0.25]),
    ({"min_p": 0.05}, [0.9, 0.0274, 0.047, 0.0274], [0.9, 0, 0.047, 0]),
    ({"min_p": 0.05}, [0.15, 0.3, 0.3, 0.25], [0.15, 0.3, 0.3, 0.25]),
    ({"min_p": 0.05}, [0.97, 0.01, 0.01, 0.01], [0.97, 0, 0, 0]),
    ({"typical_p": 0.5}, [0.97, 0.01, 0.01, 0.01], [0.97, 0, 0, 0]),
    ({"typical_p": 0.5}, [0.4, 0.2, 0.2, 0.2], [0, 0.2, 0.2, 0.2]),
    ({"epsilon_cutoff": 0.1}, [0.87, 0.099, 0.001, 0.03], [0.87, 0, 0, 0]),
    ({"epsilon_cutoff": 0.1}, [0.4, 0.299, 0.101, 0.2], [0.4, 0.299, 0.101, 0.2]),
    ({"eta_cutoff": 0.0625}, [0, 0.1, 0.8, 0.1], [0, 0.1, 0.8, 0.1]),
    ({"eta_cutoff": 0.0625}, [0.01, 0.04, 0.9, 0.05], [0, 0, 0.9, 0]),
    ({"top_h": 0.3}, [0.97, 0.01, 0.01, 0.01], [0.97, 0, 0, 0]),
    ({"top_h": 0.7}, [0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0, 0]),
    ({"top_h": 1.0}, [0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]),
    ({"top_h": 0.4}, [0.75, 0.25, 0, 0], [0.75, 0, 0, 0]),
]


@pytest.mark.parametrize(("setting", "row", "left"), PUBLISHED)
def test_the_published_values(setting, row, left):
    with np.errstate(divide="ignore"):
        found = drawn_from(hb.orders.transformers(do_sample=True, top_k=None, **setting), np.log(row))
    np.testing.assert_allclose(found, np.array(left) / sum(left), atol=1e-9)


def test_the_published_top_k():
    ramp = np.arange(10.0)
    assert np.flatnonzero(drawn_from(hb.orders.transformers(do_sample=True, top_k=3), ramp)).tolist() == [7, 8, 9]
    ramp[:5] += 10
    assert np.flatnonzero(drawn_from(hb.orders.transformers(do_sample=True, top_k=3), ramp)).tolist() == [2, 3, 4]


def test_the_published_repetition_penalty():
    sampler = hb.orders.transformers(repetition_penalty=2.0)
    rows = np.full((2, 10), 0.1)
    rows[0, 0], rows[1, 5] = -0.1, 0.4
    left = sampler.scores(sampler.init([[0, 1], [5, 0]]), rows).scores
    np.testing.assert_allclose([left[0, 0], left[0, 1], left[1, 0], left[1, 5]], [-0.2, 0.05, 0.05, 0.2])


@pytest.mark.parametrize(("n", "banned"), [(2, [[1, 2], [0]]), (3, [[], [0]])])
def test_the_published_n_grams(n, banned):
    sampler = hb.orders.transformers(no_repeat_ngram_size=n)
    left = sampler.scores(sampler.init([[1, 1, 2, 1], [0, 1, 0, 1]]), np.zeros((2, 3))).scores
    assert [np.flatnonzero(row == -np.inf).tolist() for row in left] == banned


@pytest.fixture(scope="module")
def generate():
    """What ``generate`` of a tiny model makes of settings, before the draw."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    library = pytest.importorskip("transformers", reason="transformers is not installed")
    tiny = library.GPT2Config(n_layer=1, n_head=1, n_embd=4, vocab_size=OPTIONS, bos_token_id=0, eos_token_id=0)
    model = library.GPT2LMHeadModel(tiny)

    def left(settings, rows, text):
        config, _ = model._prepare_generation_config(library.GenerationConfig(**settings))
        config._eos_token_tensor = torch.tensor([0])
        processors = model._get_logits_processor(config, input_ids_seq_length=len(text), device="cpu")
        return processors(torch.tensor([text] * len(rows)), torch.tensor(rows)).softmax(-1).numpy()

    return left


@pytest.mark.parametrize(("kind", "cases"), [(np.float64, 100), (np.float32, 50)])
def test_generate_keeps_and_draws_from_the_same(generate, kind, cases):
    random, compared = rng(1), Compared()
    exact = kind is np.float64
    # Of two options that nearly tie, float32 cannot say which is nearer to the entropy.
    without = () if exact else {"typical"}
    for _ in range(cases):
        settings = random_settings(hb.orders.ENGINES["transformers"], random, 0.35, without)
        rows, text = random_rows(random, 20), random_text(random)
        sampler = hb.orders.transformers(**settings)
        for row, theirs in zip(rows, generate(settings, rows.astype(kind), text), strict=True):
            compared.add(sampler, row, text, theirs)
    assert (compared.rows, compared.different) == (20 * cases, []), compared
    assert not exact or (compared.tail, compared.edge, compared.largest < 1e-12) == (0, 0, True), compared


def test_the_defaults_are_those_of_generate():
    library = pytest.importorskip("transformers", reason="transformers is not installed")
    config = library.GenerationConfig
    defaults = {
        name: config._get_default_generation_params().get(name)
        for name in ("do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty")
    }
    rows = {each.name: each.default for each in hb.orders.ENGINES["transformers"].settings}
    assert defaults == {name: rows[name] for name in defaults}


def test_what_it_refuses_is_refused(generate):
    [row] = random_rows(rng(0), 1)
    for settings in (
        {"temperature": 2},
        {"repetition_penalty": 2},
        {"temperature": 0.0},
        {"temperature": -1.0},
        {"top_k": -1},
        {"typical_p": 0.0},
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match="has to be"):
                generate({"do_sample": True, **settings}, row[None], [1])
        with pytest.raises(hb.InputError, match=f"transformers refuses {next(iter(settings))}="):
            hb.orders.transformers(do_sample=True, **settings)


def test_a_temperature_that_would_be_ignored_is_refused():
    with pytest.raises(hb.InputError, match="ignores temperature while do_sample is False"):
        hb.orders.transformers(temperature=0.7)
    assert str(hb.orders.transformers()) == "greedy()"
