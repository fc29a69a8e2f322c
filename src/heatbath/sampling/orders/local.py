"""The engines for one's own machine: Ollama for MLX models, mlx-lm, ExLlamaV2 and V3, text-generation-webui."""

from collections.abc import Sequence
from typing import Any

from heatbath.core.arrays import is_number
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.orders.engine import Difference, Engine, Given, Setting, meant
from heatbath.sampling.orders.llama import BITS, LAST, PENALTIES, REAL, REPEATED, TOP_K
from heatbath.sampling.orders.values import (
    FINITE,
    FLAG,
    NONE,
    NOT_GIVEN,
    POSITIVE,
    WHOLE,
    Values,
    at_least,
    at_most,
    between,
    either,
    one_of,
    outside,
)

FLOAT32 = Difference(
    "float32", "computes in float32, so that a mass or threshold hit to within 1e-6 may fall either way"
)
EXACTLY_K = Difference("top-k ties", "keeps exactly k: which of several that tie with the k-th is up to its sort")


def _zero(given: Given) -> bool:
    return is_number(given["temperature"]) and given["temperature"] == 0


OLLAMA_MLX = Engine(
    "Ollama MLX",
    "ollama_mlx",
    "2026-08",
    (
        *PENALTIES,
        LAST._replace(off=NONE, whole=at_most(0)),
        TOP_K,
        Setting("top_p", 0.9, ("top_p",), "p", either(at_least(1), at_most(0)), REAL),
        Setting("min_p", 0.0, ("min_p",), "p", outside(0, 1 + 1e-12), REAL),
        Setting("temperature", 0.8, ("temperature",), "thermostat", legal=Values("a number >= 0", lambda t: t >= 0)),
    ),
    order=lambda given: ("repetition", "presence", "frequency", "top_k", "temperature", "top_p", "min_p"),
    cold={"temperature": 0.0},
    is_greedy=_zero,
    always={each: {"prompt": True} for each in REPEATED},
    aliases=("ollama-mlx",),
    said={
        "T = 0": "argmax behind the penalties",
        "tiny T": "divides by it in float32",
        "T = inf": "what top_k left becomes equally likely, and NaN where an option is forbidden by -inf",
        "T < 0": "one-hot argmax; refused here",
        "T = NaN": "computes with it and draws from NaN; refused here",
    },
    differences=(
        FLOAT32,
        EXACTLY_K,
        Difference("top-p ties", "of options that tie at the end of the nucleus, keeps those that its sort put first"),
    ),
)


def _context(name: str, step: str) -> Setting:
    return Setting(name, 20, (step,), "window", legal=Values("a whole number >= 1", lambda n: n in WHOLE and n >= 1))


NO_PENALTY = one_of(None, 0.0)

MLX_LM = Engine(
    "mlx-lm",
    "mlx_lm",
    "0.32.2",
    (
        Setting("logit_bias", None, ("logit_bias",), "bias", NOT_GIVEN),
        Setting("repetition_penalty", None, ("repetition",), "penalty", NO_PENALTY, POSITIVE),
        _context("repetition_context_size", "repetition"),
        Setting("presence_penalty", None, ("presence",), "penalty", NO_PENALTY, FINITE),
        _context("presence_context_size", "presence"),
        Setting("frequency_penalty", None, ("frequency",), "penalty", NO_PENALTY, FINITE),
        _context("frequency_context_size", "frequency"),
        Setting("temp", 0.0, ("temperature",), "thermostat", legal=REAL),
        Setting("top_p", 0.0, ("top_p",), "p", outside(0, 1), REAL),
        Setting("min_p", 0.0, ("min_p",), "p", one_of(0.0), between(0, 1)),
        Setting("xtc_probability", 0.0, ("xtc",), "probability", at_most(0), between(0, 1)),
        Setting("xtc_threshold", 0.1, ("xtc",), "threshold", one_of(0.5), between(0, 0.5)),
        Setting("xtc_special_tokens", (), ("xtc",), "protect"),
        Setting("top_k", 0, ("top_k",), "k", at_most(0), WHOLE),
    ),
    order=lambda given: (
        "logit_bias",
        "repetition",
        "presence",
        "frequency",
        "top_p",
        "min_p",
        "xtc",
        "top_k",
        "temperature",
    ),
    cold={"temp": 0.0},
    is_greedy=lambda given: is_number(given["temp"]) and given["temp"] == 0,
    always={each: {"prompt": True} for each in REPEATED},
    aliases=("mlx", "mlx_lm"),
    said={
        "T = 0": "argmax behind the penalties; its default",
        "tiny T": "multiplies by 1 / T in the type of the model",
        "T = inf": "multiplies by 0: NaN where an option was removed; here the rest is equally likely",
        "T < 0": "turns the distribution upside down, without a word; refused here",
        "T = NaN": "computes with it and draws from NaN; refused here",
    },
    differences=(
        Difference(
            "float32", "computes in the type of the model, bfloat16 as a rule, so that a near hit may fall either way"
        ),
        EXACTLY_K,
        Difference(
            "top_k = V", "top_k at or above the size of the vocabulary is an error there; here it keeps everything"
        ),
        Difference("XTC exact hit", "an option of probability xtc_threshold exactly does not count; here it does"),
        Difference(
            "XTC protection",
            "keeps xtc_special_tokens and removes the others; here nothing is removed where one of them would be",
        ),
        Difference("XTC per batch", "one random number decides for all rows of a batch; here each row has its own"),
    ),
)


