import numpy as np
import pytest

import heatbath as hb
from heatbath.control.seeing import rows_like, see


def test_scores_are_checked():
    assert see(hb.Seen([1, 2])).scores.dtype == np.float64
    with pytest.raises(hb.InputError, match="NaN"):
        see(hb.Seen(np.array([1.0, np.nan])))


@pytest.mark.parametrize(("kind", "wanted"), [("float16", "float32"), ("float32", "float32"), ("float64", "float64")])
def test_rows_are_at_least_single_precision(kind, wanted):
    assert rows_like(0.1, np.zeros((2, 3), dtype=kind), "state").dtype == wanted


def test_one_number_or_one_per_row():
    scores = np.zeros((2, 4, 3))
    assert rows_like(0.5, scores, "state").shape == (2, 4)
    assert rows_like(np.ones((2, 4)).tolist(), scores, "state").shape == (2, 4)
    assert rows_like(0.5, scores[0, 0], "state").shape == ()
    for wrong in ([1.0, 2.0], [[1.0, 2.0, 3.0, 4.0]], [[1.0], [2.0, 3.0]], "a", None):
        with pytest.raises(hb.InputError, match="state"):
            rows_like(wrong, scores, "state")


@pytest.mark.parametrize("wrong", ["a", None, [1.0, None]])
def test_torch_refuses_in_the_same_words(wrong):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(hb.InputError, match="state must be one number, or one number per row"):
        rows_like(wrong, torch.zeros(2, 3), "state")
