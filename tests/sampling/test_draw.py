"""Draws have the probabilities of the softmax: chi-square, with the same test failing at T * 1.05."""

import numpy as np
import pytest
from scipy import stats

import heatbath as hb
from tests.sampling.numbers import given_numbers

DRAWS = 200_000
LOGITS = np.random.default_rng(0).normal(0, 2, 60)


def p_value(sampler, logits, probabilities, first_seed=0):
    """The chi-square p-value of DRAWS independent draws against the probabilities; small classes are pooled."""
    counts = np.zeros(len(logits))
    for start in range(0, DRAWS, 20_000):
        batch = np.broadcast_to(logits, (20_000, len(logits)))
        choices = sampler.step(sampler.init(), batch, seed=first_seed + start).choice
        counts += np.bincount(choices, minlength=len(logits))
    assert counts[probabilities == 0].sum() == 0
    expected = probabilities * DRAWS
    small = expected < 10
    pooled_counts = [*counts[~small], counts[small].sum()]
    pooled_expected = [*expected[~small], expected[small].sum()]
    if pooled_expected[-1] == 0:
        pooled_counts.pop(), pooled_expected.pop()
    return stats.chisquare(pooled_counts, pooled_expected).pvalue


CASES = {
    "plain": (hb.chain(), hb.softmax),
    "gumbel": (hb.chain(hb.temperature(1.2), hb.sampling.gumbel()), lambda z: hb.softmax(z, 1.2)),
    "cold": (hb.chain(hb.temperature(0.5)), lambda z: hb.softmax(z, 0.5)),
    "hot": (hb.chain(hb.temperature(1.7)), lambda z: hb.softmax(z, 1.7)),
    "truncated": (
        hb.chain(hb.temperature(1.2), hb.top_k(20), hb.top_p(0.9), hb.min_p(0.02)),
        lambda z: hb.softmax(
            hb.chain(hb.temperature(1.2), hb.top_k(20), hb.top_p(0.9), hb.min_p(0.02)).scores((), z)[0]
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_draws_have_the_right_frequencies(case):
    sampler, probabilities = CASES[case]
    assert p_value(sampler, LOGITS, probabilities(LOGITS)) > 1e-4


@pytest.mark.parametrize("case", CASES)
def test_the_same_test_refuses_a_temperature_five_percent_off(case):
    sampler, probabilities = CASES[case]
    assert p_value(sampler, LOGITS, probabilities(LOGITS / 1.05)) < 1e-6


def test_successive_draws_of_one_stream_are_independent():
    sampler = hb.chain()
    logits = np.log([0.2, 0.3, 0.5])
    state, tokens = sampler.init(), []
    for _ in range(6000):
        token, state, _ = sampler.step(state, logits, seed=3)
        tokens.append(int(token))
    pairs = np.zeros((3, 3))
    np.add.at(pairs, (tokens[:-1], tokens[1:]), 1)
    assert stats.chi2_contingency(pairs).pvalue > 1e-3


def test_greedy_takes_the_first_best_and_no_seed():
    sampler = hb.chain(hb.temperature(5.0), hb.greedy())
    for seed in range(20):
        assert sampler.step((), np.array([1.0, 3.0, 3.0]), seed=seed).choice == 1


def test_the_ends_of_the_unit_interval():
    with np.errstate(divide="ignore"):
        scores = np.log([[0.25, 0.0, 0.75, 0.0], [0.0, 1.0, 0.0, 0.0]])

    def pick(scores, uniform):
        return hb.categorical().pick(scores, given_numbers(uniform))

    assert pick(scores, np.zeros(2)).tolist() == [0, 1]
    assert pick(scores, np.full(2, 1 - 2**-53)).tolist() == [2, 1]
    assert pick(scores, np.full(2, 0.25)).tolist() == [2, 1]  # p_0 + ... + p_i must exceed u, so 0.25 is past the first
    assert pick(scores, np.full(2, np.nextafter(0.25, 0))).tolist() == [0, 1]


def test_the_noise_of_an_option_depends_on_nothing_beside_it():
    random = np.random.default_rng(2)
    sampler, rows = hb.chain(hb.sampling.gumbel()), random.normal(0, 2, (30, 40))
    rows[:, 5] = -np.inf
    together = sampler.step((), rows, seed=3).choice
    assert len(set(together.tolist())) > 10
    for row, choice in enumerate(together):
        assert sampler.step((), rows[row], seed=3 + row).choice == choice
        longer = sampler.step((), np.append(rows[row], np.full(10, -8.0)), seed=3 + row).choice
        assert longer in (choice, *range(40, 50))
        fewer = np.where(random.random(40) < 0.5, -np.inf, rows[row])
        fewer[choice] = rows[row, choice]
        assert sampler.step((), fewer, seed=3 + row).choice == choice
