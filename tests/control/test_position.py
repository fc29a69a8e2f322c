import json

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import by_rule, by_text, hold_surprise, loop_guard

SCORES = np.random.default_rng(0).normal(size=(3, 20)) * 2


def decide(thermostat, text, scores=None, key="text"):
    return thermostat.step(thermostat.init(), hb.Seen(scores, {key: text}))[0]


# ------------------------------------------------------------------------------------------------- by_text


def test_t_of_the_place():
    thermostat = by_text({"line_start": 0.8, "string": 1.0}, otherwise=0.6)
    assert decide(thermostat, "a\n") == 0.8
    assert decide(thermostat, 'a = "b') == 1.0
    assert decide(thermostat, "a") == 0.6


def test_the_first_rule_that_fits_decides():
    assert decide(by_text([["indentation", 0.9], ["line_start", 0.5]], 0.1), "a\n  ") == 0.9
    assert decide(by_text([["line_start", 0.5], ["indentation", 0.9]], 0.1), "a\n  ") == 0.5


def test_adapt():
    """Hot where a line of an indented block begins, cold in the rest."""
    code, thermostat = "def add(a, b):\n    c = a + b\n    return c\n", by_text({"indentation": 0.8}, 0.6)
    hot = [end for end in range(len(code)) if decide(thermostat, code[:end]) == 0.8 and code[end] != " "]
    assert [code[end:].split(" ")[0] for end in hot] == ["c", "return"]


@pytest.mark.parametrize("scores", [None, SCORES])
def test_each_row_has_its_text(scores):
    temperature = decide(by_text({"line_start": 0.8}, 0.6), ["a\n", "a", ""], scores)
    np.testing.assert_array_equal(temperature, [0.8, 0.6, 0.8])


def test_one_text_for_all_rows():
    assert decide(by_text({"line_start": 0.8}, 0.6), "a\n", SCORES) == 0.8


def test_through_a_sampler():
    sampler = hb.chain(hb.temperature(by_text({"after:do ": 0}, otherwise=np.inf)), hb.min_p(0.5))
    drawn = [
        sampler.step(sampler.init(), SCORES, seed=seed, context={"text": ["do ", "or ", "do "]}).choice.tolist()
        for seed in range(20)
    ]
    best = SCORES.argmax(axis=1)
    assert all(choice[0] == best[0] and choice[2] == best[2] for choice in drawn)
    assert len({choice[1] for choice in drawn}) > 5


@pytest.mark.parametrize("vocabulary", [20, 6000])
def test_the_reading_and_the_draw_agree_whatever_the_vocabulary(vocabulary):
    scores = np.random.default_rng(1).normal(size=(2, vocabulary))
    sampler = hb.chain(hb.temperature(by_text({"line_start": 0.2}, 2.0)))
    for texts in (["", "a"], "a\n", ["b", "c"]):
        context = {"text": texts}
        read = sampler.step(sampler.init(), scores, seed=5, context=context, reading=True)
        quick = sampler.step(sampler.init(), scores, seed=5, context=context)
        assert read.choice.tolist() == quick.choice.tolist()


# ------------------------------------------------------------------------------------------------- by_rule


def test_t_of_the_rule():
    thermostat = by_rule({"string": 1.0, "number": 0.2}, otherwise=0.7)
    names = ["number", "string", "object"]
    assert [decide(thermostat, name, key="rule") for name in names] == [0.2, 1.0, 0.7]
    np.testing.assert_array_equal(decide(thermostat, names, SCORES, "rule"), [0.2, 1.0, 0.7])


# ----------------------------------------------------------------------------------- thermostats inside thermostats


