"""Sampling from a power of the model, against models whose continuations can all be written down."""

import itertools
import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.embedded import load
from heatbath.errors import InputError
from heatbath.sampling import power
from heatbath.sampling.growing import Cost, Text, grow
from heatbath.sampling.power import log_acceptance
from tests.sampling.tiny import TinyModel, continuations, p_value, target

ALPHA, LENGTH, PROMPT = 2.0, 4, (2, 2)
ROWS, MOVES = 8_000, 14


def chain_law(model, proposal, length=LENGTH, prompt=PROMPT):
    """What the proposal can write, as texts of the module, and the probability of each."""

    def write(text, scores):
        return proposal.scores(proposal.init(text), scores.astype(np.float64)).scores

    log_p = continuations(model, prompt, length)
    log_q = continuations(model, prompt, length, write)
    texts = [Text(tokens, log_p[tokens], log_q[tokens], ()) for tokens in log_q]
    return texts, np.array([math.exp(math.fsum(text.log_q)) for text in texts])


def transitions(texts, alpha=ALPHA, accept=log_acceptance):
    """The matrix of one move between all texts: places are equally likely, ends are the proposal's."""
    size = len(texts)
    matrix = np.zeros((size, size))
    for i, old in enumerate(texts):
        for place in range(len(old.tokens)):
            for j, new in enumerate(texts):
                if new.tokens[:place] == old.tokens[:place] and len(new.tokens) > place:
                    proposed = math.exp(math.fsum(new.log_q[place:])) / len(old.tokens)
                    taken = proposed * math.exp(accept(alpha, place, old, new))
                    matrix[i, j] += taken
                    matrix[i, i] += proposed - taken
    return matrix


def normalised(texts, alpha=ALPHA):
    weights = np.exp(alpha * np.array([math.fsum(text.log_p) for text in texts]))
    return weights / weights.sum()


PROPOSALS = {
    "default": hb.chain(hb.temperature(1 / ALPHA)),
    "the model itself": hb.chain(),
    "truncated": hb.chain(hb.temperature(0.8), hb.top_k(2), hb.sampling.gumbel()),
    "looks back": hb.chain(hb.sampling.repetition(1.8), hb.temperature(0.7)),
}


@pytest.mark.parametrize("proposal", ["default", "the model itself", "truncated", "looks back"])
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("model", [TinyModel(), TinyModel(4, end=0.5, forbid=True)], ids=["three", "four"])
def test_moves_leave_the_target_as_it_is(model, alpha, proposal):
    length = LENGTH if model.vocabulary == 3 else 3
    texts, _ = chain_law(model, PROPOSALS[proposal], length)
    matrix, pi = transitions(texts, alpha), normalised(texts, alpha)
    assert np.abs(matrix.sum(axis=1) - 1).max() < 1e-12
    flow = pi[:, None] * matrix
    assert np.abs(flow - flow.T).max() < 1e-15  # detailed balance
    assert np.abs(pi @ matrix - pi).max() < 1e-12
    assert (matrix[:, 0] > 0).all()  # all from all
    assert np.abs(np.linalg.matrix_power(matrix, 4000) - pi).max() < 1e-9


def test_without_the_lengths_each_text_would_count_once_per_token():
    def careless(alpha, place, old, new):
        def weight(text):
            return alpha * sum(text.log_p) - sum(text.log_q)  # of the whole: what both keep cancels

        return min(0.0, weight(new) - weight(old))

    texts, _ = chain_law(TinyModel(end=0.5), PROPOSALS["default"])
    matrix, pi = transitions(texts, accept=careless), normalised(texts)
    assert np.abs(pi @ matrix - pi).max() > 1e-2
    longer = pi * [len(text.tokens) for text in texts]
    longer /= longer.sum()
    assert np.abs(longer @ matrix - longer).max() < 1e-12


def shares_after(texts, begin, moves):
    law = begin @ np.linalg.matrix_power(transitions(texts), moves)
    return {text.tokens: share for text, share in zip(texts, law, strict=True)}


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_the_distribution_after_each_move_is_the_one_of_the_matrix(moves):
    model = TinyModel()
    texts, begin = chain_law(model, PROPOSALS["default"])
    rows = power(model, [PROMPT] * 4000, alpha=ALPHA, max_tokens=LENGTH, moves=moves, seed=0).rows
    assert p_value(rows, shares_after(texts, begin, moves)) > 1e-3
    assert p_value(rows, shares_after(texts, begin, moves + 1 if moves < 2 else 0)) < 1e-5


