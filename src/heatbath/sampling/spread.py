"""The step that measures the distance to the best score in standard deviations."""

from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import unwarned
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.sampling.mass import keep, reaches
from heatbath.sampling.parameters import check_argument, per_row
from heatbath.sampling.step import Step, stateless
from heatbath.types import Array


@maker("step")
def top_n_sigma(n: Any, *, sample: bool = False) -> Step:
    """Keep the options within ``n`` standard deviations of the best: ``score >= max score - n sigma``.

    Arguments:
        n: a finite number > 0, or one per row.
        sample: sigma is the deviation of a sample (divided by N - 1, as ``torch.std``) instead of that of a population
            (divided by N, as ``numpy.std`` and llama.cpp). N counts the options that are not forbidden.

    At the boundary: an option exactly n sigma away is kept (up to n sigma (1 + 1e-12)), and the best one always.

    Raises:
        InputError: n is no finite number > 0, or sample is neither True nor False.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.top_n_sigma(1.0)).scores((), np.log([0.1, 0.2, 0.3, 0.4])).scores.round(3)
    array([  -inf,   -inf, -1.204, -0.916])

    How to choose: 0.3 to 1.5 in the paper, 1 as a start. What it keeps does not depend on a temperature before it, for
    T divides the distance and sigma alike: with it in the chain, T varies the wording and lets nothing new in. But
    sigma is that of *all* options, most of which nobody would choose: it changes with padding of the vocabulary and
    with what earlier steps removed, so put it first.

    Reference: Tang, Liu, Xu, Huang and Wang, "Top-n-sigma: not all logits are you need", 2024, arXiv:2411.07641. n = 0
    is refused: by the formula it keeps the best alone, in llama.cpp it switches the sampler off.
    """
    with while_doing("making top_n_sigma", f"top_n_sigma({show(n)}, sample={show(sample)})"):
        count = check_argument(
            n,
            "n",
            lambda n: (n > 0) & np.isfinite(n),
            "a finite number > 0 (to keep every option leave top_n_sigma out)",
            1.0,
        )
        if not isinstance(sample, bool):
            raise InputError("sample is True or False", instead="write for example top_n_sigma(1.0)", field="sample")

    @unwarned("invalid")  # of distances beyond the type; the best one stays
    def cut(scores: Array) -> Array:
        xp = namespace(scores)
        best = xp.max(scores, axis=-1, keepdims=True)
        allowed = scores > -xp.inf
        below = xp.where(allowed, best - scores, xp.zeros_like(scores))
        options = xp.sum(xp.astype(allowed, scores.dtype), axis=-1, keepdims=True)
        mean = xp.sum(below, axis=-1, keepdims=True) / options
        squares = xp.where(allowed, (below - mean) ** 2, xp.zeros_like(scores))
        sigma = xp.sqrt(xp.sum(squares, axis=-1, keepdims=True) / xp.clip(options - int(sample), min=1.0))
        return keep(scores, reaches(per_row(count, scores, "n") * sigma, below) | (below == 0))

    return stateless(cut, "sample_sigma" if sample else "top_n_sigma", count)
