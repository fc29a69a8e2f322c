"""The table of engines: names, defaults, what is off, what is refused, and what happens at the ends of T."""

import doctest
import inspect
import pickle

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling.orders.functions import default_order
from heatbath.sampling.orders.links import STEPS
from heatbath.sampling.orders.table import ENGINES, engine
from tests.sampling.orders.rows import drawn_from, random_rows, random_text
from tests.sampling.orders.settings import random_settings, rng

ROW = np.array([1.0, 3.0, 3.0, 2.0])


def made(name, **settings):
    return getattr(hb.orders, ENGINES[name].function)(**settings)


DEFAULTS = {
    "transformers": "greedy()",
    "vLLM": "categorical()",
    "vLLM V1": "categorical()",
    "SGLang": "categorical()",
    "TensorRT-LLM": "greedy()",
    "TensorRT-LLM C++": "greedy()",
    "llama.cpp": "top_k(40) -> top_p(0.95) -> min_p(0.05) -> temperature(0.8) -> categorical()",
    "Ollama": "top_k(40) -> top_p(0.9) -> temperature(0.8) -> categorical()",
    "llama-cpp-python": "top_k(40) -> top_p(0.95) -> min_p(0.05) -> temperature(0.8) -> categorical()",
    "Ollama MLX": "top_k(40) -> temperature(0.8) -> top_p(0.9) -> categorical()",
    "mlx-lm": "greedy()",
    "ExLlamaV2": "repetition(1.025) -> temperature(0.8) -> top_k(50) -> top_p(0.8, reaching=False) -> categorical()",
    "ExLlamaV3": "categorical()",
    "text-generation-webui": "categorical()",
}


@pytest.mark.parametrize("name", ENGINES)
def test_the_defaults(name):
    assert str(made(name)) == DEFAULTS[name]


@pytest.mark.parametrize("name", ENGINES)
def test_every_chain_reads_back(name):
    random = rng(7)
    for _ in range(60):
        try:
            sampler = made(name, **random_settings(ENGINES[name], random, 0.4))
        except hb.InputError:
            continue
        assert repr(hb.parse(repr(sampler))) == repr(sampler)
        assert repr(pickle.loads(pickle.dumps(sampler))) == repr(sampler)


@pytest.mark.parametrize("name", ENGINES)
def test_the_function_has_the_signature_of_its_row(name):
    function = getattr(hb.orders, ENGINES[name].function)
    parameters = inspect.signature(function).parameters
    assert {row.name: row.default for row in ENGINES[name].settings} == {p.name: p.default for p in parameters.values()}
    for row in ENGINES[name].settings:
        assert f"    {row.name}: " in function.__doc__
    assert function.__doc__.count("\n* *") == len(ENGINES[name].differences) + len(ENGINES[name].said)
    example = doctest.DocTestParser().get_doctest(function.__doc__, {}, name, None, 0)
    assert doctest.DocTestRunner().run(example) == (0, 2)


@pytest.mark.parametrize("name", ENGINES)
def test_every_step_is_in_the_order_and_has_settings(name):
    row = ENGINES[name]
    named = {step for setting in row.settings for step in setting.steps}
    assert named <= set(STEPS)
    hidden = {"mirostat", "dynatemp", "adaptive_p"}  # where they are on, they change the order
    assert named - hidden <= set(default_order(row))
    assert set(default_order(row)) <= named
    assert set(row.said) == {"T = 0", "tiny T", "T = inf", "T < 0", "T = NaN"}


ORDERS = {
    # of the engines that are not run here: exllamav2/generator/sampler.py and ext_sampling.cpp, exllamav3/generator/
    # sampler/presets.py, modules/presets.py, x/mlxrunner/sample/sample.go, penaltyKernels.cu and sampling_utils.py
    "ExLlamaV2": "repetition frequency presence logit_bias dry smoothing temperature top_k top_p top_a min_p tail_free "
    "typical mirostat xtc",
    "ExLlamaV3": "logit_bias repetition presence frequency temperature min_p top_k top_p adaptive_p",
    "text-generation-webui": "bans repetition presence frequency dry top_n_sigma temperature dynatemp smoothing top_k "
    "top_p typical epsilon eta tail_free top_a min_p adaptive_p mirostat xtc no_repeat_ngram",
    "Ollama MLX": "repetition presence frequency top_k temperature top_p min_p",
    "TensorRT-LLM": "repetition presence frequency temperature top_k top_p min_p",
    "TensorRT-LLM C++": "temperature repetition presence frequency top_k top_p min_p",
}


