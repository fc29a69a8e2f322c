"""A language model made on the spot: it counts what follows what in a text."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import Tokenizer

Words = npt.NDArray[np.uint64]
BITS = 63
"""A run of tokens is held in one number of so many bits; one more is needed for the end of a range."""


class ByteTokenizer:
    """One token for each of the 256 bytes: any text can be written, and nothing has to be trained.

    >>> ByteTokenizer().encode("fog"), ByteTokenizer().decode([102, 111, 103])
    ([102, 111, 103], 'fog')
    """

    longest = 1

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode(errors="replace")

    def token_bytes(self, token: int) -> bytes:
        return bytes([token])


class Runs(NamedTuple):
    """Every run of n tokens that the text has. Runs with the same beginning stand side by side."""

    keys: Words
    """The tokens of each run as the digits of one number, rising."""
    counts: npt.NDArray[np.float64]


class NGramCache(NamedTuple):
    """The latest tokens of several texts, as many as the model looks at."""

    recent: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]

    def rows(self, keep: Sequence[int]) -> Self:
        return type(self)(tuple(self.recent[row] for row in keep), tuple(self.lengths[row] for row in keep))

    def join(self, other: Self) -> Self:
        return type(self)(self.recent + other.recent, self.lengths + other.lengths)


class NGramModel:
    """An interpolated n-gram model of one text.

    ``p_n(w) = (c(w) + d p_{n-1}(w)) / (sum_v c(v) + d)``, where c(w) says how often w followed the last n - 1 tokens in
    the text, d how many different tokens did, and ``p_0 = 1 / V``. No token is impossible. Where the text never had the
    last n - 1 tokens, p_n is p_{n-1}.

    Arguments:
        text: what to count; a hundred kilobytes take a fraction of a second.
        order: the largest n, 1 or more: the model looks at the last ``order - 1`` tokens.
        tokenizer: text to tokens; None for one token per byte.
        vocabulary: V, the number of tokens of the tokenizer; ``order`` times the bits of a token must not exceed 63.
        name: for people.

    Raises:
        InputError: the text is empty, or the order is below 1 or too large for the vocabulary.

    >>> model = NGramModel("the cat sat on the mat. the cat ran.", order=4)
    >>> scores, cache = model.start([model.tokenizer.encode("the ")])
    >>> chr(scores[0].argmax()), round(float(np.exp(scores[0].max())), 2)
    ('c', 0.59)

    How to choose: a real language model of a text at hand, where one is wanted for a test or a demonstration and
    nothing is to be downloaded or trained. With six bytes it writes words and bits of sentences; a network is far
    better.

    Reference: the discounts are those of Witten and Bell, "The zero-frequency problem", IEEE Transactions on
    Information Theory 37 (1991), method C.
    """

    context = 2**31 - 1
    stop_tokens: frozenset[int] = frozenset()

    def __init__(
        self,
        text: str,
        *,
        order: int = 6,
        tokenizer: Tokenizer | None = None,
        vocabulary: int = 256,
        name: str = "n-gram",
    ) -> None:
        self.name, self.vocabulary = name, vocabulary
        self.tokenizer: Tokenizer = ByteTokenizer() if tokenizer is None else tokenizer
        self.order, self._bits = order, max(1, (vocabulary - 1).bit_length())
        most = BITS // self._bits
        if not 1 <= order <= most:
            raise InputError(
                f"with {vocabulary} tokens the order is from 1 to {most}",
                doing="counting a text",
                on=f"order={show(order)}",
                instead=f"write for example order={min(6, most)}",
                field="order",
            )
        tokens = np.array(self.tokenizer.encode(text), dtype=np.uint64)
        if not len(tokens):
            raise InputError(
                "there is nothing to count",
                doing="counting a text",
                on=f"text={show(text)}",
                instead="give a text of some thousand characters",
                field="text",
            )
        self._runs = [_count(tokens, n, self._bits) for n in range(1, min(order, len(tokens)) + 1)]

    @property
    def size(self) -> int:
        """How many counts it keeps."""
        return sum(len(runs.counts) for runs in self._runs)

    def start(self, prompts: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.float32], NGramCache]:
        cache = NGramCache(tuple(map(self._recent, prompts)), tuple(map(len, prompts)))
        return self._scores(cache), cache

    def step(self, cache: NGramCache, tokens: Sequence[int]) -> tuple[npt.NDArray[np.float32], NGramCache]:
        grown = zip(cache.recent, tokens, strict=True)
        recent = tuple(self._recent((*before, token)) for before, token in grown)
        after = NGramCache(recent, tuple(length + 1 for length in cache.lengths))
        return self._scores(after), after

    def surprisals(self, tokens: Sequence[int]) -> npt.NDArray[np.float64]:
        """``-ln p`` of each token after those before it, in nats, ``(len(tokens),)``: the model as a judge of a text.

        Arguments:
            tokens: the text, as the tokenizer encodes it.

        >>> model = NGramModel("the cat sat on the mat. the cat ran.", order=4)
        >>> model.surprisals(list(b"the cat")).mean() < model.surprisals(list(b"tha cet")).mean()
        np.True_
        """
        text = np.array(tokens, dtype=np.uint64)
        probabilities = np.full(len(text), 1 / self.vocabulary)
        bits, one = np.uint64(self._bits), np.uint64(1)
        for n, runs in enumerate(self._runs[: len(text)]):
            past = _keys(text, n, self._bits)[: len(text) - n]
            run = past << bits | text[n:]
            first, end, own, after = (
                np.searchsorted(runs.keys, k) for k in (past << bits, past + one << bits, run, run + one)
            )
            upto = np.concatenate(([0.0], runs.counts.cumsum()))
            different = end - first
            whole = np.where(different, upto[end] - upto[first] + different, 1.0)
            counted = (upto[after] - upto[own] + different * probabilities[n:]) / whole
            probabilities[n:] = np.where(different, counted, probabilities[n:])
        surprisals: npt.NDArray[np.float64] = -np.log(probabilities)
        return surprisals

    def _recent(self, tokens: Sequence[int]) -> tuple[int, ...]:
        return tuple(tokens[max(0, len(tokens) - self.order + 1) :])

    def _scores(self, cache: NGramCache) -> npt.NDArray[np.float32]:
        scores = np.empty((len(cache.recent), self.vocabulary), dtype=np.float32)
        for row, recent in zip(scores, cache.recent, strict=True):
            row[:] = np.log(self._probabilities(recent))
        return scores

    def _probabilities(self, recent: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """From the shortest past to the longest; where the text never had one, it has no longer one either."""
        probabilities = np.full(self.vocabulary, 1 / self.vocabulary)
        last = np.uint64((1 << self._bits) - 1)
        for n, runs in enumerate(self._runs[: len(recent) + 1]):
            past = 0
            for token in recent[len(recent) - n :]:
                past = past << self._bits | token
            ends = np.array([past << self._bits, past + 1 << self._bits], dtype=np.uint64)
            first, end = np.searchsorted(runs.keys, ends)
            if first == end:
                break
            counts, different = runs.counts[first:end], end - first
            whole = counts.sum() + different
            probabilities *= different / whole
            probabilities[runs.keys[first:end] & last] += counts / whole
        return probabilities


def _keys(tokens: Words, n: int, bits: int) -> Words:
    """Every run of n tokens as one number, in the order of the text; of no tokens, 0 at every place."""
    length = max(0, len(tokens) - n + 1)
    keys = np.zeros(length, dtype=np.uint64)
    for place in range(n):
        keys = keys << np.uint64(bits) | tokens[place : place + length]
    return keys


def _count(tokens: Words, n: int, bits: int) -> Runs:
    found, counts = np.unique(_keys(tokens, n, bits), return_counts=True)
    return Runs(found, counts.astype(np.float64))
