"""Which options steps keep: ours, and those of the libraries that have the same steps."""

import ctypes

import numpy as np
import pytest

import heatbath as hb
from tests.sampling.llama import llama


def kept(step, row, state=None, seed=None):
    """The options that the step keeps of one row, which must leave their scores as they are."""
    sampler = hb.chain(*(step if isinstance(step, list) else [step]))
    row = np.array(row, dtype=float)
    after = sampler.scores(sampler.init() if state is None else (0, (state,)), row, seed=seed).scores
    left = np.flatnonzero(after > -np.inf).tolist()
    np.testing.assert_array_equal(after[left], row[left])
    return left


def mask(step, rows):
    """The same for several rows, as booleans."""
    sampler = hb.chain(*(step if isinstance(step, list) else [step]))
    return np.isfinite(sampler.scores(sampler.init(), rows).scores)


def random_rows(seed=0, rows=200, options=120):
    """Rows from nearly flat to nearly certain, in which no two scores are equal."""
    random = np.random.default_rng(seed)
    return random.normal(0, 1, (rows, options)) * random.uniform(0.05, 6, (rows, 1))


def transformers_mask(name, rows, *given, **named):
    """What transformers' processor of this name keeps of the rows."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    library = pytest.importorskip("transformers", reason="transformers is not installed")
    processor = getattr(library.generation.logits_process, name)(*given, **named)
    return torch.isfinite(processor(None, torch.tensor(rows))).numpy()


def llama_left(sampler, row):
    """What a sampler of llama.cpp leaves of a row: (option, logit, probability) each, and its own choice, if any."""
    lib = llama()
    options = (lib.llama_token_data * len(row))(
        *(lib.llama_token_data(token, float(score), 0.0) for token, score in enumerate(row))
    )
    left = lib.llama_token_data_array(data=options, size=len(row), selected=-1, sorted=False)
    lib.llama_sampler_apply(sampler, ctypes.byref(left))
    found = [(option.id, option.logit, option.p) for option in left.data[: left.size] if option.logit > -np.inf]
    return found, left.data[left.selected].id if left.selected >= 0 else None


def llama_kept(sampler, row):
    """The options that a sampler of llama.cpp, which is used up, keeps of a row."""
    found, _ = llama_left(sampler, row)
    llama().llama_sampler_free(sampler)
    return sorted(option for option, _, _ in found)
