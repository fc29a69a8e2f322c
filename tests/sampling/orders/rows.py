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
    """Counts rows on which two distributions differ in what they keep, and asserts that they agree in the rest.

    What float32 cannot hold beside 1 does not count as a difference, but by itself: options that only one of the two
    keeps and that have less than ``tail`` of the mass together.
    """

    def __init__(self, tolerance=2e-5, tail=2e-6):
        self.rows, self.different, self.in_the_tail = 0, [], 0
        self.largest, self.tolerance, self.tail = 0.0, tolerance, tail

    def add(self, ours, theirs, what):
        self.rows += 1
        one_keeps = (ours > 0) != (theirs > 0)
        if max(ours[one_keeps].sum(), theirs[one_keeps].sum()) > self.tail:
            self.different.append((what, np.flatnonzero(one_keeps).tolist()))
            return
        self.in_the_tail += bool(one_keeps.any())
        off = float(np.abs(ours - theirs).max())
        self.largest = max(self.largest, off)
        assert off < self.tolerance, what
