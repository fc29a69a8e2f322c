"""Each penalty against its definition, against published values, and against the engines that are installed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import frequency, presence, repetition
from tests.sampling.llama import behind, llama

INF = math.inf
OPTIONS = 5

SCORES = st.lists(st.sampled_from([-INF, -3.0, -0.5, 0.0, 0.5, 2.0]), min_size=OPTIONS, max_size=OPTIONS).filter(
    lambda row: max(row) > -INF
)
TEXT = st.lists(st.integers(0, OPTIONS), max_size=12)  # the last of them is no option
SPANS = st.fixed_dictionaries(
    {"prompt": st.booleans()},
    optional={"window": st.integers(1, 8), "decay": st.integers(0, 5)},
).filter(lambda span: "window" in span or not span.get("decay"))


def after(step, row, prompt, drawn=()):
    """The scores behind a step, for a stream that began with a prompt and has drawn these tokens."""
    sampler = hb.chain(step)
    _, states, history = sampler.init([*prompt, *drawn])
    return sampler.scores((len(drawn), states, history), np.array(row)).scores


def weights(token, prompt, drawn, window=None, decay=0, *, prompt_counts):
    """What each occurrence of a token weighs, the latest first, walking back through the text."""
    found = []
    for age, written in enumerate(reversed([*prompt, *drawn])):
        if age >= len(drawn) and not prompt_counts:
            break
        if window is None or age < window:
            weight = 1.0
        elif age < window + decay:
            weight = 1 - (age - window) / decay
        else:
            break
        if written == token:
            found.append(weight)
    return found


@given(SCORES, TEXT, TEXT, SPANS, st.sampled_from([0.5, 1, 1.3, 4]))
def test_repetition_scales_what_was_written_towards_the_unlikely(row, prompt, drawn, span, penalty):
    found = after(repetition(penalty, **span), row, prompt, drawn)
    for token, score in enumerate(row):
        span_of = {name: value for name, value in span.items() if name != "prompt"}
        past = weights(token, prompt, drawn, **span_of, prompt_counts=span["prompt"])
        factor = 1 + (penalty - 1) * past[0] if past else 1
        assert found[token] == pytest.approx(score / factor if score > 0 else score * factor)


@given(SCORES, TEXT, TEXT, SPANS, st.sampled_from([-2, 0, 0.3, 2.5]))
def test_presence_and_frequency_subtract_once_and_every_time(row, prompt, drawn, span, penalty):
    once = after(presence(penalty, **span), row, prompt, drawn)
    every = after(frequency(penalty, **span), row, prompt, drawn)
    for token, score in enumerate(row):
        span_of = {name: value for name, value in span.items() if name != "prompt"}
        past = weights(token, prompt, drawn, **span_of, prompt_counts=span["prompt"])
        assert once[token] == pytest.approx(score - penalty * (past[0] if past else 0))
        assert every[token] == pytest.approx(score - penalty * sum(past))


def test_without_a_word_the_prompt_counts_for_repetition_alone():
    row = np.ones(3)
    assert after(repetition(2.0), row, [0], [1]).tolist() == [0.5, 0.5, 1]
    assert after(presence(0.5), row, [0], [1]).tolist() == [1, 0.5, 1]
    assert after(frequency(0.5), row, [0], [1, 1]).tolist() == [1, 0, 1]
    assert after(hb.penalties(2.0, 0.25, 0.125), row, [0], [1, 1]).tolist() == [0.5, 0.5 - 0.25 - 0.25, 1]


@given(SCORES, TEXT, TEXT, st.sampled_from([True, False, None]), st.sampled_from([None, 3]))
def test_penalties_are_the_three_steps_in_the_order_of_the_engines(row, prompt, drawn, counts, window):
    together = after(hb.penalties(1.5, 0.5, 0.25, window, counts), row, prompt, drawn)
    if counts is None:
        steps = repetition(1.5, window), frequency(0.25, window), presence(0.5, window)
    else:
        steps = repetition(1.5, window, counts), frequency(0.25, window, counts), presence(0.5, window, counts)
    sampler = hb.chain(*steps)
    _, states, history = sampler.init([*prompt, *drawn])
    apart = sampler.scores((len(drawn), states, history), np.array(row)).scores
    np.testing.assert_allclose(together, apart, rtol=1e-12, atol=1e-12)


def test_the_order_matters():
    row, text = np.array([2.0, 2.0]), [0]
    first = hb.chain(repetition(2.0), presence(1.0, prompt=True))
    last = hb.chain(presence(1.0, prompt=True), repetition(2.0))
    assert first.scores(first.init(text), row).scores.tolist() == [0.0, 2.0]
    assert last.scores(last.init(text), row).scores.tolist() == [0.5, 2.0]


# llama.cpp's tests/test-sampling.cpp: five options of probability 0.2, softmax behind the penalties
LLAMA = [
    ((50, 0, 0), [0], [0, 0.25, 0.25, 0.25, 0.25]),
    ((50, 0, 0), [0, 1, 2], [0, 0, 0, 0.5, 0.5]),
    ((50, 0, 0), [0, 1, 2, 0, 0], [0, 0, 0, 0.5, 0.5]),
    ((1, 5, 5), [0], [0.000011, 0.249997, 0.249997, 0.249997, 0.249997]),
    ((1, 5, 5), [0, 1, 2], [0.000023, 0.000023, 0.000023, 0.499966, 0.499966]),
    ((1, 5, 5), [0, 1, 2, 0, 0], [0.000000, 0.000023, 0.000023, 0.499977, 0.499977]),
]


@pytest.mark.parametrize(("numbers", "text", "expected"), LLAMA)
def test_llama_cpps_published_values(numbers, text, expected):
    again, every, once = numbers
    step = hb.penalties(again, presence=once, frequency=every, prompt=True)
    np.testing.assert_allclose(hb.softmax(after(step, np.log([0.2] * 5), text)), expected, atol=1e-6)


def test_transformers_published_values():
    # tests/generation/test_logits_process.py: a penalty of 2 behind the texts [0, 1] and [5, 0]
    before = np.full((2, 10), 0.1)
    before[0, 0], before[1, 5] = -0.1, 0.4
    expected = before.copy()
    expected[0, 0], expected[0, 1], expected[1, 0], expected[1, 5] = -0.2, 0.05, 0.05, 0.2
    sampler = hb.chain(repetition(2.0))
    np.testing.assert_allclose(sampler.scores(sampler.init([[0, 1], [5, 0]]), before).scores, expected)
    generated = hb.chain(repetition(2.0, prompt=False))
    assert np.array_equal(generated.scores(generated.init([[0, 1], [5, 0]]), before).scores, before)


@pytest.mark.parametrize("penalty", [0.7, 1.2, 3.0])
def test_transformers_does_the_same(penalty):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    random = np.random.default_rng(3)
    for prompt_counts in (True, False):
        scores, text = random.normal(0, 2, (6, 30)), random.integers(0, 30, (6, 25))
        ignored = None if prompt_counts else 10
        theirs = transformers.RepetitionPenaltyLogitsProcessor(penalty, prompt_ignore_length=ignored)(
            torch.from_numpy(text), torch.from_numpy(scores)
        )
        sampler = hb.chain(repetition(penalty, prompt=prompt_counts))
        _, states, history = sampler.init(text.tolist())
        ours = sampler.scores((15, states, history), scores).scores
        assert not np.array_equal(ours, scores)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12)


@pytest.mark.parametrize("window", [1, 7, 64])
def test_llama_cpp_does_the_same(window):
    lib = llama()
    random = np.random.default_rng(window)
    for again, every, once in ([1.3, 0.2, 0.4], [0.8, 0, 0], [1, -0.5, 0], [1, 0, 1.5]):
        scores, text = random.normal(0, 2, 12).astype(np.float32), random.integers(0, 12, 40).tolist()
        theirs = behind(lib.llama_sampler_init_penalties(12, window, again, every, once), text, scores)
        step = hb.penalties(again, presence=once, frequency=every, window=window, prompt=True)
        ours = after(step, scores.astype(float), text[:30], text[30:])
        assert not np.array_equal(ours, scores)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


STEPS = [
    hb.penalties(1.3, 0.5, 0.2),
    hb.penalties(1.3, 0.5, 0.2, window=5, prompt=True, decay=3),
    repetition(1.3, window=6),
    frequency(0.4, window=3),
]


@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_a_stream_that_goes_on_equals_one_that_is_read_anew(step):
    random = np.random.default_rng(5)
    sampler = hb.chain(step)
    prompts = [[4, 4, 1], [2, 0, 7]]
    state, drawn = sampler.init(prompts), [[], []]
    for _ in range(15):
        logits = random.normal(0, 1, (2, 8))
        now = sampler.scores(state, logits).scores
        for row, prompt in enumerate(prompts):
            np.testing.assert_array_equal(now[row], after(step, logits[row], prompt, drawn[row]))
        choice, state, _ = sampler.step(state, logits, seed=1)
        for row in range(2):
            drawn[row].append(int(choice[row]))


@pytest.mark.parametrize(
    ("make", "values"), [(repetition, [0.5, 1, 3]), (presence, [-1, 0, 2]), (frequency, [0.5, 0, 1])]
)
def test_every_row_may_have_its_own_penalty(make, values):
    logits, text = np.array([[1.0, -2.0, 3.0]] * 3), [0, 1, 1]
    together = hb.chain(make(values, prompt=True))
    found = together.scores(together.init(text), logits).scores
    for row, value in enumerate(values):
        assert np.array_equal(found[row], after(make(value, prompt=True), logits[row], text))
    with pytest.raises(hb.InputError, match="one number per row"):
        together.scores(together.init(text), logits[:2])


def test_streams_of_different_age_share_a_call():
    sampler = hb.chain(presence(0.5, window=4))
    old, young = sampler.init([3, 3]), sampler.init([1])
    for token in (2, 0):
        _, old, _ = sampler.step(old, np.where(np.arange(4) == token, 0.0, -INF), seed=0)
    together = hb.sampling.stack([old, young])
    assert sampler.scores(together, np.zeros((2, 4))).scores.tolist() == [[-0.5, 0, -0.5, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_other_libraries_get_the_same(library):
    xp = pytest.importorskip(library, reason=f"{library} is not installed")
    logits = np.random.default_rng(0).normal(0, 2, (3, 9)).astype(np.float32)
    logits[:, 4] = -INF
    sampler = hb.chain(hb.penalties([1.1, 2.0, 0.7], 0.5, 0.25, window=3, prompt=True, decay=2))
    prompts = [[4, 4, 1], [0], [8, 8, 8]]
    ours, theirs = sampler.init(prompts), sampler.init(prompts)
    for seed in range(4):
        expected = sampler.scores(ours, logits).scores
        found = sampler.scores(theirs, xp.asarray(logits)).scores
        assert type(found).__module__.startswith(library.partition(".")[0])
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5)
        ours = sampler.step(ours, logits, seed=seed).state
        theirs = sampler.step(theirs, xp.asarray(logits), seed=seed).state


def test_gradients_flow_through_penalties():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scores = torch.tensor([2.0, -1.0, 3.0], dtype=torch.float64, requires_grad=True)
    sampler = hb.chain(hb.penalties(4.0, 0.5, prompt=True))
    sampler.scores(sampler.init([0, 1]), scores).scores.sum().backward()
    assert scores.grad.tolist() == [0.25, 4.0, 1.0]


def test_a_penalty_that_changes_nothing_changes_nothing():
    row = np.array([1.5, -0.0, 0.1, -INF])
    for step in (repetition(1), presence(0), frequency(0), hb.penalties()):
        assert np.array_equal(after(step, row, [0, 1, 2, 3]), row)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (repetition, "penalty"),
        (presence, "penalty"),
        (frequency, "penalty"),
        (hb.penalties, "repetition"),
        (lambda value: hb.penalties(presence=value), "presence"),
        (lambda value: hb.penalties(frequency=value), "frequency"),
    ],
)
@pytest.mark.parametrize("value", [math.nan, INF, -INF, "1", None, True, [], [[1]], 1j])
def test_illegal_penalties_are_refused_in_four_parts(make, field, value):
    with pytest.raises(
        hb.InputError, match=r"making \w+ on \w+\(.*must be a finite number.*write for example"
    ) as caught:
        make(value)
    assert caught.value.field == field


@pytest.mark.parametrize("value", [0, -1, [1, 0]])
def test_a_repetition_penalty_is_above_0(value):
    for make in (repetition, hb.penalties):
        with pytest.raises(hb.InputError, match="> 0"):
            make(value)


def test_an_error_in_the_text_form_points_at_the_argument():
    with pytest.raises(hb.SpecError, match="whole number >= 1") as caught:
        hb.parse("penalties(1.1, window=0)")
    assert caught.value.position == len("penalties(1.1, window=")


@pytest.mark.parametrize(
    ("step", "row"),
    [(frequency(1e308, prompt=True), [1.0]), (frequency(-1e308, prompt=True), [1.0]), (repetition(1e-308), [1e10])],
)
def test_what_no_number_can_hold_is_refused(step, row):
    with pytest.raises(hb.InputError, match="beyond what numbers can hold"):
        after(step, row, [0, 0])
