import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.embedded.toy import BASE, FIRST_WORD, SNOW, STOP, ToyModel

TEXTS = st.lists(st.sampled_from([" sun", " rain", " wind", " fog", "雪", "it is", "é", " "])).map("".join)


@given(TEXTS)
def test_a_text_survives_encoding(text):
    tokenizer = ToyModel().tokenizer
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_weights_by_hand():
    toy = ToyModel()
    tokens = toy.tokenizer.encode
    sun, rain, wind, fog = range(FIRST_WORD, FIRST_WORD + 4)
    assert toy.weights([]) == {**BASE, STOP: 1}
    assert toy.weights(tokens("It is rain")) == {sun: 12, rain: 12, wind: 3, fog: 2, SNOW[0]: 1, STOP: 1}
    assert toy.weights(tokens(" rain rain")) == {sun: 12, rain: 15, wind: 3, fog: 2, SNOW[0]: 1, STOP: 1}
    assert toy.weights(tokens(" rain雪")) == {sun: 12, rain: 9, wind: 3, fog: 2, SNOW[0]: 7, STOP: 1}
    assert ToyModel(stop=0).weights([]) == BASE
    assert toy.weights(SNOW[:1]) == {SNOW[1]: 1}
    assert toy.weights(SNOW[:2]) == {SNOW[2]: 1}


@given(TEXTS, st.integers(0, 20))
def test_scores_are_the_logs_of_the_weights_stepped_or_not(text, cut):
    toy = ToyModel()
    tokens = toy.tokenizer.encode(text)
    scores, cache = toy.start([tokens[:cut], []])
    for token in tokens[cut:]:
        scores, cache = toy.step(cache, [token, STOP])
    weights = toy.weights(tokens)
    assert {token for token in range(toy.vocabulary) if scores[0][token] > -math.inf} == set(weights)
    for token, weight in weights.items():
        assert scores[0][token] == pytest.approx(math.log(weight), abs=1e-6)
    assert cache.lengths == (len(tokens), max(0, len(tokens) - cut))


def test_rows_of_the_cache_are_texts():
    toy = ToyModel()
    _, cache = toy.start([toy.tokenizer.encode(text) for text in (" sun", " rain", " fog")])
    _, other = toy.start([toy.tokenizer.encode(" wind")])
    joined = cache.rows([2, 0, 2]).join(other)
    scores, _ = toy.step(joined, [FIRST_WORD] * 4)
    alone, _ = toy.start([toy.tokenizer.encode(text) for text in (" fog sun", " sun sun", " fog sun", " wind sun")])
    np.testing.assert_array_equal(scores, alone)
