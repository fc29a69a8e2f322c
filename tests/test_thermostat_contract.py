"""What every thermostat and every schedule keeps. They are found in the registry: one without an example fails."""

import json
import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import (
    Glance,
    by_function,
    by_rule,
    by_text,
    coherence_guard,
    dynatemp,
    e3,
    edt,
    hold_surprise,
    loop_guard,
    thompson,
)
from heatbath.core import namespace
from heatbath.core.scores import read
from heatbath.made import MAKERS
from heatbath.sampling import row_of, stack
from heatbath.sampling.reading import surprisal
from heatbath.schedules import constant, cosine, cyclic, exponential, join, linear, logarithmic, step, warm_up

SCHEDULES = {
    "constant": [constant(0.7), constant(math.inf)],
    "linear": [linear(1.0, 0.0, 10), linear(0, 2, 3)],
    "cosine": [cosine(1.2, 0.4, 7)],
    "exponential": [exponential(5.0, 0.1, 12)],
    "logarithmic": [logarithmic(2.0)],
    "step": [step([1.0, 0.5, 0], [3, 9])],
    "warm_up": [warm_up(0.1, cosine(1.0, 0.5, 9), 4)],
    "cyclic": [cyclic(linear(1.0, 0.2, 5), 5)],
    "join": [join([linear(0.5, 1.0, 4), 0.7, logarithmic(0.7)], [4, 8])],
}


def by_entropy(glance):
    return 0.3 + 0.4 * glance.entropy


def by_top_score(scores):
    return 0.2 + 1 / (1 + abs(namespace(scores).max(scores, axis=-1)))


THERMOSTATS = {
    "fixed": [hb.fixed(0.7), hb.fixed(0)],
    "scheduled": [hb.scheduled(schedule) for examples in SCHEDULES.values() for schedule in examples],
    "hold_entropy": [
        hb.hold_entropy(1.0),
        hb.hold_entropy(1.0, coldest=0.3, hottest=2),
        hb.hold_entropy(0.8, 4),
        hb.hold_entropy(1.2, horizon=16, start=0.5, hottest=3.0),
        hb.hold_entropy(0.4, unit="share"),
        hb.hold_entropy(0.3, 8, unit="share"),
        hb.hold_entropy(0.7, unit="ratio", coldest=0.1),
        hb.hold_entropy(1.2, 8, unit="ratio"),
    ],
    "hold_surprise": [hold_surprise(1.0, 4), hold_surprise(0.5, 16, start=0.5, hottest=3.0)],
    "by_confidence": [
        hb.by_confidence(0.2, 1.2),
        hb.by_confidence(0.0, 1.5, "margin", exponent=2),
        hb.by_confidence(0.1, 1, "entropy", 0.5),
    ],
    "edt": [edt(1.0, 1.5), edt(0.8, 0.5, n=0.7, coldest=0.1)],
    "dynatemp": [dynatemp(0.8, 0.5), dynatemp(0.3, 0.5, 2)],
    "by_text": [
        by_text([["line_start", 0.8], ["after:said ", 1]], 0.6),
        by_text({"string": hb.hold_entropy(0.8, 4), "code": hold_surprise(1.0, 4)}, hb.schedules.linear(1.0, 0.2, 6)),
    ],
    "by_rule": [
        by_rule({"string": 1.0, "number": 0.2}, 0.7),
        by_rule([["number", loop_guard(0.5, window=6, length=2)]], hb.hold_entropy(1.0, 4)),
    ],
    "loop_guard": [
        loop_guard(0.3, window=6, length=2, allowed=0.1, horizon=4),
        loop_guard(hb.hold_entropy(1.0, 4), window=8),
    ],
    "coherence_guard": [
        coherence_guard(1.5, 0.3, horizon=4),
        coherence_guard(loop_guard(hb.by_confidence(0.2, 1.0), window=6), limit=0.2),
    ],
    "e3": [e3(0.3, options=8), e3(0.6, 1000, start=0.7, hottest=2.0)],
    "thompson": [
        thompson(0, 2),
        thompson(0.2, 1.4, features=["length"], knots=5, half_life=6, seed=7),
        thompson(0, 1.6, steps=5, floor=0.5, rewards=[-1, 1]),
    ],
    "from_feedback": [hb.from_feedback(0.8, 0.3), hb.from_feedback(1, 0.5, low=0.2, high=1.5, width=0.2, noise=0.3)],
    "by_function": [by_function(by_entropy), by_function(by_top_score, "scores")],
}
EVERY = [pytest.param(each, id=repr(each)) for examples in THERMOSTATS.values() for each in examples]

WRITTEN = [each for each in EVERY if each.values[0].made.name != "by_function"]
"""Those with a text form; a function has none."""

