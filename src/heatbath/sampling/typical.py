"""The step that keeps what is as surprising as was to be expected."""

from math import inf
from typing import Any

from heatbath.core import entropy, namespace
from heatbath.made import maker
from heatbath.sampling.mass import SLACK, boundary, keep, weigh
from heatbath.sampling.parameters import check_share, per_row
from heatbath.sampling.step import Step, stateless
from heatbath.types import Array


@maker("step")
def typical(p: Any) -> Step:
    """Keep the options whose surprisal is nearest to the entropy: the narrowest band with mass ``p`` or more.

    An option stays iff ``|-ln p_i - H| <= d``, with the smallest d for which what stays has at least ``p`` of the mass.

    Arguments:
        p: 0 < p <= 1, or one per row.

    At the boundary: the option with which the mass reaches p is kept, and with it all that are equally far from H,
    above or below; p = 1 keeps everything that is not forbidden. A mass counts as p from p (1 - 1e-12) on, and
    distances that differ by less than 1e-12 nats are equal.

    Raises:
        InputError: p is not in (0, 1].

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.typical(0.5)).scores((), np.log([0.4, 0.2, 0.2, 0.2])).scores.round(3)
    array([  -inf, -1.609, -1.609, -1.609])

    How to choose: rarely. It is one of the few steps that can remove the *best* option, where that is much likelier
    than the entropy suggests, as above. The paper recommends 0.2 for stories and 0.95 for summaries, measured with
    models of its time; for the second value it keeps nearly what :func:`top_p` keeps.

    Reference: Meister, Pimentel, Wiher and Cotterell, "Locally typical sampling", TACL 11, 2023. Engines differ on an
    exact hit: transformers stops there, as here, llama.cpp takes one option more; and where several are equally far,
    llama.cpp keeps those that its sort happens to put first.
    """
    share = check_share(p, "typical", "p", 0.95)

    def cut(scores: Array) -> Array:
        xp = namespace(scores)
        weighed = weigh(scores)
        distance = xp.abs(weighed.surprisals() - entropy(scores)[..., None])
        part = per_row(share, scores, "typical")
        widest = -boundary(-distance, weighed.weights, part)
        return keep(scores, (distance <= widest + SLACK) | (part == 1))

    return stateless(cut, "typical", share, most=inf)
