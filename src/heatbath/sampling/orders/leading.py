"""The engines that serve: transformers, vLLM, SGLang, TensorRT-LLM."""

from collections.abc import Mapping
from typing import Any

from heatbath.core.arrays import is_number
from heatbath.errors import InputError
from heatbath.sampling.orders.apart import (
    ADDED_BEFORE,
    ALLOWED,
    AT_A_PLACE,
    BEAMS,
    COUNT,
    ENCODER,
    INSIDE,
    LENGTH,
    MENDED,
    RUNNING,
    SEED,
    SHORTEST,
    SHOWN,
    STOP,
    TEXTS,
    TWO_PROMPTS,
    UNKNOWN,
    WATERMARK,
    YOURS,
    apart,
)
from heatbath.sampling.orders.common import FINITE_T, FIRST_OF_TIED, FLOAT32, LAST_OF_TIED, is_zero
from heatbath.sampling.orders.engine import Difference, Engine, Given, Setting, Spelling, differs
from heatbath.sampling.orders.links import Link
from heatbath.sampling.orders.values import (
    FINITE,
    FLAG,
    NOT_GIVEN,
    POSITIVE,
    WHOLE,
    Values,
    at_least,
    between,
    either,
    one_of,
    outside,
)

LEAST_T = 1e-5  # TensorRT-LLM divides by no less


def _samples(values: dict[str, Any]) -> dict[str, Any]:
    """While do_sample is False, which is its default, every setting of sampling is ignored."""
    ignored = [
        row.name
        for row in TRANSFORMERS.settings
        if row.steps and row.steps[0] in TEMPERED and differs(values[row.name], row.default)
    ]
    if not values["do_sample"] and ignored:
        raise InputError(
            f"transformers ignores {', '.join(ignored)} while do_sample is False, which is its default",
            instead="write do_sample=True as well, or leave them out for greedy",
            field=ignored[0],
        )
    return values


FLOAT = Values("a float > 0 (an int such as 2 is refused as well)", lambda n: isinstance(n, float) and n > 0)
TEMPERED = ("temperature", "top_h", "top_k", "top_p", "min_p", "typical", "epsilon", "eta")


def _transformers_order(given: Given) -> tuple[str | Link, ...]:
    """top_h looks at the 100 best options and leaves no other."""
    hundred = [Link("top_k", {"k": 100})] if given["top_h"] is not None else []
    return (
        "logit_bias",
        "repetition",
        "no_repeat_ngram",
        "ban_sequences",
        "bans",
        "temperature",
        *hundred,
        *TEMPERED[1:],
    )


SINGLE = Values(
    "{(id,): number} or [[[id], number]], of single tokens: one on several tokens is more than a chain can add",
    lambda bias: bool(bias) and all(len(sequence) == 1 for sequence, _ in _biased(bias)),
)


def _biased(bias: Any) -> list[tuple[Any, Any]]:
    return list(bias.items() if isinstance(bias, Mapping) else bias)


BY_SEQUENCE = Spelling(
    read=lambda bias: {token: float(add) for (token,), add in _biased(bias)},
    write=lambda bias: {(token,): float(add) for token, add in _biased(bias)},
)


