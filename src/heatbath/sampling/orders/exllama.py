"""ExLlamaV2 and ExLlamaV3."""

from collections.abc import Sequence
from typing import Any

from heatbath.core.arrays import is_number
from heatbath.sampling.orders.apart import (
    ALLOWED,
    LENGTH,
    RUNNING,
    SEED,
    SHORTEST,
    SHOWN,
    SKEWED,
    STOP,
    TEXTS,
    TWO_PROMPTS,
    WHOLE_REPEATS,
    YOURS,
    apart,
)
from heatbath.sampling.orders.common import BITS, EXACTLY_K, FLOAT32, REAL, REPEATED, is_zero
from heatbath.sampling.orders.engine import Difference, Engine, Given, Setting
from heatbath.sampling.orders.values import (
    FINITE,
    FLAG,
    NOT_GIVEN,
    POSITIVE,
    WHOLE,
    Values,
    at_least,
    at_most,
    between,
    one_of,
    outside,
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


JOB = (
    *apart(SEED, "seed"),
    *apart(LENGTH, "max_new_tokens"),
    *apart(STOP, "stop_conditions", off=one_of(None, [])),
    *apart(SHORTEST, "min_new_tokens", off=one_of(None, 0)),
    *apart(ALLOWED, "filters", off=one_of(None, [])),
    *apart(TEXTS, "banned_strings", off=one_of(None, [])),
    *apart(SHOWN, "decode_special_tokens", "return_top_tokens", "return_logits", "return_probs", off=one_of(0, None)),
    *apart(RUNNING, "token_healing", "identifier", off=one_of(None, False)),
)
"""What a job of their generators is told beside its sampler."""


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
    apart=(
        *JOB,
        *apart(TWO_PROMPTS, "cfg_scale"),
        *apart(SKEWED, "skew", off=one_of(None, 0)),
        *apart(WHOLE_REPEATS, "dry_max_ngram"),
        *apart(YOURS, "post_sampling_hooks", off=one_of(None, [])),
        *apart(RUNNING, "mirostat_mu"),
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
    is_greedy=lambda given: is_zero(given) or given["top_k"] == 1 or given["top_p"] == 0,
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
    apart=(*JOB, *apart(STOP, "stop_on_loop"), *apart(RUNNING, "max_skips", "max_rq_tokens")),
)

EXLLAMA = (EXLLAMAV2, EXLLAMAV3)