@pytest.mark.parametrize("name", ORDERS)
def test_the_order_of_what_is_not_run_here(name):
    assert default_order(ENGINES[name]) == ORDERS[name].split()


def test_exllamav2_tempers_last_where_it_is_told_to():
    heats = {"temperature": 0.7, "token_repetition_penalty": 1.0, "top_k": 5, "top_p": 0.0, "min_temp": 0.5}
    assert str(made("ExLlamaV2", **heats, temperature_last=True)) == "top_k(5) -> temperature(0.7) -> categorical()"
    ranged = str(made("ExLlamaV2", **heats, temperature_last=True, max_temp=1.5))
    assert ranged == "top_k(5) -> temperature(by_confidence(0.5, 1.5, 'entropy')) -> categorical()"
    both = str(made("ExLlamaV2", **heats, max_temp=1.5))
    assert both == "temperature(0.7) -> top_k(5) -> temperature(by_confidence(0.5, 1.5, 'entropy')) -> categorical()"


@pytest.mark.parametrize("name", ENGINES)
def test_what_is_off_is_left_out(name):
    row = ENGINES[name]
    before = made(name, **row.warm)
    for setting in row.settings:
        if setting.off.words and setting.steps and setting.argument:
            after = made(name, **{**row.warm, setting.name: setting.neutral})
            gone = {step.made.name for step in before.steps} - {step.made.name for step in after.steps}
            assert len(after.steps) <= len(before.steps), setting.name
            assert gone <= {*setting.steps, "typical", "tail_free"}, setting.name


@pytest.mark.parametrize("name", ENGINES)
def test_what_makes_it_greedy_does(name):
    assert np.flatnonzero(drawn_from(made(name, **ENGINES[name].cold), ROW)).tolist() == [1]


@pytest.mark.parametrize("name", ENGINES)
def test_an_unknown_setting_is_refused_with_what_was_meant(name):
    heat = "temp" if name == "mlx-lm" else "temperature"
    with pytest.raises(hb.InputError, match=rf"making orders\.\w+ on .*: {name.replace('+', '.')} has no setting"):
        made(name, tempereture=0.7)
    with pytest.raises(hb.InputError, match=f"did you mean {heat}"):
        made(name, tempereture=0.7)


def test_an_unknown_engine_is_refused_with_what_was_meant():
    with pytest.raises(hb.InputError, match=r"there is no engine 'llamma.cpp'; did you mean llama\.cpp\?"):
        hb.orders.translate("llamma.cpp", "vllm", {})
    with pytest.raises(hb.InputError, match="there is no engine 7; known are transformers, vLLM"):
        hb.orders.engine(7)
    assert engine("LLAMA.CPP") is engine("llama_cpp") is engine("llama-server")
    assert len({id(row) for row in ENGINES.values()}) == len(ENGINES)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("vLLM", "temperature", 2.5),
        ("vLLM", "temperature", np.inf),
        ("vLLM", "temperature", -0.1),
        ("vLLM", "temperature", np.nan),
        ("vLLM", "top_p", 0.0),
        ("vLLM", "top_k", -2),
        ("vLLM", "presence_penalty", 2.5),
        ("vLLM", "min_p", "0.1"),
        ("SGLang", "temperature", np.inf),
        ("SGLang", "top_k", 0),
        ("SGLang", "repetition_penalty", 2.5),
        ("transformers", "temperature", 2),
        ("transformers", "temperature", 0.0),
        ("transformers", "temperature", np.nan),
        ("transformers", "top_k", -1),
        ("TensorRT-LLM", "temperature", -1.0),
        ("llama.cpp", "temperature", np.nan),
        ("llama.cpp", "repeat_penalty", 0.0),
        ("llama.cpp", "mirostat", 3),
        ("llama.cpp", "samplers", "top_k"),
        ("mlx-lm", "min_p", 1.5),
        ("mlx-lm", "xtc_threshold", 0.7),
        ("ExLlamaV3", "temperature", -1.0),
        ("text-generation-webui", "mirostat_mode", 1),
    ],
)
def test_what_an_engine_refuses_is_refused_in_its_name(name, setting, value):
    settings = {"do_sample": True} if name == "transformers" else {}
    with pytest.raises(
        hb.InputError, match=rf"{name} refuses {setting}=.*; it takes .* where nothing is given"
    ) as refused:
        made(name, **settings, **{setting: value})
    assert refused.value.field == setting


