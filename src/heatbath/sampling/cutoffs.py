"""Steps that keep what is likely enough, with a threshold that the distribution itself decides or none of it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from heatbath.core import entropy, namespace
from heatbath.errors import InputError
from heatbath.made import maker, show
from heatbath.sampling.mass import Weighed, keep_likely, weigh
from heatbath.sampling.parameters import check_parameter, check_share, per_row
from heatbath.sampling.step import Step, stateless
from heatbath.types import Array


@maker("step")
def epsilon(eps: Any) -> Step:
    """Keep the options with a probability of at least ``eps``: ``p_i >= eps``.

    Arguments:
        eps: 0 < eps < 1, or one per row.

    At the boundary: an option of probability eps is kept (from eps (1 - 1e-12) on), and the best one always.

    Raises:
        InputError: eps is not in (0, 1).

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.epsilon(0.1)).scores((), np.log([0.87, 0.099, 0.001, 0.03])).scores.round(3)
    array([-0.139,   -inf,   -inf,   -inf])

    How to choose: 3e-4 to 9e-4 in the paper, for models with 50 000 options. Where the model is open it cuts what
    :func:`min_p` would leave, for its threshold does not adapt; behind a high T it cuts nearly everything.

    Reference: Hewitt, Manning and Liang, "Truncation sampling as language model desmoothing", Findings of EMNLP 2022.
    """
    log_eps = np.log(_share(eps, "epsilon", 3e-4))

    def floor(weighed: Weighed, scores: Array) -> Array:
        return namespace(scores).log(weighed.total) + per_row(log_eps, scores, "epsilon")

    return _above(floor, "epsilon", log_eps)


@maker("step")
def eta(eps: Any) -> Step:
    """Keep what is likely enough for its entropy: ``p_i >= min(eps, sqrt(eps) exp(-H))``.

    Arguments:
        eps: 0 < eps < 1, or one per row.

    At the boundary: an option exactly at the threshold is kept (from 1 - 1e-12 times it on), and the best one always.

    Raises:
        InputError: eps is not in (0, 1).

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.eta(0.0625)).scores((), np.log([0.01, 0.04, 0.9, 0.05])).scores.round(3)
    array([  -inf,   -inf, -0.105,   -inf])

    How to choose: 3e-4 to 2e-3 in the paper. It is :func:`epsilon` with a lower threshold where the model is open, from
    H = -ln(eps) / 2 on. In the comparison of Zhou et al. (2024, arXiv:2408.13586) it is the method whose best value
    changes most from model to model; :func:`min_p` says nearly the same with less tuning.

    Reference: Hewitt, Manning and Liang, "Truncation sampling as language model desmoothing", Findings of EMNLP 2022,
    with their choice alpha = sqrt(eps). The entropy is that of the scores as they reach the step, in nats.
    """
    log_eps = np.log(_share(eps, "eta", 1e-3))

    def floor(weighed: Weighed, scores: Array) -> Array:
        xp = namespace(scores)
        threshold = per_row(log_eps, scores, "eta")
        return xp.log(weighed.total) + xp.minimum(threshold, threshold / 2 - entropy(scores)[..., None])

    return _above(floor, "eta", log_eps)


@maker("step")
def top_a(a: Any) -> Step:
    """Keep the options that are likely beside the square of the best: ``p_i >= a (max p)^2``.

    Arguments:
        a: 0 < a <= 1, or one per row.

    At the boundary: an option exactly at the threshold is kept (from 1 - 1e-12 times it on), and the best one always.

    Raises:
        InputError: a is not in (0, 1].

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.top_a(0.5)).scores((), np.log([0.5, 0.3, 0.125, 0.075])).scores.round(3)
    array([-0.693, -1.204, -2.079,   -inf])

    How to choose: 0.1 to 0.3. It is :func:`min_p` with p = a max p: as strict where the model is sure, and more
    generous where it is open. No published comparison shows a gain over :func:`min_p`.

    Reference: Bo Peng, RWKV-LM (github.com/BlinkDL/RWKV-LM), 2022, with the power 2 that every engine took over.
    """
    ratio = check_share(a, "top_a", "a", 0.2)
    log_a = np.log(ratio)

    def floor(weighed: Weighed, scores: Array) -> Array:
        return per_row(log_a, scores, "top_a") - namespace(scores).log(weighed.total)

    return _above(floor, "top_a", log_a)


@maker("step")
def p_less(*, normalised: bool = False) -> Step:
    """Keep what is at least as likely as two draws are to agree: ``p_i >= sum_j p_j^2``.

    Arguments:
        normalised: use the lower threshold ``(n sum_j p_j^2 - 1) / (n - 1)``, which is 0 for n equal options and 1 for
            a sure one; n counts those that are not forbidden.

    At the boundary: an option exactly at the threshold is kept (from 1 - 1e-12 times it on). The best one always is at
    or above it, so nothing needs to be rescued.

    Raises:
        InputError: normalised is neither True nor False.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.p_less()).scores((), np.log([0.1, 0.15, 0.2, 0.25, 0.3])).scores.round(3)
    array([  -inf,   -inf,   -inf, -1.386, -1.204])

    How to choose: for a cut without a number to tune, which follows T. It is strict: the threshold is never below 1/n,
    and with one option at 0.5 it is above 0.25. The normalised threshold is lower by ``(1 - sum_j p_j^2) / (n - 1)``
    only, which with a vocabulary of 100 000 makes no difference. The one comparison is that of its authors, in which it
    leads where T is high.

    Reference: Tan, Wu and Howard, "p-less sampling: a robust hyperparameter-free approach for LLM decoding", 2025,
    arXiv:2509.23234.
    """
    if not isinstance(normalised, bool):
        raise InputError(
            "normalised is True or False",
            doing="making p_less",
            on=f"p_less(normalised={show(normalised)})",
            instead="write p_less() or p_less(normalised=True)",
            field="normalised",
        )

    def floor(weighed: Weighed, scores: Array) -> Array:
        xp = namespace(scores)
        squares = xp.sum(weighed.weights**2, axis=-1, keepdims=True) / weighed.total  # times the total, as all of this
        if normalised:
            options = xp.sum(xp.astype(scores > -xp.inf, scores.dtype), axis=-1, keepdims=True)
            squares = (options * squares - weighed.total) / xp.clip(options - 1, min=1.0)
        return xp.log(
            xp.clip(squares, min=float(xp.finfo(scores.dtype).tiny))
        )  # of equal options rounding makes -1e-17

    return _above(floor, "p_less_normalised" if normalised else "p_less")


def _share(eps: Any, name: str, example: float) -> Any:
    return check_parameter(
        eps,
        name,
        lambda n: (n > 0) & (n < 1),
        "eps must lie in (0, 1)",
        f"write for example {name}({example}); to keep every option leave {name} out",
    )


def _above(floor: Callable[[Weighed, Array], Array], name: str, number: Any = 0.0) -> Step:
    """The step that keeps what is above a floor of ``score - max score``; name and number are those of its Op."""

    def cut(scores: Array) -> Array:
        weighed = weigh(scores)
        return keep_likely(scores, weighed.exponents, floor(weighed, scores))

    return stateless(cut, name, number)
