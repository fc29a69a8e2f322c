"""How often something happened in a simulation, against how often it may."""

import numpy as np
import pytest
from scipy.stats import binom


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def at_most():
    """Whether so many cases in a simulation are compatible with at most the nominal rate (one-sided, 1 in 1000)."""

    def check(cases, nominal):
        cases = np.asarray(cases)
        return bool(cases.sum() <= binom.ppf(0.999, cases.size, nominal))

    return check


@pytest.fixture(scope="session")
def at_least():
    """The same for at least."""

    def check(cases, nominal):
        cases = np.asarray(cases)
        return bool(cases.sum() >= binom.ppf(0.001, cases.size, nominal))

    return check