@pytest.mark.parametrize(
    ("name", "settings", "chain"),
    [
        ("vLLM", {"temperature": 0.005, "top_k": 5}, "temperature(0.01) -> top_k(5) -> categorical()"),
        ("vLLM", {"temperature": 0, "top_k": 5, "presence_penalty": 0.5}, "presence(0.5) -> greedy()"),
        ("SGLang", {"temperature": 1e-7, "top_p": 0.5}, "greedy()"),
        ("SGLang", {"temperature": 1e-5}, "temperature(1e-05) -> categorical()"),
        ("TensorRT-LLM", {"temperature": 1e-7}, "temperature(1e-05) -> categorical()"),
        ("TensorRT-LLM", {"top_p": 0.9}, "top_p(0.9) -> categorical()"),
        ("TensorRT-LLM", {"top_k": 1, "temperature": 0.7}, "greedy()"),
        ("llama.cpp", {"temperature": -1, "top_k": 0, "top_p": 1, "min_p": 0}, "temperature(0.0) -> categorical()"),
        ("llama-cpp-python", {"temperature": 0, "presence_penalty": 1}, "presence(1, 64) -> greedy()"),
        ("llama-cpp-python", {"temperature": -1, "presence_penalty": 1}, "presence(1, 64) -> categorical()"),
        ("Ollama MLX", {"temperature": 0}, "greedy()"),
        ("ExLlamaV2", {"temperature": 0.005, "token_repetition_penalty": 1.0}, "greedy()"),
        ("ExLlamaV3", {"temperature": 0, "rep_p": 1.1}, "repetition(1.1) -> greedy()"),
        ("text-generation-webui", {"temperature": 0}, "greedy()"),
    ],
)
def test_what_an_engine_makes_of_the_ends_of_t(name, settings, chain):
    assert str(made(name, **settings)) == chain


@pytest.mark.parametrize(
    ("name", "settings", "chain"),
    [
        ("llama.cpp", {"samplers": ["temperature", "min_p"]}, "temperature(0.8) -> min_p(0.05) -> categorical()"),
        (
            "llama.cpp",
            {"samplers": ["adaptive_p", "min_p"], "adaptive_target": 0.4},
            "min_p(0.05) -> adaptive_p(0.4) -> categorical()",
        ),
        (
            "llama.cpp",
            {"mirostat": 1, "mirostat_tau": 1.0},
            "temperature(0.8) -> mirostat_v1(0.6931471805599453, renormalised=True) -> categorical()",
        ),
        ("llama.cpp", {"samplers": [], "repeat_last_n": 0}, "categorical()"),
        (
            "llama.cpp",
            {"repeat_penalty": 1.1, "repeat_last_n": -1, "samplers": ["penalties"]},
            "repetition(1.1) -> categorical()",
        ),
        (
            "ExLlamaV3",
            {"temperature": 0.7, "min_p": 0.1, "temp_last": True},
            "min_p(0.1) -> temperature(0.7) -> categorical()",
        ),
        (
            "text-generation-webui",
            {"temperature": 1.5, "top_k": 5, "sampler_priority": ["top_k", "temperature"]},
            "top_k(5) -> temperature(1.5) -> categorical()",
        ),
        (
            "text-generation-webui",
            {"temperature": 1.5, "smoothing_factor": 0.2, "top_k": 5, "temperature_last": True},
            "top_k(5) -> temperature(1.5) -> smoothing(0.2) -> categorical()",
        ),
        ("text-generation-webui", {"epsilon_cutoff": 3}, "epsilon(0.00030000000000000003) -> categorical()"),
        ("SGLang", {"top_k": 5, "top_p": 0.9, "min_p": 0.1}, "top_k(5) -> top_p(0.9) -> min_p(0.1) -> categorical()"),
        (
            "SGLang",
            {"top_k": 5, "top_p": 0.9, "min_p": 0.1, "sampling_backend": "pytorch"},
            "top_p(0.9) -> top_k(5) -> min_p(0.1) -> categorical()",
        ),
        ("llama.cpp", {"repeat_penalty": 1.1, "repeat_last_n": 0, "samplers": ["penalties"]}, "categorical()"),
        ("ExLlamaV2", {"token_repetition_decay": 5, "top_k": 1}, "repetition(1.025) -> greedy()"),
        (
            "Ollama MLX",
            {"min_p": 0.01, "top_k": 0, "top_p": 1.0, "temperature": 1.0},
            "min_p(0.01) -> categorical()",
        ),
        ("Ollama MLX", {"min_p": 1.5, "top_k": 0, "top_p": 0.0, "temperature": 1.0}, "categorical()"),
        ("SGLang", {"logit_bias": {"3": -1.5}}, "logit_bias([[3, -1.5]]) -> categorical()"),
        (
            "llama-cpp-python",
            {"mirostat_mode": 2, "temperature": 0.5},
            "mirostat_v2(3.4657359027997265, renormalised=True) -> categorical()",
        ),
        (
            "ExLlamaV2",
            {"token_repetition_range": 10, "token_repetition_decay": 5, "top_k": 1},
            "repetition(1.025, 10, decay=5) -> greedy()",
        ),
    ],
)
def test_what_decides_about_the_order(name, settings, chain):
    assert str(made(name, **settings)) == chain


