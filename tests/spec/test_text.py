import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath import schedules
from heatbath.made import MAKERS

temperatures = st.one_of(
    st.integers(0, 5),
    st.floats(0, 100, allow_nan=False),
    st.just(float("inf")),
    st.lists(st.floats(0, 10), min_size=1, max_size=3),
    st.builds(schedules.constant, st.floats(0, 5)),
    st.builds(schedules.cosine, st.floats(0, 5), st.floats(0, 5), st.integers(1, 1000)),
    st.builds(hb.hold_entropy, st.floats(0.1, 5)),
    st.builds(lambda t, n: hb.hold_entropy(t, horizon=n), st.floats(0.1, 5), st.integers(4, 100)),
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
        ("", 0, "expected a step, a thermostat or a number, found the end of the text"),
        ("   ", 3, "expected a step, a thermostat or a number, found the end of the text"),
        ("-> top_k(3)", 0, "expected a step, a thermostat or a number, found '->'"),
        ("temperature(0.7) -> topp(0.9)", 20, "there is no step or draw 'topp'; did you mean top_p?"),
        ("hold_entropi(2.0)", 0, "nothing is called 'hold_entropi'; did you mean hold_entropy?"),
        ("linar(1,0,5)", 0, "did you mean linear?"),
        ("by_confidnce(0,1)", 0, "did you mean by_confidence?"),
        ("Fixed(0.7)", 0, "did you mean fixed?"),
        ("TOP_K(4)", 0, "did you mean top_k?"),
        ("temp(0.7)", 0, "did you mean temperature?"),
        ("Inf", 0, "nothing is called 'Inf'; known are adaptive_p, ban_sequences, "),
        ("zzz(0.7)", 0, "nothing is called 'zzz'; known are adaptive_p, ban_sequences, "),
        (
            "min_p(0.1) -> hold_entropi(2)",
            14,
            "no step or draw 'hold_entropi'; did you mean temperature(hold_entropy(...))?",
        ),
        ("temperature(0.7) ->", 19, "expected the name of a step or draw"),
        ("temperature(0.7) top_k(3)", 17, "expected '->'"),
        ("temperature 0.7", 12, "expected '(' after temperature, found '0.7'"),
        ("temperature(hold_entropy 2.0)", 25, "expected '(' after hold_entropy, found '2.0'"),
        ("temperature(0.7", 15, "expected ',' or ')'"),
        ("temperature(0.7,,)", 16, "expected a number, a list or a thermostat"),
        ("temperature()", 0, "temperature needs thermostat; its arguments are temperature(thermostat)"),
        ("temperature(linear(1.0))", 12, "linear needs end, steps; its arguments are linear(start, end, steps)"),
        ("temperature(t=1)", 12, "temperature has no argument 't'; its arguments are temperature(thermostat)"),
        ("top_k(p=1)", 6, "top_k has no argument 'p'; its arguments are top_k(k)"),
        ("top_k(1, 2)", 9, "one value too many for top_k; its arguments are top_k(k)"),
        ("greedy(1)", 7, "one value too many for greedy; its arguments are greedy()"),
        (
            "hold_entropy(2.0, 64, 1.0)",
            22,
            "one value too many for hold_entropy, the others are given by name; its arguments are "
            "hold_entropy(target, horizon=None, unit='nats', start=None, coldest=None, hottest=None)",
        ),
        ("top_k(3, k=4)", 9, "k is given twice"),
        ("temperature(-1)", 12, "a temperature is never negative"),
        ("temperature(nan)", 12, "NaN is no temperature"),
        ("top_p(1.5)", 6, "p must lie in (0, 1]"),
        ("temperature(0.5) -> top_p(1.5)", 26, "p must lie in (0, 1]"),
        ("temperature(0.5) -> top_p(p=1.5)", 28, "p must lie in (0, 1]"),
        ("temperature(linear(1.0, -0.5, 10))", 24, "end must be a finite number >= 0, not -0.5"),
        ("temperature(linear(1.0, steps=10, end=-0.5))", 38, "end must be a finite number >= 0, not -0.5"),
        ("temperature(hold_entropy(1, 8, hottest=-2))", 39, "hottest"),
        ("temperature(0.5) # hot", 17, "has no meaning here"),
        ("temperature(٣)", 12, "'٣' has no meaning here"),
        ("greedy() -> top_k(3)", 12, "nothing can follow a draw, and greedy() draws"),
        ("greedy() -> categorical()", 12, "nothing can follow a draw, and greedy() draws"),
        ("hold_entropy(2.0) -> min_p(0.1)", 18, "put this inside temperature"),
        ("min_p(0.1) -> hold_entropy(2.0)", 14, "write temperature(hold_entropy(...))"),
        ("temperature(top_k(3))", 12, "top_k is a step"),
        (
            "temperature(__import__('os'))",
            12,
            "'__import__' is no number, thermostat or schedule; write a number such as 0.7, or a thermostat",
        ),
        ("min_p(p=0.1, p=0.2)", 13, "p is given twice"),
        ("constant([[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]])", 28, "nested more than"),
        ("temperature('0.7')", 12, "a temperature is a number"),
        ("temperature(1e999)", 12, "1e999 is more than a number can be; write inf"),
        ("temperature(-1e999)", 12, "-1e999 is more than a number can be; write -inf"),
        ("top-k(3)", 3, "a name has no '-'; did you mean top_k?"),
        ("temperature(0.7) -> min-p(0.1)", 23, "a name has no '-'; did you mean min_p?"),
        ("no-repeat-ngram(3)", 2, "did you mean no_repeat_ngram?"),
        (
            "temperature=0.7",
            11,
            "'=' has no meaning behind 'temperature'; write temperature(0.7), and '->' between steps",
        ),
        ("temperature=0.7, top_k=40", 11, "write temperature(0.7)"),
        ("temperature(0.7) -> top_k=40", 25, "write top_k(40)"),
        ("T=0.7", 1, "write temperature(0.7)"),
        ("T(0.7)", 0, "did you mean temperature?"),
        ("fixed=0.7", 5, "write fixed(0.7)"),
        ("temperature=", 11, "write temperature(...)"),
        ("zzz=0.7", 0, "nothing is called 'zzz'; known are "),
        ("by_function(1)", 0, "by_function has no text form: no text can say a function; make it in Python"),
        ("temperature(by_function(1))", 12, "by_function has no text form"),
        ("top_k(9999999999999999999999999)", 6, "top_k is too large; give 2**53 at most"),
        ("top_k([3, 9999999999999999999999999])", 6, "top_k is too large"),
        ("temperature(1e-999)", 12, "1e-999 is less than a number can be; write 0"),
    ],
)
def test_an_error_points_at_the_character(text, position, says):
    with pytest.raises(hb.SpecError, match=re.escape(says)) as caught:
        hb.parse(text)
    assert caught.value.position == position
    *_, shown, caret = str(caught.value).split("\n")
    assert shown == f"  {text}"
    assert caret.index("^") == position + 2


