"""Models with known probabilities that write texts."""

import numpy as np

from heatbath.core import softmax


def world(options=100, spread=2.5, seed=0):
    """A Markov model: the scores of the next token, one row for each token before it."""
    return spread * np.random.default_rng(seed).normal(size=(options, options))


def write(scores, temperature, length, rng):
    """The scores along one text drawn at T, and its tokens."""
    below = softmax(scores, temperature).cumsum(axis=-1)
    token, rows, tokens = int(rng.integers(len(scores))), [], []
    for _ in range(length):
        rows.append(scores[token])
        token = min(int((below[token] <= rng.random()).sum()), len(scores) - 1)
        tokens.append(token)
    return np.array(rows), tokens


def top(rows, count):
    """The best log-probabilities of each row, as interfaces give them."""
    logs = np.log(softmax(rows))
    return [{int(i): float(row[i]) for i in np.argsort(-row)[:count]} for row in logs]


def at_most(count, trials, rate, beyond=1e-4):
    """Whether so many of the trials are believable at this rate, by the binomial distribution."""
    from scipy.stats import binom

    return binom.sf(count - 1, trials, rate) > beyond
