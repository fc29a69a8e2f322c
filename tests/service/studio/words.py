"""A model of made-up words for tests: quick, always the same, with a long tail and a character in three tokens."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

SYLLABLES = ("ka", "lo", "mi", "re", "su", "to", "ven", "ash", "ber", "dil")
BYTES = 257  # the end of the text, and one token for each byte
WORDS = [f" {first}{second}" for first in SYLLABLES for second in SYLLABLES]
WORDS += [f" {first}{second}{first}" for first in SYLLABLES for second in SYLLABLES]
MARKS = [",", ".", "\n", '"', " ", " the", " and"]
VOCABULARY = BYTES + len(WORDS) + len(MARKS)


class WordsTokenizer:
    """The longest piece that fits, else a byte."""

    def __init__(self) -> None:
        self.pieces = [b"", *(bytes([byte]) for byte in range(256)), *(piece.encode() for piece in [*WORDS, *MARKS])]
        self.ids = {piece: token for token, piece in enumerate(self.pieces) if piece and token >= 1}
        self.longest = max(map(len, self.pieces))

    def encode(self, text: str) -> list[int]:
        data, tokens, at = text.encode(), [], 0
        while at < len(data):
            length = next(n for n in range(min(12, len(data) - at), 0, -1) if data[at : at + n] in self.ids)
            tokens.append(self.ids[data[at : at + length]])
            at += length
        return tokens

    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(map(self.token_bytes, ids)).decode(errors="replace")

    def token_bytes(self, token: int) -> bytes:
        return self.pieces[token]


class WordsCache(NamedTuple):
    last: tuple[tuple[int, ...], ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(map(len, self.last))

    def rows(self, keep: Sequence[int]) -> Self:
        return self._replace(last=tuple(self.last[row] for row in keep))

    def join(self, other: Self) -> Self:
        return self._replace(last=self.last + other.last)


class WordsModel:
    """Scores that depend on the last two tokens alone."""

    name = "words"
    vocabulary = VOCABULARY
    context = 128
    stop_tokens = frozenset({0})
    example_prompts = ("There was once a", "Once upon a time", "The princess opened the door and saw a")

    def __init__(self) -> None:
        self.tokenizer = WordsTokenizer()

    def start(self, prompts: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.float32], WordsCache]:
        return self._scored(WordsCache(tuple(map(tuple, prompts))))

    def step(self, cache: WordsCache, tokens: Sequence[int]) -> tuple[npt.NDArray[np.float32], WordsCache]:
        texts = tuple((*text, token) for text, token in zip(cache.last, tokens, strict=True))
        return self._scored(WordsCache(texts))

    def _scored(self, cache: WordsCache) -> tuple[npt.NDArray[np.float32], WordsCache]:
        return np.stack([scores_after(text[-2:]) for text in cache.last]), cache


@cache
def scores_after(last: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """A few likely words, two that tie, and a tail in which everything is possible but bytes that make no character."""
    random = np.random.default_rng([len(last), *last])
    scores = random.normal(-3.0, 1.6, VOCABULARY)
    scores[:BYTES] = -np.inf
    snow = [1 + byte for byte in "雪".encode()]
    following = {snow[0]: snow[1], snow[1]: snow[2]}.get(last[-1]) if last else None
    if following:
        scores[:] = -np.inf
        scores[following] = 0.0
        return scores.astype(np.float32)
    best = random.permutation(np.arange(BYTES, VOCABULARY))[:8]
    scores[best] = [4.0, 3.5, 3.0, 3.0, 2.5, 2.0, 1.5, 1.0]
    scores[snow[0]] = -0.5
    return scores.astype(np.float32)
