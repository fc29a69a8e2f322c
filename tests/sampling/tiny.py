"""A language model so small that all its continuations can be written down."""

import hashlib
from collections import Counter
from typing import NamedTuple

import numpy as np
from scipy import stats

STOP = 0


class TinyCache(NamedTuple):
    texts: tuple

    @property
    def lengths(self):
        return tuple(map(len, self.texts))

    def rows(self, keep):
        return TinyCache(tuple(self.texts[row] for row in keep))

    def join(self, other):
        return TinyCache(self.texts + other.texts)


class TinyModel:
    """Scores drawn once for every beginning of a text, from its tokens; token 0 ends a text.

    Arguments:
        vocabulary: how many tokens, with the one that stops.
        end: what is added to the score of the token that stops.
        forbid: whether the last token may not follow itself.
    """

    name = "tiny"
    context = 32
    stop_tokens = frozenset({STOP})
    tokenizer = None

    def __init__(self, vocabulary=3, end=0.0, forbid=False):
        self.vocabulary, self.end, self.forbid = vocabulary, end, forbid
        self.asked = 0
        self._known = {}

    def start(self, prompts):
        cache = TinyCache(tuple(map(tuple, prompts)))
        return self._scores(cache), cache

    def step(self, cache, tokens):
        assert len(tokens) == len(cache.texts)
        assert not any(set(text[1:]) & self.stop_tokens for text in cache.texts), "nothing follows the end"
        after = TinyCache(tuple((*text, token) for text, token in zip(cache.texts, tokens, strict=True)))
        return self._scores(after), after

    def _scores(self, cache):
        self.asked += 1
        return np.stack([self.scores(text) for text in cache.texts])

    def scores(self, text):
        """Behind one text, ``(V,)``."""
        if text not in self._known:
            number = int.from_bytes(hashlib.sha256(repr((text, self.vocabulary)).encode()).digest()[:8], "big")
            row = np.random.default_rng(number).normal(0, 0.7, self.vocabulary).astype(np.float32)
            row[STOP] += self.end
            if self.forbid and text and text[-1] == self.vocabulary - 1:
                row[-1] = -np.inf
            self._known[text] = row
        return self._known[text]


def log_softmax(scores):
    scores = scores.astype(np.float64)
    return scores - scores.max() - np.log(np.exp(scores - scores.max()).sum())


def continuations(model, prompt, length, write=lambda text, scores: scores):
    """Every continuation that can be written, with its log-probabilities token by token.

    Arguments:
        write: from prompt and text, and the model's scores behind them, to the scores of the chain that writes.
    """
    found, waiting = {}, [((), ())]
    while waiting:
        tokens, logs = waiting.pop()
        if len(tokens) == length or (tokens and tokens[-1] in model.stop_tokens):
            found[tokens] = logs
            continue
        text = (*prompt, *tokens)
        row = log_softmax(write(text, model.scores(text)))
        waiting += [((*tokens, int(token)), (*logs, row[token])) for token in np.flatnonzero(row > -np.inf)]
    return dict(sorted(found.items()))


def target(model, prompt, length, alpha):
    """p**alpha / Z over all continuations, as a dictionary."""
    logs = {tokens: alpha * sum(each) for tokens, each in continuations(model, prompt, length).items()}
    most = max(logs.values())
    total = sum(np.exp(log - most) for log in logs.values())
    return {tokens: float(np.exp(log - most) / total) for tokens, log in logs.items()}


def p_value(rows, shares):
    """Chi-square of the continuations that were drawn against the shares that they should have; small ones pooled."""
    counts = Counter(row.tokens for row in rows)
    assert counts.keys() <= shares.keys()
    small = [tokens for tokens, share in shares.items() if share * len(rows) < 5]
    large = [tokens for tokens in shares if tokens not in set(small)]
    seen = [*(counts[tokens] for tokens in large), sum(counts[tokens] for tokens in small)]
    wanted = [*(shares[tokens] for tokens in large), sum(shares[tokens] for tokens in small)]
    if not small:
        seen.pop(), wanted.pop()
    return stats.chisquare(seen, np.array(wanted) * len(rows)).pvalue
