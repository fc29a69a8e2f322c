"""llama.cpp and the programs that sample with it: Ollama for GGUF models, llama-cpp-python."""

from collections.abc import Sequence
from typing import Any

from heatbath.core.arrays import is_number
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.orders.apart import (
    ALLOWED,
    AT_A_PLACE,
    AT_LEAST,
    COUNT,
    LENGTH,
    NO_EFFECT,
    NO_END,
    RUNNING,
    SEED,
    SHOWN,
    STOP,
    YOURS,
    apart,
)
from heatbath.sampling.orders.common import BITS, EXACTLY_K, FIRST_OF_TIED, FLOAT32, REAL, REPEATED, is_zero
from heatbath.sampling.orders.engine import Difference, Engine, Given, Setting, meant
from heatbath.sampling.orders.values import (
    FINITE,
    NOT_GIVEN,
    POSITIVE,
    WHOLE,
    Values,
    at_least,
    at_most,
    between,
    one_of,
)

ALL = one_of(-1)

SAMPLERS = {
    "penalties": REPEATED,
    "dry": ("dry",),
    "top_n_sigma": ("top_n_sigma",),
    "top_k": ("top_k",),
    "typ_p": ("typical",),
    "top_p": ("top_p",),
    "min_p": ("min_p",),
    "xtc": ("xtc",),
    "temperature": ("temperature",),
    "adaptive_p": ("adaptive_p",),
}
"""The names that ``samplers`` takes, and the steps they stand for."""

DEFAULT = ("penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature")


def _limits(values: dict[str, Any]) -> dict[str, Any]:
    """T < 0 is T = 0; top_p <= 0 and min_p > 1 keep the best; probabilities above 1 are 1."""
    t, p = values["temperature"], values["top_p"]
    reach = values.get("dynatemp_range", 0)
    if is_number(t) and t < 0:
        if reach > 0:
            raise InputError(
                "llama.cpp goes from T = 0 to temperature + dynatemp_range where temperature is negative",
                instead=f"write temperature={(t + reach) / 2:g} and dynatemp_range={(t + reach) / 2:g}",
                field="temperature",
            )
        t = 0.0
    clipped: dict[str, Any] = {n: min(values[n], 1.0) for n in ("min_p", "xtc_probability") if n in values}
    return {**values, "temperature": t, "top_p": 1e-12 if p <= 0 else p, **clipped}


def _order(given: Given) -> tuple[str, ...]:
    if given["mirostat"]:
        return ("logit_bias", "temperature", "mirostat")
    names = DEFAULT if given["samplers"] is None else given["samplers"]
    heat = "dynatemp" if given["dynatemp_range"] > 0 else "temperature"
    steps = [step for name in names for step in SAMPLERS[name] if step != "adaptive_p"]
    last = ["adaptive_p"] * ("adaptive_p" in names)
    return ("logit_bias", *(heat if step == "temperature" else step for step in steps), *last)


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    names = values["samplers"]
    for name in names or ():
        if name not in SAMPLERS:
            raise InputError(
                f"llama.cpp has no sampler {show(name)} in samplers",
                instead=meant(str(name), SAMPLERS),
                field="samplers",
            )
    return _limits(values)


def _samplers(steps: Sequence[str]) -> list[dict[str, Any]]:
    """The default order, or the one that is wanted."""
    names: list[str] = []
    for step in steps:
        part = "temperature" if step == "dynatemp" else step
        name = next((name for name, parts in SAMPLERS.items() if part in parts), None)
        if name and name not in names:
            names.append(name)
    wanted: list[dict[str, Any]] = [{"samplers": names}]
    return wanted if "adaptive_p" in names else [{}, *wanted]


PENALTIES = (
    Setting("repeat_penalty", 1.0, ("repetition",), "penalty", one_of(1.0), POSITIVE),
    Setting("presence_penalty", 0.0, ("presence",), "penalty", one_of(0.0), FINITE),
    Setting("frequency_penalty", 0.0, ("frequency",), "penalty", one_of(0.0), FINITE),
)
LAST = Setting(
    "repeat_last_n",
    64,
    REPEATED,
    "window",
    one_of(0),
    Values("a whole number >= -1", lambda n: n in WHOLE and n >= -1),
    whole=ALL,
)
TOP_K = Setting("top_k", 40, ("top_k",), "k", at_most(0), WHOLE)
TYPICAL = Setting("typical_p", 1.0, ("typical",), "p", at_least(1))


