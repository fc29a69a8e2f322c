import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import heatbath as hb
from heatbath.control import dynatemp, edt

ROWS = np.log([[0.98, 0.01, 0.01], [0.4, 0.35, 0.25], [1 / 3, 1 / 3, 1 / 3]])
rows = arrays(np.float64, (4, 6), elements=st.floats(-30, 30))


def decide(thermostat, scores):
    temperature, state = thermostat.step(thermostat.init(), hb.Seen(scores))
    assert state == ()
    return temperature


# ------------------------------------------------------------------------------------------------- edt


@pytest.mark.parametrize(("base", "theta", "n"), [(1.0, 1.5, 0.8), (0.7, 0.3, 0.5), (2.0, 4.0, 0.9)])
def test_edt_is_the_formula_of_the_paper(base, theta, n):
    nats = -(np.exp(ROWS) * ROWS).sum(axis=1)
    np.testing.assert_allclose(decide(edt(base, theta, n), ROWS), base * n ** (theta / nats), rtol=1e-12)


def test_edt_where_t_is_half_of_base():
    """The docstring's rule of thumb."""
    theta, scores = 1.2, np.arange(20.0)
    scores /= hb.temperature_for(scores, entropy=theta * math.log(1.25) / math.log(2))
    assert decide(edt(0.9, theta), scores) == pytest.approx(0.45)
    assert math.log(1.25) / math.log(2) == pytest.approx(0.32, abs=0.002)


@pytest.mark.parametrize("scores", [[3.0], [-np.inf, 1.0, -np.inf], [2000.0, 0.0, 0.0], [40.0, 0.0]])
def test_edt_at_certainty(scores):
    assert decide(edt(1.0, 1.5), np.array(scores)) == 0
    assert decide(edt(1.0, 1.5, coldest=0.2), np.array(scores)) == 0.2


@given(rows, st.floats(0, 3), st.floats(0.01, 20), st.floats(0.01, 0.99), st.floats(0, 1))
def test_edt_stays_between_its_ends(scores, base, theta, n, low):
    temperature = decide(edt(base, theta, n, coldest=low * base), scores)
    assert np.all((temperature >= low * base) & (temperature <= base))


@given(rows)
def test_edt_rises_with_the_entropy(scores):
    order = np.argsort(hb.entropy(scores))
    assert np.all(np.diff(decide(edt(1.0, 1.5), scores)[order]) >= 0)


def test_bits_would_be_another_theta():
    """The correction of the docstring: H in bits is larger, and theta with it."""
    nats = -(np.exp(ROWS) * ROWS).sum(axis=1)
    in_bits = 0.8 ** (1.5 / math.log(2) / (nats / math.log(2)))
    np.testing.assert_allclose(decide(edt(1.0, 1.5), ROWS), in_bits)
    assert 1 / math.log(2) == pytest.approx(1.44, abs=0.003)


# ------------------------------------------------------------------------------------------------- dynatemp


@pytest.mark.parametrize(("middle", "reach", "exponent"), [(0.8, 0.5, 1.0), (1.0, 0.3, 2.0), (0.3, 0.5, 0.5)])
def test_dynatemp_is_the_formula_of_llama_cpp(middle, reach, exponent):
    low, high = max(0.0, middle - reach), middle + reach
    nats = -(np.exp(ROWS) * ROWS).sum(axis=1)
    np.testing.assert_allclose(
        decide(dynatemp(middle, reach, exponent), ROWS),
        low + (high - low) * (nats / math.log(3)) ** exponent,
        atol=1e-12,
    )


def test_dynatemp_without_a_range_is_fixed():
    assert np.all(decide(dynatemp(0.8, 0), ROWS) == 0.8)


@pytest.mark.parametrize("scores", [[3.0], [-np.inf, 1.0]])
def test_one_option_is_no_division_by_zero(scores):
    assert decide(dynatemp(0.8, 0.5), np.array(scores)) == pytest.approx(0.3)
    chain = hb.chain(hb.temperature(dynatemp(0.4, 0.5)))  # T = 0 there
    assert chain.step((), np.array(scores), seed=1).choice == len(scores) - 1


def test_truncation_in_front_changes_it():
    scores = np.log([[0.5, 0.3, 0.1, 0.06, 0.04]])
    before = hb.chain(hb.temperature(dynatemp(0.8, 0.5)), hb.top_k(2)).scores((), scores).temperature
    behind = hb.chain(hb.top_k(2), hb.temperature(dynatemp(0.8, 0.5))).scores((), scores).temperature
    assert behind > before + 0.1


# ------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "arguments", "field"),
    [
        (edt, (-1, 1.5), "base"),
        (edt, (math.inf, 1.5), "base"),
        (edt, (1.0, 0), "theta"),
        (edt, (1.0, None), "theta"),
        (edt, (1.0, 1.5, 0), "n"),
        (edt, (1.0, 1.5, 1), "n"),
        (edt, (1.0, 1.5, math.nan), "n"),
        (edt, (1.0, 1.5, 0.8, 1.1), "coldest"),
        (edt, (1.0, 1.5, 0.8, -0.1), "coldest"),
        (dynatemp, (-0.1, 0.5), "temperature"),
        (dynatemp, (True, 0.5), "temperature"),
        (dynatemp, (0.8, -0.5), "range"),
        (dynatemp, (0.8, math.inf), "range"),
        (dynatemp, (0.8, 0.5, 0), "exponent"),
    ],
)
def test_bad_arguments_are_refused(make, arguments, field):
    with pytest.raises(hb.InputError) as refused:
        make(*arguments)
    assert refused.value.field == field
    assert refused.value.doing in (f"making {make.__name__}", "making by_confidence")
    assert refused.value.instead


@pytest.mark.parametrize("thermostat", [edt(1.0, 1.5), dynatemp(0.8, 0.5)])
def test_there_must_be_scores_to_look_at(thermostat):
    with pytest.raises(hb.InputError, match="it looks at the scores, and none were shown"):
        thermostat.step((), hb.Seen())


def test_the_text_forms():
    assert repr(edt(0.8, 1.5, coldest=0.1)) == "edt(0.8, 1.5, coldest=0.1)"
    assert repr(dynatemp(0.8, 0.5)) == "dynatemp(0.8, 0.5)"
    assert hb.parse("temperature(dynatemp(0.8, 0.5))").steps[0].made == hb.temperature(dynatemp(0.8, 0.5)).made
