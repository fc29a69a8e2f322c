import numpy as np
import pytest

import heatbath as hb
from heatbath.control.seeing import known_of_rows, per_row, rows_like, see, told


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


def test_what_is_told_is_an_array_of_its_own_library():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    assert told([1, 2], "choice").tolist() == [1, 2]
    assert told(torch.ones(2), "surprisal").dtype == torch.float32
    for wrong in (-1.0, [0.5, np.nan], "a", None, torch.tensor([-1.0])):
        with pytest.raises(hb.InputError, match="surprisal is one number >= 0, or one per row"):
            told(wrong, "surprisal")


def test_numbers_of_a_state_need_no_scores():
    assert per_row(0.5, hb.Seen()) == 0.5
    assert per_row([0.5, 1], hb.Seen()).tolist() == [0.5, 1.0]
    assert per_row([0.5, 1], hb.Seen(np.zeros((2, 3)))).tolist() == [0.5, 1.0]
    for wrong in ("a", None, [None], {}):
        with pytest.raises(hb.InputError, match="state must be one number"):
            per_row(wrong, hb.Seen())
    with pytest.raises(hb.InputError, match=r"state has shape \(2,\), and the scores have \(3,\) rows"):
        per_row([0.5, 1], hb.Seen(np.zeros((3, 3))))


def test_texts_are_one_for_all_or_one_per_row():
    assert known_of_rows(hb.Seen(None, {"text": "a"}), "text", "b") == "a"
    assert known_of_rows(hb.Seen(np.zeros((2, 3)), {"text": ("a", "b")}), "text", "b") == ["a", "b"]
    with pytest.raises(hb.InputError, match="the context has no text"):
        known_of_rows(hb.Seen(), "text", "b")
