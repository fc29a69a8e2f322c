"""Array libraries, and the exact values to compare with."""

import importlib.util
from contextlib import nullcontext

import mpmath
import numpy as np
import pytest

mpmath.mp.dps = 40


class Library:
    """Makes arrays of one library and brings them back."""

    def __init__(self, name):
        self.name = name
        if name == "torch":
            import torch

            self.module = torch
        elif name == "jax":
            import jax

            self.module = jax.numpy
        else:
            self.module = np

    def array(self, values, dtype=None):
        array = np.asarray(values, dtype=dtype)
        if self.name == "torch":
            return self.module.from_numpy(np.array(array))  # a copy, which torch may write to
        return self.module.asarray(array)

    def holding(self, dtype):
        """A context in which the library has arrays of this type (JAX has no float64 by default)."""
        if self.name == "jax" and dtype == "float64":
            import jax

            return jax.enable_x64(True)
        return nullcontext()

    def is_mine(self, array):
        if self.name == "numpy":
            return isinstance(array, np.ndarray | np.generic)
        kind = self.module.Tensor if self.name == "torch" else self.module.ndarray
        return isinstance(array, kind)


@pytest.fixture(scope="module", params=["numpy", "torch", "jax"])
def library(request):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return Library(request.param)


@pytest.fixture(scope="session")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(scope="session")
def jax():
    return pytest.importorskip("jax", reason="jax is not installed")


@pytest.fixture(scope="session")
def exact():
    return exact_row


def exact_row(row, temperature):
    """Probabilities and entropy in 40 digits, of the scores exactly as their type holds them."""
    row = np.asarray(row)
    t, top = mpmath.mpf(float(temperature)), mpmath.mpf(float(row.max()))
    values, counts = np.unique(row[row > -np.inf], return_counts=True)
    exponents = [(mpmath.mpf(float(value)) - top) / t for value in values]
    weights = [mpmath.exp(q) for q in exponents]
    total = mpmath.fsum(w * int(n) for w, n in zip(weights, counts, strict=True))
    mean = mpmath.fsum(w * q * int(n) for w, q, n in zip(weights, exponents, counts, strict=True)) / total
    by_value = {value: float(w / total) for value, w in zip(values, weights, strict=True)}
    return np.array([by_value.get(value, 0.0) for value in row]), float(mpmath.log(total) - mean)
