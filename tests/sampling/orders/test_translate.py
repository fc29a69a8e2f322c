"""A translation that says it is exact keeps the same options with the same probabilities, on random rows."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling.orders.links import Link, swap
from heatbath.sampling.orders.table import ENGINES
from tests.sampling.orders.rows import drawn_from, random_rows, random_text
from tests.sampling.orders.settings import random_settings, rng

STATEFUL = {"adaptive_p", "mirostat"}
"""Steps whose random numbers are their own: compared by their chains."""


@pytest.mark.parametrize("source", ENGINES)
def test_what_is_called_exact_is(source):
    random, exact = rng(11), 0
    for target, _ in itertools.product(ENGINES, range(25)):
        settings = random_settings(ENGINES[source], random, random.choice([0.15, 0.5]), STATEFUL)
        if random.random() < 0.1:
            settings |= ENGINES[source].cold
        try:
            one = getattr(hb.orders, ENGINES[source].function)(**settings)
        except hb.InputError:  # settings that transformers ignores
            continue
        found = hb.orders.translate(source, target, settings)
        two = getattr(hb.orders, ENGINES[target].function)(**found.settings)
        if found.exact:
            exact += 1
            text = random_text(random)
            for row in random_rows(random, 4):
                left, right = drawn_from(one, row, text), drawn_from(two, row, text)
                assert np.array_equal(left > 0, right > 0), (target, settings, one, found, two)
                np.testing.assert_allclose(left, right, atol=1e-9, err_msg=str((settings, found)))
    assert exact > 25, exact


HEAT = st.sampled_from([0.3, 0.8, 1.7]).map(lambda t: Link("temperature", {"thermostat": t}))
LINKS = st.one_of(
    HEAT,
    st.sampled_from(
        [
            Link("top_k", {"k": 7}),
            Link("top_p", {"p": 0.7}),
            Link("min_p", {"p": 0.05}),
            Link("top_n_sigma", {"n": 1.1}),
            Link("typical", {"p": 0.6}),
            Link("epsilon", {"eps": 0.01}),
            Link("eta", {"eps": 0.01}),
            Link("top_a", {"a": 0.3}),
            Link("top_h", {"h": 0.6}),
            Link("tail_free", {"z": 0.9}),
            Link("smoothing", {"factor": 0.3}),
            Link("smoothing", {"factor": 0.3, "curve": 2.0}),
            Link("presence", {"penalty": 0.7, "prompt": True}),
            Link("frequency", {"penalty": 0.3, "prompt": True}),
            Link("dry", {"multiplier": 0.8, "allowed_length": 1}),
            Link("logit_bias", {"bias": {1: 2.0, 5: -1.0}}),
            Link("bans", {"tokens": [2, 3]}),
            Link("no_repeat_ngram", {"n": 2}),
        ]
    ),
)


@given(LINKS, LINKS, st.integers(0, 2**32))
def test_links_that_change_places_do_the_same(first, second, seed):
    changed = swap(first, second)
    if changed is None:
        return
    text = random_text(rng(seed), 30, 60)
    for row in random_rows(rng(seed), 5, 60):
        before, after = (hb.chain(*(link.step() for link in links)) for links in ((first, second), changed))
        left, right = drawn_from(before, row, text), drawn_from(after, row, text)
        assert np.array_equal(left > 0, right > 0)
        np.testing.assert_allclose(left, right, atol=1e-9)


@pytest.mark.parametrize("cut", ["top_p", "typical", "epsilon", "eta", "top_a", "top_h", "tail_free"])
def test_masses_and_probabilities_change_places_with_nothing(cut):
    arguments = {"top_p": {"p": 0.7}, "typical": {"p": 0.6}, "top_h": {"h": 0.6}, "tail_free": {"z": 0.9}}
    link = Link(cut, arguments.get(cut, {"a" if cut == "top_a" else "eps": 0.05}))
    for other in (Link("temperature", {"thermostat": 1.7}), Link("min_p", {"p": 0.2}), Link("top_k", {"k": 4})):
        assert swap(link, other) is None
        if other.name == "temperature":
            one, two = (hb.chain(*(each.step() for each in links)) for links in ((link, other), (other, link)))
            assert any(
                not np.array_equal(drawn_from(one, row) > 0, drawn_from(two, row) > 0)
                for row in random_rows(rng(0), 40)
            ), "there is a row on which the order matters"


def test_a_repetition_penalty_and_a_temperature_change_places_on_scores_with_their_signs():
    row, text = np.array([2.0, -1.0, 0.5, -3.0]), [0, 1]
    repeated, heat = Link("repetition", {"penalty": 1.5}), Link("temperature", {"thermostat": 0.6})
    assert swap(repeated, heat) == (heat, repeated)
    assert swap(heat, repeated) == (repeated, heat)
    divided = row / 0.6
    divided[:2] = divided[0] / 1.5, divided[1] * 1.5
    np.testing.assert_allclose(drawn_from(hb.chain(repeated.step(), heat.step()), row, text), hb.softmax(divided))


def test_a_temperature_that_is_no_number_stays_where_it_is():
    for thermostat in (0, np.inf, hb.hold_entropy(1.0), [0.5, 0.7]):
        assert swap(Link("temperature", {"thermostat": thermostat}), Link("min_p", {"p": 0.1})) is None


def test_min_p_changes_with_the_side_of_the_temperature():
    settings = {"temperature": 1.5, "top_k": 0, "top_p": 1.0, "min_p": 0.1}
    found = hb.orders.translate("llama.cpp", "vllm", settings)
    assert found.settings == {"temperature": 1.5, "min_p": pytest.approx(0.1 ** (1 / 1.5))}
    assert "0.1**(1/1.5)" in found.changed[0]
    back = hb.orders.translate("vllm", "ollama", found.settings)
    assert back.settings == {"temperature": 1.5, "top_k": 0, "top_p": 1.0, "min_p": pytest.approx(0.1)}


def test_what_is_on_by_default_is_switched_off():
    found = hb.orders.translate("vllm", "llama.cpp", {})
    assert found.settings == {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
    assert found.exact
    assert hb.orders.translate("vllm", "exllamav2", {}).settings["token_repetition_penalty"] == 1.0
    assert hb.orders.translate("vllm", "transformers", {"top_k": 50}).settings == {"do_sample": True}


def test_an_order_that_can_be_told_is_told():
    found = hb.orders.translate("vllm", "llama.cpp", {"temperature": 1.5, "top_p": 0.9, "min_p": 0.1})
    assert found.settings["samplers"] == ["temperature", "min_p", "top_p"]
    assert found.exact
    last = {"temperature_last": True, "token_repetition_penalty": 1.0}
    assert hb.orders.translate("exllamav2", "exllamav3", last).settings["temp_last"] is True
    webui = hb.orders.translate("llama.cpp", "webui", {"temperature": 1.5})
    assert webui.exact
    assert webui.settings["temperature_last"] is True


def test_what_cannot_be_carried_over_is_said():
    lost = hb.orders.translate("llama.cpp", "vllm", {"min_p": 0.0}).lost
    assert len(lost) == 1
    assert "top_p before temperature" in lost[0]
    lost = hb.orders.translate("llama.cpp", "vllm", {"typical_p": 0.9, "top_p": 1.0, "temperature": 1.0}).lost
    assert lost == ("typical: vLLM has no such step",)
    lost = hb.orders.translate("llama.cpp", "vllm", {"temperature": 3.0, "top_p": 1.0}).lost
    assert any("vLLM does not take temperature=3.0" in each for each in lost)
    lost = hb.orders.translate("llama.cpp", "vllm", {"repeat_penalty": 1.2, "top_p": 1.0}).lost
    assert lost == ("repetition: window is 64 in llama.cpp and None in vLLM",)
    lost = hb.orders.translate("vllm", "exllamav3", {"top_p": 0.9}).lost
    assert lost == ("top_p: reaching is True in vLLM and False in ExLlamaV3",)
    lost = hb.orders.translate("exllamav3", "vllm", {"temperature": 0.005}).lost
    assert len(lost) == 1
    assert "makes temperature(0.01) of temperature(0.005)" in lost[0]


def test_what_acts_twice_is_said():
    twice = {"samplers": ["temperature", "top_k", "temperature"], "temperature": 0.5}
    assert str(hb.orders.llama_cpp(**twice)).count("temperature(0.5)") == 2
    lost = hb.orders.translate("llama.cpp", "vllm", twice).lost
    assert lost == ("temperature: llama.cpp applies it more than once",)
    assert "top_h" in hb.orders.translate("transformers", "vllm", {"do_sample": True, "top_h": 0.4}).lost[-1]


def test_a_thermostat_is_carried_over():
    found = hb.orders.translate("vllm", "transformers", {"temperature": hb.hold_entropy(1.0), "top_k": 20})
    assert str(found.settings["temperature"]) == "hold_entropy(1.0)"
    assert found.exact
    assert not hb.orders.translate("vllm", "ollama", {"temperature": hb.hold_entropy(1.0), "top_k": 20}).exact


def test_greedy_stays_greedy():
    for source, target in itertools.permutations(ENGINES, 2):
        found = hb.orders.translate(source, target, ENGINES[source].cold)
        sampler = getattr(hb.orders, ENGINES[target].function)(**found.settings)
        row = np.array([1.0, 3.0, 3.0, 2.0])
        assert np.flatnonzero(drawn_from(sampler, row)).tolist() == [1], (source, target, found)
    lost = hb.orders.translate("llama.cpp", "vllm", {"temperature": 0, "typical_p": 0.5}).lost
    assert "before it takes the best option" in lost[0]


def test_nats_and_bits():
    mirostat = {"mirostat": 2, "mirostat_tau": 3.0}
    assert str(hb.orders.llama_cpp(**mirostat).steps[-1]).startswith("mirostat_v2(2.079441541679")
    found = hb.orders.translate("llama.cpp", "llama-cpp-python", mirostat | {"temperature": 1.0})
    assert found.settings["mirostat_tau"] == pytest.approx(3.0)
    assert found.settings["mirostat_mode"] == 2


def test_dynamic_temperature_by_its_middle_or_by_its_ends():
    settings = {"temperature": 0.9, "dynatemp_range": 0.4, "dynatemp_exponent": 0.7, "top_p": 1.0}
    found = hb.orders.translate("llama.cpp", "webui", settings)
    assert found.exact
    assert (found.settings["dynatemp_low"], found.settings["dynatemp_high"]) == (0.5, 1.3)
    back = hb.orders.translate("webui", "llama.cpp", found.settings)
    assert back.settings["dynatemp_range"] == pytest.approx(0.4)
    assert back.settings["temperature"] == pytest.approx(0.9)


def test_the_same_engine_is_left_alone():
    assert hb.orders.translate("vllm", "vLLM", {"min_p": 0.1}) == ({"min_p": 0.1}, (), ())
    with pytest.raises(hb.InputError, match="refuses min_p=2"):
        hb.orders.translate("vllm", "vllm", {"min_p": 2})
