import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import heatbath as hb
from heatbath.sampling import xtc
from tests.sampling.kept import kept, llama_kept, random_rows
from tests.sampling.llama import llama

WEIGHTS = st.lists(st.integers(0, 12), min_size=1, max_size=10).filter(any)
DECISIONS = 100_000
ROW = np.log([0.4, 0.3, 0.2, 0.1])


def scores(weights):
    return [math.log(w) if w else -math.inf for w in weights]


@given(WEIGHTS, st.integers(1, 49))
def test_of_the_obvious_only_the_least_likely_stays(weights, percent):
    obvious = [w for w in weights if 100 * w >= percent * sum(weights)]
    last = min(obvious, default=max(weights))
    assert kept(xtc(percent / 100, 1.0), scores(weights), seed=0) == [i for i, w in enumerate(weights) if 0 < w <= last]


@pytest.mark.parametrize(("weights", "threshold", "expected"), [([6, 3, 1], 0.1, [2]), ([2, 2, 1], 0.2, [2])])
def test_an_exact_hit_counts_whatever_the_rounding(weights, threshold, expected):
    assert kept(xtc(threshold, 1.0), np.log(weights), seed=0) == expected


@pytest.mark.parametrize(
    ("threshold", "expected"), [(0.09, [3]), (0.19, [2, 3]), (0.29, [1, 2, 3]), (0.39, [0, 1, 2, 3])]
)
def test_published_values(threshold, expected):
    # llama.cpp, tests/test-sampling.cpp, with probability 0.99
    assert kept(xtc(threshold, 1.0), ROW, seed=0) == expected


@pytest.mark.parametrize("threshold", [0.02, 0.1, 0.3])
def test_llama_excludes_the_same(threshold):
    lib = llama()
    for row in random_rows(rows=40):
        assert kept(xtc(threshold, 1.0), row, seed=0) == llama_kept(
            lib.llama_sampler_init_xtc(1.0, threshold, 1, 0), row
        )


def test_what_ties_with_the_last_stays_with_it():
    assert kept(xtc(0.1, 1.0), np.log([0.4, 0.2, 0.2, 0.2]), seed=0) == [1, 2, 3]
    assert kept(xtc(0.1, 1.0), np.log([0.5, 0.5]), seed=0) == [0, 1]


def acted(probability, rows=DECISIONS):
    sampler = hb.chain(xtc(0.15, probability))
    after = sampler.scores(sampler.init(), np.broadcast_to(ROW, (rows, 4)), seed=0).scores
    return np.isneginf(after[:, 0])


def test_it_acts_as_often_as_it_was_told():
    times = acted(0.3).sum()

    def p_value(probability):
        expected = DECISIONS * np.array([probability, 1 - probability])
        return stats.chisquare([times, DECISIONS - times], expected).pvalue

    assert p_value(0.3) > 1e-3
    assert p_value(0.3 * 1.05) < 1e-6


def test_its_number_is_not_that_of_the_draw():
    sampler = hb.chain(xtc(0.15, 0.5))
    drawn = sampler.step(sampler.init(), np.broadcast_to(ROW, (DECISIONS, 4)), seed=0).choice
    counts = np.bincount(drawn, minlength=4)
    # without the step 0.4 0.3 0.2 0.1, with it 0 0 2/3 1/3
    expected = DECISIONS * np.array([0.2, 0.15, 0.1 + 1 / 3, 0.05 + 1 / 6])
    assert stats.chisquare(counts, expected).pvalue > 1e-3
    assert stats.chisquare(counts, DECISIONS * np.array([0.21, 0.15, 0.09 + 1 / 3, 0.05 + 1 / 6])).pvalue < 1e-6


def test_a_probability_of_one_is_always():
    assert acted(1.0, 10_000).all()


def test_where_a_protected_option_would_go_nothing_goes():
    assert kept(xtc(0.15, 1.0, protect=[0]), ROW, seed=0) == [0, 1, 2, 3]
    assert kept(xtc(0.15, 1.0, protect=[3, 2]), ROW, seed=0) == [2, 3]
    rows = np.stack([ROW, ROW[::-1]])
    both = hb.chain(xtc(0.15, 1.0, protect=[0])).scores((), rows, seed=0).scores
    assert np.isfinite(both).tolist() == [[True] * 4, [True, True, False, False]]


def test_every_row_may_have_its_own_numbers():
    rows = np.broadcast_to(ROW, (3, 4))
    together = hb.chain(xtc([0.09, 0.19, 0.19], [1.0, 1.0, 1e-9])).scores((), rows, seed=0).scores
    assert np.isfinite(together).sum(axis=-1).tolist() == [1, 2, 4]


def test_it_is_read_back_with_what_it_protects():
    step = xtc(0.1, 0.5, protect=[13, 2])
    assert repr(step) == "xtc(0.1, 0.5, [13, 2])"
    assert hb.parse(repr(step)).steps[0].made == step.made


@pytest.mark.parametrize(
    ("wrong", "field"),
    [((value, 0.5), "threshold") for value in (0, -0.1, 0.5, math.nan, "1", None, True)]
    + [((0.1, value), "probability") for value in (0, -0.1, 1.1, math.nan, "1", None, True)]
    + [((0.1, 0.5, value), "protect") for value in ("13", [-1], [1.5], [True], 13)],
)
def test_illegal_arguments_are_refused(wrong, field):
    with pytest.raises(hb.InputError, match="making xtc on xtc") as caught:
        xtc(*wrong)
    assert caught.value.field == field
    assert caught.value.instead


def test_what_is_missing_at_the_decision_is_told():
    with pytest.raises(hb.InputError, match="give a seed"):
        hb.chain(xtc(0.1, 0.5)).scores((), ROW)
    with pytest.raises(hb.InputError, match="there are 4 options"):
        hb.chain(xtc(0.1, 0.5, protect=[4])).scores((), ROW, seed=0)
