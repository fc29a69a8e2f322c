"""The step that now and then leaves the obvious out."""

from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library
from heatbath.errors import while_doing
from heatbath.made import Made, maker
from heatbath.sampling.ids import check_ids, check_known
from heatbath.sampling.mass import SLACK, keep, weigh
from heatbath.sampling.parameters import beside, check_argument, per_row
from heatbath.sampling.step import Applied, Moment, Op, Step
from heatbath.types import State


@maker("step")
def xtc(threshold: Any, probability: Any, protect: Any = ()) -> Step:
    """Exclude top choices: with ``probability``, of the options with ``p_i >= threshold`` keep only the least likely.

    Arguments:
        threshold: 0 < threshold < 0.5, or one per row. From 0.5 on there are no two such options, unless both have 0.5
            and share one fate.
        probability: 0 < probability <= 1, or one per row; decided once per row at every decision.
        protect: token ids, such as those of the line break and of the end of the text. Where one of them would be
            removed, nothing is removed at this decision.

    At the boundary: an option of probability threshold counts (from threshold (1 - 1e-12) on); all that tie with the
    least likely of those are kept; with one of them, or none, nothing is removed. The step acts iff u < probability.

    Raises:
        InputError: an argument outside its range; at a step, a protected id that is no option; no seed.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.xtc(0.15, 1.0))
    >>> sampler.scores((), np.log([0.4, 0.3, 0.2, 0.1]), seed=0).scores.round(3)
    array([  -inf,   -inf, -1.609, -2.303])

    How to choose: 0.1 and 0.5, for stories that should leave the beaten path, and never where an answer is right or
    wrong: it removes the best option on purpose. Put a :func:`min_p` before it, so that what is left is still sensible,
    and protect what ends lines and texts; a text may otherwise never end.

    Reference: Philipp Emanuel Weidmann, "Exclude top choices", text-generation-webui, 2024. That program protects line
    break and end as here; llama.cpp protects nothing and draws from [0, 1]; ExLlama mixes the two outcomes instead of
    drawing.
    """
    with while_doing("making xtc", Made("xtc", ((None, threshold), (None, probability)))):
        least = check_argument(threshold, "threshold", lambda n: (n > 0) & (n < 0.5), "a number in (0, 0.5)", 0.1)
        share = check_argument(
            probability,
            "probability",
            lambda n: (n > 0) & (n <= 1),
            "a number in (0, 1] (for never, leave xtc out)",
            0.5,
        )
        ids = check_ids(protect, "protect", "write for example protect=[13, 2]") if _given(protect) else ()

    log_least = np.log(least)

    def apply(state: State, moment: Moment) -> Applied:
        scores, chance = moment.scores, moment.chance
        xp = namespace(scores)
        weighed = weigh(scores)
        floor = xp.log(weighed.total) + per_row(log_least, scores, "threshold") - SLACK
        obvious = weighed.exponents >= floor
        last = xp.min(xp.where(obvious, scores, xp.full_like(scores, xp.inf)), axis=-1, keepdims=True)
        excluded = scores > last
        acts = chance.one() < beside(share, scores, "probability")  # type: ignore[union-attr]  # a random step has one
        if ids:
            check_known(ids, scores.shape[-1], "protect")
            named = np.zeros(scores.shape[-1], dtype=np.bool_)
            named[list(ids)] = True
            acts = acts & ~xp.any(excluded & in_library(xp, named, scores), axis=-1)
        return Applied(keep(scores, ~(excluded & acts[..., None])), state)

    def op(state: State, moment: Moment) -> Op | None:
        part = moment.chance and float(moment.chance.part)
        return None if part is None else Op("xtc", log_least, state, (share, part, *map(float, ids)))

    return Step(apply=apply, random=True, op=op)


def _given(protect: Any) -> bool:
    return not (isinstance(protect, list | tuple) and not protect)
