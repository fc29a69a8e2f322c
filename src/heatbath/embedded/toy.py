"""A model small enough to know by heart: weather forecasts with exact probabilities."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

STOP = 0
FIRST_BYTE = 1
WORDS = (" sun", " rain", " wind", " fog")
FIRST_WORD = FIRST_BYTE + 256
WORD_TOKENS = {word.encode(): FIRST_WORD + index for index, word in enumerate(WORDS)}
SNOW = tuple(FIRST_BYTE + byte for byte in "雪".encode())
"""Snow is one character written with three tokens, as rare characters are in byte-level vocabularies."""

BASE = {FIRST_WORD: 12, FIRST_WORD + 1: 6, FIRST_WORD + 2: 3, FIRST_WORD + 3: 2, SNOW[0]: 1}
AS_TODAY = 6
AS_YESTERDAY = 3


class ToyTokenizer:
    """The four words, and single bytes for everything else, so that any text can be written."""

    longest = max(map(len, WORD_TOKENS))

    def encode(self, text: str) -> list[int]:
        """Words where they stand, bytes elsewhere.

        >>> ToyTokenizer().encode("a sun")
        [98, 257]
        """
        data, position, tokens = text.encode(), 0, []
        while position < len(data):
            word = next((word for word in WORD_TOKENS if data.startswith(word, position)), None)
            tokens.append(WORD_TOKENS[word] if word else FIRST_BYTE + data[position])
            position += len(word) if word else 1
        return tokens

    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(map(self.token_bytes, ids)).decode(errors="replace")

    def token_bytes(self, token: int) -> bytes:
        if token == STOP:
            return b""
        return WORDS[token - FIRST_WORD].encode() if token >= FIRST_WORD else bytes([token - FIRST_BYTE])


class Sky(NamedTuple):
    """All that the toy remembers of a text."""

    length: int = 0
    yesterday: int | None = None
    today: int | None = None
    snow: int = 0
    """How many of the three tokens of an unfinished 雪 were seen."""

    def after(self, token: int) -> "Sky":
        """What is remembered once the token is read."""
        if token == SNOW[self.snow]:
            if self.snow + 1 < len(SNOW):
                return self._replace(length=self.length + 1, snow=self.snow + 1)
            return Sky(self.length + 1, self.today, SNOW[0])
        if token >= FIRST_WORD:
            return Sky(self.length + 1, self.today, token)
        return self._replace(length=self.length + 1, snow=0)


class ToyCache(NamedTuple):
    """The skies of several texts."""

    skies: tuple[Sky, ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(sky.length for sky in self.skies)

    def rows(self, keep: Sequence[int]) -> Self:
        return self._replace(skies=tuple(self.skies[row] for row in keep))

    def join(self, other: Self) -> Self:
        return self._replace(skies=self.skies + other.skies)


class ToyModel:
    """Forecasts the weather day by day; every probability is a ratio of small whole numbers.

    The weight of an option is ``base + 6 [as today] + 3 [as yesterday]``, its probability the weight over the sum of
    the weights, with base 12 for " sun", 6 " rain", 3 " wind", 2 " fog", 1 雪, and ``stop`` for the end of the text.
    All other tokens are forbidden.

    Arguments:
        stop: the weight of ending the text; 0 for a forecast that never ends.
        context: the longest text, in tokens.

    >>> model = ToyModel()
    >>> model.weights(model.tokenizer.encode(" rain sun"))
    {257: 18, 258: 9, 259: 3, 260: 2, 234: 1, 0: 1}
    """

    name = "toy"
    vocabulary = FIRST_WORD + len(WORDS)
    stop_tokens = frozenset({STOP})
    example_prompts = (" sun", " rain", " rain sun", " fog fog fog", " sun 雪")

    def __init__(self, *, stop: int = 1, context: int = 256) -> None:
        self.stop = stop
        self.context = context
        self.tokenizer = ToyTokenizer()

    def start(self, prompts: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.float32], ToyCache]:
        cache = ToyCache(tuple(map(_sky, prompts)))
        return self._scores(cache), cache

    def step(self, cache: ToyCache, tokens: Sequence[int]) -> tuple[npt.NDArray[np.float32], ToyCache]:
        after = ToyCache(tuple(sky.after(token) for sky, token in zip(cache.skies, tokens, strict=True)))
        return self._scores(after), after

    def weights(self, tokens: Sequence[int]) -> dict[int, int]:
        """The weight of every option that may follow these tokens."""
        return self._weights(_sky(tokens))

    def _weights(self, sky: Sky) -> dict[int, int]:
        if sky.snow:
            return {SNOW[sky.snow]: 1}
        days = {
            day: base + AS_TODAY * (day == sky.today) + AS_YESTERDAY * (day == sky.yesterday)
            for day, base in BASE.items()
        }
        return {**days, STOP: self.stop} if self.stop else days

    def _scores(self, cache: ToyCache) -> npt.NDArray[np.float32]:
        scores = np.full((len(cache.skies), self.vocabulary), -np.inf, dtype=np.float32)
        for row, sky in zip(scores, cache.skies, strict=True):
            weights = self._weights(sky)
            row[list(weights)] = np.log(list(weights.values()))
        return scores


def _sky(tokens: Sequence[int]) -> Sky:
    sky = Sky()
    for token in tokens:
        sky = sky.after(token)
    return sky
