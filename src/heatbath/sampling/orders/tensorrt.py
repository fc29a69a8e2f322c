"""The orders of TensorRT-LLM: its PyTorch backend and its C++ runtime."""

from typing import Any

from heatbath.core.arrays import is_number
from heatbath.sampling.orders.apart import (
    ADDED_BEFORE,
    ALLOWED,
    BEAMS,
    COUNT,
    LENGTH,
    RUNNING,
    SEED,
    SHORTEST,
    SHOWN,
    STOP,
    TEXTS,
    UNKNOWN,
    YOURS,
    apart,
)
from heatbath.sampling.orders.common import FINITE_T, FIRST_OF_TIED, FLOAT32
from heatbath.sampling.orders.engine import Difference, Engine, Given, Setting
from heatbath.sampling.orders.values import (
    FINITE,
    NOT_GIVEN,
    POSITIVE,
    WHOLE,
    Values,
    at_least,
    between,
    either,
    one_of,
)

LEAST_T = 1e-5
"""It divides by no less."""


def _unset(given: Given) -> bool:
    """Greedy is asked for by T = 0, top_k = 1, top_p = 0, or by giving none of the three."""
    t, k, p = given["temperature"], given["top_k"], given["top_p"]
    return (t is None and k is None and p is None) or (is_number(t) and t == 0) or k == 1 or (is_number(p) and p == 0)


def _least(values: dict[str, Any]) -> dict[str, Any]:
    t = values["temperature"]
    t = 1.0 if t is None and not _unset(values) else t
    return {**values, "temperature": LEAST_T if is_number(t) and 0 < t < LEAST_T else t}


def _tensorrt(name: str, function: str, order: tuple[str, ...], aliases: tuple[str, ...], tiny: str) -> Engine:
    return Engine(
        name,
        function,
        "main, 2026-08",
        (
            Setting("repetition_penalty", None, ("repetition",), "penalty", one_of(None, 1.0), POSITIVE),
            Setting("presence_penalty", None, ("presence",), "penalty", one_of(None, 0.0), FINITE),
            Setting("frequency_penalty", None, ("frequency",), "penalty", one_of(None, 0.0), FINITE),
            Setting("temperature", None, ("temperature",), "thermostat", NOT_GIVEN, either(NOT_GIVEN, FINITE_T)),
            Setting(
                "top_k",
                None,
                ("top_k",),
                "k",
                one_of(None, 0),
                Values("a whole number >= 0", lambda k: k >= 0 and k in WHOLE),
            ),
            Setting("top_p", None, ("top_p",), "p", either(NOT_GIVEN, at_least(1)), between(0, 1)),
            Setting("min_p", None, ("min_p",), "p", one_of(None, 0.0), between(0, 1)),
        ),
        order=lambda given: order,
        is_greedy=_unset,
        adjust=_least,
        cold={"temperature": 0.0},
        warm={"temperature": 1.0},
        always={each: {"prompt": True} for each in ("repetition", "frequency", "presence")},
        aliases=aliases,
        said={
            "T = 0": "greedy; so are top_k=1, top_p=0 and giving none of temperature, top_k and top_p",
            "tiny T": tiny,
            "T = inf": "not established; refused here",
            "T < 0": "refused",
            "T = NaN": "not established; refused here",
        },
        differences=(
            FLOAT32,
            Difference(
                "top-p exact hit", "up to 2025 one option more was kept where a prefix has exactly the mass top_p"
            ),
            FIRST_OF_TIED,
        ),
        apart=(
            *apart(SEED, "seed", "random_seed"),
            *apart(LENGTH, "max_tokens"),
            *apart(STOP, "stop", "stop_token_ids", off=one_of(None, [])),
            *apart(STOP, "end_id"),
            *apart(STOP, "ignore_eos", off=one_of(None, False)),
            *apart(COUNT, "n", "best_of", off=one_of(None, 1)),
            *apart(SHORTEST, "min_tokens", off=one_of(None, 0, 1)),
            *apart(ALLOWED, "guided_decoding"),
            *apart(TEXTS, "bad"),
            *apart(UNKNOWN, "bad_token_ids", "no_repeat_ngram_size"),
            *apart(UNKNOWN, "top_p_min", "top_p_reset_ids", "top_p_decay"),
            *apart(ADDED_BEFORE, "embedding_bias"),
            *apart(
                BEAMS,
                "use_beam_search",
                "beam_width_array",
                "beam_search_diversity_rate",
                "length_penalty",
                "early_stopping",
                off=one_of(None, False),
            ),
            *apart(YOURS, "logits_processor"),
            *apart(YOURS, "apply_batched_logits_processor", off=one_of(None, False)),
            *apart(
                SHOWN,
                "logprobs",
                "prompt_logprobs",
                "return_context_logits",
                "return_generation_logits",
                "exclude_input_from_output",
                "include_stop_str_in_output",
                "detokenize",
                "skip_special_tokens",
            ),
            *apart(RUNNING, "pad_id", "lookahead_config", "truncate_prompt_tokens", "add_special_tokens"),
        ),
    )


TENSORRT_LLM = _tensorrt(
    "TensorRT-LLM",
    "tensorrt_llm",
    ("repetition", "presence", "frequency", "temperature", "top_k", "top_p", "min_p"),
    ("trt-llm", "trtllm", "tensorrt"),
    "divides by 1e-5 at least",
)
TENSORRT_LLM_CPP = _tensorrt(
    "TensorRT-LLM C++",
    "tensorrt_llm_cpp",
    ("temperature", "repetition", "presence", "frequency", "top_k", "top_p", "min_p"),
    ("tensorrt-llm c++ runtime",),
    "divides by T + 1e-6; here by T, and by 1e-5 at least",
)