@pytest.fixture(scope="module")
def many():
    """One sample from each of many chains."""
    return power(TinyModel(), [PROMPT] * ROWS, temperature=1 / ALPHA, max_tokens=LENGTH, moves=MOVES, seed=5).rows


def test_enough_moves_sample_from_the_power(many):
    model = TinyModel()
    texts, begin = chain_law(model, PROPOSALS["default"])
    wanted = target(model, PROMPT, LENGTH, ALPHA)
    after = shares_after(texts, begin, MOVES)
    assert sum(abs(after[tokens] - wanted[tokens]) for tokens in wanted) / 2 < 0.01
    assert p_value(many, wanted) > 1e-3


def test_the_same_test_refuses_an_alpha_five_percent_off(many):
    assert p_value(many, target(TinyModel(), PROMPT, LENGTH, ALPHA * 1.05)) < 1e-4


def test_the_same_test_refuses_the_temperature_per_token(many):
    texts, begin = chain_law(TinyModel(), PROPOSALS["default"])
    assert p_value(many, {text.tokens: share for text, share in zip(texts, begin, strict=True)}) < 1e-100


@pytest.mark.parametrize("proposal", ["truncated", "looks back"])
def test_an_end_that_is_drawn_anew_follows_what_was_kept(proposal):
    model, chain = TinyModel(end=-3.0), PROPOSALS[proposal]
    texts, _ = chain_law(model, chain)
    known = {text.tokens: text for text in texts}
    cost = Cost([0] * 60, [0] * 60)
    prompts, begun = [PROMPT] * 60, [Text((), (), (), (chain.init(PROMPT),))] * 60
    seeds = np.arange(60, dtype=np.uint64)
    whole = grow(model, chain, prompts, begun, seeds, LENGTH, cost)
    anew = grow(model, chain, prompts, [text.until(2) for text in whole], seeds + np.uint64(99), LENGTH, cost)
    assert any(old.tokens != new.tokens for old, new in zip(whole, anew, strict=True))
    for old, new in zip(whole, anew, strict=True):
        assert new.tokens[:2] == old.tokens[:2]
        for text in (old, new):
            assert text.log_p == pytest.approx(known[text.tokens].log_p, abs=1e-12)
            assert text.log_q == pytest.approx(known[text.tokens].log_q, abs=1e-12)


@pytest.mark.parametrize("proposal", ["truncated", "looks back"])
def test_any_chain_may_propose(proposal):
    model, chain = TinyModel(), PROPOSALS[proposal]
    rows = power(model, [PROMPT] * 3000, alpha=ALPHA, max_tokens=LENGTH, moves=3, proposal=chain, seed=1).rows
    texts, begin = chain_law(model, chain)
    assert p_value(rows, shares_after(texts, begin, 3)) > 1e-3
    assert p_value(rows, shares_after(texts, begin, 0)) < 1e-6


def test_a_chain_that_forbids_restricts_the_target():
    model = TinyModel()
    texts, begin = chain_law(model, PROPOSALS["truncated"])
    wanted = target(model, PROMPT, LENGTH, ALPHA)
    assert 5 < len(texts) < len(wanted) / 2
    mass = sum(wanted[text.tokens] for text in texts)
    after = shares_after(texts, begin, 200)
    for text in texts:
        assert after[text.tokens] == pytest.approx(wanted[text.tokens] / mass, rel=1e-6)


def test_blocks_continue_what_was_improved():
    model, chain = TinyModel(), PROPOSALS["the model itself"]
    rows = power(model, [PROMPT] * 4000, alpha=ALPHA, max_tokens=LENGTH, moves=1, blocks=2, proposal=chain, seed=2).rows
    half, begin = chain_law(model, chain, length=2)
    texts, unimproved = chain_law(model, chain)
    improved = shares_after(half, begin, 1)
    law = np.zeros(len(texts))
    for tokens, share in improved.items():
        for j, text in enumerate(texts):
            if text.tokens[: len(tokens)] == tokens:
                law[j] += share * math.exp(math.fsum(text.log_q[len(tokens) :]))
    assert p_value(rows, shares_after(texts, law, 1)) > 1e-3
    assert p_value(rows, shares_after(texts, unimproved, 1)) < 1e-4
    assert {len(row.trace) for row in rows} == {2}


