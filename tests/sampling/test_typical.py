"""Locally typical: its definition as a loop, published values, and the engines that are installed."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from tests.sampling.kept import kept, llama_kept, mask, random_rows, transformers_mask
from tests.sampling.llama import llama

WEIGHTS = st.lists(st.integers(0, 8), min_size=1, max_size=10).filter(any)


def definition(weights, p):
    """The smallest set of the nearest to the entropy with mass p; exact sums, and what is equally far together."""
    total = sum(weights)
    surprisal = [math.log(total / w) if w else math.inf for w in weights]
    entropy = sum(w / total * s for w, s in zip(weights, surprisal, strict=True) if w)
    chosen, mass = [], Fraction(0)
    for far in sorted(abs(s - entropy) for s in surprisal):
        if mass >= p:
            break
        chosen = [i for i, s in enumerate(surprisal) if abs(s - entropy) <= far + 1e-10]
        mass = Fraction(sum(weights[i] for i in chosen), total)
    return chosen


@given(WEIGHTS, st.integers(1, 99))
def test_typical_keeps_the_nearest_to_the_entropy(weights, percent):
    row = [math.log(w) if w else -math.inf for w in weights]
    assert kept(hb.typical(percent / 100), row) == definition(weights, Fraction(percent, 100))


def test_what_is_equally_far_above_and_below_shares_one_fate():
    # H = 2.5 bits; the surprisals are 2 and 3 bits
    assert kept(hb.typical(0.1), np.log([1 / 4, 1 / 8, 1 / 8, 1 / 4, 1 / 8, 1 / 8])) == [0, 1, 2, 3, 4, 5]


def test_an_exact_hit_is_enough():
    # H = 1.75 bits; the nearest is that of 1/4, then that of 1/2: together exactly 3/4
    row = np.log([1 / 2, 1 / 4, 1 / 8, 1 / 8])
    assert kept(hb.typical(0.25), row) == [1]
    assert kept(hb.typical(0.75), row) == [0, 1]
    assert kept(hb.typical(0.7501), row) == [0, 1, 2, 3]


def test_all_of_the_mass_is_everything_that_is_not_forbidden():
    row = [0.0, -100.0, -700.0, -math.inf]
    assert kept(hb.typical(1), row) == [0, 1, 2]
    assert kept(hb.typical(1 - 2**-53), row) == [0]


def test_forbidden_options_do_not_matter():
    row = np.log([0.4, 0.3, 0.2, 0.1])
    for p in (0.1, 0.3, 0.5, 0.8):
        assert kept(hb.typical(p), [-math.inf, *row, -math.inf]) == [i + 1 for i in kept(hb.typical(p), row)]


@pytest.mark.parametrize(("p", "expected"), [([0.97, 0.01, 0.01, 0.01], [0]), ([0.4, 0.2, 0.2, 0.2], [1, 2, 3])])
def test_published_values(p, expected):
    # llama.cpp, tests/test-sampling.cpp, and transformers, tests/generation/test_logits_process.py: the same rows
    assert kept(hb.typical(0.5), np.log(p)) == expected


@pytest.mark.parametrize("p", [0.05, 0.2, 0.5, 0.9, 0.99])
def test_transformers_keeps_the_same(p):
    rows = random_rows()
    np.testing.assert_array_equal(mask(hb.typical(p), rows), transformers_mask("TypicalLogitsWarper", rows, p))


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_llama_keeps_the_same(p):
    lib = llama()
    for row in random_rows(seed=1, rows=40):
        assert kept(hb.typical(p), row) == llama_kept(lib.llama_sampler_init_typical(p, 1), row)


def test_every_row_may_have_its_own_mass():
    rows, masses = random_rows(rows=3), [0.1, 0.6, 1.0]
    together = mask(hb.typical(masses), rows)
    for row, p in enumerate(masses):
        assert np.flatnonzero(together[row]).tolist() == kept(hb.typical(p), rows[row])
    assert len(set(together.sum(axis=-1))) == 3


@pytest.mark.parametrize("value", [0, -0.1, 1.01, math.nan, "1", None, True, []])
def test_what_is_no_mass_is_refused(value):
    with pytest.raises(hb.InputError, match=r"making typical on typical\(.*p must lie in \(0, 1\].*write for example"):
        hb.typical(value)
