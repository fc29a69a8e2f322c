"""Options moved and removed by their ids."""

import math
import pickle

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling import ban_sequences, bans, logit_bias

INF = math.inf


def after(step, row, text=()):
    sampler = hb.chain(step)
    return sampler.scores(sampler.init(text), np.array(row, dtype=float)).scores


def test_a_bias_is_added_to_its_option():
    found = after(logit_bias({1: -100, 3: 2.5, 0: -INF}), [0.0, 1.0, 2.0, 3.0])
    assert found.tolist() == [-INF, -99.0, 2.0, 5.5]
    assert after(logit_bias([[1, 100]]), [0.0, -INF]).tolist() == [0.0, -INF]


def test_a_mapping_is_written_as_pairs():
    step = logit_bias({50256: -100, 3: -INF})
    assert repr(step) == "logit_bias([[50256, -100], [3, -inf]])"
    assert hb.parse(repr(step)).steps[0].made == step.made
    assert repr(pickle.loads(pickle.dumps(step))) == repr(step)
    bias = {1: 2}
    step = logit_bias(bias)
    bias[1] = 99
    assert after(step, [0.0, 0.0]).tolist() == [0.0, 2.0]
    assert repr(step) == "logit_bias([[1, 2]])"


def test_pairs_may_be_an_array():
    assert after(logit_bias(np.array([[1, 4], [0, -2]])), [0.0, 0.0]).tolist() == [-2.0, 4.0]


@pytest.mark.parametrize(
    ("bias", "why"),
    [
        ({}, r"bias must be a list with at least one entry, not \[\]"),
        (7, "a list with at least one entry, not 7"),
        ("text", "a list with at least one entry, not 'text'; write for example"),
        ([5, 1.0], "every pair of bias"),
        ([[5]], "pairs"),
        ([[1, 2, 3]], "pairs"),
        ({"5": 1}, "a token id is a whole number >= 0, not '5'"),
        ({-1: 1}, "a token id"),
        ({1.0: 1}, "a token id"),
        ({True: 1}, "a token id"),
        ({1: INF}, "finite number or -inf"),
        ({1: math.nan}, "finite number or -inf"),
        ({1: "x"}, "finite number or -inf"),
        ({1: True}, "finite number or -inf"),
        ([[1, 2], [0, 0], [1, 3]], "1 has more than one bias"),
    ],
)
def test_what_is_no_bias_is_refused_in_four_parts(bias, why):
    with pytest.raises(hb.InputError, match=why) as caught:
        logit_bias(bias)
    assert caught.value.doing == "making logit_bias"
    assert caught.value.on.startswith("logit_bias(")
    assert caught.value.instead


def test_a_bias_beyond_what_numbers_can_hold_is_refused():
    for bias in (1e308, -1e308):
        with pytest.raises(hb.InputError, match="numbers nearer to 0"):
            after(logit_bias({0: bias}), [math.copysign(1e308, bias)])
    with pytest.raises(hb.InputError, match="too large"):
        logit_bias({0: 10**400})


def test_banned_options_are_gone():
    assert after(bans([3, 0]), [0.0, 1.0, 2.0, 3.0]).tolist() == [-INF, 1.0, 2.0, -INF]
    assert after(bans(np.array([1])), [0.0, 1.0]).tolist() == [0.0, -INF]


@pytest.mark.parametrize("tokens", [[], 5, "text", None, {1, 2}, [1.0], [-1], [True], [[1]]])
def test_what_is_no_list_of_ids_is_refused_in_four_parts(tokens):
    with pytest.raises(hb.InputError, match=r"making bans on bans\(.*write for example bans") as caught:
        bans(tokens)
    assert caught.value.field == "tokens"


def test_a_sequence_is_never_completed():
    step = ban_sequences([[0, 1, 2], [1, 3], [4]])
    row = np.zeros(5)
    assert (after(step, row, [0, 1]) == -INF).tolist() == [False, False, True, True, True]
    assert (after(step, row, [2, 1]) == -INF).tolist() == [False, False, False, True, True]
    assert (after(step, row, [1]) == -INF).tolist() == [False, False, False, True, True]
    assert (after(step, row) == -INF).tolist() == [False, False, False, False, True]
    assert (after(ban_sequences([[4]]), row) == -INF).tolist() == [False, False, False, False, True]


