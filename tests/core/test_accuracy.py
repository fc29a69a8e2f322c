"""The promise: probabilities above 1e-30 within 1e-5 and entropy within 1e-5 nats in float32, 1e-12 in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatbath.core import entropy, log_softmax, softmax

LIMITS = {"float32": 1e-5, "float64": 1e-12}

temperatures = st.just(1.0) | st.floats(-3, 4).map(lambda power: 10.0**power)


@st.composite
def rows(draw):
    """Rows that hurt: scores up to 1e4, differences lost in them, ties, forbidden options, few and many options."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([1, 2, 30, 3000]))  # few, for each is compiled by JAX
    temperature = draw(temperatures)
    kind = draw(st.sampled_from(["thirty decades", "magnitudes", "ties", "normal"]))
    if kind == "thirty decades":
        row = rng.uniform(-1e4, 1e4) - temperature * rng.uniform(0, 69, size)
    elif kind == "magnitudes":
        row = rng.choice([-1, 1], size) * 10 ** rng.uniform(-8, 4, size)
    elif kind == "ties":
        row = rng.integers(-3, 3, size) * temperature * rng.choice([1, 10, 20])
        row[rng.random(size) < 0.3] = -np.inf
        row[rng.integers(size)] = rng.integers(-3, 3) * temperature
    else:
        row = rng.normal(0, draw(st.sampled_from([0.1, 3, 100])), size)
    return np.clip(row, -1e4, 1e4, where=row > -np.inf, out=row), temperature


def check(library, dtype, row, temperature, exact):
    row = row.astype(dtype)
    probabilities, nats = exact(row, temperature)
    with library.holding(dtype):
        p = np.asarray(softmax(library.array(row), temperature))
        h = np.asarray(entropy(library.array(row), temperature))
    assert p.dtype == h.dtype == dtype
    large = probabilities > 1e-30
    limit = LIMITS[dtype] if temperature == 1 or dtype == "float64" else 2e-6  # better than promised: all is made good
    assert np.abs(p[large].astype(np.float64) / probabilities[large] - 1).max() < limit
    assert p[~large].max(initial=0) < 2e-30
    assert abs(float(h) - nats) < LIMITS[dtype]


@pytest.mark.parametrize("dtype", LIMITS)
@settings(max_examples=40)
@given(case=rows())
def test_probabilities_and_entropy_are_exact(library, dtype, exact, case):
    check(library, dtype, *case, exact)


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("temperature", [0.037, 1.0, 1234.5])
def test_a_giant_row_is_exact(library, dtype, exact, temperature):
    rng = np.random.default_rng(5)
    row = np.round(rng.normal(0, 30, 200_000), 1)  # repeated values keep the exact computation short
    row[:2] = 1e4 - 50 * temperature, -np.inf
    check(library, dtype, np.minimum(row, 1e4), temperature, exact)


def test_a_strided_row_is_as_exact_as_any(exact):
    row = np.full((200_000, 2), 0.1, dtype=np.float32)
    row[0] = 2.0
    expected, nats = exact(row[:, 0], 1.0)
    assert np.abs(softmax(row.T)[1] / expected - 1).max() < 1e-6
    assert abs(entropy(row.T)[1] - nats) < 2e-6


def test_the_naive_formula_would_fail_here(exact):
    """The property above can fail: dividing first loses three digits on a row that the strategy makes."""
    rng = np.random.default_rng(1)
    row = (9876.5 - 0.05 * rng.uniform(0, 69, 1000)).astype(np.float32)
    probabilities, _ = exact(row, 0.05)
    scaled = row / np.float32(0.05)
    naive = np.exp(scaled - scaled.max())
    naive /= naive.sum()
    assert np.abs(naive / probabilities - 1).max() > 1e-4
    assert np.abs(softmax(row, 0.05) / probabilities - 1).max() < 1e-6


def both(scores, temperature):
    return softmax(scores, temperature), entropy(scores, temperature)


@settings(max_examples=40)
@given(case=rows())
def test_jax_compiled_is_as_exact(jax, exact, case):
    row, temperature = case[0].astype(np.float32), float(np.float32(case[1]))  # a traced T is a float32
    probabilities, nats = exact(row, temperature)
    p, h = jax.jit(both)(row, temperature)
    large = probabilities > 1e-30
    assert np.abs(np.asarray(p, dtype=np.float64)[large] / probabilities[large] - 1).max() < 2e-6
    assert abs(float(h) - nats) < 1e-5


def test_log_softmax_keeps_digits_at_both_ends(library):
    z = library.array([0.0, -20.0, -5000.0], dtype="float32")
    log_p = np.asarray(log_softmax(z, 1.0), dtype=np.float64)
    assert log_p[0] == pytest.approx(-np.exp(-20), rel=1e-6)
    assert log_p[2] == pytest.approx(-5000, rel=1e-7)


def test_tiny_entropies_keep_their_digits():
    assert entropy([0.0, -60.0]) == pytest.approx(61 * np.exp(-60), rel=1e-12)