def test_rows_do_not_depend_on_the_rows_beside_them():
    model = TinyModel(4)
    proposal = hb.chain(hb.penalties(1.3, 0.2), hb.sampling.mirostat_v2(1.5, 0.3))
    prompts, seeds = [(), (1,), (2, 3, 1), (1,)], [3, 4, 9, 4]
    options = {"alpha": 3, "max_tokens": 6, "moves": 5, "blocks": 2, "proposal": proposal}
    together = power(model, prompts, seed=seeds, **options).rows
    assert together[1] == together[3]
    assert len({row.tokens for row in together}) > 1
    for prompt, seed, row in zip(prompts, seeds, together, strict=True):
        assert power(model, [prompt], seed=seed, **options).rows == (row,)


def test_one_seed_counts_up():
    model = TinyModel()
    options = {"alpha": 2, "max_tokens": 4, "moves": 2}
    assert power(model, [(1,)] * 3, seed=7, **options) == power(model, [(1,)] * 3, seed=[7, 8, 9], **options)


def written(model, sampler, prompt, length, seed):
    """Token by token, as any loop would."""
    scores, cache = model.start([prompt])
    state, tokens = sampler.init(prompt), []
    while True:
        choice, state, _ = sampler.step(state, scores, seed=seed)
        tokens.append(int(choice[0]))
        if len(tokens) == length or tokens[-1] in model.stop_tokens:
            return tuple(tokens)
        scores, cache = model.step(cache, [tokens[-1]])


def test_without_moves_it_is_what_the_chain_draws_with_this_seed():
    model = load("toy")
    sampler = hb.chain(hb.temperature(0.5))
    for blocks in (1, 3):
        rows = power(model, [[]] * 20, temperature=0.5, max_tokens=9, moves=0, blocks=blocks, seed=3).rows
        assert [row.tokens for row in rows] == [written(model, sampler, [], 9, 3 + i) for i in range(20)]
        assert math.isnan(rows[0].acceptance)


def test_log_p_trace_and_acceptance_belong_to_the_tokens():
    model = TinyModel()
    log_p = continuations(model, PROMPT, LENGTH)
    rows = power(model, [PROMPT] * 50, alpha=4, max_tokens=LENGTH, moves=8, seed=0).rows
    for row in rows:
        assert row.log_p == pytest.approx(sum(log_p[row.tokens]), abs=1e-6)
        assert row.trace[-1] == row.log_p
        assert len(row.trace) == len(row.accepted) == 8
        assert row.acceptance == sum(row.accepted) / 8
        for (before, after), yes in zip(itertools.pairwise(row.trace), row.accepted[1:], strict=True):
            assert yes or before == after
    assert 0.2 < np.mean([row.acceptance for row in rows]) < 1


def test_the_cost_is_what_the_model_did():
    model = TinyModel(end=-np.inf)  # no text ends early
    rows, calls = power(model, [PROMPT] * 400, alpha=2, max_tokens=8, moves=6, blocks=2, seed=0)
    assert calls == model.asked
    drawn = np.array([row.drawn for row in rows])
    mean = 8 + 6 * (4 + 1) / 2 + 6 * (8 + 1) / 2  # a move among L places draws (L + 1) / 2 tokens on average
    assert abs(drawn.mean() - mean) < 4 * drawn.std() / 20
    for row in rows:
        assert row.drawn - 8 + row.read - 2 * len(PROMPT) - 4 == 6 * (len(PROMPT) + 4) + 6 * (len(PROMPT) + 8)


def test_an_empty_prompt_is_the_beginning_also_when_an_end_is_drawn_anew():
    model = load()
    (row,), _ = power(model, [[]], alpha=2, max_tokens=6, moves=6, seed=4)
    scores, cache = model.start([[]])
    log_p = 0.0
    for token in row.tokens:
        log_p += hb.log_softmax(scores[0].astype(np.float64))[token]
        scores, cache = model.step(cache, [token])
    assert any(row.accepted)
    assert row.log_p == pytest.approx(log_p, abs=1e-3)
    known = power(model, [[0]], alpha=2, max_tokens=6, moves=6, seed=4).rows[0]  # its first token, given by hand
    assert known.tokens == row.tokens


