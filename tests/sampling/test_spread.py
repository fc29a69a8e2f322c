import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from tests.sampling.kept import kept, llama_kept, mask, random_rows
from tests.sampling.llama import llama

ROWS = st.lists(st.integers(-4, 4) | st.just(-math.inf), min_size=1, max_size=12).filter(
    lambda row: max(row) > -math.inf
)


@pytest.mark.parametrize("sample", [False, True])
@given(ROWS, st.sampled_from([0.1, 0.5, 1.0, 1.5, 3.0]))
def test_what_is_within_n_deviations_of_the_best_is_kept(sample, row, n):
    finite = [score for score in row if score > -math.inf]
    ddof = int(sample and len(finite) > 1)
    far = n * np.std(finite, ddof=ddof)
    expected = [i for i, score in enumerate(row) if score > -math.inf and max(row) - score <= far * (1 + 1e-9)]
    assert kept(hb.top_n_sigma(n, sample=sample), row) == expected


def test_an_exact_hit_is_kept():
    assert kept(hb.top_n_sigma(2.0), [0.1, 0.3]) == [0, 1]  # the population deviation of two is half their distance
    assert kept(hb.top_n_sigma(1.999999), [0.1, 0.3]) == [1]
    assert kept(hb.top_n_sigma(math.sqrt(2), sample=True), [0.1, 0.3]) == [0, 1]


@pytest.mark.parametrize(("n", "expected"), [(1, [2, 3]), (3, [0, 1, 2, 3])])
def test_published_values(n, expected):
    assert kept(hb.top_n_sigma(n), np.log([0.1, 0.2, 0.3, 0.4])) == expected  # llama.cpp, tests/test-sampling.cpp


@pytest.mark.parametrize("n", [0.3, 1.0, 2.0])
def test_llama_keeps_the_same_by_the_deviation_of_a_population(n):
    lib = llama()
    for row in random_rows(rows=40):
        assert kept(hb.top_n_sigma(n), row) == llama_kept(lib.llama_sampler_init_top_n_sigma(n), row)


def test_a_sample_deviates_more_than_a_population():
    row = [0.0, -1.0, -2.0, -3.0]  # deviations 1.118 and 1.291
    assert kept(hb.top_n_sigma(1.7), row) == [0, 1]
    assert kept(hb.top_n_sigma(1.7, sample=True), row) == [0, 1, 2]


@given(ROWS, st.sampled_from([0.3, 1.1, 1.7]), st.sampled_from([0.1, 0.5, 3.0, 100.0]))
def test_a_temperature_before_it_changes_nothing(row, n, t):
    tempered = hb.chain(hb.temperature(t), hb.top_n_sigma(n)).scores((), np.array(row, dtype=float)).scores
    assert np.flatnonzero(np.isfinite(tempered)).tolist() == kept(hb.top_n_sigma(n), row)


def test_forbidden_options_do_not_matter():
    row = random_rows(rows=1, options=9)[0]
    assert kept(hb.top_n_sigma(1.0), [*row, *[-math.inf] * 50]) == kept(hb.top_n_sigma(1.0), row)


def test_distances_beyond_the_type_leave_the_best():
    assert kept(hb.top_n_sigma(1.0), [1e308, 0.0, -1e308])[0] == 0


def test_every_row_may_have_its_own_number():
    rows, numbers = random_rows(rows=3), [0.2, 1.0, 3.0]
    together = mask(hb.top_n_sigma(numbers), rows)
    for row, n in enumerate(numbers):
        assert np.flatnonzero(together[row]).tolist() == kept(hb.top_n_sigma(n), rows[row])
    with pytest.raises(hb.InputError, match="one number per row"):
        mask(hb.top_n_sigma(numbers), rows[:2])


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "1", None, True, []])
def test_what_is_no_count_is_refused(value):
    with pytest.raises(
        hb.InputError, match=r"making top_n_sigma on top_n_sigma\(.*, sample=False\): n must be .*leave top_n_sigma out"
    ) as caught:
        hb.top_n_sigma(value)
    assert caught.value.field == "n"


def test_the_deviation_is_named_by_a_truth():
    with pytest.raises(hb.InputError, match="sample is True or False"):
        hb.top_n_sigma(1.0, sample=1)
