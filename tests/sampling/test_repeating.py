"""Steps against repeated passages: their definitions as loops, published values, and the engines that are installed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import dry, no_repeat_ngram
from tests.sampling.llama import behind, llama

INF = math.inf
OPTIONS = 4

TEXTS = st.lists(st.integers(0, OPTIONS), max_size=30) | st.builds(  # token 4 is no option
    lambda part, times, rest: part * times + rest,
    st.lists(st.integers(0, OPTIONS), max_size=6),
    st.integers(0, 5),
    st.lists(st.integers(0, OPTIONS), max_size=4),
)


def after(step, row, text):
    sampler = hb.chain(step)
    return sampler.scores(sampler.init(text), np.array(row, dtype=float)).scores


@given(TEXTS, st.integers(1, 6))
def test_an_ngram_is_never_completed_twice(text, n):
    written = {tuple(text[start : start + n]) for start in range(len(text) - n + 1)}
    banned = [(*text[len(text) - n + 1 :], token) in written for token in range(OPTIONS + 1)][:OPTIONS]
    if len(text) < n - 1:
        banned = [False] * OPTIONS
    if all(banned):
        with pytest.raises(hb.InputError, match="every option that the scores leave open is banned"):
            after(no_repeat_ngram(n), np.zeros(OPTIONS), text)
    else:
        assert (after(no_repeat_ngram(n), np.zeros(OPTIONS), text) == -INF).tolist() == banned


def test_transformers_published_ngrams():
    # tests/generation/test_logits_process.py
    logits, texts = np.zeros((2, 3)), [[1, 1, 2, 1], [0, 1, 0, 1]]
    pairs, triples = hb.chain(no_repeat_ngram(2)), hb.chain(no_repeat_ngram(3))
    assert (pairs.scores(pairs.init(texts), logits).scores == -INF).tolist() == [
        [False, True, True],
        [True, False, False],
    ]
    assert (triples.scores(triples.init(texts), logits).scores == -INF).tolist() == [
        [False, False, False],
        [True, False, False],
    ]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_transformers_bans_the_same_ngrams(n):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    random = np.random.default_rng(n)
    scores, texts = random.normal(0, 1, (20, 4)), random.integers(0, 3, (20, 40))
    theirs = transformers.NoRepeatNGramLogitsProcessor(n)(torch.from_numpy(texts), torch.from_numpy(scores))
    sampler = hb.chain(no_repeat_ngram(n))
    ours = sampler.scores(sampler.init(texts.tolist()), scores).scores
    assert (ours == -INF).any()
    np.testing.assert_array_equal(ours, theirs.numpy())


@pytest.mark.parametrize("value", [0, -1, 1.5, math.nan, INF, "1", None, True, [], [[1]]])
def test_illegal_sizes_are_refused_in_four_parts(value):
    with pytest.raises(hb.InputError, match=r"making no_repeat_ngram on .* n must be a whole .* write for example"):
        no_repeat_ngram(value)


def defined(text, multiplier, base, allowed, window=None, breakers=()):
    """What dry subtracts from each option, by looking everywhere."""
    text = text[-window:] if window else text
    several = [[breaker] if isinstance(breaker, int) else breaker for breaker in breakers]
    begun = [
        (start, len(breaker))
        for start in range(len(text))
        for breaker in several
        if text[start : start + len(breaker)] == breaker
    ]
    reach = len(text) - sum(max(begun)) if begun else len(text)
    subtracted = []
    for token in range(OPTIONS):
        lengths = [
            n
            for place, written in enumerate(text)
            for n in range(min(place, reach) + 1)
            if written == token and text[place - n : place] == text[len(text) - n :]
        ]
        longest = max(lengths, default=0)
        lowered = longest >= allowed and [token] not in several
        subtracted.append(multiplier * base ** (longest - allowed) if lowered else 0)
    return subtracted


@given(
    TEXTS,
    st.sampled_from([0, 0.5, 2]),
    st.sampled_from([1, 1.75, 3.0]),
    st.integers(1, 4),
    st.none() | st.integers(1, 12),
    st.lists(st.integers(0, OPTIONS) | st.lists(st.integers(0, OPTIONS), min_size=1, max_size=3), max_size=3),
)
def test_dry_lowers_what_goes_on_with_a_passage(text, multiplier, base, allowed, window, breakers):
    row = np.array([0.5, -INF, 0.0, -2.0])
    found = after(dry(multiplier, base, allowed, window, breakers), row, text)
    np.testing.assert_allclose(found, row - defined(text, multiplier, base, allowed, window, breakers), rtol=1e-12)


def test_passages_reach_back_to_the_longest_of_the_breakers_that_began_last():
    text = [0, 1, 2, 3, 0, 1, 2, 3]  # 0 would repeat four tokens
    for breakers, lowered in (([], 8), ([0], 0), ([1], 2), ([[1, 2], 1], 1), ([1, [1, 2]], 1), ([[2, 3]], 0), ([3], 0)):
        assert after(dry(1.0, 2.0, 1, breakers=breakers), np.zeros(5), text)[0] == -lowered


def test_a_longer_memory_of_another_step_changes_nothing():
    text, row = [0, 1, 2, 0, 1, 0, 1], np.zeros(4)
    step = dry(1.0, 2.0, 1, window=5)
    both = hb.chain(hb.sampling.repetition(1.0), step)
    assert np.array_equal(both.scores(both.init(text), row).scores, after(step, row, text))
    assert not np.array_equal(after(dry(1.0, 2.0, 1), row, text), after(step, row, text))


# llama.cpp's tests/test-sampling.cpp: equal probabilities, softmax behind dry(multiplier, base, allowed, window)
LLAMA = [
    (4, [0, 1], (1, 1.1, 2, 4), [], None),
    (4, [0, 1, 2, 0, 1], (1, 1.1, 2, 5), [], [0.296923, 0.296923, 0.109232, 0.296923]),
    (5, [0, 1, 3, 4, 0, 1], (1, 1.1, 2, 6), [[3]], None),
    (5, [0, 1, 2, 0, 1], (2, 1.1, 2, 5), [], [0.241818, 0.241818, 0.032727, 0.241818, 0.241818]),
    (5, [0, 1, 2, 3, 4, 0, 1], (1, 1.1, 4, 7), [], None),
]


@pytest.mark.parametrize(("options", "text", "numbers", "breakers", "expected"), LLAMA)
def test_llama_cpps_published_values(options, text, numbers, breakers, expected):
    found = hb.softmax(after(dry(*numbers, breakers), np.log([1 / options] * options), text))
    np.testing.assert_allclose(found, expected or [1 / options] * options, atol=1e-6)


@pytest.mark.parametrize("window", [6, 40])
def test_llama_cpp_does_the_same(window):
    lib = llama()
    random = np.random.default_rng(window)
    lowered = 0
    for _ in range(60):
        multiplier, base, allowed = (float(random.choice([0.5, 2])), float(random.choice([1, 1.75])), 1)
        text = (random.integers(0, 6, random.integers(1, 8)).tolist() * 9)[:30] + random.integers(0, 6, 2).tolist()
        scores = random.normal(0, 2, 6).astype(np.float32)
        sampler = lib.llama_sampler_init_dry(None, multiplier, base, allowed, window, None, 0)
        ours, theirs = after(dry(multiplier, base, allowed, window), scores, text), behind(sampler, text, scores)
        lowered += int((ours < scores).sum())
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert lowered > 40


def test_a_passage_of_any_length_leaves_every_option_open():
    found = after(dry(1.0, base=9.0), [0.0, 0.0], [0] * 400)
    assert found[0] == pytest.approx(-math.exp(88))
    assert found[1] == 0
    with pytest.raises(hb.InputError, match="smaller multiplier"):
        after(dry(1e300, base=9.0), [0.0], [0] * 400)


STEPS = [no_repeat_ngram(3), dry(1.0, 1.5, 1), dry(1.0, 1.5, 1, window=6, breakers=[2, [0, 1]])]


@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_a_stream_that_goes_on_equals_one_that_is_read_anew(step):
    random = np.random.default_rng(5)
    sampler = hb.chain(step)
    texts = [[4, 4, 1], [2, 0, 3]]
    state = sampler.init(texts)
    for _ in range(15):
        logits = random.normal(0, 1, (2, 9))
        now = sampler.scores(state, logits).scores
        for row, text in enumerate(texts):
            np.testing.assert_array_equal(now[row], after(step, logits[row], text))
        choice, state, _ = sampler.step(state, logits, seed=1)
        texts = [[*text, int(token)] for text, token in zip(texts, choice, strict=True)]


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (no_repeat_ngram, [1, 3, 2]),
        (dry, [0, 1.0, 2.5]),
        (lambda value: dry(1.0, value, 1), [1, 2, 3]),
        (lambda value: dry(1.0, 2.0, value), [1, 2, 3]),
    ],
)
def test_every_row_may_have_its_own_parameter(make, values):
    logits, text = np.array([[1.0, -2.0, 3.0, 0.5]] * 3), [0, 1, 2, 0, 1]
    together = hb.chain(make(values))
    found = together.scores(together.init(text), logits).scores
    for row, value in enumerate(values):
        assert np.array_equal(found[row], after(make(value), logits[row], text))
    assert not np.array_equal(found[0], found[1])
    with pytest.raises(hb.InputError, match="one number per row"):
        together.scores(together.init(text), logits[:2])


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_other_libraries_get_the_same(library, step):
    xp = pytest.importorskip(library, reason=f"{library} is not installed")
    logits = np.random.default_rng(0).normal(0, 2, (2, 9)).astype(np.float32)
    sampler = hb.chain(step)
    state = sampler.init([[0, 1, 4, 5, 0, 1, 4], [8, 8]])
    expected = sampler.scores(state, logits).scores
    found = sampler.scores(state, xp.asarray(logits)).scores
    assert type(found).__module__.startswith(library.partition(".")[0])
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"multiplier": -1}, "multiplier"),
        ({"multiplier": INF}, "multiplier"),
        ({"base": 0.9}, "base"),
        ({"base": [1.5, math.nan]}, "base"),
        ({"allowed_length": 0}, "allowed_length"),
        ({"allowed_length": 1.5}, "allowed_length"),
        ({"window": 0}, "window"),
        ({"breakers": 5}, "breakers"),
        ({"breakers": "\n"}, "breakers"),
        ({"breakers": [-1]}, "breakers"),
        ({"breakers": [[]]}, "breakers"),
        ({"breakers": [[1, 2.0]]}, "breakers"),
    ],
    ids=str,
)
def test_illegal_arguments_of_dry_are_refused_in_four_parts(given, field):
    with pytest.raises(hb.InputError, match=r"making dry on dry\(.*write for example") as caught:
        dry(**{"multiplier": 1.0, **given})
    assert caught.value.field == field


def test_arguments_that_are_arrays_or_tuples_print_as_lists():
    assert repr(dry(0.8, breakers=(np.int64(3), (1, 2)))) == "dry(0.8, breakers=[3, [1, 2]])"
    text = "dry(0.8, breakers=[3, [1, 2]])"
    assert repr(hb.parse(text).steps[0]) == text
