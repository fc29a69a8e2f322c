import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import smoothing

ROWS = st.lists(st.integers(-20, 20) | st.just(-math.inf), min_size=1, max_size=9).filter(
    lambda row: max(row) > -math.inf
)
FACTOR, CURVE = st.floats(0.01, 10), st.floats(1, 3)


def bent(row, *given):
    return hb.chain(smoothing(*given)).scores((), np.array(row, dtype=float)).scores


@given(ROWS, FACTOR, CURVE)
def test_scores_fall_by_the_published_polynomial(row, factor, curve):
    # text-generation-webui: with d <= 0, -(k f d^2) + s f d^3 + max
    k, s = (3 - curve) / 2, (curve - 1) / 2
    for before, after in zip(row, bent(row, factor, curve), strict=True):
        d = before - max(row)
        expected = before if before == -math.inf else -(k * factor * d**2) + s * factor * d**3
        assert after == pytest.approx(expected, rel=1e-12)


@given(ROWS, FACTOR, CURVE)
def test_the_order_and_the_ties_stay(row, factor, curve):
    after = bent(row, factor, curve)
    for i, first in enumerate(row):
        for j, second in enumerate(row):
            assert (first < second) == (after[i] < after[j])


def test_the_near_gain_and_the_far_lose():
    p = hb.softmax(bent([0.0, -1.0, -2.0, -3.0], 0.5))
    q = hb.softmax([0.0, -1.0, -2.0, -3.0])
    gained = (p / p[0]) / (q / q[0])
    assert gained[1] > 1
    assert gained[2] == pytest.approx(1)  # d = 1 / factor
    assert gained[3] < 1


def test_what_is_beyond_the_type_is_lost():
    assert bent([0.0, -1e200, -math.inf], 1.0).tolist() == [0, -math.inf, -math.inf]


def test_every_row_may_have_its_own_numbers():
    rows = np.array([[2.0, 0.0, -1.0]] * 3)
    factors, curves = [0.1, 0.5, 2.0], [1.0, 2.0, 3.0]
    together = hb.chain(smoothing(factors, curves)).scores((), rows).scores
    for row in range(3):
        np.testing.assert_array_equal(together[row], bent(rows[row], factors[row], curves[row]))


def test_gradients_flow_past_what_is_forbidden():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scores = torch.tensor([2.0, 1.0, -torch.inf], dtype=torch.float64, requires_grad=True)
    hb.chain(smoothing(0.5)).scores((), scores).scores[1].backward()
    assert scores.grad.tolist() == [-1, 1, 0]


@pytest.mark.parametrize(
    ("given_", "field"),
    [((value,), "factor") for value in (0, -1, math.nan, math.inf, "1", None, True)]
    + [((0.3, value), "curve") for value in (0.9, 3.1, math.nan, "1", None, True)],
)
def test_illegal_numbers_are_refused(given_, field):
    with pytest.raises(hb.InputError, match=rf"making smoothing on smoothing\(.*: {field} must be") as caught:
        smoothing(*given_)
    assert caught.value.field == field
