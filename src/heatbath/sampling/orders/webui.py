"""text-generation-webui with the transformers loader."""

from collections.abc import Sequence
from typing import Any

from heatbath.core.arrays import is_number
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.orders.apart import (
    ALLOWED,
    ENCODER,
    INSIDE,
    LENGTH,
    NO_END,
    RUNNING,
    SEED,
    SHOWN,
    STOP,
    TWO_PROMPTS,
    apart,
)
from heatbath.sampling.orders.common import BITS, FLOAT32, LAST_OF_TIED, REAL, REPEATED
from heatbath.sampling.orders.engine import Difference, Engine, Given, Setting, Spelling, meant
from heatbath.sampling.orders.values import FINITE, FLAG, POSITIVE, WHOLE, Values, at_least, at_most, between, one_of

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
    return ("bans", *(PRIORITY[name] for name in order))


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


WRITTEN_IDS = Spelling(
    read=lambda text: [int(part) for part in text.split(",") if part.strip()],
    write=lambda ids: ",".join(map(str, ids)),
)
IDS = Values("ids in a text, with commas", lambda text: bool(WRITTEN_IDS.read(text)))


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
        Setting("custom_token_bans", "", ("bans",), "tokens", one_of("", None), IDS, spelling=WRITTEN_IDS),
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
        LAST_OF_TIED,
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
    apart=(
        *apart(SEED, "seed", off=one_of(None, -1)),
        *apart(LENGTH, "max_new_tokens", "auto_max_new_tokens", off=one_of(None, False)),
        *apart(STOP, "custom_stopping_strings", "stopping_strings", off=one_of(None, [], "")),
        *apart(NO_END, "ban_eos_token", off=one_of(None, False)),
        *apart(ALLOWED, "grammar_string", "grammar_file_row", off=one_of(None, "")),
        *apart(ENCODER, "encoder_repetition_penalty", off=one_of(None, 1)),
        *apart(TWO_PROMPTS, "guidance_scale", off=one_of(None, 1)),
        *apart(TWO_PROMPTS, "negative_prompt", off=one_of(None, "")),
        *apart(INSIDE, "penalty_alpha", off=one_of(None, 0)),
        *apart(SHOWN, "skip_special_tokens", off=one_of(None, True)),
        *apart(RUNNING, "prompt_lookup_num_tokens", off=one_of(None, 0)),
        *apart(RUNNING, "add_bos_token", "static_cache"),
    ),
)
