import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.schedules import constant, cosine, cyclic, exponential, join, linear, step, warm_up


def test_step_changes_at_the_boundary_itself():
    stairs = step([1.0, 0.5, 0], [2, 5])
    assert [stairs(n) for n in range(7)] == [1.0, 1.0, 0.5, 0.5, 0.5, 0.0, 0.0]


def test_step_of_one_value_is_constant():
    assert step([0.7], [])(10) == 0.7


def test_step_takes_zero_infinity_and_arrays():
    assert step(np.array([math.inf, 0.0]), np.array([3]))(np.array([2, 3])).tolist() == [math.inf, 0.0]
    assert repr(step(np.array([1.0, 0.0]), np.array([3]))) == "step([1.0, 0.0], [3])"


@given(st.integers(0, 60))
def test_join_counts_each_piece_from_its_own_beginning(n):
    parts = [linear(1.0, 2.0, 10), exponential(5.0, 0.5, 7), constant(3.0)]
    whole = join(parts, [10, 25])
    piece, own = (0, n) if n < 10 else (1, n - 10) if n < 25 else (2, n - 25)
    assert whole(n) == parts[piece](own)


def test_join_is_continuous_where_the_pieces_meet():
    whole = join([linear(0.5, 1.5, 1000), cosine(1.5, 0.5, 1000)], [1000])
    assert np.max(np.abs(np.diff(whole(np.arange(2500))))) < 0.002
    assert whole(999) < whole(1000) == 1.5 > whole(1001)


def test_join_takes_numbers_for_constants():
    assert join([1.0, linear(1.0, 0.0, 2), 0], [3, 5])(np.arange(7)).tolist() == [1, 1, 1, 1, 0.5, 0, 0]


@given(st.integers(1, 200), st.floats(0, 5), st.floats(0.01, 5))
def test_warm_up_ends_where_the_other_begins(n, start, hot):
    schedule = warm_up(start, cosine(hot, 0.1, 50), steps=n)
    assert schedule(0) == start
    assert schedule(n) == hot
    assert schedule(n + 50) == schedule(n + 500) == 0.1
    before = schedule(np.arange(n + 1))
    assert np.all(np.diff(before) * np.sign(hot - start) >= 0)


def test_warm_up_to_a_number():
    assert warm_up(0.0, 0.8, steps=4)(np.arange(6)).tolist() == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 0.8])


@given(st.integers(1, 50), st.integers(0, 1000), st.integers(0, 10**12))
def test_cyclic_has_the_period(period, n, cycles):
    schedule = cyclic(linear(1.0, 0.0, 37), period)
    assert schedule(n) == schedule(n % period) == schedule(n % period + period * cycles)


def test_cyclic_repeats_the_schedule_itself():
    inner = cosine(1.2, 0.4, 20)
    assert cyclic(inner, 20)(np.arange(20)).tolist() == inner(np.arange(20)).tolist()


def test_cyclic_stays_exact_where_float32_has_no_integers():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    far = 20 * 10**9
    assert cyclic(linear(1.0, 0.0, 20), 20)(torch.tensor([far, far + 5])).tolist() == [1.0, 0.75]


@pytest.mark.parametrize("make", [lambda b: step([1, 2, 3], b), lambda b: join([1, 2, 3], b)])
@pytest.mark.parametrize(
    ("boundaries", "why"),
    [
        ([5], "need 2 boundaries between them, not 1"),
        ([5, 6, 7], "need 2 boundaries between them, not 3"),
        ([], "need 2 boundaries"),
        ([6, 5], "must increase, and 5 comes after 6"),
        ([5, 5], "must increase"),
        ([0, 5], "whole number >= 1, not 0"),
        ([-5, 5], "whole number >= 1, not -5"),
        ([2.5, 5], "whole number >= 1, not 2.5"),
        ([True, 5], "whole number >= 1, not True"),
        (5, "must be a list of counts"),
        ("5", "must be a list of counts"),
        (None, "must be a list of counts"),
    ],
)
def test_bad_boundaries_are_refused(make, boundaries, why):
    with pytest.raises(hb.InputError, match=why) as refused:
        make(boundaries)
    assert refused.value.doing == "making a schedule"
    assert refused.value.instead


