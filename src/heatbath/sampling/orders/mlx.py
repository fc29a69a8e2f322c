"""The engines on MLX: Ollama for MLX models, and mlx-lm."""

from heatbath.core.arrays import is_number
from heatbath.sampling.orders.apart import AT_LEAST, LENGTH, RUNNING, SEED, YOURS, apart
from heatbath.sampling.orders.common import EXACTLY_K, FIRST_OF_TIED, FLOAT32, REAL, REPEATED, is_zero
from heatbath.sampling.orders.engine import Difference, Engine, Setting
from heatbath.sampling.orders.llama import LAST, OLLAMA_APART, PENALTIES, TOP_K
from heatbath.sampling.orders.values import (
    FINITE,
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
    is_greedy=is_zero,
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
        FIRST_OF_TIED,
    ),
    apart=OLLAMA_APART,
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
    apart=(
        *apart(SEED, "seed"),
        *apart(LENGTH, "max_tokens", off=one_of(None, -1)),
        *apart(AT_LEAST, "min_tokens_to_keep", off=one_of(None, 1)),
        *apart(YOURS, "logits_processors"),
        *apart(
            RUNNING,
            "max_kv_size",
            "prompt_cache",
            "prefill_step_size",
            "kv_bits",
            "kv_group_size",
            "quantized_kv_start",
            "draft_model",
            "num_draft_tokens",
        ),
    ),
)

MLX = (OLLAMA_MLX, MLX_LM)
