"""Settings that no chain carries: refused with the reason, listed where settings are translated, and all known."""

import ast
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling.orders import apart
from heatbath.sampling.orders.table import ENGINES
from tests.sampling.orders.rows import drawn_from


def function(name):
    return getattr(hb.orders, ENGINES[name].function)


@pytest.mark.parametrize("name", ENGINES)
def test_each_is_refused_with_the_reason_and_what_to_write(name):
    row, make = ENGINES[name], function(name)
    assert not {each.name for each in row.apart} & {each.name for each in row.settings}
    assert len({each.name for each in row.apart}) == len(row.apart)
    for each in row.apart:
        with pytest.raises(hb.InputError) as refused:
            make(**{each.name: 7})
        said = str(refused.value)
        assert said.startswith(f"making orders.{row.function} on {each.name}=7: {each.name} of {name} is no part of a")
        assert said.endswith(f"{each.reason.why}; {each.reason.instead}")
        assert refused.value.field == each.name
        assert f"``{each.name}``" in make.__doc__


@pytest.mark.parametrize("name", ENGINES)
def test_one_that_asks_for_nothing_may_be_given(name):
    row = ENGINES[name]
    nothing = {each.name: each.off.example for each in row.apart}
    assert None in nothing.values()
    assert repr(function(name)(**nothing)) == repr(function(name)())
    other = "SGLang" if name == "vLLM" else "vLLM"
    assert hb.orders.translate(name, other, nothing) == hb.orders.translate(name, other, {})


def test_translate_lists_them_and_goes_on():
    found = hb.orders.translate("llama.cpp", "vllm", {"seed": 7, "n_predict": 64, "temperature": 1.5, "top_p": 1.0})
    assert found.settings == hb.orders.translate("llama.cpp", "vllm", {"temperature": 1.5, "top_p": 1.0}).settings
    assert found.lost == (
        f"seed: {apart.SEED.why}; vLLM calls it seed",
        f"n_predict: {apart.LENGTH.why}; vLLM calls it max_tokens",
    )
    assert not found.exact
    found = hb.orders.translate("sglang", "ollama", {"max_new_tokens": 64, "regex": "a*"})
    assert f"max_new_tokens: {apart.LENGTH.why}; Ollama calls it num_predict" in found.lost
    assert f"regex: {apart.ALLOWED.why}" in found.lost


def test_what_is_none_of_these_is_still_an_error():
    for target in ("vllm", "llama.cpp"):
        with pytest.raises(hb.InputError, match=r"llama\.cpp has no setting 'seet' that is known here"):
            hb.orders.translate("llama.cpp", target, {"seet": 7})


def test_to_the_same_engine_they_are_left_alone():
    assert hb.orders.translate("vllm", "vLLM", {"seed": 7, "min_p": 0.1}) == ({"seed": 7, "min_p": 0.1}, (), ())


def test_banned_sequences_of_vllm_are_carried():
    found = hb.orders.translate("vllm", "transformers", {"bad_words": [[2], [3, 5]], "logit_bias": {7: -2.0}})
    assert found.exact
    assert found.settings["bad_words_ids"] == [[2], [3, 5]]
    assert found.settings["sequence_bias"] == {(7,): -2.0}
    assert hb.orders.translate("transformers", "vllm", found.settings).settings == {
        "logit_bias": {7: -2.0},
        "bad_words": [[2], [3, 5]],
    }


def test_a_bias_of_several_tokens_is_refused_with_the_reason():
    assert str(hb.orders.transformers(sequence_bias=[[[5], 2.0]])) == "logit_bias([[5, 2.0]]) -> greedy()"
    with pytest.raises(hb.InputError, match="of single tokens: one on several tokens is more than a chain can add"):
        hb.orders.transformers(sequence_bias={(5, 6): 2.0})


def test_bans_of_text_generation_webui_are_written_as_a_text():
    sampler = hb.orders.text_generation_webui(custom_token_bans="0, 2")
    assert np.flatnonzero(drawn_from(sampler, np.zeros(4))).tolist() == [1, 3]
    found = hb.orders.translate("webui", "transformers", {"custom_token_bans": "0, 2"})
    assert found.settings["suppress_tokens"] == [0, 2]
    assert hb.orders.translate("transformers", "webui", found.settings).settings["custom_token_bans"] == "0,2"


def fields(package, file, name):
    """The public fields of a class in the source of a package that need not be importable."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        pytest.skip(f"{package} is not installed")
    tree = ast.parse((Path(spec.submodule_search_locations[0]) / file).read_text(encoding="utf-8"))
    found = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name)
    return {each.target.id for each in found.body if isinstance(each, ast.AnnAssign) and each.target.id[0] != "_"}


def known(name):
    return {each.name for each in (*ENGINES[name].settings, *ENGINES[name].apart)}


def test_every_setting_of_transformers_is_known():
    config = pytest.importorskip("transformers", reason="transformers is not installed").GenerationConfig()
    assert {name for name in config.to_dict() if name[0] != "_"} <= known("transformers")


@pytest.mark.parametrize("name", ["vLLM", "vLLM V1"])
def test_every_setting_of_vllm_is_known(name):
    inner = {"output_text_buffer_length"}
    assert fields("vllm", "sampling_params.py", "SamplingParams") - inner <= known(name)


def test_every_setting_of_sglang_is_known():
    inner = {"stop_strs", "stop_regex_strs", "stop_str_max_len", "stop_regex_max_len", "is_normalized"}
    inner |= {"ebnf_full_assistant"}
    assert fields("sglang", "srt/sampling/sampling_params.py", "SamplingParams") - inner <= known("SGLang")