def play(thermostat, texts, stream, state=None):
    """T, entropy and place at each position; ``texts`` are those of each position."""
    state, seen = thermostat.init() if state is None else state, []
    for text, scores in zip(texts, stream, strict=True):
        temperature, state = thermostat.step(state, hb.Seen(scores, {"text": text}))
        nats = hb.entropy(scores, temperature)
        state = thermostat.learn(state, hb.Outcome(surprisal=nats, choice=np.zeros(scores.shape[:-1], np.int64)))
        seen.append((np.broadcast_to(temperature, scores.shape[:-1]), nats))
    temperatures, entropies = (np.array(part) for part in zip(*seen, strict=True))
    return temperatures, entropies, state


def test_a_mean_is_held_over_its_own_places():
    """Prose holds 1.5 nats, strings 0.5, in turns of random length; each mean is that of its own positions."""
    rng = np.random.default_rng(2)
    inside = rng.random((3000, 2)) < np.repeat(rng.random((100, 1)), 30, axis=0)
    texts = [['"' if each else "a" for each in row] for row in inside]
    thermostat = by_text({"string": hb.hold_entropy(0.5, 16)}, otherwise=hb.hold_entropy(1.5, 16))
    _, entropies, _ = play(thermostat, texts, 2.0 * rng.normal(size=(3000, 2, 30)))
    inside, entropies = inside[300:], entropies[300:]
    assert entropies[inside].mean() == pytest.approx(0.5, rel=0.03)
    assert entropies[~inside].mean() == pytest.approx(1.5, rel=0.03)


INNER = [
    hb.hold_entropy(0.5, 4),
    hold_surprise(0.5, 4),
    hb.schedules.linear(0.1, 2.0, 9),
    loop_guard(0.3, window=9, length=2, allowed=0.1),
]


@pytest.mark.parametrize("inner", INNER, ids=repr)
def test_a_thermostat_sees_only_its_own_decisions(inner):
    """As if it had been asked at these alone; and a row does what it would do by itself."""
    rng = np.random.default_rng(3)
    stream, inside = rng.normal(size=(40, 3, 9)), rng.random((40, 3)) < 0.5
    texts = [['"' if each else "a" for each in row] for row in inside]
    together, _, _ = play(by_text({"string": inner}, 0.7), texts, stream)
    for row in range(3):
        alone, _, _ = play(by_text({"string": inner}, 0.7), [each[row] for each in texts], stream[:, row])
        np.testing.assert_allclose(together[:, row], alone, rtol=1e-12)
        mine = inside[:, row]
        only, _, _ = play(by_text({"string": inner}, 0.7), ['"'] * mine.sum(), stream[mine, row])
        np.testing.assert_allclose(alone[mine], only, rtol=1e-12)
        assert np.all(alone[~mine] == 0.7)


def test_what_learns_is_told_of_every_draw_however_it_is_made():
    """Also on large vocabularies, where what looks at no scores can be served by a kernel that tells nobody."""
    own = hb.Thermostat(init=lambda: 0, step=lambda n, seen: (1.0, n), learn=lambda n, outcome: n + 1, looks=False)
    sampler = hb.chain(hb.temperature(by_text({"start": own}, 1.0)))
    state = sampler.step(sampler.init(), np.zeros(8000), seed=1, context={"text": ""}).state
    assert state[1][0][1][0] == 1


def test_arrays_in_a_state_are_kept_apart_too():
    """A thermostat of one's own, which remembers the last two scores of the first option."""

    def step(last, seen):
        first = seen.scores[..., 0]
        last = np.broadcast_to(last, (*first.shape, 2))
        return 1.0 + last.sum(axis=-1) ** 2, np.concatenate([last[..., 1:], first[..., None]], axis=-1)

    own = hb.Thermostat(init=lambda: np.zeros(2), step=step)
    rng = np.random.default_rng(4)
    stream, texts = rng.normal(size=(12, 2, 5)), [["a\n", "a"], ["a", "a\n"], ["b\n", "\n"]] * 4
    together, _, state = play(by_text({"line_start": own}, 0.5), texts, stream)
    for row in range(2):
        alone, _, ended = play(by_text({"line_start": own}, 0.5), [each[row] for each in texts], stream[:, row])
        np.testing.assert_allclose(together[:, row], alone)
        np.testing.assert_allclose(state[1][0][row], ended[1][0])


