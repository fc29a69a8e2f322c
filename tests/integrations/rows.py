"""Logits, and what the streams of a tool are compared with: the same chain, alone."""

import numpy as np
from scipy import stats

import heatbath as hb

LENGTH, OPTIONS = 14, 40

CHAINS = [
    "temperature(0.7) -> top_k(10)",
    "temperature(linear(1.5, 0.5, 10)) -> min_p(0.02)",
    "penalties(1.3, presence=0.5, frequency=0.2) -> temperature(0.9)",
    "dry(0.8) -> temperature(hold_entropy(1.0, 6))",
    "temperature(hold_surprise(1.5, 6)) -> top_p(0.95)",
    "mirostat_v2(2.0)",
    "xtc(0.1, 0.5) -> temperature(1.2)",
    "penalties(1.3, window=5) -> greedy()",
]
"""One or more of each kind: without a memory, with a count, that look back, that learn, that draw by themselves."""


UNSERVED = {
    "temperature([0.5, 2.0])": "logits of shape .* are a single row",
    "temperature([0.5])": "logits of shape .* are a single row",
    "top_k([5, 6]) -> temperature(1.0)": "logits of shape .* are a single row",
    "bans([999999])": "none is 999999",
    "logit_bias([[999999, 1.0]])": "none is 999999",
    "temperature(by_text([['start', 1.0]], 0.5))": "the context has no text; token ids are all that is known here",
    "temperature(by_rule([['s', 1.0]], 0.5))": "the context has no rule; token ids are all that is known here",
}
"""Chains that parse, and cannot serve a request among others of a model that shows no text; and why not."""


def logits(rows, seed=0):
    """``(LENGTH, rows, OPTIONS)``"""
    return np.random.default_rng(seed).normal(0, 2.5, (LENGTH, rows, OPTIONS)).astype(np.float32)


def alone(sampler, scores, prompt, seed):
    """The tokens of one stream."""
    state, tokens = sampler.init(prompt), []
    for row in scores:
        token, state, _ = sampler.step(state, row, seed=seed)
        tokens.append(int(token))
    return tokens


def pick(scores, seed, position):
    """The draw of a tool: that of heatbath, so that the tokens can be compared one by one."""
    return int(hb.chain().step((position, ()), scores, seed=seed).choice)


ROW = np.concatenate([[4.4], np.linspace(-0.3, 0.3, 30)]).astype(np.float32)
"""Scores for draws that are counted: one good option and many poor ones, whose balance tips quickly with T."""


def p_values(counts, row=ROW, t=1.3):
    """Of the chi-square test at the T that was asked for, and of its negative control at 1.05 times that."""
    shares = [hb.softmax(row.astype(float), factor * t) for factor in (1, 1.05)]
    return [stats.chisquare(counts, np.sum(counts) * share).pvalue for share in shares]