def _truncation(top_p: float, min_p: float) -> tuple[Setting, ...]:
    return (
        TOP_K,
        TYPICAL,
        Setting("top_p", top_p, ("top_p",), "p", at_least(1), REAL),
        Setting("min_p", min_p, ("min_p",), "p", at_most(0), REAL),
    )


HEAT = {
    "T = 0": "the last step keeps the first of the tied maxima; what stands before it still acts",
    "tiny T": "divides by it in float32",
    "T = inf": "what the truncation left becomes equally likely, and NaN where an option is forbidden by -inf",
    "T < 0": "as T = 0",
    "T = NaN": "computes with it and draws from NaN; refused here",
}
DIFFERENCES = (
    FLOAT32,
    EXACTLY_K,
    FIRST_OF_TIED,
    Difference("typical exact hit", "takes one option more where the mass is exactly typical_p"),
    Difference("infinite T", "with T = inf and an option at -inf gives NaN; here the rest is equally likely"),
    Difference(
        "XTC ties", "of options that tie with the least likely above the threshold, keeps one; here all of them"
    ),
    Difference(
        "n-sigma first",
        "top_n_sigma leaves options at -inf among the candidates, so that typical_p computes NaN behind it and "
        "dynatemp counts them in ln n; here they are gone",
    ),
)

LLAMA_CPP = Engine(
    "llama.cpp",
    "llama_cpp",
    "2026-07, as vendored in llama-cpp-python 0.3.36",
    (
        Setting("logit_bias", None, ("logit_bias",), "bias", NOT_GIVEN),
        *PENALTIES,
        LAST,
        Setting("dry_multiplier", 0.0, ("dry",), "multiplier", one_of(0.0), FINITE),
        Setting("dry_base", 1.75, ("dry",), "base", Values("below 1", lambda n: n < 1, 0.0), FINITE),
        Setting("dry_allowed_length", 2, ("dry",), "allowed_length", legal=WHOLE),
        Setting("dry_penalty_last_n", 64, ("dry",), "window", one_of(0), LAST.legal, whole=ALL),
        Setting("dry_sequence_breakers", (), ("dry",), "breakers"),
        Setting("top_n_sigma", -1.0, ("top_n_sigma",), "n", at_most(0), REAL),
        *_truncation(0.95, 0.05),
        Setting("xtc_probability", 0.0, ("xtc",), "probability", at_most(0), REAL),
        Setting("xtc_threshold", 0.1, ("xtc",), "threshold", at_least(0.5), REAL),
        Setting("temperature", 0.8, ("temperature", "dynatemp"), "thermostat", legal=REAL),
        Setting("dynatemp_range", 0.0, ("dynatemp",), "range", at_most(0), REAL),
        Setting("dynatemp_exponent", 1.0, ("dynatemp",), "exponent", legal=REAL),
        Setting("adaptive_target", -1.0, ("adaptive_p",), "target", Values("negative", lambda n: n < 0, -1.0), REAL),
        Setting("adaptive_decay", 0.9, ("adaptive_p",), "decay", legal=between(0, 0.99)),
        Setting("mirostat", 0, ("mirostat",), "version", one_of(0), one_of(0, 1, 2)),
        Setting("mirostat_tau", 5.0, ("mirostat",), "tau", legal=POSITIVE, scale=BITS),
        Setting("mirostat_eta", 0.1, ("mirostat",), "eta", legal=POSITIVE),
        Setting("samplers", None, legal=Values("a list of names", lambda names: not isinstance(names, str))),
    ),
    order=_order,
    cold={"temperature": 0.0},
    adjust=_checked,
    always={each: {"prompt": True} for each in REPEATED},
    arrangements=_samplers,
    aliases=("llamacpp", "llama-server", "llama_server", "koboldcpp's llama.cpp"),
    said=HEAT,
    apart=(
        *apart(SEED, "seed", off=one_of(None, -1)),
        *apart(LENGTH, "n_predict", "max_tokens", "max_completion_tokens", off=one_of(None, -1)),
        *apart(STOP, "stop", off=one_of(None, [])),
        *apart(STOP, "n_indent", "t_max_predict_ms", "t_max_prompt_ms", off=one_of(None, 0, -1)),
        *apart(COUNT, "n", "n_cmpl", off=one_of(None, 1)),
        *apart(NO_END, "ignore_eos", off=one_of(None, False)),
        *apart(ALLOWED, "grammar", "json_schema", "grammar_lazy", "grammar_triggers", off=one_of(None, "", False)),
        *apart(AT_A_PLACE, "reasoning_budget_tokens", off=one_of(None, -1)),
        *apart(AT_LEAST, "min_keep", off=one_of(None, 0, 1)),
        *apart(
            SHOWN,
            "n_probs",
            "logprobs",
            "post_sampling_probs",
            "return_tokens",
            "response_fields",
            "timings_per_token",
            "stream",
            "verbose",
            "echo",
        ),
        *apart(RUNNING, "cache_prompt", "n_cache_reuse", "n_keep", "n_discard", "lora", "backend_sampling", "id_slot"),
    ),
    differences=(
        *DIFFERENCES,
        Difference(
            "breakers", "dry_sequence_breakers are texts, newline, colon, quote and star by default; here token ids"
        ),
    ),
)

