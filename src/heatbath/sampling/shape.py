"""Steps that look at the shape of the ranked distribution: where it bends, falls, or has given most of its entropy.

An option's rank is its place among those that are not forbidden, the best first. Where equal scores stand at the
boundary, all of them are kept.
"""

from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import unwarned
from heatbath.made import maker
from heatbath.sampling.mass import REACHED, keep_best, rank, reaches, weigh
from heatbath.sampling.parameters import check_parameter, check_share, per_row
from heatbath.sampling.step import Step, stateless
from heatbath.types import Array

LEAST_BEND = 1e-12
"""Bends below this share of the highest probability are rounding: probabilities on a straight line have none."""


@maker("step")
def tail_free(z: Any) -> Step:
    """Cut the flat tail off: keep ranks until they have shown more than ``z`` of the curvature of the distribution.

    With the probabilities ranked, ``c_i = |p_i - 2 p_(i+1) + p_(i+2)|`` and the sum of all c scaled to 1, rank j > 1 is
    kept iff ``c_1 + ... + c_(j-1) <= z``.

    Arguments:
        z: 0 < z <= 1, or one per row.

    At the boundary: rank 1 is always kept, an exact hit of z is kept (up to z (1 + 1e-12)), and so is all that ties
    with the last rank kept. z = 1, fewer than three options, and probabilities on a straight line keep everything.

    Raises:
        InputError: z is not in (0, 1].

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.tail_free(0.95)).scores((), np.log([0.5, 0.3, 0.1, 0.05, 0.03, 0.02])).scores.round(3)
    array([-0.693, -1.204, -2.303, -2.996,   -inf,   -inf])

    How to choose: 0.95 to 0.99, for texts made with it before; llama.cpp has removed it. One bend at the top can hold
    most of the curvature, and then little is kept however flat the rest is: :func:`min_p` is easier to foresee.

    Reference: Phenix and Egan, "Tail free sampling", 2019 (trentbrick.github.io/Tail-Free-Sampling). Implementations
    differ by one rank; here as in the original and text-generation-webui, except that the last rank is not removed
    where everything else is kept.
    """
    share = check_share(z, "tail_free", "z", 0.97)

    def cut(scores: Array) -> Array:
        xp = namespace(scores)
        if scores.shape[-1] < 3:
            return scores
        ranked = rank(scores)
        falls = -xp.diff(weigh(ranked).weights, axis=-1)
        bends = xp.abs(xp.diff(falls, axis=-1))
        bends = xp.where((ranked[..., 2:] > -xp.inf) & (bends > LEAST_BEND), bends, xp.zeros_like(bends))
        shown = xp.cumulative_sum(bends, axis=-1)
        whole = shown[..., -1:]
        before = xp.concat([xp.zeros_like(whole), shown, whole], axis=-1)
        return keep_best(scores, ranked, reaches(per_row(share, scores, "tail_free") * whole, before))

    return stateless(cut, "tail_free", share)


@maker("step")
def top_h(h: Any) -> Step:
    """Keep ranks while they have no more than ``h`` of the entropy: ``-sum_(j<=i) p_j ln p_j <= h H``.

    Arguments:
        h: 0 < h <= 1, or one per row.

    At the boundary: rank 1 is always kept, an exact hit is kept (up to h H (1 + 1e-12)), and so is all that ties with
    the last rank kept; h = 1 keeps everything that is not forbidden.

    Raises:
        InputError: h is not in (0, 1].

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.top_h(0.7)).scores((), np.log([0.4, 0.3, 0.2, 0.1])).scores.round(3)
    array([-0.916, -1.204,   -inf,   -inf])

    How to choose: 0.4 is the usual value. It is a :func:`top_p` with entropy in place of mass, and stricter where the
    model is sure. ``top_k(100) -> top_h(h)`` is what transformers 5.23 does: there only the 100 best are looked at, for
    the entropy as well.

    Reference: Potraghloo, Azizi, Kundu and Pedram, "Top-H decoding: adapting the creativity and coherence with bounded
    entropy in text generation", 2025, arXiv:2509.02510. The sum over the kept options is not the entropy of what is
    drawn from, which is renormalised; this is the rule as transformers has it.
    """
    share = check_share(h, "top_h", "h", 0.4)

    def cut(scores: Array) -> Array:
        xp = namespace(scores)
        ranked = rank(scores)
        weighed = weigh(ranked)
        parts = weighed.weights * xp.where(ranked > -xp.inf, weighed.surprisals(), xp.zeros_like(ranked))
        shown = xp.cumulative_sum(parts, axis=-1)
        first = xp.arange(ranked.shape[-1], device=getattr(scores, "device", None)) == 0
        stays = reaches(per_row(share, scores, "top_h") * shown[..., -1:], shown) | first
        return keep_best(scores, ranked, stays)

    return stateless(cut, "top_h", share)


