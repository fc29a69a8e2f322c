"""Reading scores: what is accepted, and what is said of the rest."""

from math import inf, nan

import numpy as np
import pytest

from heatbath.core import as_scores, entropy, softmax
from heatbath.errors import InputError


def test_floating_arrays_stay_what_they_are(library):
    z = library.array([[1.0, -inf], [0.0, 2.0]], dtype="float32")
    assert as_scores(z) is z


def test_integers_and_lists_become_floating(library):
    scores = as_scores(library.array([1, 2, 3]))
    assert library.is_mine(scores)
    assert "float" in str(scores.dtype)
    assert as_scores([[1, 2], (3, 4)]).dtype == np.float64


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (nan, "the score is NaN; look for 0/0"),
        (inf, r"the score is \+inf; to force one option, write -inf for all the others"),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_values_that_are_no_scores_are_named_by_row_and_position(library, bad, message, dtype):
    row = np.full(9, -inf)
    row[[5, 7]] = bad
    fine = np.zeros(9)
    with library.holding(dtype):
        for rows, where in [
            ([fine, row, row], "row 1 of logits, position 5"),
            (row, "logits, position 5"),
            ([[fine, fine], [fine, row]], r"row \(1, 1\) of logits, position 5"),
        ]:
            with pytest.raises(InputError, match=f"^{where}: {message}"):
                as_scores(library.array(rows, dtype=dtype))


def test_a_nan_is_named_before_an_infinity_of_the_same_row(library):
    with pytest.raises(InputError, match=r"^row 0 of logits, position 2: the score is NaN"):
        as_scores(library.array([[inf, 0.0, nan], [nan, 0.0, 0.0]]))


def test_the_brain_float_of_numpy_tells_the_position_too():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    with pytest.raises(InputError, match=r"^logits, position 1: the score is \+inf"):
        as_scores(np.array([0.0, inf], ml_dtypes.bfloat16))


def test_a_row_in_which_everything_is_forbidden(library):
    with pytest.raises(InputError, match="logits: every score is -inf, which forbids every option; leave at least one"):
        softmax(library.array([-inf, -inf]))
    with pytest.raises(InputError, match=r"row \(1, 0\) of logits"):
        softmax(library.array([[[1.0]], [[-inf]]]))


@pytest.mark.parametrize("empty", [[], [[]], np.zeros((3, 0))])
def test_nothing_to_choose_from(empty):
    with pytest.raises(InputError, match=r"of shape \(.*0,?\): there is nothing to choose from; give an array"):
        as_scores(empty)


@pytest.mark.parametrize("scalar", [3.0, 2, np.float64(1)])
def test_one_number_is_no_row(scalar):
    with pytest.raises(InputError, match="one number is not a row of scores"):
        entropy(scalar)


@pytest.mark.parametrize("bad", ["abc", None, [1, "a"], [[1], [1, 2]], [True, False], 1j, [None], {}, object()])
def test_what_is_no_row_of_numbers(bad):
    with pytest.raises(InputError, match=r"logits.*scores are real numbers, equally many in every row"):
        as_scores(bad)


def test_boolean_and_complex_arrays(library):
    for dtype in (bool, np.complex64):
        with pytest.raises(InputError, match="scores are real numbers"):
            as_scores(library.array([1, 0], dtype=dtype))


def test_the_field_is_the_callers():
    with pytest.raises(InputError, match=r"^q_values: every score") as error:
        as_scores([-inf], field="q_values")
    assert error.value.field == "q_values"


def test_no_rows_at_all_are_fine(library):
    assert softmax(library.array(np.zeros((0, 4)))).shape == (0, 4)
    assert entropy(library.array(np.zeros((0, 4))), 0.5).shape == (0,)


def test_a_masked_array_is_refused():
    for f in (as_scores, softmax, entropy):
        with pytest.raises(InputError, match=r"masked array.*write -inf"):
            f(np.ma.array([1.0, 2.0, 3.0], mask=[False, False, True]))
