"""From scores to probabilities."""

from typing import Any

from heatbath.core.check import check_temperature
from heatbath.core.scores import read
from heatbath.core.tempered import probabilities, temper
from heatbath.types import Array, Temperature


def softmax(logits: Any, temperature: Temperature = 1.0) -> Array:
    """Probabilities at temperature T.

    ``p_i = exp(z_i / T) / sum_j exp(z_j / T)``. T = 0: equal shares for the tied maxima, nothing for the others.
    T = inf: equal shares for all that is not forbidden.

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        temperature: 0 <= T <= inf; one number, or one per row (shape ``(...)``).

    Returns:
        ``(..., V)`` in the library and floating-point type of the scores, differentiable with respect to scores and T
        where the library differentiates. float16 and bfloat16 are computed in float32 or better and rounded once.
        Probabilities above 1e-30 are within 1e-5 of their value in float32 (below 1e-6 at T other than 1, where the
        computation is in float64 or compensated), and within 1e-12 in float64.

    Raises:
        InputError: scores or T that cannot be used; see :func:`heatbath.core.as_scores` and
            :func:`heatbath.core.check_temperature`.

    >>> import heatbath as hb
    >>> hb.softmax([2.0, 1.0, 0.0], temperature=0.5).round(4)
    array([0.8668, 0.1173, 0.0159])
    >>> hb.softmax([2.0, 2.0, 0.0], temperature=0)
    array([0.5, 0.5, 0. ])

    How to choose: T = 1 is what the model was trained to give; below 1 likely options gain, above 1 unlikely ones. Use
    :func:`log_softmax` where a logarithm follows, and :func:`temperature_for` when you know the effect and not T.

    Reference: J. W. Gibbs, *Elementary Principles in Statistical Mechanics*, 1902 (the canonical distribution); the
    name is from J. S. Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
    """
    check_temperature(temperature)
    rows = read(logits, "logits", temperature)
    return rows.distribution(probabilities(rows, temperature))


def log_softmax(logits: Any, temperature: Temperature = 1.0) -> Array:
    """Logarithms of the probabilities at temperature T.

    ``ln p_i = z_i / T - ln sum_j exp(z_j / T)``, -inf where p_i is 0. Never computed as the logarithm of a probability:
    ln p of 1e-9 below 0 and of -1e6 both keep their digits.

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        temperature: 0 <= T <= inf; one number, or one per row (shape ``(...)``).

    Returns:
        ``(..., V)`` in nats, in the library and floating-point type of the scores; differentiable as :func:`softmax`
        is.

    Raises:
        InputError: scores or T that cannot be used.

    >>> import heatbath as hb
    >>> hb.log_softmax([2.0, 1.0, 0.0], temperature=0.5).round(4)
    array([-0.1429, -2.1429, -4.1429])

    How to choose: for surprisals, likelihoods and losses; use :func:`softmax` to draw or to show.
    """
    check_temperature(temperature)
    bath = temper(read(logits, "logits", temperature), temperature)
    return bath.rows.distribution(bath.exponents - bath.log_sum())
