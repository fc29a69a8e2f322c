"""Several different options at once, against the product of softmaxes that defines their probability."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import heatbath as hb
from heatbath.sampling import gumbel, plackett_luce, without_replacement

INF = math.inf
DRAWS = 60_000
LOGITS = np.array([1.0, 0.3, -0.5, 2.0, -1.2])


def probability(logits, choice):
    """One after the other, each from those that are left."""
    weights, left = np.exp(logits), 1.0
    for option in choice:
        left *= weights[option] / weights.sum()
        weights[option] = 0
    return left


@pytest.fixture(scope="module")
def drawn():
    """Many draws of 3 from one row."""
    return without_replacement(np.tile(LOGITS, (DRAWS, 1)), 3, seed=0).choice


def p_values(drawn, logits):
    """Chi-square of the ordered choices, and of which options are among them."""
    shares = {order: probability(logits, order) for order in itertools.permutations(range(len(logits)), 3)}
    seen = Counter(map(tuple, drawn.tolist()))
    assert seen.keys() <= shares.keys()
    sets, seen_sets = Counter(), Counter()
    for order, share in shares.items():
        sets[frozenset(order)] += share
        seen_sets[frozenset(order)] += seen[order]
    return [
        stats.chisquare([counts[key] for key in expected], [DRAWS * share for share in expected.values()]).pvalue
        for counts, expected in ((seen, shares), (seen_sets, sets))
    ]


def test_orders_and_inclusions_have_the_right_frequencies(drawn):
    assert min(p_values(drawn, LOGITS)) > 1e-3


def test_the_same_test_refuses_a_temperature_five_percent_off(drawn):
    assert max(p_values(drawn, LOGITS / 1.05)) < 1e-4


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=7), st.integers(1, 7), st.randoms(use_true_random=False))
def test_the_probability_is_a_product_of_softmaxes(row, k, random):
    choice = random.sample(range(len(row)), min(k, len(row)))
    assert np.exp(plackett_luce(np.array(row), np.array(choice))) == pytest.approx(probability(np.array(row), choice))


def test_the_orders_share_all_of_the_probability():
    orders = np.array(list(itertools.permutations(range(5), 3)))
    shares = np.exp(plackett_luce(np.tile(LOGITS, (len(orders), 1)), orders))
    assert shares.sum() == pytest.approx(1)


def test_unlikely_orders_keep_their_digits():
    assert plackett_luce(np.array([0.0, -800.0, -801.0]), [0, 1, 2]) == pytest.approx(math.log(1 / (1 + math.exp(-1))))
    assert plackett_luce(np.array([0.0, -800.0]), [1, 0]) == pytest.approx(-800)


def test_what_cannot_be_drawn_has_no_probability():
    row = np.array([0.0, 1.0, -INF])
    assert plackett_luce(row, [2]) == -INF
    assert plackett_luce(row, [0, 0]) == -INF
    assert plackett_luce(row, [0, 1, 2]) == -INF
    assert plackett_luce(row, [0, 1, 0, 1]) == -INF


def test_the_first_is_what_gumbel_draws_and_fewer_are_the_first_of_more():
    rows = np.random.default_rng(0).normal(0, 2, (40, 12))
    sampler = hb.chain(gumbel())
    for position in (0, 5):
        three = without_replacement(rows, 3, seed=9, position=position)
        two = without_replacement(rows, 2, seed=9, position=position)
        assert np.array_equal(three.choice[:, :2], two.choice)
        assert np.array_equal(three.choice[:, 0], sampler.step((position, ()), rows, seed=9).choice)
        assert (np.diff(three.perturbed) < 0).all()
    alone = without_replacement(rows[7], 3, seed=9 + 7, position=5)
    assert np.array_equal(alone.choice, three.choice[7])
    assert np.array_equal(without_replacement(rows[:2], 3, seed=9, position=[5, 0]).choice[0], three.choice[0])


def test_the_last_of_one_more_is_the_threshold_of_the_estimators():
    values = np.array([3.0, -1.0, 2.0, 0.5, 10.0])
    mean = float(hb.softmax(LOGITS) @ values)

    def deviation(chosen, threshold):
        """How many standard errors the weighted sums lie from the mean that they estimate."""
        log_p = hb.log_softmax(LOGITS)[chosen]
        sums = (np.exp(log_p) / -np.expm1(-np.exp(log_p - threshold)) * values[chosen]).sum(axis=-1)
        return abs(sums.mean() - mean) / (sums.std() / math.sqrt(len(sums)))

    choice, perturbed = without_replacement(np.tile(LOGITS, (DRAWS, 1)), 3, seed=4)
    assert deviation(choice[:, :2], perturbed[:, 2:]) < 4
    assert deviation(choice[:, :2], perturbed[:, 1:2]) > 20  # the last of themselves is no threshold


def test_a_slate_from_the_scores_of_a_chain():
    sampler = hb.chain(hb.temperature(0.7), hb.top_k(3))
    shown = sampler.scores(sampler.init(), np.tile(LOGITS, (100, 1)))
    slates = without_replacement(shown.scores, 3, seed=1).choice
    assert {tuple(sorted(slate)) for slate in slates.tolist()} == {(0, 1, 3)}
    assert len(set(map(tuple, slates.tolist()))) > 3


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_other_libraries_draw_the_same(library):
    xp = pytest.importorskip(library, reason=f"{library} is not installed")
    rows = np.random.default_rng(0).normal(0, 2, (16, 30)).astype(np.float32)
    rows[:, 3] = -INF
    ours, theirs = without_replacement(rows, 4, seed=2), without_replacement(xp.asarray(rows), 4, seed=2)
    assert type(theirs.choice).__module__.startswith(library.partition(".")[0])
    assert theirs.choice.tolist() == ours.choice.tolist()
    np.testing.assert_allclose(
        np.asarray(plackett_luce(xp.asarray(rows), theirs.choice)), plackett_luce(rows, ours.choice), rtol=1e-5
    )


def test_gradients_flow_through_the_probability():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scores = torch.tensor([1.0, 2.0, 0.0], dtype=torch.float64, requires_grad=True)
    plackett_luce(scores, [1, 2]).backward()
    p, rest = hb.softmax(np.array([1.0, 2.0, 0.0])), hb.softmax(np.array([1.0, 0.0]))
    assert scores.grad.tolist() == pytest.approx([-p[0] - rest[0], 1 - p[1], 1 - p[2] - rest[1]])


@pytest.mark.parametrize(
    ("scores", "given", "field", "why"),
    [
        ([0.0, 1.0, -INF], {"k": 3}, "k", "the scores leave fewer than 3 options open"),
        ([[0.0, 1.0], [0.0, -INF]], {"k": 2}, "k", "row 1 leaves fewer than 2 options open"),
        ([0.0, 1.0], {"k": 0}, "k", "whole number >= 1"),
        ([0.0, 1.0], {"k": 1.5}, "k", "whole number >= 1"),
        ([0.0, 1.0], {"k": [1]}, "k", "whole number >= 1"),
        ([0.0, 1.0], {"seed": "x"}, "seed", "a seed is an integer"),
        ([0.0, 1.0], {"position": -1}, "position", "whole number >= 0"),
        ([0.0, 1.0], {"position": [1, 2]}, "position", "2 positions for 1 row"),
        ([[[0.0, 1.0]]], {}, "logits", r"shape \(1, 1, 2\)"),
        ([0.0, math.nan], {}, "logits", "NaN"),
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_refused_in_four_parts(scores, given, field, why):
    with pytest.raises(hb.InputError, match=why) as caught:
        without_replacement(np.array(scores), **{"k": 1, "seed": 0, **given})
    assert caught.value.field == field
    assert caught.value.doing
    assert caught.value.instead


@pytest.mark.parametrize("choice", [[3], [-1], [0.5], [[0]], 0, [], "text", [True]])
def test_what_is_no_ordered_choice_is_refused(choice):
    with pytest.raises(hb.InputError, match="no list of options from 0 to 2") as caught:
        plackett_luce(np.zeros(3), choice)
    assert (caught.value.doing, caught.value.field) == ("measuring an ordered choice", "choice")
