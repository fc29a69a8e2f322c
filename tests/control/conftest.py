"""A real language model for the controllers: the 260k-parameter story teller of ../shared/data, read in NumPy."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

Floats = npt.NDArray[np.float32]


class Stories:
    """llama2.c's first file format: seven integers, then the weights in float32, the output tied to the embedding."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        dim, hidden, layers, self.heads, kv_heads, vocabulary, context = np.frombuffer(raw[:28], "<i4").tolist()
        self.weights = np.frombuffer(raw[28:], "<f4")
        self.size, self.context = dim // self.heads, 200  # a third of what it can: attention is what takes the time
        kv = kv_heads * self.size
        self.embedding = self._take(vocabulary, dim)
        self.attention_norm = self._take(layers, dim)
        self.q, self.k, self.v = (self._take(layers, rows, dim) for rows in (dim, kv, kv))
        self.o = self._take(layers, dim, dim)
        self.feed_norm = self._take(layers, dim)
        self.gate, self.down, self.up = (self._take(layers, *s) for s in ((hidden, dim), (dim, hidden), (hidden, dim)))
        self.final_norm = self._take(dim)
        self.cos, self.sin = self._take(context, self.size // 2), self._take(context, self.size // 2)

    def _take(self, *shape: int) -> Floats:
        count = int(np.prod(shape))
        taken, self.weights = self.weights[:count], self.weights[count:]
        return taken.reshape(shape)

    def streams(self, rows: int, length: int) -> Iterator[tuple[Floats, npt.NDArray[np.int64]]]:
        """``(scores (B, V), tokens (B,))`` for ``length`` positions; write each choice into ``tokens``.

        A new story begins whenever the context is full.
        """
        tokens = np.ones(rows, dtype=np.int64)
        for position in range(length):
            at = position % self.context
            if at == 0:
                tokens[:] = 1
                past: list[list[tuple[Floats, Floats]]] = [[] for _ in self.q]
            yield self._forward(tokens, at, past), tokens

    def _forward(self, tokens: npt.NDArray[np.int64], at: int, past: list[list[tuple[Floats, Floats]]]) -> Floats:
        x = self.embedding[tokens]
        for i, cache in enumerate(past):
            h = _norm(x, self.attention_norm[i])
            q, k = self._rotate(h @ self.q[i].T, at), self._rotate(h @ self.k[i].T, at)
            cache.append((k, (h @ self.v[i].T).reshape(k.shape)))
            keys, values = (
                np.stack(part).repeat(self.heads // k.shape[1], axis=2) for part in zip(*cache, strict=True)
            )
            fit = np.einsum("bhd,tbhd->bht", q, keys) / np.sqrt(self.size)
            weight = np.exp(fit - fit.max(-1, keepdims=True))
            mixed = np.einsum("bht,tbhd->bhd", weight / weight.sum(-1, keepdims=True), values)
            x = x + mixed.reshape(x.shape) @ self.o[i].T
            h = _norm(x, self.feed_norm[i])
            gate = h @ self.gate[i].T
            x = x + (gate / (1 + np.exp(-gate)) * (h @ self.up[i].T)) @ self.down[i].T
        return _norm(x, self.final_norm) @ self.embedding.T

    def _rotate(self, vectors: Floats, at: int) -> Floats:
        pairs = vectors.reshape(len(vectors), -1, self.size // 2, 2)
        cos, sin, a, b = self.cos[at], self.sin[at], pairs[..., 0], pairs[..., 1]
        turned = np.stack([a * cos - b * sin, a * sin + b * cos], axis=-1)
        return turned.reshape(len(vectors), -1, self.size)


def _norm(x: Floats, weight: Floats) -> Floats:
    return weight * x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-5))


@pytest.fixture(scope="session")
def stories(data: Path) -> Stories:
    return Stories(data / "stories260K" / "stories260K.bin")
