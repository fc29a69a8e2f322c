"""Networks as models: what a model promises, on weights that were never trained."""

import numpy as np
import pytest
import torch

from training.config import Config
from training.knob.networks import (
    AttentionModel,
    PieceTokenizer,
    Recurrent,
    RecurrentModel,
    TeacherNetwork,
    of_network,
    of_teacher,
)
from training.model import Network
from training.teacher import Teacher, _forward, load

LETTERS = PieceTokenizer([bytes([byte]) for byte in b"\nabcdefg"])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def transformer() -> AttentionModel:
    torch.manual_seed(0)
    network = Network(Config(vocabulary=8, layers=2, heads=2, width=16, hidden=24, context=32, dropout=0.1))
    for block in network.blocks:  # they begin at zero, and a network that ignores its past would pass
        torch.nn.init.normal_(block.o.weight, std=0.5)
        torch.nn.init.normal_(block.down.weight, std=0.5)
    torch.nn.init.normal_(network.embedding.weight)
    return of_network("transformer", network, LETTERS, 0)


def recurrent() -> RecurrentModel:
    torch.manual_seed(0)
    return RecurrentModel("recurrent", Recurrent(8, 6, 10), LETTERS, context=64, begin=0)


def teacher() -> AttentionModel:
    """Of the shape of stories260K, with four heads that look at two keys."""
    generator = torch.Generator().manual_seed(0)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    shapes = {
        "norm_attention": (16,), "q": (16, 16), "k": (8, 16), "v": (8, 16), "o": (16, 16),
        "norm_feed": (16,), "gate": (24, 16), "down": (16, 24), "up": (24, 16),
    }  # fmt: skip
    layers = [{name: some(*shape) for name, shape in shapes.items()} for _ in range(2)]
    angle = torch.outer(torch.arange(32.0), torch.tensor([1.0, 0.1]))
    pieces = [b"<unk>", b"\n<s>\n", b"\n</s>\n", b" ", b"a", b"b", b"ab", b"c"]
    scores = [0.0] * 6 + [-1.0, 0.0]
    made = Teacher(4, 2, some(8, 16), layers, some(16), angle.cos(), angle.sin(), pieces, scores)
    return of_teacher(made)


MODELS = pytest.mark.parametrize("make", [transformer, recurrent, teacher])


@MODELS
def test_shapes_and_names(make):
    model = make()
    scores, cache = model.start([[], [4, 5], [3]])
    assert scores.shape == (3, model.vocabulary)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert cache.lengths == (1, 2, 1)
    assert all(0 <= token < model.vocabulary for token in model.stop_tokens)
    assert isinstance(model.name, str)
    assert model.context >= 32


@MODELS
def test_stepped_or_not_alone_or_together(make):
    model = make()
    texts = [[4, 5, 3, 7, 4, 4], [3, 6], [7, 7, 5, 3]]
    together, _ = model.start(texts)
    for text, scores in zip(texts, together, strict=True):
        alone, cache = model.start([text[:1]])
        for token in text[1:]:
            alone, cache = model.step(cache, [token])
        np.testing.assert_allclose(scores, alone[0], rtol=1e-4, atol=1e-4)
        assert cache.lengths == (len(text),)
    assert np.abs(np.diff(together, axis=0)).max() > 0.1


@MODELS
def test_the_past_counts_and_not_only_the_last_token(make):
    model = make()
    scores, _ = model.start([[4, 5, 3], [5, 4, 3]])
    assert np.abs(scores[0] - scores[1]).max() > 1e-3


@MODELS
def test_rows_of_the_cache_are_texts(make):
    model = make()
    _, cache = model.start([[4, 5, 6], [3], [7, 7]])
    _, other = model.start([[6, 6, 6, 6]])
    joined = cache.rows([2, 0, 2]).join(other)
    scores, after = model.step(joined, [4, 5, 6, 7])
    alone, _ = model.start([[7, 7, 4], [4, 5, 6, 5], [7, 7, 6], [6, 6, 6, 6, 7]])
    np.testing.assert_allclose(scores, alone, rtol=1e-4, atol=1e-4)
    assert after.lengths == (3, 4, 3, 5)
    again, _ = model.step(cache, [4, 4, 4])  # a cache is a value: what was made of it has not changed it
    fresh, _ = model.start([[4, 5, 6, 4], [3, 4], [7, 7, 4]])
    np.testing.assert_allclose(again, fresh, rtol=1e-4, atol=1e-4)


@MODELS
def test_an_empty_prompt_is_the_beginning_of_a_text(make):
    model = make()
    empty, _ = model.start([[]])
    begun, _ = model.start([[1 if make is teacher else 0]])
    np.testing.assert_array_equal(empty, begun)


def test_the_longest_piece_is_taken_and_what_has_none_is_refused():
    tokenizer = PieceTokenizer([b"a", b"b", b"ab", "ü".encode()])
    assert tokenizer.encode("abaü") == [2, 0, 3]
    assert tokenizer.decode(tokenizer.encode("abaü")) == "abaü"
    assert tokenizer.longest == 2
    with pytest.raises(ValueError, match="b'x'"):
        tokenizer.encode("ax")


def test_the_teacher_says_what_it_says_where_it_is_sampled(data):
    """Against the reader of `training/teacher.py`, which goes token by token through rows of one length."""
    made = load(data / "stories260K")
    model = of_teacher(made)
    prompt = model.tokenizer.encode("Once upon a time there was a little girl")
    assert model.tokenizer.decode(prompt) == " Once upon a time there was a little girl"
    size, groups = made.embedding.shape[1] // made.heads, made.kv_heads
    cache = [[torch.zeros(2, groups, size, 512), torch.zeros(2, groups, 512, size)] for _ in made.layers]
    for position, token in enumerate(prompt):
        wanted = _forward(made, torch.tensor([token, token]), position, cache)
    scores, _ = model.start([prompt, prompt[:5]])
    np.testing.assert_allclose(scores[0], wanted[0].numpy(), rtol=1e-4, atol=1e-4)
    assert isinstance(TeacherNetwork(made).teacher, Teacher)
