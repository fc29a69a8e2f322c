"""The model runs as its weights say, with a cache, in batches, to the end of its context."""

from pathlib import Path

import numpy as np
import pytest

import heatbath.embedded
from heatbath.embedded import load, load_profile
from heatbath.errors import InputError, ModelError
from heatbath.types import Model
from tests.embedded import oracle
from tests.embedded.foreign import write as write_foreign

PROMPTS = ["Once upon a time", "The wolf", 'There was once a king who had three sons. "Go," said he', ""]
HEADS = 5
TOLERANCE = 2e-4  # of logits around 10: float32 sums in another order


@pytest.fixture(scope="module")
def weights() -> dict[str, oracle.Floats]:
    return oracle.weights(Path(heatbath.embedded.__file__).parent / "weights" / "model.onnx")


@pytest.mark.parametrize("text", PROMPTS)
def test_logits_are_those_of_a_plain_numpy_forward(model: Model, weights: dict[str, oracle.Floats], text: str) -> None:
    tokens = model.tokenizer.encode(text)
    scores, _ = model.start([tokens])
    expected = oracle.logits(weights, tokens, HEADS)[-1]
    np.testing.assert_allclose(scores[0], expected, atol=TOLERANCE)
    assert scores.dtype == np.float32
    wrong = dict(weights) | {"0.o": weights["0.o"] * 1.05}  # the tolerance can tell two models apart
    assert np.abs(oracle.logits(wrong, tokens, HEADS)[-1] - scores[0]).max() > 10 * TOLERANCE


def test_greedy_text_is_that_of_a_plain_numpy_forward(model: Model, weights: dict[str, oracle.Floats]) -> None:
    tokens = model.tokenizer.encode("The king said")
    scores, cache = model.start([tokens])
    for _ in range(40):
        assert scores[0].argmax() == oracle.logits(weights, tokens, HEADS)[-1].argmax()
        tokens.append(int(scores[0].argmax()))
        scores, cache = model.step(cache, tokens[-1:])


def test_a_step_with_the_cache_is_a_start_with_the_whole_text(model: Model) -> None:
    tokens = model.tokenizer.encode("There was once a miller who was poor, but he had a beautiful daughter.")
    _, cache = model.start([tokens[:3]])
    for end in range(4, len(tokens) + 1):
        stepped, cache = model.step(cache, [tokens[end - 1]])
        whole, again = model.start([tokens[:end]])
        np.testing.assert_allclose(stepped, whole, atol=TOLERANCE)
        assert cache.lengths == again.lengths == (end,)


def test_rows_of_different_lengths_are_each_as_if_alone(model: Model) -> None:
    prompts = [model.tokenizer.encode(text) for text in PROMPTS]
    together, cache = model.start(prompts)
    assert cache.lengths == tuple(len(prompt) for prompt in prompts)
    alone = [model.start([prompt]) for prompt in prompts]
    np.testing.assert_array_equal(together, np.concatenate([scores for scores, _ in alone]))
    singles = [own for _, own in alone]
    for token in (17, 300, 9, 41):
        together, cache = model.step(cache, [token + row for row in range(len(prompts))])
        for row, single in enumerate(singles):
            scores, singles[row] = model.step(single, [token + row])
            np.testing.assert_allclose(together[row], scores[0], atol=TOLERANCE)


def test_rows_leave_and_others_join(model: Model) -> None:
    first, second, third = (model.tokenizer.encode(text) for text in PROMPTS[:3])
    _, cache = model.start([first, third])
    _, cache = model.step(cache, [30, 31])
    _, other = model.start([second])
    mixed = cache.rows([0, 0]).join(other)
    assert mixed.lengths == (len(first) + 1, len(first) + 1, len(second))
    scores, after = model.step(mixed, [50, 60, 70])
    for row, text in enumerate(([*first, 30, 50], [*first, 30, 60], [*second, 70])):
        np.testing.assert_allclose(scores[row], model.start([text])[0][0], atol=TOLERANCE)
    assert cache.lengths == (len(first) + 1, len(third) + 1)  # a value: what was made from it did not change it
    assert after.lengths == (len(first) + 2, len(first) + 2, len(second) + 1)


