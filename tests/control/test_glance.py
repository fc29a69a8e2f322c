import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import heatbath as hb
from heatbath.control import Glance
from heatbath.core.scores import read

ROWS = np.random.default_rng(0).normal(size=(5, 12)) * np.array([[0.1], [1], [3], [9], [30]])
rows = arrays(np.float64, (3, 6), elements=st.floats(-30, 30) | st.just(-np.inf)).filter(
    lambda scores: np.isfinite(scores).any(axis=1).all()
)


@pytest.mark.parametrize("t", [0.3, 1.0, 4.0])
def test_each_number_is_the_one_of_that_name(t):
    glance, p = Glance(read(ROWS), t), np.sort(hb.softmax(ROWS, t), axis=-1)
    np.testing.assert_allclose(glance.entropy, hb.entropy(ROWS, t), rtol=1e-12)
    np.testing.assert_allclose(glance.heat_capacity, hb.heat_capacity(ROWS, t), rtol=1e-12)
    np.testing.assert_allclose(glance.top_probability, p[:, -1], rtol=1e-12)
    np.testing.assert_allclose(glance.log_sum, -np.log(p[:, -1]), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(glance.margin, p[:, -1] - p[:, -2], rtol=1e-9)
    np.testing.assert_allclose(glance.relative_entropy, hb.entropy(ROWS, t) / math.log(12), rtol=1e-12)
    assert glance.options.tolist() == [12] * 5


@given(rows)
def test_what_is_forbidden_and_a_shift_of_all_scores_change_nothing(scores):
    plain = Glance(read(scores))
    other = Glance(read(np.concatenate([scores, np.full((3, 4), -np.inf)], axis=1) + 7.0))
    for name in ("entropy", "heat_capacity", "top_probability", "margin", "log_sum", "relative_entropy", "options"):
        np.testing.assert_allclose(getattr(other, name), getattr(plain, name), atol=1e-9)


def test_one_option():
    glance = Glance(read(np.array([-np.inf, 2.0])))
    assert (glance.entropy, glance.margin, glance.relative_entropy, glance.options) == (0, 1, 0, 1)


def test_two_that_tie_have_no_margin():
    assert Glance(read(np.array([3.0, 3.0, 1.0]))).margin == 0


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_other_libraries(library):
    module = pytest.importorskip("jax.numpy" if library == "jax" else library)
    glance, wanted = Glance(read(module.asarray(ROWS.astype("float32")))), Glance(read(ROWS))
    for name in ("entropy", "heat_capacity", "top_probability", "margin", "log_sum", "options"):
        got = getattr(glance, name)
        assert type(got) is type(module.asarray([1.0]))
        np.testing.assert_allclose(np.asarray(got), getattr(wanted, name), rtol=1e-4, atol=1e-6)
