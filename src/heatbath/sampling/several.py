"""Several different options at once: a slate, the candidates for a comparison, the first choices of a search.

They stand beside the chain, not in it: a chain ends in one choice per row, which steps that look back or learn are told
of. Take the scores that a chain would draw from, and draw from those::

    shown = sampler.scores(state, logits)
    slate = without_replacement(shown.scores, 5, seed=7)
"""

from typing import Any, NamedTuple

import numpy as np

from heatbath.core import log_softmax, namespace
from heatbath.core.arrays import first_bad, in_library, is_array, known
from heatbath.core.numbers import check_whole
from heatbath.core.waiting import looks
from heatbath.errors import InputError, while_doing
from heatbath.sampling.left import chosen
from heatbath.sampling.numbers import read_rows
from heatbath.sampling.parameters import check_argument
from heatbath.sampling.random import chance
from heatbath.types import Array


class Several(NamedTuple):
    """What :func:`without_replacement` gives back."""

    choice: Array
    """The options, in the order in which they were drawn, ``(..., k)``."""
    perturbed: Array
    """ln p of each plus its Gumbel noise, ``(..., k)``, falling. With k + 1 options drawn, the last is the threshold of
    the estimators of Kool et al.: an option with ln p = a lies above it with probability ``1 - exp(-exp(a - last))``.
    """


def without_replacement(logits: Array, k: int, *, seed: Any, position: Any = 0) -> Several:
    """Draw ``k`` different options per row: one after the other, each from softmax over those that are left.

    All at once: the k largest of ``score + Gumbel noise``. The first is what :func:`gumbel` draws with the same seed at
    the same position.

    Arguments:
        logits: scores, ``(V,)`` or ``(B, V)``, such as :meth:`heatbath.Sampler.scores` gives; -inf = forbidden.
        k: how many, an integer >= 1, and at most as many as every row leaves open.
        seed: as in :meth:`heatbath.Sampler.step`.
        position: which decision of the stream this is, an integer >= 0, or one per row.

    Raises:
        InputError: scores that cannot be drawn from, fewer than k options in a row, an illegal seed or position.

    >>> import numpy as np
    >>> from heatbath.sampling import plackett_luce, without_replacement
    >>> scores = np.log([0.5, 0.3, 0.2])
    >>> drawn = without_replacement(scores, 2, seed=7)
    >>> drawn.choice
    array([1, 0])
    >>> plackett_luce(scores, drawn.choice).round(3), np.log(0.3 * 0.5 / 0.7).round(3)
    (np.float64(-1.54), np.float64(-1.54))

    How to choose: for a slate shown at once. Drawing k times from a chain gives the same option more than once, and
    taking the k best gives always the same slate.

    Reference: Kool, van Hoof and Welling, "Stochastic beams and where to find them: the Gumbel-top-k trick for sampling
    sequences without replacement", ICML 2019; for finite sets of options the trick is older: Yellott, "The relationship
    between Luce's choice axiom, Thurstone's theory of comparative judgment, and the double exponential distribution",
    Journal of Mathematical Psychology 15, 1977.
    """
    with while_doing("drawing several options"):
        rows, _ = read_rows(logits)
        xp = namespace(rows)
        count = check_whole(k, "k", example=5)
        enough = xp.sum(xp.astype(rows > -xp.inf, xp.int32), axis=-1) >= count
        if known(xp.all(enough)) is False:
            row = first_bad(enough, enough)[0]
            raise InputError(
                f"{f'{row} leaves' if row else 'the scores leave'} fewer than {count} options open",
                instead="draw fewer, or truncate less",
                field="k",
            )
        number = rows.shape[0] if rows.ndim == 2 else 1
        places = check_argument(position, "position", lambda n: n >= 0, "a whole number >= 0", 0, whole=True)
        if places.ndim and len(places) != number:
            raise InputError(
                f"there are {len(places)} positions for {number} rows",
                instead="give one position, or one per row",
                field="position",
            )
        perturbed = log_softmax(rows) + chance(seed, places, rows).gumbels()
        best = xp.argsort(-perturbed, axis=-1, stable=True)[..., :count]
        reached = xp.take_along_axis(perturbed, best, axis=-1)
        return Several(chosen(best, None if looks(rows) else reached > -xp.inf), reached)


def plackett_luce(logits: Array, choice: Array) -> Array:
    """The logarithm of the probability that these options are drawn in this order without replacement.

    ``sum over j of (s_j - ln sum over i left of exp s_i)``: the logarithm of a product of softmaxes, each over the
    options that the ones before it leave.

    Arguments:
        logits: scores, ``(..., V)``.
        choice: options in the order of drawing, ``(..., k)``, as many rows as the scores have.

    Returns:
        one number per row, in nats, never above 0; -inf where an option is forbidden or comes twice.

    Raises:
        InputError: scores that cannot be drawn from, or something that is no choice from them.

    >>> import numpy as np
    >>> from heatbath.sampling import plackett_luce
    >>> np.exp(plackett_luce(np.log([[0.5, 0.3, 0.2]] * 2), [[0, 1], [0, 0]])).round(3)
    array([0.3, 0. ])

    Reference: Plackett, "The analysis of permutations", Applied Statistics 24, 1975; Luce, *Individual Choice
    Behavior*, Wiley 1959.
    """
    with while_doing("measuring an ordered choice"):
        left, came = read_rows(logits)
        xp = namespace(left)
        places = _read_choice(choice, left)
        options = xp.arange(left.shape[-1], device=getattr(left, "device", None))
        total = xp.zeros_like(left[..., 0])
        for one in range(places.shape[-1]):
            place = places[..., one : one + 1]
            remain = xp.any(left > -xp.inf, axis=-1, keepdims=True)
            shown = xp.where(remain, left, xp.zeros_like(left))  # a row that is used up adds -inf, below
            chosen = xp.take_along_axis(log_softmax(shown), place, axis=-1)
            total = total + xp.where(remain, chosen, xp.full_like(chosen, -xp.inf))[..., 0]
            left = xp.where(options == place, xp.full_like(left, -xp.inf), left)
        return xp.astype(total, came)


def _read_choice(choice: Any, scores: Array) -> Array:
    """Options as an array of the scores' library, of the type that it takes for places."""
    xp, options = namespace(scores), scores.shape[-1]
    places = in_library(xp, choice if is_array(choice) else np.asarray(choice), scores)
    whole = namespace(places).isdtype(places.dtype, "integral")
    fits = places.ndim == scores.ndim and tuple(places.shape[:-1]) == tuple(scores.shape[:-1]) and places.shape[-1] > 0
    if not whole or not fits or known(xp.all((places >= 0) & (places < options))) is False:
        raise InputError(
            f"it is no list of options from 0 to {options - 1} for each row of scores of shape {tuple(scores.shape)}",
            on="choice",
            instead="give for example [3, 0, 2], or one such list per row",
            field="choice",
        )
    return xp.astype(places, xp.__array_namespace_info__().default_dtypes()["indexing"])
