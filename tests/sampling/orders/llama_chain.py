"""llama.cpp's samplers in the chain that its programs build of settings, without a model."""

import numpy as np

from tests.sampling.llama import behind, llama

DEFAULT = ["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"]

CONTEXT = 4096
"""What llama.cpp's programs put in place of -1, which its library takes for 0."""


def chained(*samplers):
    """Join samplers of llama.cpp."""
    lib = llama()
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    for sampler in samplers:
        lib.llama_sampler_chain_add(chain, sampler)
    return chain


def common(given, options):
    """As ``common_sampler_init`` joins them; the last, which draws, is left out."""
    lib = llama()
    bias = [lib.llama_logit_bias(token, value) for token, value in (given["logit_bias"] or {}).items()]
    first = (
        [lib.llama_sampler_init_logit_bias(options, len(bias), (lib.llama_logit_bias * len(bias))(*bias))]
        if bias
        else []
    )
    if given["mirostat"]:
        return chained(*first, lib.llama_sampler_init_temp(given["temperature"]))
    make = {
        "penalties": lambda: lib.llama_sampler_init_penalties(
            options,
            given["repeat_last_n"],
            given["repeat_penalty"],
            given["frequency_penalty"],
            given["presence_penalty"],
        ),
        "dry": lambda: lib.llama_sampler_init_dry(
            None,  # the vocabulary, which only breakers need, and there are none
            given["dry_multiplier"],
            given["dry_base"],
            given["dry_allowed_length"],
            CONTEXT if given["dry_penalty_last_n"] == -1 else given["dry_penalty_last_n"],
            None,
            0,
        ),
        "top_n_sigma": lambda: lib.llama_sampler_init_top_n_sigma(given["top_n_sigma"]),
        "top_k": lambda: lib.llama_sampler_init_top_k(given["top_k"]),
        "typ_p": lambda: lib.llama_sampler_init_typical(given["typical_p"], 0),
        "top_p": lambda: lib.llama_sampler_init_top_p(given["top_p"], 0),
        "min_p": lambda: lib.llama_sampler_init_min_p(given["min_p"], 0),
        "xtc": lambda: lib.llama_sampler_init_xtc(given["xtc_probability"], given["xtc_threshold"], 0, 1),
        "temperature": lambda: lib.llama_sampler_init_temp_ext(
            given["temperature"], given["dynatemp_range"], given["dynatemp_exponent"]
        ),
    }
    return chained(*first, *(make[name]() for name in given["samplers"] or DEFAULT))


def left_by(sampler, row, text=()):
    """The probabilities that are drawn from behind a sampler, which is used up."""
    logits = behind(sampler, text, row).astype(np.float64)
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