def test_the_state_goes_through_json():
    thermostat = by_text({"string": hb.hold_entropy(0.5, 4)}, otherwise=hold_surprise(1.0, 4))
    stream, texts = (
        np.random.default_rng(5).normal(size=(20, 2, 9)),
        [["a", '"'], ['"', '"'], ["a", "b"], ['"', "a"]] * 5,
    )
    _, _, state = play(thermostat, texts[:10], stream[:10])
    stored = json.loads(json.dumps(state))
    one, other = (play(thermostat, texts[10:], stream[10:], each)[0] for each in (state, stored))
    np.testing.assert_array_equal(one, other)


# ------------------------------------------------------------------------------------------------- text form, errors


def test_a_dictionary_is_written_as_pairs():
    assert repr(by_rule({"string": 1.0, "number": 0.2}, 0.7)) == "by_rule([['string', 1.0], ['number', 0.2]], 0.7)"
    nested = by_text({"after:it's": hb.hold_entropy(1.0, 64)}, otherwise=hb.schedules.linear(1.0, 0.5, 9))
    assert repr(nested) == """by_text([["after:it's", hold_entropy(1.0, 64)]], linear(1.0, 0.5, 9))"""
    assert hb.parse(repr(nested)).made == nested.made
    assert nested.made.again().made == nested.made


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({}, "rules are pairs"),
        ([], "rules are pairs"),
        (0.7, "rules are pairs"),
        ("start", "rules are pairs"),
        ([["start", 0.7, 0.8]], "rules are pairs"),
        ([[0.7, "start"]], "rules are pairs"),
        ({"lines_start": 0.7}, "there is no place 'lines_start'; did you mean line_start"),
        ({"middle of nowhere": 0.7}, "known are start, line_start"),
        ({"after:": 0.7}, "there is no place"),
        ([["start", 0.7], ["start", 0.8]], "'start' has two temperatures"),
        ({"after:\n": 0.7}, "characters that the text form cannot hold"),
        ({"after:'\"": 0.7}, "characters that the text form cannot hold"),
    ],
)
def test_bad_rules_are_refused(rules, why):
    with pytest.raises(hb.InputError, match=why) as refused:
        by_text(rules, 0.5)
    assert refused.value.field == "rules"
    assert refused.value.doing == "making by_text"


@pytest.mark.parametrize(("rules", "otherwise"), [({"start": -1}, 0.5), ({"start": "hot"}, 0.5), ({"start": 1}, None)])
def test_bad_temperatures_are_refused(rules, otherwise):
    with pytest.raises(hb.InputError):
        by_text(rules, otherwise)
    with pytest.raises(hb.InputError):
        by_rule(rules, otherwise)


@pytest.mark.parametrize(("make", "key"), [(by_text, "text"), (by_rule, "rule")])
def test_the_context_must_say_it(make, key):
    thermostat = make({"start": 0.7}, 0.5)
    with pytest.raises(hb.InputError, match=f"the context has no {key}; call sampler.step") as refused:
        hb.chain(hb.temperature(thermostat)).step((), SCORES, seed=1)
    assert refused.value.field == "context"
    for wrong in (3, ["a", None], b"a", {"a": 1}):
        with pytest.raises(hb.InputError, match=f"the {key} of the context is"):
            decide(thermostat, wrong, SCORES, key)
    with pytest.raises(hb.InputError, match="the context has 2 texts"):
        decide(thermostat, ["a", "b"], SCORES, key)
    with pytest.raises(hb.InputError, match="1 texts as its"):
        decide(thermostat, ["a"], SCORES[0], key)


@pytest.mark.parametrize("state", [3, (), (0,), (0, 3), (0, ((),)), None])
def test_a_foreign_state_is_refused(state):
    with pytest.raises(hb.InputError, match="is no state of 2 thermostats"):
        by_text({"start": 0.7}, 0.5).step(state, hb.Seen(None, {"text": ""}))
