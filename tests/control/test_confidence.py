import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import heatbath as hb

ROWS = np.log([[0.98, 0.01, 0.01], [0.4, 0.35, 0.25], [1 / 3, 1 / 3, 1 / 3]])
MEASURES = ("top_probability", "margin", "entropy")
rows = arrays(np.float64, (4, 6), elements=st.floats(-30, 30))


def decide(thermostat, scores):
    temperature, state = thermostat.step(thermostat.init(), hb.Seen(scores))
    assert state == ()
    return temperature


def test_the_formula_with_the_top_probability():
    np.testing.assert_allclose(decide(hb.by_confidence(0.2, 1.2), ROWS), 0.2 + 1.0 * (1 - np.array([0.98, 0.4, 1 / 3])))


def test_the_formula_with_the_margin():
    np.testing.assert_allclose(
        decide(hb.by_confidence(0.2, 1.2, "margin"), ROWS), 0.2 + 1.0 * (1 - np.array([0.97, 0.05, 0.0]))
    )


def test_the_entropy_is_dynatemp_of_llama_cpp():
    low, high, g = 0.3, 1.7, 1.5
    p = np.exp(ROWS)
    nats = -(p * ROWS).sum(axis=1)
    np.testing.assert_allclose(
        decide(hb.by_confidence(low, high, "entropy", exponent=g), ROWS),
        low + (high - low) * (nats / math.log(3)) ** g,
        atol=1e-12,
    )


@given(rows, st.sampled_from(MEASURES), st.floats(0.2, 5), st.floats(0, 2), st.floats(0, 2))
def test_t_stays_between_cold_and_hot(scores, measure, exponent, cold, more):
    temperature = decide(hb.by_confidence(cold, cold + more, measure, exponent), scores)
    assert np.all((temperature >= cold) & (temperature <= (cold + more) * (1 + 1e-12)))


@given(rows, st.sampled_from(MEASURES))
def test_surer_is_never_hotter(scores, measure):
    """Sharper scores are surer by every measure."""
    thermostat = hb.by_confidence(0.1, 1.0, measure)
    assert np.all(decide(thermostat, 2 * scores) <= decide(thermostat, scores) + 1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_ends(measure):
    sure, open_ = np.array([900.0, 0, 0, 0]), np.zeros(1000)
    thermostat = hb.by_confidence(0, 2.0, measure)
    assert decide(thermostat, sure) == 0
    assert decide(thermostat, open_) == pytest.approx(1.998 if measure == "top_probability" else 2.0)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("scores", [[3.0], [-np.inf, 1.0, -np.inf]])
def test_one_option_is_certain(measure, scores):
    assert decide(hb.by_confidence(0.25, 2.0, measure), np.array(scores)) == 0.25


def test_the_margin_sees_two_good_options():
    thermostat = hb.by_confidence(0, 1, "margin")
    two = np.concatenate([[10.0, 10.0], np.zeros(100)])
    assert decide(thermostat, two) == pytest.approx(1.0)
    assert decide(hb.by_confidence(0, 1, "entropy"), two) < 0.25


def test_forbidden_options_do_not_count():
    masked = np.concatenate([ROWS, np.full((3, 50), -np.inf)], axis=1)
    for measure in MEASURES:
        thermostat = hb.by_confidence(0.1, 1.0, measure)
        np.testing.assert_allclose(decide(thermostat, masked), decide(thermostat, ROWS))


@pytest.mark.parametrize("exponent", [0.5, 3.0])
def test_the_exponent_bends(exponent):
    plain, bent = (decide(hb.by_confidence(0, 1, exponent=e), ROWS) for e in (1.0, exponent))
    assert np.all(np.sign(plain - bent) == np.sign(exponent - 1))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((-0.1, 1.0), "cold"),
        ((math.nan, 1.0), "cold"),
        ((math.inf, math.inf), "cold"),
        ((True, 1.0), "cold"),
        ((1.0, 0.5), "hot"),
        ((0.1, math.inf), "hot"),
        ((0.1, None), "hot"),
        ((0.1, 1.0, "margin", 0), "exponent"),
        ((0.1, 1.0, "margin", math.nan), "exponent"),
        ((0.1, 1.0, "surprise"), "measure"),
        ((0.1, 1.0, None), "measure"),
        ((0.1, 1.0, ["margin"]), "measure"),
    ],
)
def test_bad_arguments_are_refused(arguments, field):
    with pytest.raises(hb.InputError) as refused:
        hb.by_confidence(*arguments)
    assert refused.value.field == field
    assert refused.value.doing == "making by_confidence"
    assert refused.value.instead


def test_there_must_be_scores_to_look_at():
    with pytest.raises(hb.InputError, match="setting T by confidence: it looks at the scores, and none were shown"):
        hb.by_confidence(0.2, 1.0).step((), hb.Seen())


def test_the_text_form_leaves_defaults_out():
    assert repr(hb.by_confidence(0.2, 1.2)) == "by_confidence(0.2, 1.2)"
    assert repr(hb.by_confidence(0.2, 1.2, "margin", 2)) == "by_confidence(0.2, 1.2, 'margin', 2)"
