"""Looking ahead: exact where nothing is cut off, and how far it is off where something is."""

import math
from collections import Counter

import numpy as np
import pytest

import heatbath as hb
from heatbath.embedded import load
from heatbath.errors import InputError
from heatbath.sampling import look_ahead
from heatbath.sampling.growing import Cost
from heatbath.sampling.lookahead import _Scout
from tests.sampling.test_power import written
from tests.sampling.tiny import TinyModel, continuations, log_softmax, p_value, target

ALPHA, LENGTH, PROMPT = 2.0, 4, (2, 2)
ROWS = 10_000


def law(model, horizon, candidates=10, length=LENGTH):
    """What infinitely many rollouts would give: ``p**alpha`` times the sum of ``p**alpha`` over ``horizon`` tokens."""

    def zeta(text, ahead):
        if ahead == 0 or text[-1] in model.stop_tokens:
            return 1.0
        weights = np.exp(ALPHA * log_softmax(model.scores(text)))
        return sum(weight * zeta((*text, token), ahead - 1) for token, weight in enumerate(weights))

    def write(text, scores):
        ahead = min(horizon, length - 1 - (len(text) - len(PROMPT)))
        shares = ALPHA * log_softmax(scores) + np.log([zeta((*text, token), ahead) for token in range(len(scores))])
        return np.where(np.argsort(np.argsort(-scores)) < candidates, shares, -np.inf)

    logs = continuations(model, PROMPT, length, write)
    return {tokens: math.exp(sum(each)) for tokens, each in logs.items()}


def distance(first, second):
    """Total variation."""
    return sum(abs(first.get(tokens, 0) - second.get(tokens, 0)) for tokens in first | second) / 2


def sampled(rows=ROWS, **changed):
    given = {"alpha": ALPHA, "max_tokens": LENGTH, "horizon": 3, "candidates": 3, "seed": 0} | changed
    return look_ahead(TinyModel(), [PROMPT] * rows, **given).rows


def test_the_bias_of_the_horizon_falls_to_nothing():
    model = TinyModel()
    wanted = target(model, PROMPT, LENGTH, ALPHA)
    bias = [distance(law(model, horizon), wanted) for horizon in range(4)]
    assert bias[0] > 0.3  # T per token
    assert bias[1] < 0.75 * bias[0]
    assert bias[2] < 0.1
    assert bias[3] < 1e-12
    assert bias == sorted(bias, reverse=True)


@pytest.mark.parametrize("horizon", [0, 1])
def test_short_horizons_give_what_their_formula_says(horizon):
    rows = sampled(4000, horizon=horizon)
    assert p_value(rows, law(TinyModel(), horizon)) > 1e-3
    assert p_value(rows, law(TinyModel(), 1 - horizon)) < 1e-20


@pytest.fixture(scope="module")
def whole():
    return sampled(rollouts=16)


def test_a_whole_horizon_with_many_rollouts_samples_from_the_power(whole):
    assert p_value(whole, target(TinyModel(), PROMPT, LENGTH, ALPHA)) > 1e-3


def test_the_same_test_refuses_an_alpha_five_percent_off(whole):
    assert p_value(whole, target(TinyModel(), PROMPT, LENGTH, ALPHA * 1.05)) < 1e-5


def test_the_same_test_refuses_shorter_horizons(whole):
    for horizon in range(3):
        assert p_value(whole, law(TinyModel(), horizon)) < 1e-6


def test_the_bias_of_few_rollouts_is_real_and_small():
    wanted = target(TinyModel(), PROMPT, LENGTH, ALPHA)
    bias = []
    for rollouts in (1, 4):
        rows = sampled(20_000, rollouts=rollouts)
        counts = Counter(row.tokens for row in rows)
        bias.append(distance({tokens: count / len(rows) for tokens, count in counts.items()}, wanted))
    assert p_value(sampled(rollouts=1), wanted) < 1e-6
    assert bias[1] < 0.6 * bias[0]
    assert bias[0] < 0.03  # T per token is off by 0.34; 20,000 draws without bias by 0.006


def test_candidates_that_are_left_out_never_come():
    model, rows = TinyModel(), sampled(3000, candidates=2, rollouts=8)
    shares = law(model, 3, candidates=2)
    assert len(shares) < len(target(model, PROMPT, LENGTH, ALPHA))
    greedy = hb.chain(hb.greedy())
    assert {row.tokens for row in rows} <= shares.keys()
    assert {row.tokens for row in sampled(50, candidates=1)} == {written(model, greedy, PROMPT, LENGTH, 0)}


