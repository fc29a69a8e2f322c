import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import heatbath as hb
from heatbath.sampling.temper import temper

finite = arrays(np.float64, st.integers(1, 9), elements=st.floats(-50, 50))


@given(finite, st.floats(0.01, 100))
def test_tempered_scores_have_the_tempered_softmax(row, t):
    np.testing.assert_allclose(hb.softmax(temper(row, t)), hb.softmax(row, t), rtol=1e-12, atol=1e-300)


def test_zero_keeps_only_the_first_best():
    assert temper(np.array([1.0, 3.0, 3.0, -np.inf]), 0).tolist() == [-np.inf, 0.0, -np.inf, -np.inf]


def test_infinity_makes_all_that_is_not_forbidden_equal():
    assert temper(np.array([1.0, 3.0, -np.inf]), math.inf).tolist() == [0.0, 0.0, -np.inf]


@pytest.mark.parametrize("t", [1e-300, 1e-40, 1e-3, 1e4, 1e300])
def test_no_temperature_above_zero_makes_nan(t):
    scores = temper(np.array([1e4, -1e4, 0.0, -np.inf], dtype=np.float32), t)
    assert not np.isnan(scores).any()
    assert scores[0] == 0
    assert scores[3] == -np.inf


def test_scores_at_the_ends_of_the_type():
    assert temper(np.array([1e308, -1e308]), 1.0).tolist() == [0.0, -np.inf]


def test_rows_may_have_their_own_temperature():
    logits = np.array([[1.0, 2.0]] * 3)
    together = temper(logits, np.array([0, 0.5, math.inf]))
    assert together.tolist() == [[-np.inf, 0.0], [-2.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("value", [-1, math.nan, "0.7", None, True, [0.5, -1]])
def test_what_is_no_temperature_is_refused(value):
    with pytest.raises(hb.InputError, match="temperature"):
        hb.temperature(value)


def test_infinity_levels_any_spread():
    row = np.array([1e308, -1e308, -np.inf])
    for t in (np.inf, np.array(np.inf)):
        assert temper(row, t).tolist() == [0.0, 0.0, -np.inf]


def test_what_is_no_temperature_gives_nan_where_it_cannot_be_checked():
    jax = pytest.importorskip("jax")
    scores = jax.jit(lambda t: hb.chain(hb.temperature(t)).scores((), jax.numpy.asarray([2.0, 1.0])).scores)
    assert np.isnan(scores(-1.0)).all()
