"""Streams inside a tool's loop draw what they would draw alone, however their rows come, go and change places."""

import numpy as np
import pytest

import heatbath as hb
from heatbath.integrations.streams import Stream, as_request, as_sampler, listens, needs_seed, only, remembers, rescore
from tests.integrations.rows import CHAINS, LENGTH, OPTIONS, UNSERVED, alone, logits, pick

LIBRARIES = ["numpy", "torch"]


def library(name):
    return np if name == "numpy" else pytest.importorskip(name, reason=f"{name} is not installed")


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("text", CHAINS)
def test_interleaved_requests_get_the_tokens_that_each_gets_alone(text, name):
    xp, sampler = library(name), as_sampler(text)
    prompts = [[1], [2, 3, 2], [4, 5]]
    scores = logits(3)
    streams = [Stream(sampler, prompt, seed=row) for row, prompt in enumerate(prompts)]
    tokens = [[], [], []]
    begins = [0, 3, 1]  # the second request joins at the fourth call
    random = np.random.default_rng(1)
    for call in range(LENGTH + max(begins)):
        rows = [row for row in range(3) if begins[row] <= call < begins[row] + LENGTH]
        random.shuffle(rows)
        shown = np.stack([scores[call - begins[row], row] for row in rows])
        drawn = [tokens[row][-1] if tokens[row] else None for row in rows]
        given = rescore([streams[row] for row in rows], xp.asarray(shown), drawn)
        assert type(given) is type(xp.asarray(shown))
        for place, row in enumerate(rows):
            tokens[row].append(pick(given[place], seed=row, position=len(tokens[row])))
    for row, prompt in enumerate(prompts):
        assert tokens[row] == alone(sampler, scores[:, row], prompt, seed=row)


def test_two_chains_share_a_call_and_other_rows_are_left_alone():
    cold, hot = as_sampler("temperature(0.5)"), as_sampler("temperature(2.0) -> top_k(3)")
    scores = logits(4)[0]
    streams = [Stream(cold), None, Stream(hot), Stream(cold)]
    before = scores.copy()
    given = rescore(streams, scores, [None] * 4)
    np.testing.assert_array_equal(scores, before)
    np.testing.assert_array_equal(given[1], scores[1])
    for row, sampler in ((0, cold), (2, hot), (3, cold)):
        np.testing.assert_allclose(given[row], sampler.scores((), scores[row]).scores)


def test_a_token_that_the_tool_forces_joins_the_history_and_teaches_nothing():
    sampler = as_sampler("penalties(presence=5.0) -> temperature(hold_surprise(1.0, 4)) -> top_k(2)")
    stream, scores = Stream(sampler), np.array([[3.0, 2.0, 1.0, 0.0]])
    rescore([stream], scores, [None])
    untaught = stream.state[1]
    given = rescore([stream], scores, [3])  # which top_k had removed
    assert stream._before[1] == untaught
    assert stream._before[2].tolist() == [3]
    assert np.isfinite(given).sum() == 2
    rescore([stream], scores, [0])
    assert stream._before[1] != untaught


def test_a_chain_that_draws_by_itself_leaves_the_tool_one_token():
    scores = logits(3)[0]
    for text in ("greedy()", "temperature(0.5) -> gumbel()"):
        sampler = as_sampler(text)
        given = rescore([Stream(sampler, seed=row) for row in range(3)], scores, [None] * 3)
        assert (np.isfinite(given).sum(-1) == 1).all()
        assert given.argmax(-1).tolist() == sampler.step((), scores, seed=[0, 1, 2]).choice.tolist()


def test_what_is_not_told_is_asked_for():
    stream, scores = Stream(as_sampler("mirostat_v2(1.0)")), logits(1)[0]
    rescore([stream], scores, [None])
    for token in (None, -1):
        with pytest.raises(hb.InputError, match="must be told which token was drawn"):
            rescore([stream], scores, [token])


@pytest.mark.parametrize(
    ("text", "told", "seeded"),
    [
        ("temperature(0.7) -> top_p(0.9)", False, False),
        ("temperature(linear(1.0, 0.5, 9))", False, False),
        ("penalties(1.1)", True, False),
        ("mirostat_v2(2.0)", True, False),
        ("temperature(hold_surprise(2.0, 9))", True, False),
        ("xtc(0.1, 0.5)", False, True),
        ("gumbel()", False, True),
        ("greedy()", False, False),
    ],
)
def test_what_a_chain_needs_from_the_tool(text, told, seeded):
    assert (listens(as_sampler(text)), needs_seed(as_sampler(text))) == (told, seeded)
    assert remembers(as_sampler(text)) == (text not in ("temperature(0.7) -> top_p(0.9)", "greedy()"))


def test_what_stands_for_a_chain():
    made = hb.chain(hb.temperature(0.7))
    assert as_sampler(made) is made
    assert repr(as_sampler(0.7)) == repr(made)
    assert repr(as_sampler("hold_entropy(1.0)")) == repr(as_sampler(hb.hold_entropy(1.0)))
    assert as_sampler("top_k(3)") is as_sampler("top_k(3)")  # by which rows of equal chains find each other
    assert as_sampler(0.7) is as_sampler(0.7)
    with pytest.raises(hb.SpecError, match="did you mean top_k"):
        as_sampler("topk(3)")
    with pytest.raises(hb.InputError, match="None is no chain"):
        as_sampler(None)


@pytest.mark.parametrize("vocabulary", [OPTIONS, None])
def test_a_request_is_refused_before_it_shares_a_batch(vocabulary):
    for text, why in UNSERVED.items():
        with pytest.raises(hb.InputError, match=why):
            as_request(text, vocabulary)
    for text in [*CHAINS, 0.7]:
        assert as_request(text, vocabulary) is as_sampler(text)


def test_a_request_may_name_the_tokens_that_its_model_has():
    as_request("bans([39])", OPTIONS)
    as_request("bans([40])")  # the model is not known
    with pytest.raises(hb.InputError, match="none is 40; take ids from the tokenizer"):
        as_request("bans([40])", OPTIONS)
    with pytest.raises(hb.InputError, match="every option that the scores leave open is banned"):
        as_request(f"bans({list(range(OPTIONS))})", OPTIONS)


@pytest.mark.parametrize("seed", ["7", [7], 0.5, 2**70, True])
def test_a_request_has_one_seed(seed):
    with pytest.raises(hb.InputError) as caught:
        as_request("xtc(0.1, 0.5)", OPTIONS, seed=seed)
    assert caught.value.field == "seed"


def test_only_leaves_one_token():
    assert only(np.zeros((2, 3)), np.array([2, 0])).tolist() == [[-np.inf, -np.inf, 0], [0, -np.inf, -np.inf]]
