"""Entropy held in shares and ratios; what is common to all units is tested in test_entropy.py."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import heatbath as hb

ROWS = np.random.default_rng(1).normal(size=(6, 30)) * np.array([[0.5], [1], [2], [4], [8], [16]])


def drive(thermostat, stream):
    """T, entropy and entropy at T = 1 at each position of a stream ``(positions, ..., V)``."""
    state, seen = thermostat.init(), []
    for scores in stream:
        temperature, state = thermostat.step(state, hb.Seen(scores))
        seen.append((np.asarray(temperature), hb.entropy(scores, temperature), hb.entropy(scores)))
    return (np.array(values) for values in zip(*seen, strict=True))


def certain_and_open(rng, length, rows, options=50):
    sharp = np.where(rng.random((length, rows, 1)) < 2 / 3, 12.0, 1.5)
    return sharp * rng.normal(size=(length, rows, options))


# ------------------------------------------------------------------------------------------------- every decision


def test_each_row_has_its_share():
    temperature, _ = hb.hold_entropy(0.4, unit="share").step((), hb.Seen(ROWS))
    np.testing.assert_allclose(hb.entropy(ROWS, temperature) / math.log(30), 0.4, rtol=1e-12)
    np.testing.assert_allclose(temperature, hb.temperature_for(ROWS, relative_entropy=0.4), rtol=1e-12)


def test_a_share_is_that_of_the_options_that_are_left():
    scores = np.array([[3.0, 2.0, 1.0, 0.0], [3.0, 2.0, -np.inf, -np.inf]])
    temperature, _ = hb.hold_entropy(0.5, unit="share").step((), hb.Seen(scores))
    np.testing.assert_allclose(hb.entropy(scores, temperature), [0.5 * math.log(4), 0.5 * math.log(2)])


def test_each_row_has_its_ratio():
    temperature, _ = hb.hold_entropy(0.7, unit="ratio").step((), hb.Seen(ROWS))
    np.testing.assert_allclose(hb.entropy(ROWS, temperature) / hb.entropy(ROWS), 0.7, rtol=1e-9)
    same, _ = hb.hold_entropy(1, unit="ratio").step((), hb.Seen(ROWS))
    np.testing.assert_allclose(same, 1.0, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends(dtype):
    scores = ROWS.astype(dtype)
    for unit in ("share", "ratio"):
        assert np.all(hb.hold_entropy(0, unit=unit).step((), hb.Seen(scores))[0] == 0)
    assert np.all(hb.hold_entropy(1, unit="share").step((), hb.Seen(scores))[0] == math.inf)
    assert np.all(hb.hold_entropy(1e12, unit="ratio", hottest=7).step((), hb.Seen(scores))[0] == 7)


@given(
    arrays(np.float64, (3, 5), elements=st.floats(-50, 50) | st.just(-np.inf)),
    st.sampled_from(["share", "ratio"]),
    st.floats(0, 1),
)
def test_whatever_the_rows_a_temperature_comes_out(scores, unit, target):
    scores[:, 0] = np.where(np.isinf(scores).all(axis=1), 0.0, scores[:, 0])
    temperature, _ = hb.hold_entropy(target, unit=unit).step((), hb.Seen(scores))
    most = hb.entropy(scores, math.inf)
    wanted = target * (most if unit == "share" else hb.entropy(scores))
    np.testing.assert_allclose(
        hb.entropy(scores, temperature), np.clip(wanted, hb.entropy(scores, 0.0), most), atol=2e-6
    )


# ------------------------------------------------------------------------------------------------- the running mean


def effect(unit, nats, at_one, options=50):
    """What is held: per stream."""
    return nats.mean(axis=0) / (math.log(options) if unit == "share" else at_one.mean(axis=0))


HELD = [("share", 0.1), ("share", 0.4), ("ratio", 0.4), ("ratio", 1.0), ("ratio", 1.6)]


@pytest.mark.parametrize(("unit", "target"), HELD)
@pytest.mark.parametrize("horizon", [4, 16, 64])
def test_the_mean_of_a_long_stream_is_the_target(unit, target, horizon):
    stream = certain_and_open(np.random.default_rng(2), max(40 * horizon, 600), rows=8)
    temperatures, nats, at_one = drive(hb.hold_entropy(target, horizon, unit=unit), stream)
    held = effect(unit, nats[5 * horizon :], at_one[5 * horizon :])
    assert held.mean() == pytest.approx(target, rel=0.02 if horizon > 4 else 0.05)
    np.testing.assert_allclose(held, target, rtol=0.1)
    assert np.log(temperatures[5 * horizon :]).std() < 2.5 / math.sqrt(horizon)


@pytest.mark.parametrize(("unit", "target"), HELD)
@pytest.mark.parametrize("start", [0.1, 4.0])
def test_from_any_start_it_comes_back_and_stays(unit, target, start):
    """Stability: of a hundred streams each forgets its start, and none swings ever wider."""
    stream = certain_and_open(np.random.default_rng(3), 1200, rows=100)
    thermostat = hb.hold_entropy(target, 32, unit=unit, start=start, coldest=0.05, hottest=5.0)
    temperatures, _, _ = drive(thermostat, stream)
    late = np.log(temperatures[-300:])
    assert abs(np.log(temperatures[130:160]).mean() - late.mean()) < 0.1 * abs(math.log(start) - late.mean())
    assert late[-150:].std() < 1.2 * late[:150].std()
    assert late.std() < 0.45


def test_a_ratio_of_one_leaves_t_alone():
    temperatures, _, _ = drive(hb.hold_entropy(1.0, 8, unit="ratio"), certain_and_open(np.random.default_rng(4), 50, 2))
    np.testing.assert_allclose(temperatures, 1.0, rtol=1e-9)


def test_a_share_counts_every_decision_alike_whatever_its_options():
    """Four options and forty in turn: the mean of the shares is held, not the share of the mean."""
    rng, thermostat = np.random.default_rng(5), hb.hold_entropy(0.5, 16, unit="share")
    state, shares = thermostat.init(), []
    for position in range(3000):
        options = 4 if position % 2 else 40
        scores = 2.0 * rng.normal(size=options)
        temperature, state = thermostat.step(state, hb.Seen(scores))
        shares.append(hb.entropy(scores, temperature) / math.log(options))
    assert np.mean(shares[200:]) == pytest.approx(0.5, rel=0.01)


def test_a_real_model_writing_its_own_text(stories):
    """As in the docstring: the text answers to T, and T moves the less the more alike both entropies answer."""
    spread = {}
    for unit, target in (("nats", 1.0), ("share", 0.16), ("ratio", 0.8)):
        rng, thermostat = np.random.default_rng(13), hb.hold_entropy(target, 32, unit=unit)
        state, seen = thermostat.init(), []
        for scores, tokens in stories.streams(rows=12, length=400):
            temperature, state = thermostat.step(state, hb.Seen(scores))
            seen.append((temperature, hb.entropy(scores, temperature), hb.entropy(scores)))
            tokens[:] = np.argmax(scores / temperature[:, None] + rng.gumbel(size=scores.shape), axis=-1)
        temperatures, nats, at_one = np.moveaxis(np.array(seen[128:]), 1, 0)
        held = nats.mean(axis=0) if unit == "nats" else effect(unit, nats, at_one, options=512)
        assert held.mean() == pytest.approx(target, rel=0.03)
        spread[unit] = np.log(temperatures).std()
    assert spread["ratio"] < 0.5 * spread["nats"]


# ------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("unit", "target", "why"),
    [
        ("share", 1.1, "a share from 0 to 1, not 1.1"),
        ("share", -0.1, "a share from 0 to 1"),
        ("ratio", -1, "a finite ratio >= 0"),
        ("ratio", math.inf, "a finite ratio >= 0"),
        ("share", [0.5, 2], "a share from 0 to 1"),
    ],
)
def test_a_target_outside_its_unit_is_refused(unit, target, why):
    with pytest.raises(hb.InputError, match=why) as refused:
        hb.hold_entropy(target, unit=unit)
    assert refused.value.field == "target"
    assert f"unit='{unit}'" in refused.value.instead


@pytest.mark.parametrize("unit", ["bits", None, 1, ["share"]])
def test_an_unknown_unit_is_refused(unit):
    with pytest.raises(hb.InputError, match="known are nats, share, ratio") as refused:
        hb.hold_entropy(0.5, unit=unit)
    assert refused.value.field == "unit"


def test_the_text_form():
    assert repr(hb.hold_entropy(0.5, unit="share")) == "hold_entropy(0.5, unit='share')"
    assert repr(hb.hold_entropy(0.5, 64, unit="nats")) == "hold_entropy(0.5, 64)"
