import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.schedules import constant, cosine, exponential, linear, logarithmic

positive = st.floats(1e-6, 1e6)
steps = st.integers(1, 100_000)
RAMPS = (linear, cosine, exponential)


@pytest.mark.parametrize("ramp", RAMPS)
@given(start=positive, end=positive, n=steps, beyond=st.integers(0, 10**9))
def test_the_ends_are_exact(ramp, start, end, n, beyond):
    schedule = ramp(start, end, n)
    assert schedule(0) == start
    assert schedule(n) == schedule(n + beyond) == end


@pytest.mark.parametrize("ramp", RAMPS)
@given(start=positive, end=positive, n=steps, at=st.lists(st.floats(0, 1.2), min_size=2))
def test_the_way_is_monotone_and_never_leaves_the_ends(ramp, start, end, n, at):
    counts = np.sort((np.array(at) * n).astype(int))
    way = ramp(start, end, n)(counts)
    turn = np.sign(end - start)
    assert np.all(np.diff(way) * turn >= 0)
    assert np.all((min(start, end) <= way) & (way <= max(start, end)))


@pytest.mark.parametrize("ramp", RAMPS)
def test_float32_reaches_the_ends_too(ramp):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    n = 100_003
    way = ramp(1.3, 0.1, n)(torch.arange(n + 2))
    assert way.dtype == torch.float32
    assert way[0] == np.float32(1.3)
    assert torch.all(way[n:] == np.float32(0.1))
    assert torch.all(torch.diff(way) <= 0)


def test_linear_is_a_straight_line():
    np.testing.assert_allclose(linear(2.0, 1.0, 8)(np.arange(9)), 2 - np.arange(9) / 8, rtol=1e-15)


def test_cosine_is_half_a_wave():
    n = np.arange(11)
    np.testing.assert_allclose(cosine(0.2, 1.8, 10)(n), 0.2 + 1.6 * (1 - np.cos(np.pi * n / 10)) / 2, rtol=1e-14)


def test_exponential_has_one_factor():
    way = exponential(10.0, 0.01, 30)(np.arange(31))
    np.testing.assert_allclose(way[1:] / way[:-1], (0.01 / 10) ** (1 / 30), rtol=1e-13)


def test_exponential_survives_extreme_ends():
    assert exponential(1e300, 1e-300, 10)(5) == pytest.approx(1.0)
    assert 0 < exponential(1e300, 1e-300, 1000)(999) < 1e-298


def test_logarithmic_is_the_stated_formula():
    n = np.array([0, 1, 10, 10**6, 10**15])
    np.testing.assert_allclose(logarithmic(2.5)(n), 2.5 / np.log(math.e + n), rtol=1e-14)
    assert logarithmic(2.5)(0) == 2.5


@given(st.integers(0, 10**15), st.integers(1, 10**15))
def test_logarithmic_falls_and_never_reaches_zero(n, more):
    schedule = logarithmic(1.0)
    assert schedule(n) >= schedule(n + more) > 0


def test_logarithmic_keeps_the_condition_of_the_theorem():
    """sum exp(-depth / T(n)) grows without bound for depth <= start, and stays bounded for a larger depth."""
    n = np.unique(np.logspace(0, 15, 2000).astype(int))

    def tail(depth):  # from n = 10**9 to 10**15
        late = n[n >= 10**9]
        return np.trapezoid(np.exp(-depth / logarithmic(1.0)(late)), late)

    assert tail(1.0) > 10
    assert tail(2.0) < 1e-8


@pytest.mark.parametrize("value", [0, 0.7, math.inf])
def test_constant_takes_every_temperature(value):
    assert constant(value)(123) == value
    assert constant(value)(np.arange(3)).tolist() == [value] * 3


@pytest.mark.parametrize("make", [lambda t: linear(t, 1, 5), lambda t: cosine(1, t, 5)])
def test_zero_is_a_legal_end(make):
    assert make(0).made is not None


@pytest.mark.parametrize("value", [-0.1, math.nan, "1", None, True, [1.0], np.array([1.0, 2.0]), 1j, -math.inf])
@pytest.mark.parametrize(
    "make",
    [
        constant,
        logarithmic,
        lambda t: linear(t, 1, 5),
        lambda t: linear(1, t, 5),
        lambda t: cosine(t, 1, 5),
        lambda t: exponential(1, t, 5),
    ],
)
def test_what_is_no_temperature_is_refused(make, value):
    with pytest.raises(hb.InputError, match=r"must be a (finite )?number >=? 0, not "):
        make(value)


@pytest.mark.parametrize("make", [lambda t: linear(t, 1, 5), lambda t: cosine(1, t, 5), logarithmic])
@pytest.mark.parametrize("value", [math.inf, 10**400], ids=["infinite", "beyond all floats"])
def test_infinity_has_no_line_to_it(make, value):
    with pytest.raises(hb.InputError, match="finite" if value == math.inf else "too large"):
        make(value)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (1, 0)])
def test_no_number_of_factors_reaches_zero(start, end):
    with pytest.raises(hb.InputError, match="> 0"):
        exponential(start, end, 5)


@pytest.mark.parametrize("ramp", RAMPS)
@pytest.mark.parametrize("n", [0, -3, 2.0, 2.5, True, None, "5", math.nan])
def test_steps_are_a_whole_number_from_one(ramp, n):
    with pytest.raises(hb.InputError, match="steps must be a whole number >= 1") as refused:
        ramp(1.0, 0.5, n)
    assert refused.value.field == "steps"


def test_the_message_has_four_parts():
    with pytest.raises(hb.InputError) as refused:
        linear(1.0, math.nan, 100)
    assert str(refused.value) == (
        "making a schedule on linear(1.0, nan, 100): end must be a finite number >= 0, not nan; "
        "write for example end=0.7"
    )