def test_equal_prompts_have_equal_rows(model: Model) -> None:
    prompt, other = model.tokenizer.encode("The fox"), model.tokenizer.encode("The king said")
    scores, cache = model.start([prompt, other, prompt])
    np.testing.assert_array_equal(scores[0], scores[2])
    assert (scores[0] != scores[1]).any()
    assert cache.lengths == (len(prompt), len(other), len(prompt))


def test_an_empty_prompt_is_the_beginning_of_a_text(model: Model) -> None:
    scores, cache = model.start([[]])
    np.testing.assert_array_equal(scores, model.start([model.tokenizer.encode("")])[0])
    assert cache.lengths == (1,)
    assert model.tokenizer.token_bytes(int(scores[0].argmax())) == b"Once"


def test_a_full_row_stops_with_a_clear_error(model: Model) -> None:
    tokens = [5 + i % 1000 for i in range(model.context)]
    _, cache = model.start([tokens[:-1], tokens[:3]])
    _, cache = model.step(cache, [7, 7])
    assert cache.lengths == (model.context, 4)
    with pytest.raises(
        ModelError, match=r"taking a step on row 0: it is as long as the context .*256 tokens.*; end the"
    ):
        model.step(cache, [7, 7])
    scores, cache = model.step(cache.rows([1]), [7])  # the short row goes on
    np.testing.assert_allclose(scores, model.start([[*tokens[:3], 7, 7]])[0], atol=TOLERANCE)


def test_a_prompt_longer_than_the_context_is_refused(model: Model) -> None:
    model.start([[5] * model.context])
    with pytest.raises(
        InputError, match=r"starting texts on prompt 1: the prompt has 257 tokens and the context .* 256"
    ):
        model.start([[5], [5] * (model.context + 1)])


@pytest.mark.parametrize("token", [-1, 2048])
def test_a_token_outside_the_vocabulary_is_refused(model: Model, token: int) -> None:
    with pytest.raises(InputError, match=rf"starting texts on token {token}: heatbath-tales has tokens 0 to 2047"):
        model.start([[token]])
    _, cache = model.start([[1]])
    with pytest.raises(InputError, match=rf"taking a step on token {token}: heatbath-tales has tokens 0 to 2047"):
        model.step(cache, [token])


def test_a_step_needs_one_token_for_each_row(model: Model) -> None:
    _, cache = model.start([[1], [2]])
    with pytest.raises(
        InputError, match="taking a step on 1 tokens: the cache has 2 rows; give one token for each row"
    ):
        model.step(cache, [1])
    with pytest.raises(InputError, match="at least one row"):
        model.step(cache.rows([]), [])
    with pytest.raises(InputError, match="starting texts on prompts: there are none"):
        model.start([])


def test_the_cache_of_another_model_is_refused(model: Model, tmp_path: Path) -> None:
    _, foreign = load(write_foreign(tmp_path)).start([[1]])
    for cache in (foreign, None):
        with pytest.raises(InputError, match=r"taking a step on a .* of another model: heatbath-tales did not make it"):
            model.step(cache, [1])  # type: ignore[arg-type]


def test_more_threads_do_not_change_the_scores(model: Model) -> None:
    tokens = model.tokenizer.encode(PROMPTS[2])
    np.testing.assert_allclose(load(threads=2).start([tokens])[0], model.start([tokens])[0], atol=TOLERANCE)
    with pytest.raises(InputError, match="loading a model on threads=0"):
        load(threads=0)


def test_a_foreign_model_is_called_like_its_directory(tmp_path: Path) -> None:
    model = load(write_foreign(tmp_path / "somebody-elses"))
    assert (model.name, model.vocabulary, model.context) == ("somebody-elses", 257, 24)
    assert load_profile(tmp_path / "somebody-elses") is None
    assert model.stop_tokens == {7, 256}  # generation_config.json has the last word


@pytest.mark.parametrize(
    ("prompts", "says"),
    [
        (["abc"], r"on prompt 0: 'abc' is no list of token ids; give \[model\.tokenizer\.encode\(text\)\]"),
        ([5], "on prompt 0: 5 is no list of token ids"),
        ([[1, 2.5]], "on token 2.5: a token id is a whole number"),
        ([["a"]], "on token 'a': a token id is a whole number"),
    ],
)
def test_what_is_no_prompt_is_refused(model: Model, prompts: list[list[int]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        model.start(prompts)


def test_it_says_what_it_is(model: Model) -> None:
    assert repr(model) == f"<OnnxModel {model.name}: 2048 tokens, context {model.context}>"
