"""Random numbers that are not random, for tests of the ends of the unit interval."""

from types import SimpleNamespace

import numpy as np


def given_numbers(one=None, each=None):
    """What a draw or step gets as its chance: these numbers."""
    return SimpleNamespace(
        one=lambda: one,
        each=lambda: each,
        gumbels=lambda: -np.log(-np.log1p(-np.maximum(each, 2.0**-54))),
    )