def _last(early: Sequence[str], cuts: Sequence[str], last: bool, behind: Sequence[str] = ()) -> tuple[str, ...]:
    return (*early, *cuts, "temperature", *behind) if last else (*early, "temperature", *cuts, *behind)


EXL2_CUTS = ("top_k", "top_p", "top_a", "min_p", "tail_free", "typical", "mirostat")
EXL3_CUTS = ("min_p", "top_k", "top_p")


def _exl2_limits(values: dict[str, Any]) -> dict[str, Any]:
    t = values["temperature"]
    if is_number(t) and t < 0.01 and not values["temperature_last"]:
        return {**values, "temperature": 1.0, "top_k": 1}
    return values


def _exl2_order(given: Given) -> tuple[str, ...]:
    """A range of temperatures that is not empty takes the place of the last temperature."""
    early = (*REPEATED, "logit_bias", "dry", "smoothing")
    order = _last(early, EXL2_CUTS, given["temperature_last"], ("xtc",))
    if given["max_temp"] > given["min_temp"]:
        order = tuple(step for step in order if step != "temperature" or not given["temperature_last"])
        order = (*order[:-1], "dynatemp", "xtc")
    return order


EXLLAMAV2 = Engine(
    "ExLlamaV2",
    "exllamav2",
    "2025-12",
    (
        Setting("token_repetition_penalty", 1.025, ("repetition",), "penalty", one_of(1.0), POSITIVE),
        Setting(
            "token_repetition_range",
            -1,
            REPEATED,
            "window",
            legal=Values("-1 or a whole number >= 1", lambda n: n in WHOLE and (n == -1 or n >= 1)),
            whole=one_of(-1),
        ),
        Setting("token_repetition_decay", 0, REPEATED, "decay", legal=WHOLE),
        Setting("token_frequency_penalty", 0.0, ("frequency",), "penalty", one_of(0.0), FINITE),
        Setting("token_presence_penalty", 0.0, ("presence",), "penalty", one_of(0.0), FINITE),
        Setting("token_bias", None, ("logit_bias",), "bias", NOT_GIVEN),
        Setting("dry_multiplier", 0.0, ("dry",), "multiplier", at_most(0), FINITE),
        Setting("dry_base", 1.75, ("dry",), "base", legal=FINITE),
        Setting("dry_allowed_length", 2, ("dry",), "allowed_length", legal=WHOLE),
        Setting("dry_range", 0, ("dry",), "window", legal=WHOLE, whole=one_of(0)),
        Setting("dry_sequence_breakers", (), ("dry",), "breakers"),
        Setting("temperature", 0.8, ("temperature",), "thermostat", legal=REAL),
        Setting("temperature_last", False, legal=FLAG),
        Setting("smoothing_factor", 0.0, ("smoothing",), "factor", at_most(0), FINITE),
        Setting("min_temp", 0.0, ("dynatemp",), "low", legal=FINITE),
        Setting("max_temp", 0.0, ("dynatemp",), "high", legal=FINITE),
        Setting("temp_exponent", 1.0, ("dynatemp",), "exponent", legal=POSITIVE),
        Setting("top_k", 50, ("top_k",), "k", at_most(0), WHOLE),
        Setting("top_p", 0.8, ("top_p",), "p", outside(0, 1), REAL),
        Setting("top_a", 0.0, ("top_a",), "a", at_most(0), REAL),
        Setting("min_p", 0.0, ("min_p",), "p", outside(0, 1), REAL),
        Setting("tfs", 0.0, ("tail_free",), "z", outside(0, 1), REAL),
        Setting("typical", 0.0, ("typical",), "p", outside(0, 1), REAL),
        Setting("mirostat", False, ("mirostat",), "version", one_of(False), FLAG, scale=2),
        Setting("mirostat_tau", 1.5, ("mirostat",), "tau", legal=POSITIVE, scale=BITS),
        Setting("mirostat_eta", 0.1, ("mirostat",), "eta", legal=POSITIVE),
        Setting("xtc_probability", 0.0, ("xtc",), "probability", at_most(0), between(0, 1)),
        Setting("xtc_threshold", 0.1, ("xtc",), "threshold", at_least(0.5), REAL),
        Setting("xtc_ignore_tokens", (), ("xtc",), "protect"),
    ),
    order=_exl2_order,
    cold={"temperature": 0.0},
    adjust=_exl2_limits,
    is_greedy=lambda given: given["top_k"] == 1,
    always={**{each: {"prompt": True} for each in REPEATED}, "top_p": {"reaching": False}},
    arrangements=lambda steps: [{}, {"temperature_last": True}],
    aliases=("exl2", "exllama2", "exllama v2"),
    said={
        "T = 0": "below 0.01 T is 1 and top_k is 1: the first of the tied maxima behind the penalties",
        "tiny T": "below 0.01 as T = 0",
        "T = inf": "equally likely; not refused",
        "T < 0": "as T = 0",
        "T = NaN": "computes with it; refused here",
    },
    differences=(
        FLOAT32,
        EXACTLY_K,
        Difference(
            "top-p fills up",
            "drops the option that crosses top_p, as here, and then goes on to keep less likely ones that still fit",
        ),
        Difference(
            "threshold off by one",
            "min_p and top_a lose the option just above the threshold, or keep the one just below it, on about half of "
            "all rows, by how their partition ends; here the rule that they stand for",
        ),
        Difference("tiny probabilities", "top-p leaves out what is less likely than 1e-6; here only the mass counts"),
        Difference(
            "typical off centre",
            "measures the distance to the entropy on p + ln p instead of ln p, and drops the option that reaches the "
            "mass; here as in the paper",
        ),
        Difference(
            "XTC by weights",
            "mixes both outcomes into one distribution, which is the same to who draws one token, but looks up the "
            "probability of a neighbour: which options it weakens depends on the order of the candidates",
        ),
        Difference(
            "XTC protection", "xtc_ignore_tokens are left out of the count; here nothing is removed where one would be"
        ),
        Difference("smoothing in batches", "divides T by smoothing_factor once more for every row; here once"),
        Difference("breakers", "dry_sequence_breakers come from the tokenizer by default; here none"),
        Difference("dry_max_ngram", "compares at most 20 tokens; here as many as there are"),
    ),
)


