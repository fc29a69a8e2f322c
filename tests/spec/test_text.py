import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath import schedules

temperatures = st.one_of(
    st.integers(0, 5),
    st.floats(0, 100, allow_nan=False),
    st.just(float("inf")),
    st.lists(st.floats(0, 10), min_size=1, max_size=3),
    st.builds(schedules.constant, st.floats(0, 5)),
    st.builds(schedules.cosine, st.floats(0, 5), st.floats(0, 5), st.integers(1, 1000)),
    st.builds(hb.hold_entropy, st.floats(0.1, 5)),
    st.builds(lambda t, n: hb.hold_entropy(t, horizon=n), st.floats(0.1, 5), st.integers(1, 100)),
    st.builds(hb.by_confidence, st.floats(0, 0.9), st.floats(1, 3)),
)
steps = st.one_of(
    st.builds(hb.temperature, temperatures),
    st.builds(hb.top_k, st.one_of(st.integers(1, 10**6), st.lists(st.integers(1, 99), min_size=1, max_size=3))),
    st.builds(hb.top_p, st.floats(0, 1, exclude_min=True)),
    st.builds(hb.min_p, st.floats(0, 1)),
)
samplers = st.builds(
    lambda links, draw: hb.chain(*links, draw()),
    st.lists(steps, max_size=5),
    st.sampled_from([hb.greedy, hb.categorical]),
)


@given(samplers)
def test_parse_is_the_inverse_of_print(sampler):
    text = str(sampler)
    again = hb.parse(text)
    assert isinstance(again, hb.Sampler)
    assert str(again) == text
    assert [link.made.name for link in (*again.steps, again.draw)] == [
        link.made.name for link in (*sampler.steps, sampler.draw)
    ]


@given(temperatures)
def test_a_temperature_alone_parses_to_a_thermostat(value):
    thermostat = hb.thermostat.as_thermostat(value)
    again = hb.parse(str(thermostat))
    assert isinstance(again, hb.Thermostat)
    assert str(again) == str(thermostat)


def test_the_example_of_the_plan():
    sampler = hb.parse("temperature(hold_entropy(2.0)) -> min_p(0.05)")
    assert str(sampler) == "temperature(hold_entropy(2.0)) -> min_p(0.05) -> categorical()"
    scores = np.random.default_rng(0).normal(0, 3, 200)
    applied = sampler.scores(sampler.init(), scores)
    assert float(hb.entropy(scores, applied.temperature)) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0.7", "fixed(0.7)"),
        (" inf ", "fixed(inf)"),
        ("greedy", "greedy()"),
        ("top_k( k = 40 )", "top_k(40) -> categorical()"),
        ("temperature(1e-3)->greedy()", "temperature(0.001) -> greedy()"),
        ("temperature([0.5, 1, inf])", "temperature([0.5, 1, inf]) -> categorical()"),
        ("temperature(fixed(.5))", "temperature(fixed(0.5)) -> categorical()"),
        ("constant(1)", "scheduled(constant(1))"),
    ],
)
def test_other_spellings_parse_to_the_canonical_one(text, canonical):
    assert str(hb.parse(text)) == canonical
    assert str(hb.parse(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "end of the text"),
        ("   ", 3, "end of the text"),
        ("temperature(0.7) -> topp(0.9)", 20, "did you mean top_p?"),
        ("temperature(0.7) ->", 19, "expected the name of a step or draw"),
        ("temperature(0.7) top_k(3)", 17, "expected '->'"),
        ("temperature(0.7", 15, r"expected ',' or '\)'"),
        ("temperature(0.7,,)", 16, "expected a number, a list or a thermostat"),
        ("temperature()", 0, "missing a required argument"),
        ("temperature(t=1)", 0, r"its arguments are temperature\(thermostat\)"),
        ("top_k(1, 2)", 0, "too many positional"),
        ("temperature(-1)", 0, "negative|>= 0"),
        ("temperature(nan)", 0, "NaN|not a number"),
        ("top_p(1.5)", 0, r"must lie in \(0, 1\]"),
        ("temperature(0.5) -> top_p(1.5)", 20, r"must lie in \(0, 1\]"),
        ("temperature(0.5) # hot", 17, "has no meaning here"),
        ("greedy() -> top_k(3)", 0, "nothing can follow a draw"),
        ("hold_entropy(2.0) -> min_p(0.1)", 18, "put this inside temperature"),
        ("min_p(0.1) -> hold_entropy(2.0)", 14, r"write temperature\(hold_entropy\(...\)\)"),
        ("temperature(top_k(3))", 12, "top_k is a step"),
        ("temperature(__import__('os'))", 12, "there is no thermostat or schedule '__import__'"),
        ("min_p(p=0.1, p=0.2)", 13, "given twice"),
        ("constant([[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]])", 28, "nested more than"),
        ("temperature('0.7')", 0, "a temperature is a number"),
    ],
)
def test_an_error_points_at_the_character(text, position, says):
    with pytest.raises(hb.SpecError, match=says) as caught:
        hb.parse(text)
    assert caught.value.position == position
    *_, shown, caret = str(caught.value).split("\n")
    assert shown == f"  {text}"
    assert caret.index("^") == position + 2


@given(st.text(alphabet="temperatuop_k(0.5)->[], =infgreedy'", max_size=40))
def test_no_text_raises_anything_but_a_spec_error(text):
    try:
        made = hb.parse(text)
    except hb.SpecError as error:
        inside = 0 <= error.position <= len(text)
        assert inside, error  # noqa: PT017  most texts do not parse, and pytest.raises would demand that all fail
    else:
        assert str(hb.parse(str(made))) == str(made)


@pytest.mark.parametrize("text", [None, 7, b"greedy()", "x" * 20_000])
def test_what_is_no_text_or_too_long_is_refused(text):
    with pytest.raises(hb.SpecError):
        hb.parse(text)
