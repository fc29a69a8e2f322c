"""llama.cpp's own samplers, which need no model: what one of them makes of scores behind a text."""

import ctypes

import numpy as np
import pytest


def llama():
    """The bindings of llama.cpp."""
    return pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")


def behind(sampler, text, scores):
    """The scores (float32 inside) as the sampler leaves them once it was told of the text."""
    lib = llama()
    for token in text:
        lib.llama_sampler_accept(sampler, token)
    options = (lib.llama_token_data * len(scores))(
        *(lib.llama_token_data(token, float(score), 0.0) for token, score in enumerate(scores))
    )
    candidates = lib.llama_token_data_array(data=options, size=len(scores), selected=-1, sorted=False)
    lib.llama_sampler_apply(sampler, ctypes.byref(candidates))
    left = np.full(len(scores), -np.inf)
    for option in candidates.data[: candidates.size]:  # a sampler may move the beginning
        left[option.id] = option.logit
    lib.llama_sampler_free(sampler)
    return left
