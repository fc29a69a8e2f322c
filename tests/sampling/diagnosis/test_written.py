import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling import Written, diagnose
from heatbath.sampling.diagnosis.written import check

ROWS = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing is known of the text; give logits, tokens, logprobs, top_logprobs or text"),
        ({"logits": [[0.0, np.nan]]}, "row 0 of logits, position 1: the score is NaN"),
        ({"logits": np.zeros((2, 3, 4))}, "the scores have shape (2, 3, 4)"),
        ({"logits": ROWS, "tokens": [0]}, "there are 2 logits and 1 tokens"),
        ({"logits": ROWS, "tokens": [0, 3]}, "a token is a whole number from 0 to 2, not 3"),
        ({"logits": ROWS, "tokens": [0, -1]}, "a token is a whole number from 0 to 2, not -1"),
        ({"logits": ROWS, "tokens": [0, True]}, "a token is a whole number from 0 to 2, not True"),
        ({"logits": ROWS, "tokens": ["a", "b"]}, "a token is a whole number from 0 to 2, not 'a'"),
        ({"logits": [[0.0, -np.inf]], "tokens": [1]}, "token 1 is forbidden there, its score is -inf"),
        ({"logits": ROWS, "tokens": [0, 1], "mask": [[1, 1, 0], [1, 0, 1]]}, "mask"),
        (
            {"logits": ROWS, "tokens": [0, 1], "mask": np.array([[1, 1, 0], [1, 0, 1]], bool)},
            "decision 1 of tokens: token 1 is not among those that the mask has left",
        ),
        ({"tokens": "abc"}, "tokens is a list, not 'abc'"),
        ({"tokens": [[1], [2]]}, "a token is an id or a text"),
        ({"logprobs": [0.5]}, "a log-probability is a number <= 0, not 0.5"),
        ({"logprobs": [float("nan")]}, "a log-probability is a number <= 0, not nan"),
        ({"logprobs": -0.5}, "logprobs is a list, not -0.5"),
        ({"logprobs": [-1.0], "tokens": ["a", "b"]}, "there are 2 tokens and 1 logprobs"),
        ({"top_logprobs": [[-1.0]], "tokens": ["a"]}, "the alternatives of a decision are a mapping"),
        ({"top_logprobs": [{"a": -0.1, "b": -0.1}], "tokens": ["a"]}, "add up to more than 1"),
        ({"mask": [[True]]}, "a mask says which logits were left"),
        ({"logits": ROWS, "mask": np.ones((2, 4), bool)}, "mask"),
        ({"text": 3}, "a text is expected, not 3"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(given, said):
    with pytest.raises(hb.InputError) as refused:
        diagnose(texts=[Written(**given)])
    assert said in str(refused.value)
    assert str(refused.value).startswith("diagnosing")
    assert refused.value.instead


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"texts": []}, "texts is a list of Written"),
        ({"texts": ["a"]}, "texts is a list of Written"),
        ({"texts": [Written(text="a")], "text": "b"}, "texts stand in place of the other arguments"),
        ({"text": "a", "temperature": -1}, "a temperature is never negative"),
        ({"text": "a", "temperature": [1.0, 2.0]}, "one T for all texts is expected"),
        ({"text": "a", "tempered": "no"}, "tempered is True, False or None"),
        ({"text": "a", "options": 0}, "options must be a whole number >= 1"),
        ({"text": "a", "level": 1}, "level must be a number between 0 and 1"),
        ({"text": "a", "wanted": {"warmth": [1]}}, "the effects are entropy, perplexity"),
        ({"text": "a", "wanted": {"entropy": 1.0}}, "entropy needs a list of numbers"),
        ({"text": "a", "wanted": {"entropy": ["1"]}}, "entropy must be a number"),
    ],
)
def test_settings_that_mean_nothing_are_refused(given, said):
    with pytest.raises(hb.InputError) as refused:
        diagnose(**given)
    assert said in str(refused.value)


def test_arrays_of_any_kind_are_read():
    made = check(Written(np.zeros(3, np.float32), np.array([1])))
    assert made.logits.shape == (1, 3)
    assert made.logits.dtype == np.float32
    assert check(Written(np.zeros(3, np.float16))).logits.dtype == np.float32
    assert made.tokens == [1]


def test_what_is_unknown_and_what_is_too_unlikely_to_tell():
    made = check(Written(logprobs=[None, -9999.0, 1e-7, -1]))
    assert np.isnan(made.logprobs[0])
    assert made.logprobs[1:] == [-np.inf, 0.0, -1.0]
