"""Counts by hand, and two ways to the same probability."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.embedded.ngram import ByteTokenizer, NGramModel
from heatbath.embedded.toy import ToyModel

TEXTS = st.text("abc ü", min_size=1, max_size=40)
PROMPTS = st.text("abcd", max_size=12)


def by_hand(text: bytes, order: int, past: bytes, token: int) -> Fraction:
    """The formula of the docstring, word by word."""
    p = Fraction(1, 256)
    for n in range(1, min(order, len(past) + 1) + 1):
        begin = past[len(past) - n + 1 :]
        followers = [text[i + n - 1] for i in range(len(text) - n + 1) if text[i : i + n - 1] == begin]
        if followers:
            different = len(set(followers))
            p = (followers.count(token) + different * p) / Fraction(len(followers) + different)
    return p


@given(TEXTS, PROMPTS, st.integers(1, 7))
def test_probabilities_are_those_of_the_formula(text, prompt, order):
    model = NGramModel(text, order=order)
    scores, _ = model.start([model.tokenizer.encode(prompt)])
    for token in {*b"abcd ", *text.encode()}:
        assert math.exp(scores[0][token]) == pytest.approx(
            float(by_hand(text.encode(), order, prompt.encode(), token)), rel=1e-5
        )
    assert np.exp(scores.astype(float)).sum() == pytest.approx(1, abs=1e-5)


@given(TEXTS, PROMPTS, st.integers(0, 12), st.integers(1, 7))
def test_stepped_or_not(text, prompt, cut, order):
    model = NGramModel(text, order=order)
    tokens = model.tokenizer.encode(prompt)
    scores, cache = model.start([tokens[:cut], []])
    for token in tokens[cut:]:
        scores, cache = model.step(cache, [token, 98])
    whole, once = model.start([tokens, [98] * len(tokens[cut:])])
    np.testing.assert_array_equal(scores, whole)
    assert cache == once


@given(TEXTS, st.text("abcd ", max_size=30), st.integers(1, 7))
def test_a_judged_text_costs_what_its_tokens_cost_one_by_one(text, told, order):
    model = NGramModel(text, order=order)
    tokens = model.tokenizer.encode(told)
    single = [-model.start([tokens[:at]])[0][0][token] for at, token in enumerate(tokens)]
    np.testing.assert_allclose(model.surprisals(tokens), single, rtol=1e-5, atol=1e-6)


def test_rows_of_the_cache_are_texts():
    model = NGramModel("the cat sat on the mat", order=4)
    _, cache = model.start([model.tokenizer.encode(text) for text in ("the", "cat", "on")])
    _, other = model.start([model.tokenizer.encode("mat")])
    scores, after = model.step(cache.rows([2, 0, 2]).join(other), list(b"    "))
    alone, _ = model.start([model.tokenizer.encode(text) for text in ("on ", "the ", "on ", "mat ")])
    np.testing.assert_array_equal(scores, alone)
    assert after.lengths == (3, 4, 3, 4)


def test_it_writes_what_it_read_when_cold():
    model = NGramModel("one two three four five six. " * 3, order=6)
    sampler, written = hb.chain(hb.temperature(0)), model.tokenizer.encode("one ")
    scores, cache = model.start([written])
    state = sampler.init()
    for _ in range(24):
        token, state, _ = sampler.step(state, scores, seed=[0])
        written.append(int(token[0]))
        scores, cache = model.step(cache, [int(token[0])])
    assert model.tokenizer.decode(written) == "one two three four five six."


def test_tokens_of_any_tokenizer():
    toy = ToyModel()
    model = NGramModel(" sun rain sun rain", order=3, tokenizer=toy.tokenizer, vocabulary=toy.vocabulary)
    scores, _ = model.start([toy.tokenizer.encode(" sun")])
    assert scores.shape == (1, toy.vocabulary)
    assert scores[0].argmax() == toy.tokenizer.encode(" rain")[0]
    assert model.size == len({257, 258}) + len({(257, 258), (258, 257)}) + len({(257, 258, 257), (258, 257, 258)})


def test_bytes_are_the_tokens_by_default():
    tokenizer = ByteTokenizer()
    assert tokenizer.decode(tokenizer.encode("Füße")) == "Füße"
    assert tokenizer.token_bytes(200) == b"\xc8"


@pytest.mark.parametrize("order", [0, -1, 8])
def test_an_order_that_cannot_be(order):
    with pytest.raises(hb.InputError, match=rf"on order={order}: with 256 tokens the order is from 1 to 7"):
        NGramModel("abc", order=order)


def test_no_text():
    with pytest.raises(hb.InputError, match="there is nothing to count; give a text"):
        NGramModel("")
