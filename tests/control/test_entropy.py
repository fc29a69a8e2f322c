import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import heatbath as hb

ROWS = np.random.default_rng(1).normal(size=(6, 30)) * np.array([[0.5], [1], [2], [4], [8], [16]])


def drive(thermostat, stream, state=None):
    """T and entropy at each position of a stream ``(positions, ..., V)``, and the last state."""
    state = thermostat.init() if state is None else state
    temperatures, entropies = [], []
    for scores in stream:
        temperature, state = thermostat.step(state, hb.Seen(scores))
        temperatures.append(np.asarray(temperature))
        entropies.append(np.asarray(hb.entropy(scores, temperature)))
    return np.array(temperatures), np.array(entropies), state


# ------------------------------------------------------------------------------------------------- every decision


def test_each_row_meets_the_target():
    temperature, state = hb.hold_entropy(1.5).step((), hb.Seen(ROWS))
    np.testing.assert_allclose(hb.entropy(ROWS, temperature), 1.5, rtol=1e-12)
    assert state == ()
    assert np.ptp(np.log(temperature)) > 2  # they needed very different temperatures


def test_the_unit_of_the_scores_does_not_matter():
    small, _ = hb.hold_entropy(1.5).step((), hb.Seen(ROWS))
    large, _ = hb.hold_entropy(1.5).step((), hb.Seen(1e6 * ROWS))
    np.testing.assert_allclose(large, 1e6 * small, rtol=1e-9)


def test_one_target_per_row():
    targets = [0.1, 0.5, 1.0, 2.0, 3.0, 3.3]
    temperature, _ = hb.hold_entropy(targets).step((), hb.Seen(ROWS))
    np.testing.assert_allclose(hb.entropy(ROWS, temperature), targets, rtol=1e-12)


def test_a_target_per_row_must_fit_the_rows():
    with pytest.raises(hb.InputError, match=r"target has shape \(2,\), and the scores have \(6,\) rows"):
        hb.hold_entropy([1.0, 2.0]).step((), hb.Seen(ROWS))


def test_too_few_options_give_the_hot_end_and_spare_the_other_rows():
    scores = np.array([[1.0, 0.0, -np.inf, -np.inf], [3.0, 2.0, 1.0, 0.0]])
    temperature, _ = hb.hold_entropy(1.0).step((), hb.Seen(scores))
    assert temperature[0] == math.inf
    assert hb.entropy(scores, temperature)[1] == pytest.approx(1.0)
    bounded, _ = hb.hold_entropy(1.0, hottest=7.0).step((), hb.Seen(scores))
    assert bounded[0] == 7.0


def test_a_target_of_zero_is_argmax():
    temperature, _ = hb.hold_entropy(0).step((), hb.Seen(ROWS))
    assert np.all(temperature == 0)


def test_tied_maxima_share_the_choice_at_the_cold_end():
    scores = np.array([[2.0, 2.0, 2.0, 0.0], [5.0, 5.0, 5.0, 5.0]])
    temperature, _ = hb.hold_entropy(0.5).step((), hb.Seen(scores))
    assert np.all(temperature > 0)  # at T = 0 a chain would always take the first of them
    np.testing.assert_allclose(hb.softmax(scores, temperature), [[1 / 3, 1 / 3, 1 / 3, 0], [0.25] * 4], atol=1e-6)


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("ties", [2, 50, 66, 67, 1000, 50_000])
def test_many_tied_maxima_share_the_choice_in_single_precision_too(library, ties):
    module = pytest.importorskip("jax.numpy" if library == "jax" else library)
    scores = np.zeros((1, 2 * ties), dtype=np.float32)
    scores[:, ties:] = -1
    temperature, _ = hb.hold_entropy(0.5).step((), hb.Seen(module.asarray(scores)))
    assert 0 < float(temperature[0]) < 0.15
    assert float(hb.entropy(scores, float(temperature[0]))[0]) == pytest.approx(math.log(ties), abs=2e-5)


def test_bounds_hold():
    temperature, _ = hb.hold_entropy(1.5, coldest=0.5, hottest=2.0).step((), hb.Seen(ROWS))
    free, _ = hb.hold_entropy(1.5).step((), hb.Seen(ROWS))
    np.testing.assert_allclose(temperature, np.clip(free, 0.5, 2.0), rtol=1e-12)
    assert {0.5, 2.0} < set(temperature.tolist())


@given(arrays(np.float64, (3, 5), elements=st.floats(-50, 50) | st.just(-np.inf)), st.floats(0, 5))
def test_whatever_the_rows_a_temperature_comes_out(scores, target):
    scores[:, 0] = np.where(np.isinf(scores).all(axis=1), 0.0, scores[:, 0])
    temperature, _ = hb.hold_entropy(target).step((), hb.Seen(scores))
    assert np.all(temperature >= 0)
    reachable = np.clip(target, hb.entropy(scores, 0.0), hb.entropy(scores, math.inf))
    np.testing.assert_allclose(hb.entropy(scores, temperature), reachable, atol=2e-6)


