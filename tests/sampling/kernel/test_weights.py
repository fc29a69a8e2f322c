import numpy as np
import pytest

numba = pytest.importorskip("numba")

from heatbath.sampling.kernel.bits import FAST
from heatbath.sampling.kernel.weights import ERROR, LOG2E, exact, weight


@numba.njit(fastmath=FAST, error_model="numpy")
def weights(x, c_high, c_low, k, out):
    for i in range(x.shape[0]):
        out[i] = weight(x[i], c_high, c_low, k)


@numba.njit(fastmath=FAST, error_model="numpy")
def exactly(q, out):
    for i in range(q.shape[0]):
        out[i] = exact(q[i])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("offset", "t"), [(0, 1.0), (0, 0.37), (1000, 1.0), (-5e5, 1.3), (0, 50.0)])
def test_fast_weights_are_as_good_as_is_said(kind, offset, t):
    c = LOG2E / t
    x = (offset - np.random.default_rng(0).uniform(0, 120 / c, 1 << 19)).astype(kind)
    high = float(np.float32(c))
    k, out = np.floor(offset * c + 0.5), np.empty(len(x), np.float32)
    weights(x, high, c - high, k, out)
    true = np.exp2(x.astype(np.longdouble) * np.longdouble(c) - k)
    off = (out - true) / true
    assert np.abs(off).max() < ERROR
    assert abs(off.mean()) < 1.5e-8  # what all have in common, on which the doubt of long sums rests


def test_exact_ones_are_exact():
    q = np.concatenate([-np.random.default_rng(0).uniform(0, 708, 1 << 18), [0.0, -1e-300]])
    out = np.empty_like(q)
    exactly(q, out)
    true = np.exp(q.astype(np.longdouble))
    assert float(np.abs((out - true) / true).max()) < 4e-16
    deep = np.array([-np.inf, -800.0, -745.5, -745.0, -720.0, -708.5])
    out = np.empty_like(deep)
    exactly(deep, out)
    np.testing.assert_allclose(out, np.exp(deep), rtol=1e-13, atol=1e-323)  # also where they lose their digits
    assert ((out > 0) == (np.exp(deep) > 0)).all()
