import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.sampling.mass import keep_best, keep_likely, reaches, weigh


@given(st.floats(0, 1e6), st.floats(0.01, 1e6))
def test_a_number_is_reached_within_rounding_and_not_before(number, wanted):
    assert bool(reaches(np.float64(number), np.float64(wanted))) == (number >= wanted * (1 - 1e-12))


def test_an_exact_hit_counts_whatever_the_order_of_the_sum():
    thirds = np.float64(0.1) + np.float64(0.2)
    assert reaches(thirds, np.float64(0.3))
    assert reaches(np.float64(0.3), thirds)
    assert not reaches(np.float64(0.3) - 1e-9, thirds)


def test_weights_are_probabilities_up_to_their_total():
    weighed = weigh(np.array([1e4, 1e4 - np.log(3), -np.inf]))
    np.testing.assert_allclose(weighed.weights / weighed.total, [0.75, 0.25, 0], rtol=1e-11)
    np.testing.assert_allclose(weighed.surprisals(), [-np.log(0.75), np.log(4), np.inf], rtol=1e-11)


def test_scores_at_the_ends_of_the_type_make_no_warning():
    assert weigh(np.array([1e308, -1e308])).weights.tolist() == [1, 0]


@pytest.mark.parametrize("floor", [5.0, np.inf])
def test_the_best_is_kept_however_high_the_floor(floor):
    scores = np.array([1.0, 3.0, 3.0])
    assert keep_likely(scores, scores - 3, np.array([floor])).tolist() == [-np.inf, 3, 3]


def test_what_ties_with_the_last_that_stays_stays():
    scores = np.array([1.0, 2.0, 3.0, 2.0])
    assert keep_best(scores, np.array([3.0, 2, 2, 1]), np.array([True, True, False, False])).tolist() == [
        -np.inf,
        2,
        3,
        2,
    ]