# ------------------------------------------------------------------------------------------------- the running mean


def certain_and_open(rng, length, rows, options=50):
    """Two thirds of the positions certain, one third open, in no order."""
    sharp = np.where(rng.random((length, rows, 1)) < 2 / 3, 12.0, 1.5)
    return sharp * rng.normal(size=(length, rows, options))


@pytest.mark.parametrize("horizon", [16, 64])
@pytest.mark.parametrize("target", [0.3, 1.0, 2.0])
def test_the_mean_of_a_long_stream_is_the_target(target, horizon):
    stream = certain_and_open(np.random.default_rng(2), 40 * horizon, rows=8)
    temperatures, entropies, _ = drive(hb.hold_entropy(target, horizon), stream)
    settled = entropies[5 * horizon :]
    assert settled.mean() == pytest.approx(target, rel=0.02)
    np.testing.assert_allclose(settled.mean(axis=0), target, rtol=0.05)  # each stream by itself
    assert np.std(settled) > 0.5 * target  # and not each position: certain ones stay certain
    assert np.log(temperatures[5 * horizon :]).std() < 2.5 / math.sqrt(horizon)


def one_peak(_rng):
    """One option above thousands of equals: entropy appears all at once as T rises."""
    return np.array([12.0] + [0.0] * 20_000)


def head_and_bulk(rng):
    """What language models give: a few good options, above the rest by a gap that changes from word to word."""
    scores = 1.5 * rng.normal(size=2000)
    few = rng.integers(1, 20)
    scores[:few] += rng.gamma(4, 3) + rng.normal(size=few)
    return scores


@pytest.mark.parametrize("make", [one_peak, head_and_bulk])
@pytest.mark.parametrize("target", [0.3, 1.0, 3.0])
def test_the_smallest_horizon_holds_the_mean(target, make):
    rng = np.random.default_rng(20)
    _, entropies, _ = drive(hb.hold_entropy(target, 4), (make(rng) for _ in range(1500)))
    error = max(3 * entropies[100:].std() / math.sqrt(1400), 0.03 * target)
    assert entropies[100:].mean() == pytest.approx(target, abs=error)


@pytest.mark.parametrize("start", [0.1, 4.0])
def test_a_wrong_start_is_forgotten_in_a_few_horizons(start):
    stream = certain_and_open(np.random.default_rng(3), 400, rows=100)
    temperatures, entropies, _ = drive(hb.hold_entropy(1.0, 50, start=start, coldest=0.05, hottest=5.0), stream)
    assert np.all(temperatures[0] == start)
    settled = np.log(temperatures[-50:]).mean()
    assert abs(np.log(temperatures[150:200]).mean() - settled) < 0.1 * abs(math.log(start) - settled)
    assert entropies[200:].mean() == pytest.approx(1.0, rel=0.03)


def test_drift_is_followed():
    rng = np.random.default_rng(4)
    scale = np.linspace(1, 5, 4000)[:, None, None]  # the same model in units that grow: T must grow with them
    stream = scale * rng.normal(size=(4000, 8, 50)) * 2
    temperatures, entropies, _ = drive(hb.hold_entropy(1.5, 40), stream)
    assert entropies[200:].mean() == pytest.approx(1.5, rel=0.02)
    assert temperatures[-200:].mean() / temperatures[200:400].mean() == pytest.approx(4.9 / 1.3, rel=0.15)


def test_an_abrupt_change_is_followed_within_a_few_horizons():
    rng = np.random.default_rng(5)
    stream = np.concatenate([1.0 * rng.normal(size=(1000, 50, 40)), 3.0 * rng.normal(size=(1000, 50, 40))])
    temperatures, entropies, _ = drive(hb.hold_entropy(2.0, 50), stream)
    assert entropies[1000:1010].mean() < 1.2  # the change is felt
    assert entropies[1200:1250].mean() == pytest.approx(2.0, rel=0.05)
    assert temperatures[-100:].mean() / temperatures[900:1000].mean() == pytest.approx(3.0, rel=0.05)


def test_t_is_decided_before_the_scores_are_looked_at():
    thermostat = hb.hold_entropy(1.0, 32)
    _, _, state = drive(thermostat, certain_and_open(np.random.default_rng(6), 20, rows=2))
    sure, _ = thermostat.step(state, hb.Seen(np.eye(2, 50) * 40))
    unsure, _ = thermostat.step(state, hb.Seen(np.zeros((2, 50))))
    assert sure.tolist() == unsure.tolist()


