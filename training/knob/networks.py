"""Networks as models: everything a sampler needs of one is scores, and a cache that is a value."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from heatbath.embedded.cache import KeyValueCache
from heatbath.types import Tokenizer
from training.model import Network, Past
from training.teacher import START, Teacher, encode

Scores = npt.NDArray[np.float32]


class PieceTokenizer:
    """One token for each of the given pieces of a byte or more; the longest that fits is taken.

    >>> tokenizer = PieceTokenizer([b"a", b"b", b"ab"])
    >>> tokenizer.encode("abba"), tokenizer.decode([2, 0])
    ([2, 1, 0], 'aba')
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = tuple(pieces)
        self.longest = max(map(len, self.pieces))
        self._ids = {piece: token for token, piece in enumerate(self.pieces)}

    def encode(self, text: str) -> list[int]:
        data, at, tokens = text.encode(), 0, []
        while at < len(data):
            sizes = range(self.longest, 0, -1)
            piece = next((data[at : at + n] for n in sizes if data[at : at + n] in self._ids), None)
            if piece is None:
                raise ValueError(f"no token writes what begins with {data[at : at + 8]!r}")
            tokens.append(self._ids[piece])
            at += len(piece)
        return tokens

    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(map(self.token_bytes, ids)).decode(errors="replace")

    def token_bytes(self, token: int) -> bytes:
        return self.pieces[token]


class TeacherTokenizer(PieceTokenizer):
    """That of stories260K: merges in the order of their scores, and token 1 before every text."""

    def __init__(self, teacher: Teacher) -> None:
        super().__init__([b"" if token < 3 else piece for token, piece in enumerate(teacher.pieces)])
        self._teacher = teacher

    def encode(self, text: str) -> list[int]:
        return [START, *(encode(self._teacher, text) if text else [])]


class Attention(Protocol):
    """A network of the kind that keeps the keys and values of what it has read."""

    def step(
        self, tokens: Tensor, attention_mask: Tensor, position_ids: Tensor, past: list[Past]
    ) -> tuple[Tensor, list[Past]]: ...


class AttentionModel:
    """A transformer as a :class:`heatbath.types.Model`.

    Arguments:
        name: for people.
        network: the network.
        empty: one entry per layer, shape (0, heads, 0, head width).
        tokenizer: its tokenizer.
        vocabulary: number of tokens.
        context: the longest text, in tokens.
        begin: the token that stands for the beginning of a text, read where a prompt is empty.
        stop_tokens: tokens that end a text.
    """

    def __init__(
        self,
        name: str,
        network: Attention,
        empty: list[npt.NDArray[np.float32]],
        tokenizer: Tokenizer,
        *,
        vocabulary: int,
        context: int,
        begin: int,
        stop_tokens: frozenset[int] = frozenset(),
    ) -> None:
        self.name, self.vocabulary, self.context, self.stop_tokens = name, vocabulary, context, stop_tokens
        self.tokenizer = tokenizer
        self._network, self._empty, self._begin = network, empty, begin

    def start(self, prompts: Sequence[Sequence[int]]) -> tuple[Scores, KeyValueCache]:
        texts = [list(prompt) or [self._begin] for prompt in prompts]
        longest = max(map(len, texts), default=0)
        block = np.array([[self._begin] * (longest - len(text)) + text for text in texts]).reshape(len(texts), longest)
        lengths = np.array([len(text) for text in texts])[:, None]
        mask = (np.arange(longest, 0, -1) <= lengths).astype(np.int64)
        positions = np.maximum(np.arange(longest) - (longest - lengths), 0)
        nothing = tuple(np.zeros((len(texts), *part.shape[1:]), part.dtype) for part in self._empty for _ in range(2))
        return self._run(block, mask, positions, nothing, tuple(map(len, texts)))

    def step(self, cache: KeyValueCache, tokens: Sequence[int]) -> tuple[Scores, KeyValueCache]:
        lengths = tuple(length + 1 for length in cache.lengths)
        block = np.array(tokens, dtype=np.int64)[:, None]
        return self._run(block, cache.attention_mask(1), cache.positions(1), cache.past, lengths)

    @torch.inference_mode()
    def _run(
        self,
        block: npt.NDArray[np.int64],
        mask: npt.NDArray[np.int64],
        positions: npt.NDArray[np.int64],
        past: tuple[npt.NDArray[np.float32], ...],
        lengths: tuple[int, ...],
    ) -> tuple[Scores, KeyValueCache]:
        parts = [torch.from_numpy(part) for part in past]
        layers = [Past(key, value) for key, value in zip(parts[::2], parts[1::2], strict=True)]
        logits, present = self._network.step(*map(torch.from_numpy, (block, mask, positions)), layers)
        kept = tuple(part.numpy() for layer in present for part in layer)
        return logits[:, -1].float().numpy(), KeyValueCache(kept, lengths)