LENGTH, ROWS, OPTIONS = 12, 3, 8
STREAM = np.random.default_rng(0).normal(size=(LENGTH, ROWS, OPTIONS)) * np.array([[1.0], [3.0], [6.0]])


def test_every_maker_has_an_example():
    for kind, examples in (("thermostat", THERMOSTATS), ("schedule", SCHEDULES)):
        assert set(MAKERS[kind]) == set(examples), f"give every {kind} an example in this file"
        for name, made in examples.items():
            assert made
            assert all(each.made.name == name for each in made)


def as_plain(value):
    """Numbers and lists, as JSON has them."""
    if isinstance(value, list | tuple):
        return [as_plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def through_json(state):
    return json.loads(json.dumps(as_plain(state), allow_nan=False))


TEXTS = ["", "He said ", 'x = "a', "```py\nx", "The end.\n", "then", "1", "{'b"]
RULES = ["string", "number", "object", "number", "string", "value", "key", "number"]
LENGTHS = [0.0, 0.4, -1.0, True, 0.25, -0.5, 1.0, 0.75]


def context_of(scores):
    """What else is known: of each row by itself, so that a row alone is told what it is told among others."""
    best = as_plain(namespace(scores).argmax(scores, axis=-1))
    several = isinstance(best, list)
    return {
        key: [names[place] for place in best] if several else names[best]
        for key, names in (("text", TEXTS), ("rule", RULES), ("length", LENGTHS))
    }


def seen(scores):
    return hb.Seen(scores, context_of(scores))


def came_of(scores):
    """The best option was drawn."""
    choice = namespace(scores).argmax(scores, axis=-1)
    nats = surprisal(scores, choice)
    context = context_of(scores) | {"entropy": nats + 0.1, "temperature": 0.8}
    return hb.Outcome(reward=0.5, choice=choice, surprisal=nats, context=context)


def drive(thermostat, stream, state=None):
    """Temperatures, one per position, and the last state."""
    state = thermostat.init() if state is None else state
    temperatures = []
    for scores in stream:
        temperature, state = thermostat.step(state, seen(scores))
        temperatures.append(as_plain(temperature))
        state = thermostat.learn(state, came_of(scores))
    return temperatures, state


def numbers(state):
    """All numbers of a plain state, in order."""
    return [number for part in state for number in numbers(part)] if isinstance(state, list) else [state]


def per_row(temperatures):
    return np.array([np.broadcast_to(t, (ROWS,)) for t in temperatures])


@pytest.mark.parametrize("thermostat", [each for each in EVERY if each.values[0].glances])
def test_a_glance_is_all_that_one_who_glances_looks_at(thermostat):
    wanted = given = thermostat.init()
    for scores in STREAM:
        temperature, wanted = thermostat.step(wanted, seen(scores))
        shown = hb.Seen(None, context_of(scores), Glance(read(scores)))
        again, given = thermostat.step(given, shown)
        assert as_plain(again) == as_plain(temperature)
        assert as_plain(given) == as_plain(wanted)
        wanted, given = (thermostat.learn(state, came_of(scores)) for state in (wanted, given))


@pytest.mark.parametrize("thermostat", EVERY)
def test_what_one_does_not_hear_changes_nothing(thermostat):
    _, state = drive(thermostat, STREAM[:3])
    outcome = came_of(STREAM[3])._replace(surprisal_after=np.ones(ROWS))
    heard = {name: None for name in ("choice", "surprisal", "surprisal_after") if name not in thermostat.hears}
    assert as_plain(thermostat.learn(state, outcome._replace(**heard))) == as_plain(thermostat.learn(state, outcome))


@pytest.mark.parametrize("thermostat", EVERY)
def test_pure_the_same_in_gives_the_same_out_and_nothing_is_changed(thermostat):
    stream = STREAM.copy()
    _, middle = drive(thermostat, stream[:5])
    before = through_json(middle)
    first, last = drive(thermostat, stream[5:], middle)
    again, last_again = drive(thermostat, stream[5:], middle)
    assert first == again
    assert as_plain(last) == as_plain(last_again)
    assert through_json(middle) == before
    assert np.array_equal(stream, STREAM)
    assert as_plain(thermostat.init()) == as_plain(thermostat.init())


@pytest.mark.parametrize("thermostat", EVERY)
@pytest.mark.parametrize("row", [None, 0])
def test_the_state_survives_json_in_the_middle_of_a_stream(thermostat, row):
    stream = STREAM if row is None else STREAM[:, row]
    whole, end = drive(thermostat, stream)
    early, state = drive(thermostat, stream[:5])
    late, stored_end = drive(thermostat, stream[5:], through_json(state))
    assert early + late == whole
    assert through_json(stored_end) == through_json(end)


@pytest.mark.parametrize("thermostat", [each for each in EVERY if each.values[0].density])
def test_what_is_drawn_has_a_density_which_is_the_same_before_the_step_and_after_it(thermostat):
    _, state = drive(thermostat, STREAM[:5])
    for scores in STREAM[5:]:
        temperature, after = thermostat.step(state, seen(scores))
        before = np.array(thermostat.density(state, seen(scores), temperature))
        assert np.all(before > 0)
        assert np.array_equal(before, thermostat.density(after, seen(scores), temperature))
        state = thermostat.learn(after, came_of(scores))


@pytest.mark.parametrize("thermostat", EVERY)
def test_t_is_a_temperature(thermostat):
    temperatures, _ = drive(thermostat, STREAM)
    got = per_row(temperatures)
    assert np.all(got >= 0)  # False for NaN
    if "inf" not in repr(thermostat):
        assert np.all(np.isfinite(got))


@pytest.mark.parametrize("thermostat", EVERY)
def test_interleaved_streams_do_not_mix(thermostat):
    alone = [drive(thermostat, STREAM[:, row])[0] for row in (0, 1)]
    states, mixed = [thermostat.init(), thermostat.init()], [[], []]
    for position in range(LENGTH):
        for row in (0, 1):
            scores = STREAM[position, row]
            temperature, states[row] = thermostat.step(states[row], seen(scores))
            mixed[row].append(as_plain(temperature))
            states[row] = thermostat.learn(states[row], came_of(scores))
    assert mixed == alone


@pytest.mark.parametrize("thermostat", EVERY)
def test_a_batch_decides_for_each_row_as_if_it_were_alone(thermostat):
    together = per_row(drive(thermostat, STREAM)[0])
    alone = np.array([drive(thermostat, STREAM[:, row])[0] for row in range(ROWS)]).T
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("horizon", [None, 4])
def test_a_row_does_not_depend_on_the_targets_of_its_neighbours(horizon):
    targets = [0.5, 1.0, 1.9]
    together = per_row(drive(hb.hold_entropy(targets, horizon), STREAM)[0])
    alone = [drive(hb.hold_entropy(target, horizon), STREAM[:, row])[0] for row, target in enumerate(targets)]
    np.testing.assert_allclose(together, np.array(alone).T, rtol=1e-12)


@pytest.mark.parametrize("thermostat", EVERY)
def test_streams_can_be_put_together_and_taken_apart(thermostat):
    alone = [drive(thermostat, STREAM[:5, row])[1] for row in range(ROWS)]
    together, states = drive(thermostat, STREAM[5:], stack(alone))
    for row in range(ROWS):
        temperatures, state = drive(thermostat, STREAM[5:, row], alone[row])
        np.testing.assert_allclose(per_row(together)[:, row], temperatures, rtol=1e-12)
        apart = as_plain(row_of(thermostat.init(), states, row))
        for one, other in zip(numbers(apart), numbers(as_plain(state)), strict=True):
            assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize("thermostat", WRITTEN)
def test_the_text_form_makes_the_same_thermostat(thermostat):
    read = hb.parse(repr(thermostat))
    assert isinstance(read, hb.Thermostat)
    assert repr(read) == repr(thermostat)
    assert drive(read, STREAM)[0] == drive(thermostat, STREAM)[0]


@pytest.mark.parametrize("thermostat", WRITTEN)
def test_inside_a_chain(thermostat):
    sampler = hb.parse(f"temperature({thermostat!r}) -> min_p(0.01)")
    assert repr(sampler) == f"temperature({thermostat!r}) -> min_p(0.01) -> categorical()"
    state = sampler.init()
    for scores in STREAM:
        token, state, _ = sampler.step(state, scores, seed=7, context=context_of(scores))
        assert tuple(token.shape) == (ROWS,)


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("thermostat", EVERY)
def test_other_array_libraries_agree(thermostat, library):
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    array = module.as_tensor if library == "torch" else module.numpy.asarray
    stream = STREAM[:5].astype(np.float32)
    wanted, _ = drive(thermostat, stream)
    got, state = drive(thermostat, [array(scores) for scores in stream])
    np.testing.assert_allclose(per_row(got), per_row(wanted), rtol=2e-4)
    temperature, _ = thermostat.step(state, seen(array(stream[0])))
    assert isinstance(temperature, int | float | type(array(stream[0])))
    stored = through_json(as_plain(state))  # arrays on their device, as they were given
    assert as_plain(thermostat.step(stored, seen(array(stream[0])))[0]) == as_plain(temperature)
