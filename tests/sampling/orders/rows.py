"""What the comparisons with engines share: rows, texts, settings at random, and how two distributions are compared."""

import numpy as np

import heatbath as hb

OPTIONS = 200


def random_rows(random, rows=50, options=OPTIONS):
    """Rows from nearly flat to nearly certain, in float32 as engines read them, in which no two scores are equal."""
    spread = np.exp(random.uniform(np.log(0.05), np.log(8), (rows, 1)))
    return (random.normal(0, 1, (rows, options)) * spread).astype(np.float32)


def random_text(random, length=40, options=OPTIONS):
    """Tokens of which some come again."""
    return random.integers(0, options // 8, length).tolist()


def drawn_from(sampler, row, text=(), seed=0):
    """The probabilities that a sampler draws from behind a text."""
    applied = sampler.scores(sampler.init(list(text)), np.asarray(row, np.float64), seed=seed).scores
    if repr(sampler.draw) == "greedy()":
        return (np.arange(len(row)) == applied.argmax()).astype(float)
    return hb.softmax(applied)


class Compared:
    """Counts rows on which two distributions keep other options, and explains those by hits within rounding.

    An option that only one of the two keeps is on the edge where a chain with thresholds moved by ``slack`` either way
    keeps it once and once not.
    """

    def __init__(self, tolerance=2e-5):
        self.rows, self.different, self.largest, self.tolerance = 0, [], 0.0, tolerance

    def add(self, ours, theirs, what):
        self.rows += 1
        if ((ours > 0) != (theirs > 0)).any():
            self.different.append((what, np.flatnonzero((ours > 0) != (theirs > 0)).tolist()))
            return
        off = float(np.abs(ours - theirs).max())
        self.largest = max(self.largest, off)
        assert off < self.tolerance, what