def _exl3_order(given: Given) -> tuple[str, ...]:
    order = _last(("logit_bias", "repetition", "presence", "frequency"), EXL3_CUTS, given["temp_last"])
    return (*order, "adaptive_p")


EXLLAMAV3 = Engine(
    "ExLlamaV3",
    "exllamav3",
    "2026-08",
    (
        Setting("rep_p", 1.0, ("repetition",), "penalty", one_of(1.0), POSITIVE),
        Setting("freq_p", 0.0, ("frequency",), "penalty", one_of(0.0), FINITE),
        Setting("pres_p", 0.0, ("presence",), "penalty", one_of(0.0), FINITE),
        Setting(
            "rep_sustain_range",
            10**8,
            REPEATED,
            "window",
            legal=Values("a whole number >= 1", lambda n: n in WHOLE and n >= 1),
            whole=at_least(10**8),
        ),
        Setting("rep_decay_range", 0, REPEATED, "decay", legal=WHOLE),
        Setting("temperature", 1.0, ("temperature",), "thermostat", legal=Values("a number >= 0", lambda t: t >= 0)),
        Setting("min_p", 0.0, ("min_p",), "p", one_of(0.0), between(0, 1)),
        Setting("top_k", 0, ("top_k",), "k", at_most(0), WHOLE),
        Setting("top_p", 1.0, ("top_p",), "p", one_of(1.0), between(0, 1)),
        Setting("temp_last", False, legal=FLAG),
        Setting("adaptive_target", 1.0, ("adaptive_p",), "target", one_of(1.0), REAL),
        Setting("adaptive_decay", 0.9, ("adaptive_p",), "decay", legal=between(0, 0.99)),
        Setting("logit_bias", None, ("logit_bias",), "bias", NOT_GIVEN),
    ),
    order=_exl3_order,
    cold={"temperature": 0.0},
    is_greedy=lambda given: _zero(given) or given["top_k"] == 1 or given["top_p"] == 0,
    always={**{each: {"prompt": True} for each in REPEATED}, "top_p": {"reaching": False}},
    arrangements=lambda steps: [{}, {"temp_last": True}],
    aliases=("exl3", "exllama3", "exllama v3", "combosampler"),
    said={
        "T = 0": "argmax behind the penalties; so are top_k = 1 and top_p = 0",
        "tiny T": "divides by it in float32",
        "T = inf": "equally likely; not refused",
        "T < 0": "turns the distribution upside down, without a word; refused here",
        "T = NaN": "computes with it; refused here",
    },
    differences=(
        FLOAT32,
        Difference(
            "top-k ties", "its eager path keeps exactly k, its fused kernel all that tie with the k-th, as here"
        ),
    ),
)


