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
    """Counts rows on which a sampler and an engine differ in what they keep, and asserts that they agree in the rest.

    What float32, in which engines compute, cannot tell apart does not count as a difference but by itself: options that
    only one of the two keeps and that have less than ``TAIL`` of the mass together (``tail``), and rows on which the
    sampler keeps what the engine does once the scores are moved by their last bits (``edge``).
    """

    TAIL, CLOSE = 2e-6, 2e-5

    def __init__(self):
        self.rows, self.tail, self.edge, self.different, self.largest = 0, 0, 0, [], 0.0

    def add(self, sampler, row, text, theirs):
        self.rows += 1
        ours = drawn_from(sampler, row, text)
        if not self._kept_alike(ours, theirs):
            if self._on_an_edge(sampler, row, text, theirs):
                self.edge += 1
            else:
                self.different.append((sampler, row, np.flatnonzero((ours > 0) != (theirs > 0)).tolist()))
            return
        self.tail += bool(((ours > 0) != (theirs > 0)).any())
        self.largest = max(self.largest, float(np.abs(ours - theirs).max()))
        assert self.largest < self.CLOSE, sampler

    def _kept_alike(self, ours, theirs):
        one_keeps = (ours > 0) != (theirs > 0)
        return max(ours[one_keeps].sum(), theirs[one_keeps].sum()) <= self.TAIL

    def _on_an_edge(self, sampler, row, text, theirs):
        random = np.random.default_rng(0)
        for _ in range(100):
            moved = row + random.normal(0, 1, len(row)) * 3e-7 * np.abs(row).max()
            if self._kept_alike(drawn_from(sampler, moved, text), theirs):
                return True
        return False

    def __repr__(self):
        edges = f"{self.tail} in the tail, {self.edge} on an edge of float32"
        return f"{self.rows} rows, {len(self.different)} different, {edges}, probabilities within {self.largest:.1e}"