OLLAMA_APART = (
    *apart(SEED, "seed", off=one_of(None, -1)),
    *apart(LENGTH, "num_predict", off=one_of(None, -1)),
    *apart(STOP, "stop", off=one_of(None, [])),
    *apart(ALLOWED, "format", off=one_of(None, "")),
    *apart(RUNNING, "num_ctx", "num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap"),
)

OLLAMA = Engine(
    "Ollama",
    "ollama",
    "2026-08",
    (*PENALTIES, LAST, *_truncation(0.9, 0.0), Setting("temperature", 0.8, ("temperature",), "thermostat", legal=REAL)),
    order=lambda given: (*REPEATED, "top_k", "typical", "top_p", "min_p", "temperature"),
    cold={"temperature": 0.0},
    adjust=_limits,
    always={each: {"prompt": True} for each in REPEATED},
    aliases=("ollama gguf", "ollama-gguf"),
    said=HEAT,
    differences=DIFFERENCES,
    apart=OLLAMA_APART,
)


def _python_order(given: Given) -> tuple[str, ...]:
    early = ("logit_bias", *REPEATED)
    if is_number(given["temperature"]) and given["temperature"] < 0:
        return early
    if given["mirostat_mode"]:
        return (*early, "mirostat")
    return (*early, "top_k", "typical", "top_p", "min_p", "temperature")


def _python_limits(values: dict[str, Any]) -> dict[str, Any]:
    cold = is_number(values["temperature"]) and values["temperature"] < 0
    return values if cold else _limits(values)


LLAMA_CPP_PYTHON = Engine(
    "llama-cpp-python",
    "llama_cpp_python",
    "0.3.36",
    (
        Setting("logit_bias", None, ("logit_bias",), "bias", NOT_GIVEN),
        *PENALTIES,
        Setting("last_n_tokens_size", 64, REPEATED, "window", one_of(0), LAST.legal, whole=ALL),
        *_truncation(0.95, 0.05),
        Setting("temperature", 0.8, ("temperature",), "thermostat", legal=REAL),
        Setting("mirostat_mode", 0, ("mirostat",), "version", one_of(0), one_of(0, 1, 2)),
        Setting("mirostat_tau", 5.0, ("mirostat",), "tau", legal=POSITIVE, scale=BITS),
        Setting("mirostat_eta", 0.1, ("mirostat",), "eta", legal=POSITIVE),
    ),
    order=_python_order,
    cold={"temperature": 0.0},
    is_greedy=is_zero,
    adjust=_python_limits,
    always={each: {"prompt": False} for each in REPEATED},
    aliases=("llama cpp python", "llama-cpp"),
    said={
        **HEAT,
        "T = 0": "greedy behind the penalties",
        "T < 0": "draws from the model's own distribution behind the penalties: nothing is tempered or truncated",
    },
    differences=(
        *(each for each in DIFFERENCES if each.name not in ("XTC ties", "n-sigma first")),
        Difference("tfs_z", "is accepted and does nothing; here it is refused, unless it is 1"),
    ),
    apart=(
        *apart(SEED, "seed"),
        *apart(LENGTH, "max_tokens", off=one_of(None, 0, -1)),
        *apart(STOP, "stop", off=one_of(None, [])),
        *apart(STOP, "stopping_criteria"),
        *apart(ALLOWED, "grammar", "response_format"),
        *apart(NO_EFFECT, "tfs_z", off=one_of(None, 1.0)),
        *apart(YOURS, "logits_processor"),
        *apart(SHOWN, "logprobs", "top_logprobs", "echo", "stream", "suffix"),
        *apart(RUNNING, "model"),
    ),
)

LLAMA = (LLAMA_CPP, OLLAMA, LLAMA_CPP_PYTHON)