def test_temperature_and_alpha_say_the_same():
    model = TinyModel()
    cold = power(model, [PROMPT] * 9, temperature=0.25, max_tokens=4, seed=1)
    assert cold == power(model, [PROMPT] * 9, alpha=4, max_tokens=4, seed=1)


def test_extreme_powers_stay_numbers():
    model = TinyModel()
    best = max(continuations(model, PROMPT, LENGTH).items(), key=lambda pair: sum(pair[1]))[0]
    rows = power(model, [PROMPT] * 10, alpha=1e300, max_tokens=LENGTH, moves=40, proposal=hb.chain(), seed=0).rows
    assert {row.tokens for row in rows} == {best}
    flat = power(model, [PROMPT] * 10, alpha=1e-300, max_tokens=LENGTH, moves=4, seed=0).rows
    assert len({row.tokens for row in flat}) > 4


BAD = {
    "both": ({"temperature": 0.5}, "both temperature and alpha"),
    "neither": ({"alpha": None}, "neither temperature nor alpha"),
    "alpha 0": ({"alpha": 0}, "alpha must be a number from 1e-300 to 1e300"),
    "alpha negative": ({"alpha": -1.0}, "alpha must be"),
    "alpha NaN": ({"alpha": math.nan}, "alpha must be"),
    "alpha inf": ({"alpha": math.inf}, "alpha must be"),
    "T = 0": ({"alpha": None, "temperature": 0}, "temperature must be"),
    "T = inf": ({"alpha": None, "temperature": math.inf}, "temperature must be"),
    "T too small to invert": ({"alpha": None, "temperature": 1e-320}, "temperature must be"),
    "a schedule": ({"alpha": None, "temperature": hb.schedules.constant(1.0)}, "temperature must be"),
    "no tokens": ({"max_tokens": 0}, "max_tokens must be a whole number >= 1"),
    "half a token": ({"max_tokens": 1.5}, "max_tokens must be"),
    "moves": ({"moves": -1}, "moves must be a whole number >= 0"),
    "blocks": ({"blocks": 0}, "blocks must be"),
    "more blocks than tokens": ({"blocks": 5}, "4 tokens cannot be divided into 5 blocks"),
    "a text": ({"prompts": "Once"}, "sequences of token ids"),
    "one prompt": ({"prompts": [1, 2]}, "sequences of token ids"),
    "no prompt": ({"prompts": []}, "sequences of token ids"),
    "texts": ({"prompts": ["Once"]}, "sequences of token ids"),
    "unknown token": ({"prompts": [[1], [3]]}, "has tokens 0 to 2"),
    "no token": ({"prompts": [[1.0]]}, "has tokens 0 to 2"),
    "no room": ({"prompts": [[1], [1] * 29]}, "leaves room for 3"),
    "no room at all": ({"prompts": [[1] * 40]}, "shorten the prompt"),
    "draws by itself": ({"proposal": hb.chain(hb.sampling.xtc(0.1, 0.5))}, "draws random numbers of its own"),
    "greedy": ({"proposal": hb.chain(hb.greedy())}, "it ends in greedy"),
    "no chain": ({"proposal": hb.top_k(3)}, "it is no chain"),
    "seeds": ({"seed": [1, 2, 3]}, "3 seeds for 1 row;"),
    "no seed": ({"seed": None}, "a seed is an integer"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case):
    changed, why = BAD[case]
    given = {"prompts": [PROMPT], "alpha": 2, "max_tokens": 4, "seed": 0} | changed
    with pytest.raises(InputError, match=why) as refused:
        power(TinyModel(), given.pop("prompts"), **given)
    assert refused.value.doing
    assert refused.value.instead


def test_a_prompt_that_just_fits_is_continued_to_the_end():
    model = TinyModel(end=-np.inf)
    rows = power(model, [[1] * 28], alpha=2, max_tokens=4, moves=3, seed=0).rows
    assert len(rows[0].tokens) == 4
    embedded = load()
    prompt = embedded.tokenizer.encode("once upon a time there was " * 20)[:250]
    assert power(embedded, [prompt], alpha=2, max_tokens=6, moves=2, seed=0).rows[0].tokens