PRIORITY = {
    "repetition_penalty": "repetition",
    "presence_penalty": "presence",
    "frequency_penalty": "frequency",
    "dry": "dry",
    "top_n_sigma": "top_n_sigma",
    "temperature": "temperature",
    "dynamic_temperature": "dynatemp",
    "quadratic_sampling": "smoothing",
    "top_k": "top_k",
    "top_p": "top_p",
    "typical_p": "typical",
    "epsilon_cutoff": "epsilon",
    "eta_cutoff": "eta",
    "tfs": "tail_free",
    "top_a": "top_a",
    "min_p": "min_p",
    "adaptive_p": "adaptive_p",
    "mirostat": "mirostat",
    "xtc": "xtc",
    "no_repeat_ngram": "no_repeat_ngram",
}
"""The names that ``sampler_priority`` takes, in the order of the page, and the steps they stand for."""
HEATS = ("temperature", "dynamic_temperature", "quadratic_sampling")


def _webui_order(given: Given) -> tuple[str, ...]:
    names = list(PRIORITY if given["sampler_priority"] is None else given["sampler_priority"])
    if given["temperature_last"]:
        names = [name for name in names if name not in HEATS] + list(HEATS)
    unnamed = [name for name in PRIORITY if name not in names]  # they act first
    order = [*unnamed, *names]
    for name, draws in (("adaptive_p", given["adaptive_target"] > 0), ("mirostat", given["mirostat_mode"] == 2)):
        if draws and name in order:  # it draws at once, and what stands behind it sees one option
            order = order[: order.index(name) + 1]
    return tuple(PRIORITY[name] for name in order)


def _webui_checked(values: dict[str, Any]) -> dict[str, Any]:
    for name in values["sampler_priority"] or ():
        if name not in PRIORITY:
            raise InputError(
                f"text-generation-webui has no sampler {show(name)} in sampler_priority",
                instead=meant(str(name), PRIORITY),
                field="sampler_priority",
            )
    t = values["temperature"]
    if values["do_sample"] and is_number(t) and t == 0:
        return {**values, "do_sample": False}
    return values


def _priority(steps: Sequence[str]) -> list[dict[str, Any]]:
    back = {step: name for name, step in PRIORITY.items()}
    wanted = [back[step] for step in steps if step in back]
    return [{}, {"temperature_last": True}, {"sampler_priority": [*wanted, *(n for n in PRIORITY if n not in wanted)]}]


