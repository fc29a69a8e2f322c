import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb

SCORES = 3 * np.random.default_rng(0).normal(size=(40, 5, 30))
PROFILE = hb.Profile.measure(SCORES, model="toy")
EFFECTS = ("entropy", "perplexity", "top_probability", "relative_entropy")
temperatures = st.floats(0, 1000) | st.sampled_from([0, 1, 0.7, math.inf])


@given(temperatures)
def test_the_effect_is_the_mean_over_positions(t):
    effect = PROFILE.effect(t)
    assert effect.entropy == pytest.approx(hb.entropy(SCORES, t).mean(), abs=0.003)
    assert effect.top_probability == pytest.approx(hb.top_probability(SCORES, t).mean(), abs=0.002)
    assert effect.relative_entropy == pytest.approx(effect.entropy / math.log(30), abs=1e-9)
    assert effect.perplexity == math.exp(effect.entropy)


def test_on_the_grid_the_effect_is_exact():
    for t in (0, 1, PROFILE.temperatures[30], math.inf):
        assert PROFILE.effect(t).entropy == pytest.approx(hb.entropy(SCORES, t).mean(), abs=1e-12)


@given(temperatures, temperatures)
def test_hotter_is_never_sharper(a, b):
    a, b = sorted((a, b))
    cold, hot = PROFILE.effect(a), PROFILE.effect(b)
    assert cold.entropy <= hot.entropy
    assert cold.top_probability >= hot.top_probability


@given(st.floats(0.02, 50), st.sampled_from(EFFECTS))
def test_the_knob_is_the_inverse_of_the_effect(t, name):
    wanted = getattr(PROFILE.effect(t), name)
    assert PROFILE.temperature_for(**{name: wanted}) == pytest.approx(t, rel=1e-6)


@given(st.floats(0, 1), st.sampled_from(EFFECTS))
def test_every_effect_in_range_is_reached(part, name):
    means = getattr(PROFILE, name).mean
    wanted = min(means) + part * (max(means) - min(means))
    t = PROFILE.temperature_for(**{name: wanted})
    assert getattr(PROFILE.effect(t), name) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "cold", "hot"),
    [
        ("entropy", 0.0, math.log(30)),
        ("perplexity", 1.0, 30.0),
        ("top_probability", 1.0, 1 / 30),
        ("relative_entropy", 0.0, 1.0),
    ],
)
def test_the_ends_of_the_knob_are_the_ends_of_t(name, cold, hot):
    means = getattr(PROFILE, name).mean
    assert means[0] == pytest.approx(cold)
    assert means[-1] == pytest.approx(hot)
    assert PROFILE.temperature_for(**{name: means[0]}) == 0
    assert PROFILE.temperature_for(**{name: means[-1]}) == math.inf


def test_where_several_temperatures_have_the_effect_the_coldest_is_taken():
    flat = hb.Profile.measure([np.array([5.0, 5.0]), np.array([1.0, 1.0])], model="ties")
    assert flat.temperature_for(entropy=flat.entropy.mean[0]) == 0


@pytest.mark.parametrize("ties", [2, 3, 5, 6, 7, 11])
def test_ties_at_the_cold_end(ties):
    """ln(exp(m)) may lie below m, the lowest entropy there is."""
    for tied in range(1, 6):
        rows = np.random.default_rng(tied).normal(size=(5, 12))
        rows[:tied, :ties] = 9.0
        profile = hb.Profile.measure(rows, model="ties")
        for name in EFFECTS:
            assert profile.temperature_for(**{name: getattr(profile.effect(0), name)}) == 0


@pytest.mark.parametrize("wanted", [{"entropy": 3.5}, {"entropy": -0.1}, {"perplexity": 31}, {"perplexity": 0.9}])
def test_an_effect_out_of_reach_names_the_range(wanted):
    with pytest.raises(hb.TargetError, match="it reaches") as refused:
        PROFILE.temperature_for(**wanted)
    assert str(refused.value).startswith("asking the profile of toy for a temperature on ")
    low, high = (float(word) for word in refused.value.why.split(",")[0].removeprefix("it reaches ").split(" to "))
    [name] = wanted
    means = getattr(PROFILE, name).mean
    assert (low, high) == (pytest.approx(min(means), abs=1e-3), pytest.approx(max(means), rel=1e-3))


@pytest.mark.parametrize("wanted", [{}, {"entropy": 1.0, "perplexity": 2.0}])
def test_exactly_one_effect_is_asked_for(wanted):
    with pytest.raises(hb.InputError, match="exactly one effect"):
        PROFILE.temperature_for(**wanted)


@pytest.mark.parametrize("value", [math.nan, "1", True, [1.0]])
def test_an_effect_is_a_number(value):
    with pytest.raises(hb.InputError, match="entropy must be a number, not "):
        PROFILE.temperature_for(entropy=value)


@pytest.mark.parametrize("t", [-1, math.nan, "1", None, [0.5, 0.7]])
def test_the_effect_is_asked_of_one_temperature(t):
    with pytest.raises(hb.InputError, match="asking a profile for an effect"):
        PROFILE.effect(t)


def test_a_thermostat_comes_out():
    thermostat = PROFILE.thermostat(perplexity=5.0)
    assert repr(thermostat) == f"fixed({PROFILE.temperature_for(perplexity=5.0)})"


def test_perplexity_is_the_exponential_of_the_mean():
    assert PROFILE.perplexity.mean[48] == pytest.approx(math.exp(hb.entropy(SCORES).mean()))
    assert PROFILE.perplexity.mean[48] < hb.perplexity(SCORES).mean()
    assert PROFILE.perplexity.error[48] == pytest.approx(PROFILE.perplexity.mean[48] * PROFILE.entropy.error[48])


