"""Settings at random, by the rules of the table."""

import numpy as np

VALUES = {
    "repetition.penalty": lambda r: float(r.choice([0.8, 1.1, 1.3])),
    "presence.penalty": lambda r: float(r.choice([-0.5, 0.4, 1.5])),
    "frequency.penalty": lambda r: float(r.choice([-0.2, 0.3, 0.7])),
    "temperature.thermostat": lambda r: float(r.choice([0.3, 0.7, 1.0, 1.4, 1.9])),
    "top_k.k": lambda r: int(r.choice([2, 5, 20, 60, 500])),
    "top_p.p": lambda r: float(r.choice([0.13, 0.61, 0.87, 0.973])),
    "min_p.p": lambda r: float(r.choice([0.013, 0.087, 0.31])),
    "typical.p": lambda r: float(r.choice([0.23, 0.67, 0.93])),
    "epsilon.eps": lambda r: float(r.choice([0.0003, 0.013])),
    "eta.eps": lambda r: float(r.choice([0.0007, 0.019])),
    "top_h.h": lambda r: float(r.choice([0.31, 0.73])),
    "top_a.a": lambda r: float(r.choice([0.11, 0.37])),
    "tail_free.z": lambda r: float(r.choice([0.83, 0.97])),
    "top_n_sigma.n": lambda r: float(r.choice([0.83, 1.37])),
    "xtc.probability": lambda r: 1.0,
    "xtc.threshold": lambda r: float(r.choice([0.043, 0.17])),
    "dynatemp.range": lambda r: float(r.choice([0.0, 0.2, 0.5])),
    "dynatemp.low": lambda r: 0.5,
    "dynatemp.high": lambda r: float(r.choice([0.7, 1.6])),
    "dynatemp.exponent": lambda r: float(r.choice([0.7, 1.0])),
    "dynatemp.": lambda r: True,
    "smoothing.factor": lambda r: float(r.choice([0.21, 0.4])),
    "smoothing.curve": lambda r: float(r.choice([1.0, 2.0])),
    "no_repeat_ngram.n": lambda r: 3,
    "dry.multiplier": lambda r: 0.8,
    "logit_bias.bias": lambda r: {3: 1.5, 7: -2.0},
    "bans.tokens": lambda r: [1, 4],
    "ban_sequences.sequences": lambda r: [[2], [3, 5]],
    "mirostat.version": lambda r: int(r.choice([1, 2])),
    "mirostat.tau": lambda r: float(r.choice([2.3, 4.1])),
    "adaptive_p.target": lambda r: 0.4,
}


def random_settings(engine, random, share=0.4, without=()):
    """Some settings of an engine at values at which they do something."""
    given = dict(engine.warm)
    for row in engine.settings:
        keys = [f"{step}.{row.argument}" for step in row.steps if step not in without]
        value = next((VALUES[key] for key in keys if key in VALUES), None)
        if value is not None and random.random() < share:
            number = True if isinstance(row.default, bool) else value(random)
            number = row.outside(number) if row.spelling or row.scale == 1e-4 else number
            if number in row.legal:
                given[row.name] = number
    return given


def rng(seed):
    """A generator of a seed."""
    return np.random.default_rng(seed)