WEBUI = Engine(
    "text-generation-webui",
    "text_generation_webui",
    "2026-05",
    (
        Setting("do_sample", True, legal=FLAG),
        Setting("repetition_penalty", 1.0, ("repetition",), "penalty", one_of(1.0), POSITIVE),
        Setting("presence_penalty", 0.0, ("presence",), "penalty", one_of(0.0), FINITE),
        Setting("frequency_penalty", 0.0, ("frequency",), "penalty", one_of(0.0), FINITE),
        Setting(
            "repetition_penalty_range",
            1024,
            (*REPEATED, "dry"),
            "window",
            legal=Values("a whole number >= 0", lambda n: n in WHOLE and n >= 0),
            whole=one_of(0),
        ),
        Setting("dry_multiplier", 0.0, ("dry",), "multiplier", at_most(0), FINITE),
        Setting("dry_base", 1.75, ("dry",), "base", legal=FINITE),
        Setting("dry_allowed_length", 2, ("dry",), "allowed_length", legal=WHOLE),
        Setting("dry_sequence_breakers", (), ("dry",), "breakers"),
        Setting("top_n_sigma", 0.0, ("top_n_sigma",), "n", at_most(0), REAL),
        Setting("temperature", 1.0, ("temperature",), "thermostat", legal=Values("a number >= 0", lambda t: t >= 0)),
        Setting("temperature_last", False, legal=FLAG),
        Setting("dynamic_temperature", False, ("dynatemp",), "", one_of(False), FLAG),
        Setting("dynatemp_low", 1.0, ("dynatemp",), "low", legal=REAL),
        Setting("dynatemp_high", 1.0, ("dynatemp",), "high", legal=REAL),
        Setting("dynatemp_exponent", 1.0, ("dynatemp",), "exponent", legal=REAL),
        Setting("smoothing_factor", 0.0, ("smoothing",), "factor", at_most(0), REAL),
        Setting("smoothing_curve", 1.0, ("smoothing",), "curve", legal=REAL),
        Setting("top_k", 0, ("top_k",), "k", one_of(0), Values("a whole number >= 0", lambda k: k in WHOLE and k >= 0)),
        Setting("top_p", 1.0, ("top_p",), "p", at_least(1), between(0, 1, above=True)),
        Setting("typical_p", 1.0, ("typical",), "p", at_least(1), between(0, 1, above=True)),
        Setting("epsilon_cutoff", 0.0, ("epsilon",), "eps", at_most(0), REAL, scale=1e-4),
        Setting("eta_cutoff", 0.0, ("eta",), "eps", at_most(0), REAL, scale=1e-4),
        Setting("tfs", 1.0, ("tail_free",), "z", at_least(1), between(0, 1)),
        Setting("top_a", 0.0, ("top_a",), "a", at_most(0), between(0, 1)),
        Setting("min_p", 0.0, ("min_p",), "p", one_of(0.0), between(0, 1)),
        Setting("adaptive_target", 0.0, ("adaptive_p",), "target", at_most(0), REAL),
        Setting("adaptive_decay", 0.9, ("adaptive_p",), "decay", legal=between(0, 0.99)),
        Setting("mirostat_mode", 0, ("mirostat",), "version", one_of(0), one_of(0, 2)),
        Setting("mirostat_tau", 5.0, ("mirostat",), "tau", legal=POSITIVE, scale=BITS),
        Setting("mirostat_eta", 0.1, ("mirostat",), "eta", legal=POSITIVE),
        Setting("xtc_probability", 0.0, ("xtc",), "probability", at_most(0), between(0, 1)),
        Setting("xtc_threshold", 0.1, ("xtc",), "threshold", at_least(0.5), REAL),
        Setting("no_repeat_ngram_size", 0, ("no_repeat_ngram",), "n", one_of(0), WHOLE),
        Setting("sampler_priority", None, legal=Values("a list of names", lambda names: not isinstance(names, str))),
    ),
    order=_webui_order,
    cold={"do_sample": False},
    is_greedy=lambda given: not given["do_sample"],
    adjust=_webui_checked,
    always={**{each: {"prompt": True} for each in REPEATED}, "top_n_sigma": {"sample": True}},
    arrangements=_priority,
    aliases=("textgen", "oobabooga", "webui", "tgwui"),
    said={
        "T = 0": "greedy; its own temperature step would refuse it",
        "tiny T": "divides by it in float32",
        "T = inf": "equally likely, and NaN where an option was removed before; here the rest is equally likely",
        "T < 0": "refused",
        "T = NaN": "refused",
    },
    differences=(
        FLOAT32,
        Difference("top-p ties", "of options that tie at the end of the nucleus, keeps those that its sort put last"),
        Difference(
            "n-sigma of a sample",
            "options that were removed before count in sigma as scores of 0; here they do not count",
        ),
        Difference(
            "tail of tfs",
            "removed options count as probabilities of 0, whose bend shows too, and the last rank always goes; here "
            "neither",
        ),
        Difference(
            "breakers", "dry_sequence_breakers are texts, newline, colon, quote and star by default; here token ids"
        ),
        Difference(
            "XTC protection", "protects line break and end of text, which only its tokenizer knows; here nothing"
        ),
        Difference(
            "XTC ties", "of options that tie with the least likely above the threshold, keeps one; here all of them"
        ),
        Difference(
            "adaptive-p and mirostat", "draw at their place in the order, so that all behind them is left out here"
        ),
    ),
)

LOCAL = (OLLAMA_MLX, MLX_LM, EXLLAMAV2, EXLLAMAV3, WEBUI)