def test_sequences_are_watched_from_the_prompt_into_the_text():
    sampler = hb.chain(ban_sequences([[0, 1, 2]]), hb.greedy())
    state = sampler.init([[3, 0], [0, 3]])
    choice, state, _ = sampler.step(state, np.tile(np.eye(4)[1], (2, 1)), seed=0)
    assert choice.tolist() == [1, 1]
    left = sampler.scores(state, np.zeros((2, 4))).scores
    assert (left == -INF).tolist() == [[False, False, True, False], [False] * 4]
    assert state[2].shape == (2, 2)  # no more is kept than the longest sequence needs


def test_transformers_published_values():
    # tests/generation/test_logits_process.py: SequenceBias behind the texts [0, 1, 3, 1] and [0, 1, 0, 1]
    texts = [[0, 1, 3, 1], [0, 1, 0, 1]]
    sampler = hb.chain(logit_bias([[0, -100], [3, -100], [1, 100], [4, 100]]))
    first = sampler.scores((), np.zeros((2, 5))).scores
    assert first.tolist() == [[-100, 100, 0, -100, 100]] * 2
    banned = hb.chain(ban_sequences([[1, 0], [0, 1, 2]]))
    assert (banned.scores(banned.init(texts), np.zeros((2, 5))).scores == -INF).tolist() == [
        [True, False, False, False, False],
        [True, False, True, False, False],
    ]


def test_transformers_bans_the_same_sequences():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    random = np.random.default_rng(1)
    sequences = [[0], [1, 2], [2, 1, 3], [4, 4], [0, 1, 2, 3]]
    scores, texts = random.normal(0, 1, (60, 6)), random.integers(0, 5, (60, 6))
    theirs = transformers.NoBadWordsLogitsProcessor(sequences)(torch.from_numpy(texts), torch.from_numpy(scores))
    sampler = hb.chain(ban_sequences(sequences))
    np.testing.assert_array_equal(sampler.scores(sampler.init(texts.tolist()), scores).scores, theirs.numpy())
    bias = {0: -2.5, 4: 100.0}
    theirs = transformers.SequenceBiasLogitsProcessor({(token,): number for token, number in bias.items()})(
        torch.from_numpy(texts), torch.from_numpy(scores)
    )
    np.testing.assert_allclose(hb.chain(logit_bias(bias)).scores((), scores).scores, theirs.numpy())


@pytest.mark.parametrize("sequences", [[], [[]], [3], 3, "text", [[1], [2.0]], [[1, -1]]])
def test_what_is_no_list_of_sequences_is_refused_in_four_parts(sequences):
    with pytest.raises(hb.InputError, match=r"making ban_sequences on ban_sequences\(.*write for example") as caught:
        ban_sequences(sequences)
    assert caught.value.field == "sequences"


@pytest.mark.parametrize(
    "step", [logit_bias({1: 5, 7: 1}), bans([2, 7]), ban_sequences([[1, 2], [7, 1]])], ids=lambda step: step.made.name
)
def test_ids_that_no_option_has_are_refused(step):
    with pytest.raises(hb.InputError, match=r"sampling on .*there are 7 options.* none is 7") as caught:
        hb.chain(step).step((), np.zeros(7), seed=0)
    assert "tokenizer" in caught.value.instead
    hb.chain(step).step((), np.zeros(8), seed=0)


@pytest.mark.parametrize(
    "step",
    [logit_bias({0: -INF, 2: -INF}), bans([0, 2]), ban_sequences([[0], [1, 2]])],
    ids=lambda step: step.made.name,
)
def test_where_nothing_is_left_the_row_is_named(step):
    sampler = hb.chain(hb.top_k(2), step)
    logits = np.array([[3.0, 2.0, 1.0], [3.0, 1.0, 2.0]])
    with pytest.raises(hb.InputError, match=r"sampling on top_k.*, in row 1; ") as caught:
        sampler.step(sampler.init([1]), logits, seed=0)
    assert "ban fewer" in caught.value.instead
    sampler.step(sampler.init([1]), logits[:1], seed=0)


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_other_libraries_get_the_same(library):
    xp = pytest.importorskip(library, reason=f"{library} is not installed")
    logits = np.random.default_rng(0).normal(0, 2, (2, 6)).astype(np.float32)
    sampler = hb.chain(logit_bias({1: 0.5, 2: -INF}), bans([0]), ban_sequences([[4, 3]]))
    state = sampler.init([[4], [5]])
    expected = sampler.scores(state, logits).scores
    found = sampler.scores(state, xp.asarray(logits)).scores
    assert type(found).__module__.startswith(library.partition(".")[0])
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)
    assert (expected == -INF).tolist() == [[True, False, True, True, False, False], [True, False, True] + [False] * 3]