TRANSFORMERS = Engine(
    "transformers",
    "transformers",
    "5.24.0",
    (
        Setting("do_sample", False, legal=FLAG),
        Setting("sequence_bias", None, ("logit_bias",), "bias", NOT_GIVEN, SINGLE, spelling=BY_SEQUENCE),
        Setting("repetition_penalty", 1.0, ("repetition",), "penalty", one_of(1.0, None), FLOAT),
        Setting("no_repeat_ngram_size", 0, ("no_repeat_ngram",), "n", one_of(0, None), WHOLE),
        Setting("bad_words_ids", None, ("ban_sequences",), "sequences", NOT_GIVEN),
        Setting("suppress_tokens", None, ("bans",), "tokens", NOT_GIVEN),
        Setting(
            "temperature",
            1.0,
            ("temperature",),
            "thermostat",
            legal=FLOAT,
        ),
        Setting("top_h", None, ("top_h",), "h", NOT_GIVEN, between(0, 1, above=True)),
        Setting(
            "top_k", 50, ("top_k",), "k", one_of(0, None), Values("a whole number > 0", lambda k: k > 0 and k in WHOLE)
        ),
        Setting("top_p", 1.0, ("top_p",), "p", either(at_least(1), NOT_GIVEN), between(0, 1)),
        Setting("min_p", None, ("min_p",), "p", NOT_GIVEN, between(0, 1)),
        Setting("typical_p", 1.0, ("typical",), "p", either(at_least(1), NOT_GIVEN), between(0, 1, above=True)),
        Setting("epsilon_cutoff", 0.0, ("epsilon",), "eps", outside(0, 1), between(0, 1)),
        Setting("eta_cutoff", 0.0, ("eta",), "eps", outside(0, 1), between(0, 1)),
    ),
    order=_transformers_order,
    adjust=lambda values: _none_of_nothing(_samples(values)),
    is_greedy=lambda given: not given["do_sample"],
    cold={"do_sample": False},
    warm={"do_sample": True},
    aliases=("hf", "huggingface", "hugging face"),
    said={
        "T = 0": "refused with do_sample; without it T is ignored and the argmax taken",
        "tiny T": "divides in float32; where that overflows, NaN",
        "T = inf": "passes the check; all that is not masked becomes equally likely, and NaN where something is",
        "T < 0": "refused",
        "T = NaN": "refused",
    },
    differences=(
        FLOAT32,
        LAST_OF_TIED,
        Difference("infinite T", "with T = inf and a masked option gives NaN; here the rest is equally likely"),
        Difference("top_p = 0", "keeps one option of several that tie at the top; here all of them are kept"),
        Difference("banned end", "leaves [eos] out of bad_words_ids when it is there by itself; here it is banned"),
    ),
    apart=(
        *apart(LENGTH, "max_new_tokens", "max_length"),
        *apart(STOP, "stop_strings", "eos_token_id", "max_time"),
        *apart(COUNT, "num_return_sequences", off=one_of(None, 1)),
        *apart(SHORTEST, "min_new_tokens", "min_length", off=one_of(None, 0)),
        *apart(ALLOWED, "prefix_allowed_tokens_fn", "constraints", "force_words_ids"),
        *apart(
            AT_A_PLACE,
            "forced_bos_token_id",
            "forced_eos_token_id",
            "begin_suppress_tokens",
            "exponential_decay_length_penalty",
        ),
        *apart(MENDED, "remove_invalid_values", off=one_of(None, False)),
        *apart(ENCODER, "encoder_repetition_penalty", off=one_of(None, 1.0)),
        *apart(ENCODER, "encoder_no_repeat_ngram_size", off=one_of(None, 0)),
        *apart(TWO_PROMPTS, "guidance_scale", off=one_of(None, 1)),
        *apart(BEAMS, "num_beams", "num_beam_groups", "length_penalty", off=one_of(None, 1)),
        *apart(BEAMS, "diversity_penalty", "early_stopping", off=one_of(None, 0, False)),
        *apart(INSIDE, "penalty_alpha", "dola_layers", "low_memory"),
        *apart(WATERMARK, "watermarking_config"),
        *apart(YOURS, "logits_processor", "custom_generate"),
        *apart(
            SHOWN,
            "output_scores",
            "output_logits",
            "output_attentions",
            "output_hidden_states",
            "return_dict_in_generate",
            "renormalize_logits",
            off=one_of(None, False),
        ),
        *apart(
            RUNNING,
            "use_cache",
            "cache_implementation",
            "cache_config",
            "max_cache_len",
            "compile_config",
            "disable_compile",
            "continuous_batching_config",
            "prefill_chunk_size",
            "pad_token_id",
            "bos_token_id",
            "decoder_start_token_id",
            "token_healing",
            "transformers_version",
            "prompt_lookup_num_tokens",
            "max_matching_ngram_size",
            "speculation_type",
            "use_mtp",
            "is_assistant",
            "num_assistant_tokens",
            "num_assistant_tokens_schedule",
            "assistant_confidence_threshold",
            "assistant_early_exit",
            "assistant_ensemble_weight",
            "assistant_lookbehind",
            "target_lookbehind",
        ),
    ),
)


def _none_of_nothing(values: dict[str, Any]) -> dict[str, Any]:
    """top_p=0 keeps the best, as does any p below what the best of a billion options has."""
    return {**values, "top_p": 1e-12} if is_number(values["top_p"]) and values["top_p"] == 0 else values