@pytest.mark.parametrize("values", [[], 0.7, "0.7", None, linear(1, 0, 2)])
@pytest.mark.parametrize("make", [step, join])
def test_pieces_are_a_list_of_at_least_one(make, values):
    with pytest.raises(hb.InputError, match="must be a list of at least one"):
        make(values, [])


@pytest.mark.parametrize("value", [-1, math.nan, "1", None])
@pytest.mark.parametrize(
    "make",
    [
        lambda t: step([1, t], [3]),
        lambda t: join([1, t], [3]),
        lambda t: warm_up(t, 1, 3),
        lambda t: warm_up(1, t, 3),
        lambda t: cyclic(t, 3),
    ],
)
def test_what_is_no_temperature_is_refused(make, value):
    with pytest.raises(hb.InputError, match=r"must be a (finite )?number >= 0"):
        make(value)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: step([1, -1], [3]), "values"),
        (lambda: step([1, 2], [0]), "boundaries"),
        (lambda: join([1, "a"], [3]), "schedules"),
        (lambda: join([1, abs], [3]), "schedules"),
        (lambda: warm_up("a", 1, 3), "start"),
        (lambda: warm_up(1, "a", 3), "then"),
        (lambda: warm_up(1, abs, 3), "then"),
        (lambda: warm_up(1, math.inf, 3), "then"),
        (lambda: warm_up(1, 1, 0), "steps"),
        (lambda: cyclic("a", 3), "schedule"),
        (lambda: cyclic(1, 0), "period"),
        (lambda: constant("a"), "temperature"),
        (lambda: linear(1, "a", 3), "end"),
        (lambda: step([1, 10**400], [3]), "values"),
        (lambda: constant(10**400), "temperature"),
        (lambda: cyclic(1, 99999999999999999999), "period"),
        (lambda: linear(1, 0, 10**400), "steps"),
        (lambda: linear(1, 0, 2**53 + 1), "steps"),
        (lambda: join([1, 2], [10**20]), "boundaries"),
    ],
)
def test_the_error_names_the_argument(make, field):
    with pytest.raises(hb.InputError) as refused:
        make()
    assert refused.value.field == field
    assert refused.value.doing == "making a schedule"


def test_numbers_that_are_too_large_are_said_to_be():
    with pytest.raises(hb.InputError, match="period is too large"):
        cyclic(linear(1, 0, 5), 99999999999999999999)
    assert cyclic(linear(1, 0, 5), 2**53)(2**53 + 5) == 0


def test_a_number_stands_for_a_constant():
    assert cyclic(3, 5)(7) == 3


def test_a_plain_function_has_to_be_wrapped():
    with pytest.raises(hb.InputError, match=r"is a plain function; wrap a function of your own in heatbath.schedules"):
        join([lambda n: 1.0, 0.5], [3])


def test_warm_up_needs_a_finite_end():
    with pytest.raises(hb.InputError, match=r"then\(0\) must be a finite number"):
        warm_up(1.0, math.inf, 3)


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_periods_and_ramps_are_whole_numbers(n):
    with pytest.raises(hb.InputError, match="period must be a whole number >= 1"):
        cyclic(constant(1), n)
    with pytest.raises(hb.InputError, match="steps must be a whole number >= 1"):
        warm_up(0.1, 1.0, n)


def test_lists_are_copied():
    values, boundaries = [1.0, 0.5], [3]
    schedule = step(values, boundaries)
    values[1], boundaries[0] = 9.0, 1
    assert schedule(3) == 0.5
    assert schedule(2) == 1.0