def test_one_decision_moves_t_by_little():
    temperatures, _, _ = drive(hb.hold_entropy(1.0, 64), certain_and_open(np.random.default_rng(7), 2000, rows=4))
    assert np.abs(np.diff(np.log(temperatures), axis=0)).max() < 8 / 64


def test_no_windup_at_the_bounds():
    """After a thousand certain positions T stands at its upper bound, and leaves it at the first open ones."""
    rng = np.random.default_rng(8)
    sure, open_ = np.zeros((1000, 30)), 2.0 * rng.normal(size=(300, 30))
    sure[:, 0] = 60.0
    thermostat = hb.hold_entropy(1.0, 32, hottest=3.0)
    temperatures, _, state = drive(thermostat, sure)
    assert temperatures[-1] == pytest.approx(3.0)
    assert temperatures.max() <= 3.0
    temperatures, entropies, _ = drive(thermostat, open_, state)
    assert temperatures[5] < 3.0
    assert entropies[100:].mean() == pytest.approx(1.0, rel=0.1)


def test_a_target_out_of_reach_waits_at_the_bound():
    scores = np.zeros((500, 4))
    temperatures, _, state = drive(hb.hold_entropy(2.0, 8, hottest=2.0), scores)  # ln 4 is all there is
    assert temperatures[-1] == pytest.approx(2.0)
    assert all(math.isfinite(float(part)) for part in state)
    temperatures, _, _ = drive(hb.hold_entropy(0.0, 8), scores)
    assert temperatures[-1] == pytest.approx(1 / 20)


def test_a_position_with_one_option_is_no_decision():
    forced = np.full((2, 30), -np.inf)
    forced[0, 7] = 1.0
    forced[1] = np.arange(30) / 10
    thermostat = hb.hold_entropy(1.0, 16)
    _, _, before = drive(thermostat, certain_and_open(np.random.default_rng(9), 10, rows=2, options=30))
    _, after = thermostat.step(before, hb.Seen(forced))
    for old, new in zip(before, after, strict=True):
        assert new[0] == old[0]
        assert new[1] != old[1]


def test_streams_of_a_batch_are_independent():
    stream = certain_and_open(np.random.default_rng(10), 200, rows=3)
    together, _, _ = drive(hb.hold_entropy(1.0, 20), stream)
    for row in range(3):
        alone, _, _ = drive(hb.hold_entropy(1.0, 20), stream[:, row])
        np.testing.assert_array_equal(together[:, row], alone)


def test_targets_per_row_with_a_horizon():
    stream = certain_and_open(np.random.default_rng(11), 1500, rows=2)
    _, entropies, _ = drive(hb.hold_entropy([0.5, 2.0], 30), stream)
    np.testing.assert_allclose(entropies[150:].mean(axis=0), [0.5, 2.0], rtol=0.03)


def test_gradients_of_the_stream_are_not_carried_along():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    thermostat = hb.hold_entropy(1.0, 8)
    temperature, state = thermostat.step(thermostat.init(), hb.Seen(torch.randn(3, 5, requires_grad=True)))
    assert not temperature.requires_grad
    assert not any(part.requires_grad for part in state)


def test_the_controller_runs_inside_jit():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    thermostat = hb.hold_entropy(1.0, 8)
    scores = jax.numpy.asarray(ROWS, dtype="float32")

    def step(state, scores):
        return thermostat.step(state, hb.Seen(scores))

    plain, state = step(thermostat.init(), scores)
    plain, _ = step(state, scores)
    traced, state = jax.jit(step)(thermostat.init(), scores)
    traced, _ = jax.jit(step)(state, scores)
    np.testing.assert_allclose(traced, plain, rtol=1e-5)


def test_the_state_goes_through_json():
    thermostat = hb.hold_entropy(1.0, 16)
    stream = certain_and_open(np.random.default_rng(12), 40, rows=3)
    _, _, state = drive(thermostat, stream[:20])
    stored = json.loads(json.dumps(state))
    np.testing.assert_array_equal(drive(thermostat, stream[20:], stored)[0], drive(thermostat, stream[20:], state)[0])


# ------------------------------------------------------------------------------------------------- on a real model


def test_a_real_model_writing_its_own_text(stories):
    """The loop is closed here: T decides the text, and the text decides the entropy."""
    horizon, target, rng = 32, 1.0, np.random.default_rng(13)
    thermostat = hb.hold_entropy(target, horizon)
    state, entropies, temperatures = thermostat.init(), [], []
    for scores, tokens in stories.streams(rows=12, length=400):
        temperature, state = thermostat.step(state, hb.Seen(scores))
        entropies.append(hb.entropy(scores, temperature))
        temperatures.append(temperature)
        tokens[:] = np.argmax(scores / temperature[:, None] + rng.gumbel(size=scores.shape), axis=-1)
    settled = np.array(entropies[4 * horizon :])
    assert settled.mean() == pytest.approx(target, rel=0.03)
    np.testing.assert_allclose(settled.mean(axis=0), target, rtol=0.1)
    assert settled.std() > 0.7  # single positions differ as they should
    assert np.log(temperatures[4 * horizon :]).std() < 0.25


