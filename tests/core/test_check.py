"""What is a temperature, and what is said of all that is none."""

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

import heatbath as hb
from heatbath.core import check_temperature, softmax
from heatbath.errors import InputError


@pytest.mark.parametrize("t", [0, 1, 0.5, inf, np.float32(2), np.int8(3), 0.0, -0.0, [1, 2.5], (0, inf), [[1], [2]]])
def test_temperatures(t):
    check_temperature(t)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
def test_arrays_of_every_library(library, dtype):
    check_temperature(library.array([0, 1, 2], dtype=dtype))
    with pytest.raises(InputError, match=r"^row 1 of temperature=-1: a temperature is never negative; write 0"):
        check_temperature(library.array([0, -1, 2], dtype=dtype))


def test_half_precision(torch):
    check_temperature(torch.tensor([0.5], dtype=torch.bfloat16))


@pytest.mark.parametrize("t", [-1, -1e-300, -inf, np.float32(-1), [1, -1], np.array([[1.0], [-2.0]])])
def test_negative_numbers(t):
    with pytest.raises(InputError, match="never negative"):
        check_temperature(t)


@pytest.mark.parametrize("t", [nan, np.float64(nan), [1, nan], np.array(nan)])
def test_nan(t):
    with pytest.raises(InputError, match="NaN is no temperature"):
        check_temperature(t)


@pytest.mark.parametrize(
    "t",
    ["0.7", b"1", None, True, np.True_, 1j, np.complex64(1), [True], ["1"], [None], [[1], [1, 2]], {}, object(), print],
)
def test_no_numbers(t):
    with pytest.raises(
        InputError, match=r"is a real number, or one real number per row; write for example temperature"
    ):
        check_temperature(t)


@pytest.mark.parametrize("t", [10**400, -(10**400), 10**5000], ids=["large", "negative", "larger"])
def test_integers_that_no_float_holds(t):
    for use in (check_temperature, lambda t: softmax([1.0, 2.0], t), hb.fixed):
        with pytest.raises(InputError, match="temperature is too large" if t > 0 else "never negative") as error:
            use(t)
        assert error.value.field == "temperature"


@pytest.mark.parametrize("t", [[], (), [[]]])
def test_no_temperature_at_all(t):
    with pytest.raises(InputError, match=r"one real number per row; write for example temperature=0\.7"):
        check_temperature(t)


def test_no_rows_have_no_temperatures(library):
    assert softmax(library.array(np.zeros((0, 3))), library.array(np.zeros(0))).shape == (0, 3)


def test_the_field_is_the_callers():
    with pytest.raises(InputError, match=r"^low=-1: ") as error:
        check_temperature(-1, field="low")
    assert error.value.field == "low"
    with pytest.raises(InputError, match=r"^row 1 of low=-1: ") as error:
        check_temperature([1, -1], field="low")
    assert error.value.field == "low"


def test_a_fraction_is_refused_with_a_way_out():
    with pytest.raises(InputError, match="write for example"):
        check_temperature(Fraction(1, 2))


def test_traced_values_are_not_looked_at(jax, torch):
    def tempered(t):
        check_temperature(t)
        return softmax(jax.numpy.asarray([1.0, 0.0]), t)[0]

    assert float(jax.jit(tempered)(0.5)) == pytest.approx(0.8807970)
    assert float(jax.grad(tempered)(0.5)) < 0
    assert torch.func.vmap(lambda t: softmax(torch.tensor([1.0, 0.0]), t))(torch.tensor([0.5, 1.0])).shape == (2, 2)


@pytest.mark.parametrize(
    ("shape", "t", "message"),
    [
        ((3,), [1, 2], r"temperature of shape \(2,\): .*are a single row; logits\[None, :\]"),
        ((2, 3), [1, 2, 3], r"have rows in the shape \(2,\)"),
        ((2, 3), [[1], [2]], r"have rows in the shape \(2,\)"),
    ],
)
def test_shapes_that_are_not_one_per_row(shape, t, message):
    with pytest.raises(InputError, match=message):
        softmax(np.zeros(shape), t)