def of_network(name: str, network: Network, tokenizer: Tokenizer, begin: int) -> AttentionModel:
    """A network of `training/model.py`."""
    c = network.config
    empty = [np.zeros((0, c.heads, 0, c.width // c.heads), np.float32)] * c.layers
    network.eval()
    return AttentionModel(name, network, empty, tokenizer, vocabulary=c.vocabulary, context=c.context, begin=begin)


class TeacherNetwork:
    """stories260K on rows of different lengths; `training/teacher.py` samples rows of one length only."""

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher

    def step(
        self, tokens: Tensor, attention_mask: Tensor, position_ids: Tensor, past: list[Past]
    ) -> tuple[Tensor, list[Past]]:
        teacher, (rows, new), total = self.teacher, tokens.shape, attention_mask.shape[1]
        at = torch.arange(total)
        causal = at[None, :] <= at[total - new :, None]
        allowed = (causal[None] & (attention_mask[:, None, :] > 0))[:, None]
        cosine, sine = teacher.cosine[position_ids][:, None], teacher.sine[position_ids][:, None]
        x, present = teacher.embedding[tokens], []
        for layer, before in zip(teacher.layers, past, strict=True):
            h = F.rms_norm(x, x.shape[-1:], layer["norm_attention"], 1e-5)
            q, k, v = (
                (h @ layer[name].T).unflatten(-1, (heads, -1)).transpose(1, 2)
                for name, heads in (("q", teacher.heads), ("k", teacher.kv_heads), ("v", teacher.kv_heads))
            )
            key = torch.cat((before.key, _turn(k, cosine, sine)), dim=2)
            value = torch.cat((before.value, v), dim=2)
            shared = teacher.heads // teacher.kv_heads  # so many heads look at the same keys
            mixed = F.scaled_dot_product_attention(
                _turn(q, cosine, sine), key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1), allowed
            )
            x = x + mixed.transpose(1, 2).reshape(rows, new, -1) @ layer["o"].T
            h = F.rms_norm(x, x.shape[-1:], layer["norm_feed"], 1e-5)
            x = x + (F.silu(h @ layer["gate"].T) * (h @ layer["up"].T)) @ layer["down"].T
            present.append(Past(key, value))
        return F.rms_norm(x, x.shape[-1:], teacher.norm, 1e-5) @ teacher.embedding.T, present


def of_teacher(teacher: Teacher) -> AttentionModel:
    """stories260K."""
    width = teacher.embedding.shape[1] // teacher.heads
    empty = [np.zeros((0, teacher.kv_heads, 0, width), np.float32)] * len(teacher.layers)
    return AttentionModel(
        "stories260K",
        TeacherNetwork(teacher),
        empty,
        TeacherTokenizer(teacher),
        vocabulary=len(teacher.pieces),
        context=len(teacher.cosine),
        begin=START,
        stop_tokens=frozenset({START, 2}),
    )


def _turn(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cosine - b * sine, a * sine + b * cosine), dim=-1).flatten(-2)


class Recurrent(nn.Module):
    """A gated recurrent network with a tied embedding: all that it knows of a text is one vector."""

    def __init__(self, vocabulary: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.cell = nn.GRU(embedding, hidden, batch_first=True)
        self.out = nn.Linear(hidden, embedding)
        nn.init.normal_(self.embedding.weight, std=embedding**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """What the network makes of whole texts, (batch, length, embedding)."""
        return self.out(self.cell(self.embedding(tokens))[0])

    def logits(self, x: Tensor) -> Tensor:
        return F.linear(x, self.embedding.weight)


class RecurrentCache(NamedTuple):
    """One vector per text."""

    states: npt.NDArray[np.float32]
    """(B, hidden)"""
    lengths: tuple[int, ...]

    def rows(self, keep: Sequence[int]) -> Self:
        chosen = list(keep)
        return type(self)(self.states[chosen], tuple(self.lengths[row] for row in chosen))

    def join(self, other: Self) -> Self:
        return type(self)(np.concatenate((self.states, other.states)), self.lengths + other.lengths)


class RecurrentModel:
    """A recurrent network as a :class:`heatbath.types.Model`; arguments as for :class:`AttentionModel`."""

    stop_tokens: frozenset[int] = frozenset()

    def __init__(self, name: str, network: Recurrent, tokenizer: Tokenizer, *, context: int, begin: int) -> None:
        self.name, self.context, self.tokenizer = name, context, tokenizer
        self.vocabulary = network.embedding.num_embeddings
        self._network, self._begin = network.eval(), begin

    @torch.inference_mode()
    def start(self, prompts: Sequence[Sequence[int]]) -> tuple[Scores, RecurrentCache]:
        texts = [list(prompt) or [self._begin] for prompt in prompts]
        hidden = self._network.cell.hidden_size
        states, lengths = torch.zeros(len(texts), hidden), torch.tensor([len(text) for text in texts])
        for place in range(max(map(len, texts), default=0)):
            column = torch.tensor([text[min(place, len(text) - 1)] for text in texts])
            states = torch.where((place < lengths)[:, None], self._next(column, states), states)
        return self._scores(states), RecurrentCache(states.numpy(), tuple(lengths.tolist()))

    @torch.inference_mode()
    def step(self, cache: RecurrentCache, tokens: Sequence[int]) -> tuple[Scores, RecurrentCache]:
        states = self._next(torch.tensor(list(tokens)), torch.from_numpy(cache.states))
        return self._scores(states), RecurrentCache(states.numpy(), tuple(n + 1 for n in cache.lengths))

    def _next(self, tokens: Tensor, states: Tensor) -> Tensor:
        return self._network.cell(self._network.embedding(tokens)[:, None], states[None].contiguous())[1][0]

    def _scores(self, states: Tensor) -> Scores:
        return self._network.logits(self._network.out(states)).numpy()