# ------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("target", [-0.1, math.nan, math.inf, "2", None, True, [1.0, -1.0], [], [[1], [2, 3]], 1j])
def test_a_bad_target_is_refused(target):
    with pytest.raises(hb.InputError, match="the target must be a finite number of nats >= 0") as refused:
        hb.hold_entropy(target)
    assert refused.value.field == "target"


@pytest.mark.parametrize("horizon", [0, -1, 1, 3, 2.5, 64.0, True, "64", math.nan])
def test_a_bad_horizon_is_refused(horizon):
    with pytest.raises(hb.InputError, match="horizon must be a whole number >= 4") as refused:
        hb.hold_entropy(1.0, horizon)
    assert refused.value.field == "horizon"


@pytest.mark.parametrize("horizon", [2**53 + 1, 10**400], ids=["beyond float64", "beyond all floats"])
def test_a_horizon_beyond_all_counts_is_refused(horizon):
    with pytest.raises(hb.InputError, match="horizon is too large") as refused:
        hb.hold_entropy(1.0, horizon)
    assert refused.value.field == "horizon"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"coldest": -1}, "coldest"),
        ({"coldest": math.nan}, "coldest"),
        ({"coldest": 2, "hottest": 1}, "hottest"),
        ({"hottest": 0}, "hottest"),
        ({"hottest": "hot"}, "hottest"),
        ({"start": 1.0}, "start"),
        ({"horizon": 8, "start": 0}, "start"),
        ({"horizon": 8, "start": math.inf}, "start"),
        ({"horizon": 8, "start": 10**400}, "start"),
        ({"horizon": 8, "coldest": 0}, "coldest"),
        ({"horizon": 8, "hottest": math.inf}, "hottest"),
        ({"horizon": 8, "coldest": 2, "hottest": 3}, "start"),
    ],
)
def test_bad_bounds_are_refused(arguments, field):
    with pytest.raises(hb.InputError) as refused:
        hb.hold_entropy(1.0, **arguments)
    assert refused.value.field == field
    assert refused.value.doing == "making hold_entropy"
    assert refused.value.instead


@pytest.mark.parametrize("horizon", [None, 8])
def test_there_must_be_scores_to_look_at(horizon):
    thermostat = hb.hold_entropy(1.0, horizon)
    with pytest.raises(hb.InputError, match="it looks at the scores, and none were shown"):
        thermostat.step(thermostat.init(), hb.Seen())


NO_STATES = [
    *((), 3, "ab", (1.0,), (1.0, 2.0, 3.0), None, {"a": 1, "b": 2}, ("a", "b"), (None, 1.0), (1.0, None)),
    *((-1.0, 2.0), (0, 2.0), (1.0, math.nan), (np.full(6, np.nan), 1.0), (1.0, np.full(6, -1.0))),
]


@pytest.mark.parametrize("state", NO_STATES)
def test_a_foreign_state_is_refused(state):
    with pytest.raises(hb.InputError) as refused:
        hb.hold_entropy(1.0, 8).step(state, hb.Seen(ROWS))
    assert refused.value.field == "state"


def test_a_state_of_other_rows_is_refused():
    thermostat = hb.hold_entropy(1.0, 8)
    _, state = thermostat.step(thermostat.init(), hb.Seen(ROWS))
    with pytest.raises(hb.InputError, match=r"state has shape \(6,\), and the scores have \(2,\) rows"):
        thermostat.step(state, hb.Seen(ROWS[:2]))


def test_the_text_form_leaves_defaults_out():
    assert repr(hb.hold_entropy(2.0)) == "hold_entropy(2.0)"
    assert repr(hb.hold_entropy(2.0, 64, hottest=1.5)) == "hold_entropy(2.0, 64, hottest=1.5)"


@pytest.mark.parametrize(("thermostat", "most"), [(hb.hold_entropy(1.0, 8), 2), (hb.by_confidence(0.2, 1.0), 2)])
def test_a_step_waits_for_the_device_only_to_check_scores_and_state(monkeypatch, thermostat, most):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    scores, waits, truth = torch.randn(4, 50), [], torch.Tensor.__bool__
    _, state = thermostat.step(thermostat.init(), hb.Seen(scores))
    monkeypatch.setattr(torch.Tensor, "__bool__", lambda flag: waits.append(flag) or truth(flag))
    thermostat.step(state, hb.Seen(scores))
    assert len(waits) <= most
