"""The processor for llama-cpp-python: alone, and in llama.cpp itself with the shipped weights."""

import itertools

import numpy as np
import pytest

import heatbath as hb
from heatbath.embedded import load
from heatbath.integrations.llama_cpp import HeatbathLogitsProcessor
from tests.integrations.rows import CHAINS, ROW, alone, logits, p_values

PROMPT = [3, 1, 3]


def texts(process, scores, prompt=PROMPT):
    """The tokens of a loop that takes the likeliest of what the processor leaves."""
    ids = list(prompt)
    for row in scores:
        left = process(np.array(ids, dtype=np.intc), row.copy())
        assert left.dtype == np.float32
        assert np.isfinite(left).sum() == 1
        ids.append(int(left.argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize("text", CHAINS)
def test_it_draws_what_the_chain_draws_and_begins_anew(text):
    process, scores = HeatbathLogitsProcessor(text, seed=5), logits(1)[:, 0]
    expected = alone(hb.parse(text), scores, PROMPT, seed=5)
    assert texts(process, scores) == expected
    assert texts(process, scores) == expected
    assert texts(process, scores, [7]) == alone(hb.parse(text), scores, [7], seed=5)


def test_a_token_that_something_else_forced_joins_the_history():
    process = HeatbathLogitsProcessor("penalties(presence=50.0) -> greedy()", seed=0)
    scores = np.array([3.0, 2.0, 1.0], dtype=np.float32)
    assert process(np.array([9]), scores).argmax() == 0
    assert process(np.array([9, 1]), scores).argmax() == 0  # 0 was drawn, but 1 was written
    assert process(np.array([9, 1, 0]), scores).argmax() == 2


def test_what_is_wrong_is_said():
    with pytest.raises(hb.SpecError):
        HeatbathLogitsProcessor("topk(3)", seed=1)
    with pytest.raises(hb.InputError, match="NaN") as caught:
        HeatbathLogitsProcessor(0.7, seed=1)(np.array([1]), np.array([np.nan, 1.0]))
    assert caught.value.doing == "sampling"
    with pytest.raises(hb.InputError, match="token ids are all that is known here"):
        HeatbathLogitsProcessor("temperature(by_text([['start', 1.0]], 0.5))", seed=1)(np.array([1]), ROW)


def test_draws_have_the_right_frequencies():
    drawn = [HeatbathLogitsProcessor(1.3, seed=seed)(PROMPT, ROW).argmax() for seed in range(12_000)]
    right, wrong = p_values(np.bincount(drawn, minlength=len(ROW)))
    assert right > 1e-3
    assert wrong < 1e-4


# --- llama.cpp itself


@pytest.fixture(scope="module")
def llm(tmp_path_factory):
    library = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    gguf = pytest.importorskip("gguf", reason="gguf is not installed")
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from tests.integrations import tales_gguf

    path = str(tmp_path_factory.mktemp("gguf") / "tales.gguf")
    tales_gguf.write(path, gguf)
    return library.Llama(path, n_ctx=256, verbose=False)


@pytest.mark.parametrize(
    "its_own", [{}, {"temp": 0.0}, {"temp": -1.0}, {"temp": 5.0, "top_k": 0, "min_p": 0.0, "repeat_penalty": 1.5}]
)
@pytest.mark.parametrize("text", ["penalties(1.2) -> temperature(hold_surprise(2.0, 8)) -> min_p(0.02)", CHAINS[1]])
def test_llama_cpp_writes_what_the_embedded_model_writes(llm, text, its_own):
    model = load()
    ids, sampler = model.tokenizer.encode("Once upon a time there was a king"), hb.parse(text)
    process = HeatbathLogitsProcessor(text, seed=3)
    generated = list(itertools.islice(llm.generate(ids, logits_processor=[process], **its_own), 12))
    (scores, cache), state, expected = model.start([ids]), sampler.init(ids), []
    for _ in range(12):
        token, state, _ = sampler.step(state, scores[0], seed=3)
        expected.append(int(token))
        scores, cache = model.step(cache, expected[-1:])
    assert generated == expected
