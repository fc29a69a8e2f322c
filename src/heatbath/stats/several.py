"""Many questions at once: several arms, several metrics.

=================== =========================== ====================================================================
what                controls                    under continuous peeking
=================== =========================== ====================================================================
:func:`bonferroni`  any false claim (FWER)      always-valid p-values; intervals at ``alpha / K`` hold all at once
:func:`holm`        any false claim (FWER)      always-valid p-values; never fewer claims than Bonferroni :func:`e_holm`
any false claim (FWER)      e-values; stronger than Holm where several nulls have evidence against them :func:`e_bh`
share of false claims (FDR) e-values, whatever their dependence, at a stopping time that all share ===================
=========================== ====================================================================

The procedure of Benjamini and Hochberg on p-values is not here: it needs independence (or a factor ``ln K``), which
arms that share a control do not have.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.stats.checks import as_numbers, as_share


def bonferroni(p_values: Any) -> npt.NDArray[np.float64]:
    """Adjusted p-values, ``min(1, K p)``: claims at ``adjusted <= alpha`` are all true with probability 1 - alpha.

    Arguments:
        p_values: of K questions, along the last axis, ``(..., K)``.

    Returns:
        Adjusted p-values, ``(..., K)``.

    Raises:
        InputError: numbers outside [0, 1], or no list.

    >>> from heatbath.stats import bonferroni
    >>> bonferroni([0.01, 0.02, 0.5]).tolist()
    [0.03, 0.06, 1.0]

    How to choose: where intervals must agree with the claims: take each interval at ``alpha / K``. Else :func:`holm`.

    Reference: Dunn, "Multiple comparisons among means", JASA 1961.
    """
    p = _many(p_values, "p_values", "correcting p-values", 0.0, 1.0)
    adjusted: npt.NDArray[np.float64] = np.minimum(p * p.shape[-1], 1.0)
    return adjusted


def holm(p_values: Any) -> npt.NDArray[np.float64]:
    """Adjusted p-values of Holm's procedure: all claims at ``adjusted <= alpha`` are true with probability 1 - alpha.

    Sorted upwards, ``adjusted_(i) = max over j <= i of min(1, (K - j + 1) p_(j))``.

    Arguments:
        p_values: of K questions, along the last axis, ``(..., K)``; always valid ones may be corrected at every look.

    Returns:
        Adjusted p-values, ``(..., K)``, in the order given.

    Raises:
        InputError: numbers outside [0, 1], or no list.

    >>> from heatbath.stats import holm
    >>> holm([0.01, 0.02, 0.5]).tolist()
    [0.03, 0.04, 0.5]

    How to choose: the default for several arms against a control, and for a few metrics. It needs no assumption about
    their dependence.

    Reference: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.
    """
    p = _many(p_values, "p_values", "correcting p-values", 0.0, 1.0)
    order = np.argsort(p, axis=-1, kind="stable")
    left = p.shape[-1] - np.arange(p.shape[-1])
    sorted_up = np.maximum.accumulate(np.minimum(np.take_along_axis(p, order, -1) * left, 1.0), axis=-1)
    return np.take_along_axis(sorted_up, np.argsort(order, axis=-1), -1)


def e_holm(log_e: Any) -> npt.NDArray[np.float64]:
    """Adjusted e-values, in logarithms: all claims at ``adjusted >= ln(1 / alpha)`` are true with probability 1 -
    alpha.

    Sorted upwards, ``adjusted_(k) = min over i < k of (e_(k) + e_(1) + ... + e_(i)) / (i + 1)``: the least mean over
    all sets of nulls with this one among them. Any mean of e-values is an e-value.

    Arguments:
        log_e: ln of K e-values, along the last axis, ``(..., K)``; -inf is legal.

    Returns:
        ln of the adjusted e-values, ``(..., K)``, in the order given.

    Raises:
        InputError: NaN or inf, or no list.

    >>> import numpy as np
    >>> from heatbath.stats import e_holm
    >>> np.exp(e_holm(np.log([60.0, 30.0, 2.0]))).round(1).tolist()
    [30.7, 16.0, 2.0]

    How to choose: several intervals with ``log_e`` and the wish to make no false claim at all.

    Reference: Vovk and Wang, "E-values: calibration, combination and applications", Annals of Statistics 2021,
    algorithm 1.
    """
    e = _logs(log_e)
    order = np.argsort(e, axis=-1, kind="stable")
    up = np.take_along_axis(e, order, -1)
    sums = np.logaddexp.accumulate(up, axis=-1)
    adjusted = up.copy()
    for k in range(1, up.shape[-1]):
        with_lower = np.logaddexp(up[..., k : k + 1], sums[..., :k]) - np.log(np.arange(2, k + 2))
        adjusted[..., k] = np.minimum(adjusted[..., k], with_lower.min(axis=-1))
    return np.take_along_axis(adjusted, np.argsort(order, axis=-1), -1)


def e_bh(log_e: Any, *, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
    """Which questions to claim so that the expected share of false claims is at most alpha: e-BH.

    The k largest, for the largest k with ``k e_[k] >= K / alpha``, where e_[k] is the k-th largest.

    Arguments:
        log_e: ln of K e-values, along the last axis, ``(..., K)``; -inf is legal.
        alpha: the false discovery rate, between 0 and 1.

    Returns:
        Whether each is claimed, ``(..., K)``.

    Raises:
        InputError: NaN or inf, or no list; alpha out of its range.

    >>> import numpy as np
    >>> from heatbath.stats import e_bh
    >>> e_bh(np.log([80.0, 35.0, 2.0])).tolist()
    [True, True, False]

    How to choose: dozens of metrics or segments, where some false claims are affordable. The claims' intervals then
    belong at ``alpha * claimed / K``, so that the expected share of them that misses is at most alpha.

    Reference: Wang and Ramdas, "False discovery rate control with e-values", Journal of the Royal Statistical Society B
    2022; for the intervals Xu, Wang and Ramdas, "Post-selection inference for e-value based confidence intervals",
    2022.
    """
    e, share = _logs(log_e), as_share(alpha, "alpha", "correcting e-values")
    order = np.argsort(-e, axis=-1, kind="stable")
    number = e.shape[-1]
    ranks = np.arange(1, number + 1)
    enough = np.take_along_axis(e, order, -1) + np.log(ranks) >= np.log(number / share) - 1e-12
    last = np.max(np.where(enough, ranks, 0), axis=-1, keepdims=True)
    chosen: npt.NDArray[np.bool_] = np.argsort(order, axis=-1) < last
    return chosen


def _logs(log_e: Any) -> npt.NDArray[np.float64]:
    given = np.asarray(log_e)
    held = np.where(given == -np.inf, -1e300, given) if given.dtype.kind == "f" else given
    e = _many(held, "log_e", "correcting e-values", -np.inf, np.inf)
    return np.where(e <= -1e300, -np.inf, e)


def _many(values: Any, name: str, doing: str, low: float, high: float) -> npt.NDArray[np.float64]:
    numbers = as_numbers(values, name, doing, low=low, high=high)
    if numbers.ndim == 0 or numbers.shape[-1] == 0:
        raise InputError(
            f"{name} is a list, one entry per question",
            doing=doing,
            on=f"{name}={values!r:.60}",
            instead="write for example holm([0.01, 0.02, 0.5])",
            field=name,
        )
    return numbers