def test_an_order_of_unknown_samplers_is_refused():
    with pytest.raises(hb.InputError, match="no sampler 'topk' in samplers; did you mean top_k"):
        hb.orders.llama_cpp(samplers=["topk"])
    with pytest.raises(hb.InputError, match="no sampler 'typical' in sampler_priority; did you mean typical_p"):
        hb.orders.text_generation_webui(sampler_priority=["typical"])


def test_a_thermostat_stands_in_the_place_of_the_temperature():
    sampler = hb.orders.llama_cpp(temperature=hb.hold_entropy(1.0))
    assert str(sampler).endswith("min_p(0.05) -> temperature(hold_entropy(1.0)) -> categorical()")
    assert "linear" in str(hb.orders.vllm(temperature=hb.schedules.linear(1.0, 0.5, 10)))
    assert "[0.5, 0.7]" in str(hb.orders.vllm(temperature=np.array([0.5, 0.7])))
    with pytest.raises(hb.InputError, match="ignores temperature while"):
        hb.orders.transformers(temperature=np.array([0.5, 0.7]))
    for no_temperature in (np.float32(2.5), True, None, "0.7"):
        with pytest.raises(hb.InputError, match="vLLM refuses temperature="):
            hb.orders.vllm(temperature=no_temperature)


def test_a_negative_temperature_with_a_range_is_refused():
    with pytest.raises(hb.InputError, match=r"temperature=0\.25 and dynatemp_range=0\.25"):
        hb.orders.llama_cpp(temperature=-0.5, dynatemp_range=1.0)


def test_penalties_behind_a_temperature_are_brought_before_it():
    cpp = hb.orders.tensorrt_llm_cpp(
        temperature=0.5, repetition_penalty=1.3, presence_penalty=0.4, frequency_penalty=0.2
    )
    assert str(cpp).startswith("repetition(1.3) -> temperature(0.5) -> presence(0.4, prompt=True)")
    text = random_text(rng(0), 30, 50)
    for row in random_rows(rng(0), 20, 50).astype(float):
        tempered = row / 0.5  # the order of the engine, which keeps the signs
        for token in set(text):
            tempered[token] = tempered[token] / 1.3 if tempered[token] > 0 else tempered[token] * 1.3
            tempered[token] -= 0.4 + 0.2 * text.count(token)
        np.testing.assert_allclose(drawn_from(cpp, row, text), hb.softmax(tempered), atol=1e-12)
    with pytest.raises(hb.InputError, match=r"behind temperature\(0.8\) and top_p has no equal"):
        hb.orders.llama_cpp(repeat_penalty=1.1, samplers=["temperature", "top_p", "penalties"])