@maker("step")
def min_k(tau: Any = 3.0) -> Step:
    """Cut at the steepest fall of the ranked scores, early ones weighing more: where ``(s_i - s_(i+1)) / i`` peaks.

    Ranks 1 to i are kept, and at least ``floor(tau / (s_1 - s_n))``, which is many where all scores are nearly equal.

    Arguments:
        tau: a finite number >= 0, or one per row; 0 leaves the second rule out.

    At the boundary: of several peaks (to within 1e-12 of their height) the first counts; all that ties with the last
    rank kept is kept; where all scores are equal, or one is left, everything is.

    Raises:
        InputError: tau is no finite number >= 0.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.min_k()).scores((), np.array([9.0, 8.5, 8.0, 2.0, 1.0, 0.0])).scores
    array([ 9. ,  8.5,  8. , -inf, -inf, -inf])

    How to choose: keep tau = 3. The place of the fall does not depend on a temperature before it, as with
    :func:`top_n_sigma`; over that the authors report a lead of a few points in most settings and no significant one in
    their human evaluation. The weight 1/i is steep: a lead of the first option over the second counts as much as a fall
    three times as deep behind the third, so that the first is often kept alone and the text is that of :func:`greedy`.

    Reference: Ding, Li, Garces Arias, Aßenmacher, Heumann and Zhang, "Min-k sampling: decoupling truncation from
    temperature scaling via relative logit dynamics", ACL 2026, arXiv:2604.11012. The invariance that the paper proves
    is that of the fall: the second rule does change with T, which scales s_1 - s_n and not tau. The paper divides falls
    by s_1 - s_n, which moves no peak.
    """
    few = check_parameter(
        tau,
        "min_k",
        lambda n: (n >= 0) & np.isfinite(n),
        "tau must be a finite number >= 0",
        "write for example min_k(3.0); to keep every option leave min_k out",
    )

    @unwarned()  # of distances beyond the type
    def cut(scores: Array) -> Array:
        xp, device = namespace(scores), getattr(scores, "device", None)
        ranked = rank(scores)
        options = scores.shape[-1]
        allowed = ranked > -xp.inf
        finite = xp.where(allowed, ranked, xp.full_like(ranked, xp.inf))
        span = ranked[..., :1] - xp.min(finite, axis=-1, keepdims=True)
        least = per_row(few, scores, "min_k") / xp.where(span > 0, span, xp.ones_like(span))
        least = xp.where(span > 0, xp.floor(least / REACHED), xp.full_like(least, float(options)))
        falls = xp.where(allowed[..., 1:], ranked[..., :-1] - finite[..., 1:], xp.zeros_like(ranked[..., 1:]))
        steep = falls / xp.arange(1, options, dtype=scores.dtype, device=device)
        # With one option there is no fall; the row of falls gets a last one of 0, which is no peak.
        steep = xp.concat([steep, xp.zeros_like(span)], axis=-1)
        peak = xp.argmax(
            xp.astype(reaches(steep, xp.max(steep, axis=-1, keepdims=True)), xp.int8), axis=-1, keepdims=True
        )
        stays = xp.arange(options, dtype=scores.dtype, device=device) < xp.maximum(
            xp.astype(peak, scores.dtype) + 1, least
        )
        return keep_best(scores, ranked, stays)

    return stateless(cut, "min_k", few)