def test_json_round_trip_to_the_last_digit():
    text = PROFILE.to_json()
    assert hb.Profile.from_json(text) == PROFILE
    assert hb.Profile.from_json(text.encode()) == PROFILE
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))["model"] == "toy"


def test_a_file_round_trip(tmp_path):
    PROFILE.save(tmp_path / "toy.json")
    assert hb.Profile.load(tmp_path / "toy.json") == PROFILE
    assert hb.Profile.load(str(tmp_path / "toy.json")) == PROFILE


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(hb.InputError, match="the file cannot be read: No such file") as refused:
        hb.Profile.load(tmp_path / "none.json")
    assert "none.json" in str(refused.value)


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(hb.InputError, match="the file cannot be written: No such file") as refused:
        PROFILE.save(tmp_path / "none" / "toy.json")
    assert refused.value.field == "path"


def test_a_profile_is_frozen():
    with pytest.raises(AttributeError):
        PROFILE.model = "other"


def spoiled(**changes):
    return json.dumps(json.loads(PROFILE.to_json()) | changes)


def without(name):
    data = json.loads(PROFILE.to_json())
    del data[name]
    return json.dumps(data)


CURVE = json.loads(PROFILE.to_json())["entropy"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no JSON"),
        ("{", "it is no JSON"),
        (b"\xff\xfe\xfd", "it is no profile"),
        ("[]", "it is no profile"),
        ("3", "it is no profile"),
        pytest.param("[" * 100_000, "it is no profile", id="too deep"),
        (None, "it is no profile"),
        ("{}", "it has no field 'format'"),
        (spoiled(format="other"), "its format is 'other'"),
        (without("model"), "it has no field 'model'"),
        (without("entropy"), "it has no field 'entropy'"),
        (spoiled(model=3), "the model's name is not a text"),
        (spoiled(positions=0), "positions must be a whole number >= 1"),
        (spoiled(samples=1.5), "samples must be a whole number >= 1"),
        (spoiled(temperatures=[0, 1]), "must rise from 0 to infinity"),
        (spoiled(temperatures=[0, 2, 1, "Infinity"]), "must rise from 0 to infinity"),
        (spoiled(temperatures=["a"]), "it is no profile"),
        (spoiled(temperatures=[0, 1, "Infinity"]), "one mean and one error for each of the 3"),
        (spoiled(entropy={"mean": CURVE["mean"]}), "it has no field 'error'"),
        (spoiled(entropy=CURVE | {"mean": CURVE["mean"][::-1]}), "entropy must never fall"),
        (spoiled(entropy=CURVE | {"mean": [math.nan] * 97}), "entropy must be finite"),
        (spoiled(entropy=CURVE | {"error": [-1.0] * 97}), "finite and not negative"),
        (spoiled(top_probability=CURVE), "top_probability must never rise"),
    ],
)
def test_what_is_no_profile_is_refused(text, why):
    with pytest.raises(hb.InputError, match=why) as refused:
        hb.Profile.from_json(text)
    assert refused.value.instead


def test_the_model_must_have_a_name():
    with pytest.raises(hb.InputError, match="the model's name is not a text"):
        hb.Profile.measure(SCORES, model=None)


# ------------------------------------------------------------------------------------------------- on a real model


@pytest.fixture(scope="module")
def written(stories):
    """Scores along eight texts that the model wrote at T = 1, ``(8, 100, V)``."""
    rng, kept = np.random.default_rng(1), []
    for scores, tokens in stories.streams(rows=8, length=100):
        kept.append(scores)
        tokens[:] = np.argmax(scores + rng.gumbel(size=scores.shape), axis=-1)
    return np.stack(kept, axis=1).astype(np.float64)


def test_interpolation_on_a_real_model(written):
    """The figure in the docstring of effect()."""
    profile = hb.Profile.measure(written, model="stories260K")
    for t in np.exp(np.linspace(math.log(0.02), math.log(60), 40)):
        assert profile.effect(t).entropy == pytest.approx(hb.entropy(written, t).mean(), abs=0.0015)


def test_the_knob_gives_the_effect_on_a_real_model(written):
    profile = hb.Profile.measure(written, model="stories260K")
    for wanted in (0.2, 1.0, 3.0):
        t = profile.temperature_for(entropy=wanted)
        assert hb.entropy(written, t).mean() == pytest.approx(wanted, abs=0.002)


@pytest.mark.parametrize("options", [3, 7, 30, 2048])
def test_the_exact_limits_are_reached(options):
    scores = np.random.default_rng(4).normal(size=(5, 3, options)).astype(np.float32)
    profile = hb.Profile.measure(scores, model="toy")
    for effect in (
        {"entropy": math.log(options)},
        {"perplexity": options},
        {"relative_entropy": 1.0},
        {"top_probability": 1 / options},
    ):
        assert profile.temperature_for(**effect) == math.inf
    for effect in ({"entropy": 0.0}, {"perplexity": 1}, {"relative_entropy": 0}, {"top_probability": 1}):
        assert profile.temperature_for(**effect) == 0


def test_the_range_in_the_message_can_be_asked_for():
    rows = [[[1.0, 0.0, 0.0]], [[1.0, -math.inf, -math.inf]], [[2.0, 0.0, 1.0]]]
    profile = hb.Profile.measure(map(np.array, rows), model="toy")
    with pytest.raises(hb.TargetError) as error:
        profile.temperature_for(relative_entropy=1.0)
    assert error.value.why == "it reaches 0 to 0.6666, at T from 0 to infinity"
    assert profile.temperature_for(relative_entropy=0.6666) < math.inf
