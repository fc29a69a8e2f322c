"""Steps that remove options. Options with equal scores share one fate: a boundary never falls between them.

That rule makes what is kept independent of the order of the options and of any sorting algorithm. It can keep more
options than the number asked for when several tie at the boundary, as transformers' top-k does.
"""

from math import inf
from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library, largest
from heatbath.errors import InputError
from heatbath.made import maker, show
from heatbath.sampling.mass import SLACK, boundary, keep, rank, reaches, weigh
from heatbath.sampling.parameters import check_parameter, check_rows, check_share, per_row
from heatbath.sampling.step import Applied, Moment, Step, stateless
from heatbath.types import Array, State


@maker("step")
def top_k(k: Any) -> Step:
    """Keep the ``k`` best options: those whose score is at least the k-th largest.

    Arguments:
        k: an integer >= 1, or one per row. More than there are options keeps them all.

    At the boundary: every option that ties with the k-th is kept, so more than k can remain.

    Raises:
        InputError: k is no whole number >= 1.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.top_k(2)).scores((), np.array([3.0, 1.0, 2.0, 2.0])).scores
    array([  3., -inf,   2.,   2.])

    How to choose: a guard against the far tail (40 to 100 for text), not a control of variety: the same k is generous
    where the model is sure and strict where it is open. Prefer :func:`min_p` or :func:`top_p` for that.

    Reference: Fan, Lewis and Dauphin, "Hierarchical neural story generation", ACL 2018.
    """
    count = check_parameter(
        k,
        "top_k",
        lambda n: n >= 1,
        "k must be a whole number >= 1",
        "write for example top_k(40); to keep every option leave top_k out",
        whole=True,
    )

    counts = np.minimum(count.astype(np.float64), 2**31).astype(np.int64)  # no row has more options
    most = float(counts.max())

    def cut(scores: Array) -> Array:
        xp, options = namespace(scores), scores.shape[-1]
        last = options - np.minimum(counts, options)
        if xp is np and last.ndim == 0:  # no need to sort
            worst = np.partition(scores, last, axis=-1)[..., last][..., None]
        else:
            check_rows("top_k", last, scores)
            best, _ = largest(xp, scores, int(most))
            if last.ndim == 0:
                worst = best[..., -1:]
            else:
                place = in_library(xp, np.minimum(counts, options) - 1, scores)[..., None]
                worst = xp.take_along_axis(best, place, axis=-1)
        return keep(scores, scores >= worst)

    return stateless(cut, "top_k", counts, most=most)


@maker("step")
def top_p(p: Any, *, reaching: bool = True) -> Step:
    """Keep the smallest set of best options whose probabilities add up to at least ``p`` (the nucleus).

    An option stays iff the options with a strictly larger score have less than ``p`` of the mass together.

    Arguments:
        p: 0 < p <= 1, or one per row.
        reaching: whether the option with which the mass reaches p is kept, as in the paper and nearly everywhere;
            False: only options whose mass together is at most p, and the best always, as in ExLlama.

    At the boundary: the option that reaches p is kept, every option that ties with it as well, and at least one always;
    p = 1 keeps everything that is not forbidden. A mass counts as p from p (1 - 1e-12) on, so that an exact hit does
    not depend on rounding. With reaching=False options that tie go together, and an exact hit is kept.

    Raises:
        InputError: p is not in (0, 1], or reaching is neither True nor False.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.top_p(0.6)).scores((), np.log([0.5, 0.3, 0.2])).scores.round(3)
    array([-0.693, -1.204,   -inf])

    How to choose: 0.9 to 0.95 with T near 1. Behind a high T the nucleus grows to most of the vocabulary and stops
    protecting; put the temperature behind it, or use :func:`min_p`.

    Reference: Holtzman, Buys, Du, Forbes and Choi, "The curious case of neural text degeneration", ICLR 2020.
    """
    share = check_share(p, "top_p", "p", 0.95)
    if not isinstance(reaching, bool):
        raise InputError(
            "reaching is True or False",
            doing="making top_p",
            on=f"top_p({show(p)}, reaching={show(reaching)})",
            instead="write for example top_p(0.95)",
            field="reaching",
        )

    def apply(state: State, moment: Moment) -> Applied:
        scores, part = moment.scores, per_row(share, moment.scores, "top_p")
        worst = boundary(scores, weigh(scores).weights, part, moment.most, lambda ranked: weigh(ranked).weights)
        return Applied(keep(scores, (scores >= worst) | (part == 1)), state)

    def below(scores: Array) -> Array:
        # An option goes if the mass up to it, and up to the last that ties with it, is above p of the whole.
        xp, ranked = namespace(scores), rank(scores)
        mass, part = xp.cumulative_sum(weigh(ranked).weights, axis=-1), per_row(share, scores, "top_p")
        above = ~reaches(part * mass[..., -1:], mass) & (part < 1)
        lost = xp.max(xp.where(above, ranked, xp.full_like(ranked, -xp.inf)), axis=-1, keepdims=True)
        return keep(scores, (scores > lost) | (scores == ranked[..., :1]))

    if not reaching:
        return stateless(below, most=inf)
    return stateless(lambda scores: scores, "top_p", share, most=inf)._replace(apply=apply)


@maker("step")
def min_p(p: Any) -> Step:
    """Keep the options at least ``p`` times as likely as the best one: ``score >= max score + ln p``.

    Arguments:
        p: 0 <= p <= 1, or one per row; 0 keeps everything.

    At the boundary: an option exactly p times as likely is kept (from p (1 - 1e-12) on), and the best one always.

    Raises:
        InputError: p is not in [0, 1].

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.min_p(0.5)).scores((), np.log([0.5, 0.3, 0.2])).scores.round(3)
    array([-0.693, -1.204,   -inf])

    How to choose: 0.02 to 0.1. It adapts to how sure the model is and, behind a high T, keeps protecting where
    :func:`top_p` no longer does: behind T, min_p(p) keeps what min_p(p**T) keeps before it.

    Reference: Nguyen et al., "Turning up the heat: min-p sampling for creative and coherent LLM outputs", ICLR 2025.
    In the logs published with that paper the gain over top-p shows from T = 1.5 upwards; at T <= 1 the two are within
    error.
    """
    ratio = check_parameter(
        p,
        "min_p",
        lambda n: (n >= 0) & (n <= 1),
        "p must lie in [0, 1]",
        "write for example min_p(0.05); to keep every option leave min_p out",
    )
    with np.errstate(divide="ignore"):
        margin = np.log(ratio.astype(np.float64)) - SLACK

    def cut(scores: Array) -> Array:
        floor = namespace(scores).max(scores, axis=-1, keepdims=True) + per_row(margin, scores, "min_p")
        return keep(scores, scores >= floor)

    return stateless(cut, "min_p", margin, most=inf)