def test_without_a_horizon_it_is_the_temperature_per_token():
    model = load("toy")
    sampler = hb.chain(hb.temperature(0.5))
    options = {"temperature": 0.5, "max_tokens": 8, "horizon": 0, "candidates": model.vocabulary}
    rows = look_ahead(model, [[]] * 20, seed=3, **options).rows
    assert [row.tokens for row in rows] == [written(model, sampler, [], 8, 3 + i) for i in range(20)]


def test_extreme_powers_stay_numbers():
    model = TinyModel()
    best = max(continuations(model, PROMPT, LENGTH).items(), key=lambda pair: sum(pair[1]))[0]
    assert {row.tokens for row in sampled(5, alpha=1e300)} == {best}
    assert len({row.tokens for row in sampled(20, alpha=1e-300)}) > 4


def test_the_estimate_of_the_future_is_unbiased():
    model, text = TinyModel(4), (1, 2)
    exact = sum(math.exp(ALPHA * sum(each)) for each in continuations(model, text, 3).values())
    scout = _Scout(model, ALPHA, 1, hb.chain(hb.temperature(1 / ALPHA)))
    scores, cache = model.start([text] * 4000)
    seeds, numbers = np.arange(4000, dtype=np.uint64), np.zeros(4000, np.uint64)
    cost = Cost([0] * 4000, [0] * 4000)
    estimates = np.exp(scout.worth(scores, cache, 3, numbers, seeds, range(4000), cost))
    assert estimates.std() > 0.02 * exact
    assert abs(estimates.mean() - exact) < 4 * estimates.std() / math.sqrt(4000)
    several = _Scout(model, ALPHA, 16, scout.sampler).worth(scores, cache, 3, numbers, seeds, range(4000), cost)
    assert np.exp(several).std() == pytest.approx(estimates.std() / 4, rel=0.1)
    behind = _Scout(model, ALPHA, 2, scout.sampler).worth(
        scores, cache, 3, numbers + np.uint64(1), seeds, range(4000), cost
    )
    before = _Scout(model, ALPHA, 2, scout.sampler).worth(scores, cache, 3, numbers, seeds, range(4000), cost)
    assert abs(np.corrcoef(before, behind)[0, 1]) < 0.06  # neighbours share no rollout


def test_rows_do_not_depend_on_the_rows_beside_them():
    model = TinyModel(4)
    prompts, seeds = [(), (1,), (2, 3, 1), (1,)], [3, 4, 9, 4]
    options = {"alpha": 1.5, "max_tokens": 6, "horizon": 3, "candidates": 3, "rollouts": 2}
    together = look_ahead(model, prompts, seed=seeds, **options).rows
    assert together[1] == together[3]
    assert len({row.tokens for row in together}) > 1
    for prompt, seed, row in zip(prompts, seeds, together, strict=True):
        alone = look_ahead(model, [prompt], seed=seed, **options).rows[0]
        assert alone.tokens == row.tokens
        assert (alone.drawn, alone.read, alone.log_p) == (row.drawn, row.read, row.log_p)


def test_log_p_and_cost_are_those_of_the_tokens():
    model = TinyModel(end=-np.inf)  # no text ends early
    (row,), calls = look_ahead(model, [PROMPT], alpha=2, max_tokens=6, horizon=3, candidates=3, rollouts=4, seed=1)
    assert calls == model.asked
    assert row.log_p == pytest.approx(sum(continuations(model, PROMPT, 6)[row.tokens]))
    assert row.read == len(PROMPT) + 5 * 2  # both candidates that can follow, at each token but the last
    assert row.drawn == 6 + (3 * 2 + 1) * 2 * 4  # of a horizon of H, H - 1 are drawn
    assert row.trace == row.accepted == ()


BAD = {
    "both": ({"temperature": 0.5}, "both temperature and alpha"),
    "horizon": ({"horizon": -1}, "horizon must be a whole number >= 0"),
    "candidates": ({"candidates": 0}, "candidates must be a whole number >= 1"),
    "rollouts": ({"rollouts": 0.5}, "rollouts must be a whole number >= 1"),
    "a text": ({"prompts": "Once"}, "sequences of token ids"),
    "no room": ({"prompts": [[1] * 30]}, "leaves room for 2"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case):
    changed, why = BAD[case]
    given = {"prompts": [PROMPT], "alpha": 2, "max_tokens": 4, "seed": 0} | changed
    with pytest.raises(InputError, match=why) as refused:
        look_ahead(TinyModel(), given.pop("prompts"), **given)
    assert refused.value.doing
    assert refused.value.instead