def test_what_has_no_text_form_is_not_suggested():
    for text in ("zzz()", "by_functio(1)", "temperature(zzz(1))"):
        with pytest.raises(hb.SpecError) as caught:
            hb.parse(text)
        assert "by_function" not in caught.value.instead


@given(st.text(alphabet="temperatuop_k(0.5)->[], =infgreedy'", max_size=40))
def test_no_text_raises_anything_but_a_spec_error(text):
    try:
        made = hb.parse(text)
    except hb.SpecError as error:
        inside = 0 <= error.position <= len(text)
        assert inside, error  # noqa: PT017  most texts do not parse, and pytest.raises would demand that all fail
    else:
        assert str(hb.parse(str(made))) == str(made)


@pytest.mark.parametrize("digits", [41, 400, 5000])
def test_a_number_has_an_end(digits):
    with pytest.raises(hb.SpecError, match=f"a number of {digits} characters; 40 are the most") as caught:
        hb.parse(f"temperature({'9' * digits})")
    assert caught.value.position == 12
    assert len(str(caught.value)) < 250


def test_the_longest_number_is_read():
    assert str(hb.parse(f"temperature(0.7{'0' * 37})")) == "temperature(0.7) -> categorical()"


@pytest.mark.parametrize(
    "text",
    ["x" * 9000, f"temperature('{'x' * 9000}')", f"top_k(3) '{'x' * 9000}'", f"top_k({'x' * 9000}=1)", "x" * 20_000],
)
def test_an_error_stays_short_whatever_the_text(text):
    with pytest.raises(hb.SpecError) as caught:
        hb.parse(text)
    assert len(str(caught.value)) < 700


def test_a_maker_that_breaks_is_not_taken_for_a_wrong_text(monkeypatch):
    def broken():
        raise ZeroDivisionError

    monkeypatch.setitem(MAKERS["step"], "broken", broken)
    with pytest.raises(ZeroDivisionError):
        hb.parse("broken()")


@pytest.mark.parametrize("text", [None, 7, b"greedy()", "x" * 20_000])
def test_what_is_no_text_or_too_long_is_refused(text):
    with pytest.raises(hb.SpecError):
        hb.parse(text)
