"""The order of transformers."""

from collections.abc import Mapping
from typing import Any

from heatbath.errors import InputError
from heatbath.sampling.orders.apart import (
    ALLOWED,
    AT_A_PLACE,
    BEAMS,
    COUNT,
    ENCODER,
    INSIDE,
    LENGTH,
    MENDED,
    RUNNING,
    SHORTEST,
    SHOWN,
    STOP,
    TWO_PROMPTS,
    WATERMARK,
    YOURS,
    apart,
)
from heatbath.sampling.orders.common import (
    FLOAT32,
    LAST_OF_TIED,
    none_of_nothing,
)
from heatbath.sampling.orders.engine import Difference, Engine, Given, Setting, Spelling, differs
from heatbath.sampling.orders.links import Link
from heatbath.sampling.orders.values import (
    FLAG,
    NOT_GIVEN,
    WHOLE,
    Values,
    at_least,
    between,
    either,
    one_of,
    outside,
)


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
    adjust=lambda values: none_of_nothing(_samples(values)),
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
