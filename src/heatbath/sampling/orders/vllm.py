"""The orders of vLLM: its two model runners."""

from typing import Any

from heatbath.core.arrays import is_number
from heatbath.sampling.orders.apart import (
    ALLOWED,
    AT_A_PLACE,
    COUNT,
    LENGTH,
    RUNNING,
    SEED,
    SHORTEST,
    SHOWN,
    STOP,
    WATERMARK,
    YOURS,
    apart,
)
from heatbath.sampling.orders.common import FLOAT32, FREQUENCY_AND_PRESENCE, LAST_OF_TIED, is_zero
from heatbath.sampling.orders.engine import Difference, Engine, Setting
from heatbath.sampling.orders.values import (
    NOT_GIVEN,
    POSITIVE,
    WHOLE,
    Values,
    between,
    one_of,
)


def _raised(values: dict[str, Any]) -> dict[str, Any]:
    t = values["temperature"]
    return {**values, "temperature": 0.01} if is_number(t) and 0 < t < 0.01 else values


_VLLM: Any = {
    "version": "0.33.0",
    "settings": (
        Setting("repetition_penalty", 1.0, ("repetition",), "penalty", one_of(1.0), POSITIVE),
        *FREQUENCY_AND_PRESENCE,
        Setting("logit_bias", None, ("logit_bias",), "bias", NOT_GIVEN),
        Setting("bad_words", None, ("ban_sequences",), "sequences", one_of(None, [])),
        Setting("temperature", 1.0, ("temperature",), "thermostat", legal=between(0, 2)),
        Setting("min_p", 0.0, ("min_p",), "p", one_of(0.0), between(0, 1)),
        Setting(
            "top_k", 0, ("top_k",), "k", one_of(0, -1), Values("a whole number >= -1", lambda k: k >= -1 and k in WHOLE)
        ),
        Setting("top_p", 1.0, ("top_p",), "p", one_of(1.0), between(0, 1, above=True)),
    ),
    "order": lambda given: (
        "logit_bias",
        "repetition",
        "frequency",
        "presence",
        "ban_sequences",
        "temperature",
        "min_p",
        "top_k",
        "top_p",
    ),
    "adjust": _raised,
    "is_greedy": is_zero,
    "cold": {"temperature": 0.0},
    "always": {"repetition": {"prompt": True}, "frequency": {"prompt": False}, "presence": {"prompt": False}},
    "said": {
        "T = 0": "greedy; top_k, top_p and min_p are reset",
        "tiny T": "0 < T < 0.01 is silently raised to 0.01",
        "T = inf": "refused, as is every T > 2",
        "T < 0": "refused",
        "T = NaN": "refused",
    },
    "differences": (
        FLOAT32,
        Difference(
            "top-k ties", "the Triton path keeps exactly k, the PyTorch path all that tie with the k-th, as here"
        ),
        LAST_OF_TIED,
        Difference("bad words", "bad_words are texts, tokenised with and without a space in front; here token ids"),
        Difference("logit bias", "the server silently cuts it to ±100; its Python interface and heatbath do not"),
        Difference("bad words across", "looks for their beginnings in what it wrote; here in the prompt as well"),
    ),
    "apart": (
        *apart(SEED, "seed"),
        *apart(LENGTH, "max_tokens"),
        *apart(STOP, "stop", off=one_of(None, [])),
        *apart(STOP, "stop_token_ids", "repetition_detection", off=one_of(None, [])),
        *apart(STOP, "ignore_eos", off=one_of(None, False)),
        *apart(COUNT, "n", off=one_of(None, 1)),
        *apart(SHORTEST, "min_tokens", off=one_of(None, 0)),
        *apart(ALLOWED, "allowed_token_ids", "structured_outputs"),
        *apart(AT_A_PLACE, "thinking_token_budget", "trace_decode_token_ids"),
        *apart(WATERMARK, "watermarking", off=one_of(None, False)),
        *apart(YOURS, "extra_args"),
        *apart(
            SHOWN,
            "logprobs",
            "prompt_logprobs",
            "prompt_logprob_token_ids",
            "prompt_logprob_start",
            "logprob_token_ids",
            "flat_logprobs",
            "detokenize",
            "skip_special_tokens",
            "spaces_between_special_tokens",
            "include_stop_str_in_output",
            "output_kind",
            "stream_interval",
        ),
        *apart(RUNNING, "skip_clone", "skip_reading_prefix_cache", "routed_experts_prompt_start"),
    ),
}
VLLM = Engine("vLLM", "vllm", aliases=("vllm v2", "vllm-v2"), **_VLLM)
VLLM_V1 = Engine(
    "vLLM V1",
    "vllm_v1",
    aliases=("vllm-v1",),
    **_VLLM
    | {
        "order": lambda given: (
            "ban_sequences",
            "logit_bias",
            "repetition",
            "frequency",
            "presence",
            "temperature",
            "min_p",
            "top_k",
            "top_p",
        )
    },
)