def _raised(values: dict[str, Any]) -> dict[str, Any]:
    t = values["temperature"]
    return {**values, "temperature": 0.01} if is_number(t) and 0 < t < 0.01 else values


PENALTIES = (
    Setting("repetition_penalty", 1.0, ("repetition",), "penalty", one_of(1.0), POSITIVE),
    Setting("frequency_penalty", 0.0, ("frequency",), "penalty", one_of(0.0), between(-2, 2)),
    Setting("presence_penalty", 0.0, ("presence",), "penalty", one_of(0.0), between(-2, 2)),
)

_VLLM: Any = {
    "version": "0.33.0",
    "settings": (
        *PENALTIES,
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


def _sglang_order(given: Given) -> tuple[str, ...]:
    """Top-k and top-p look at the same probabilities, which is top-p before top-k; but with FlashInfer and a min-p each
    step sees what the one before it left.
    """
    early = ("frequency", "presence", "repetition", "logit_bias", "temperature")
    if given["sampling_backend"] == "flashinfer" and given["min_p"] > 0:
        return (*early, "top_k", "top_p", "min_p")
    return (*early, "top_p", "top_k", "min_p")


SGLANG = Engine(
    "SGLang",
    "sglang",
    "0.5.23",
    (
        Setting("repetition_penalty", 1.0, ("repetition",), "penalty", one_of(1.0), between(0, 2, above=True)),
        *PENALTIES[1:],
        Setting("logit_bias", None, ("logit_bias",), "bias", NOT_GIVEN),
        Setting("temperature", 1.0, ("temperature",), "thermostat", legal=FINITE_T),
        Setting(
            "top_k",
            -1,
            ("top_k",),
            "k",
            one_of(-1, 1 << 30),
            Values("-1 or a whole number >= 1", lambda k: (k == -1 or k >= 1) and k in WHOLE),
        ),
        Setting("top_p", 1.0, ("top_p",), "p", one_of(1.0), between(0, 1, above=True)),
        Setting("min_p", 0.0, ("min_p",), "p", one_of(0.0), between(0, 1)),
        Setting("sampling_backend", "flashinfer", legal=one_of("flashinfer", "pytorch")),
    ),
    order=_sglang_order,
    is_greedy=lambda given: is_number(given["temperature"]) and given["temperature"] < 1e-6,
    cold={"temperature": 0.0},
    arrangements=lambda steps: [{}, {"sampling_backend": "pytorch"}],
    always={each: {"prompt": False} for each in ("repetition", "frequency", "presence")},
    said={
        "T = 0": "T = 1 and top_k = 1, also for every T < 1e-6: greedy, except that tied maxima may be drawn from",
        "tiny T": "from 1e-6 on divides by it",
        "T = inf": "refused",
        "T < 0": "refused",
        "T = NaN": "refused",
    },
    differences=(
        FLOAT32,
        Difference(
            "top-k ties", "the PyTorch backend keeps exactly k; FlashInfer and this chain all that tie with the k-th"
        ),
        Difference(
            "top-p exact hit", "the PyTorch backend keeps one option more where a prefix has exactly the mass top_p"
        ),
        Difference(
            "greedy ties", "at T = 0 a batch with other requests draws among tied maxima; here the first is taken"
        ),
        Difference(
            "penalty order",
            "without overlap scheduling the order of repetition and the other two penalties is not fixed",
        ),
    ),
    apart=(
        *apart(SEED, "sampling_seed"),
        *apart(LENGTH, "max_new_tokens"),
        *apart(STOP, "stop", "stop_token_ids", "stop_regex", off=one_of(None, [])),
        *apart(STOP, "ignore_eos", off=one_of(None, False)),
        *apart(COUNT, "n", off=one_of(None, 1)),
        *apart(SHORTEST, "min_new_tokens", off=one_of(None, 0)),
        *apart(ALLOWED, "json_schema", "regex", "ebnf", "structural_tag"),
        *apart(BEAMS, "beam_width", off=one_of(None, 1)),
        *apart(WATERMARK, "watermark"),
        *apart(YOURS, "custom_params", "custom_logit_processor"),
        *apart(SHOWN, "skip_special_tokens", "spaces_between_special_tokens", "no_stop_trim", "stream_interval"),
    ),
)


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

LEADING = (TRANSFORMERS, VLLM, VLLM_V1, SGLANG, TENSORRT_LLM, TENSORRT_LLM_CPP)
