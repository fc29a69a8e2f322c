"""How far a bath of temperature T spreads the choice: one number per row."""

from math import inf
from typing import Any

import numpy as np

from heatbath.core.arrays import constant, is_number
from heatbath.core.check import check_temperature
from heatbath.core.numbers import check_number
from heatbath.core.scores import read
from heatbath.core.tempered import Tempered, temper
from heatbath.types import Array, Temperature


def entropy(logits: Any, temperature: Temperature = 1.0) -> Array:
    """Entropy of the choice at temperature T, in nats.

    ``H = -sum_i p_i ln p_i``, computed as ``ln Z - sum_i p_i q_i`` with ``q = (z - max z) / T`` and ``Z = sum_i
    exp(q_i)``: two terms that are never negative, so that nothing cancels and an entropy of 1e-20 keeps its digits. H
    rises with T from ln(number of tied maxima) at T = 0 to ln(number of options that are not forbidden) at T = inf.

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        temperature: 0 <= T <= inf; one number, or one per row (shape ``(...)``).

    Returns:
        ``(...)`` in nats, in the library of the scores: float64 for scores in float64, else float32, within 1e-5 nats
        of the exact value (1e-12 in float64). Differentiable with respect to scores and T.

    Raises:
        InputError: scores or T that cannot be used.

    >>> import heatbath as hb
    >>> hb.entropy([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]).round(4)
    array([0.8324, 1.0986])

    How to choose: the most general measure of how undecided a choice is; divide by ln 2 for bits. Read
    :func:`perplexity` where "as many as so many equal options" is the better picture.

    Reference: C. E. Shannon, "A mathematical theory of communication", 1948.
    """
    return _measured(bath_entropy, logits, temperature)


def perplexity(logits: Any, temperature: Temperature = 1.0) -> Array:
    """Number of equally likely options that would leave the choice as open: exp(entropy).

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        temperature: 0 <= T <= inf; one number, or one per row (shape ``(...)``).

    Returns:
        ``(...)``, from the number of tied maxima at T = 0 to the number of options that are not forbidden at T = inf;
        type and gradients as for :func:`entropy`.

    Raises:
        InputError: scores or T that cannot be used.

    >>> import heatbath as hb
    >>> float(hb.perplexity([2.0, 1.0, 0.0], temperature=float("inf")))
    3.0

    How to choose: for showing entropy to people. This is the perplexity of the *distribution*; the perplexity of a
    *text* under a model is the exponential of the mean surprisal of its tokens, another number.
    """
    return _measured(_perplexity, logits, temperature)


def top_probability(logits: Any, temperature: Temperature = 1.0) -> Array:
    """Probability of the most probable option, ``max_i p_i`` (of one of them where several tie).

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        temperature: 0 <= T <= inf; one number, or one per row (shape ``(...)``).

    Returns:
        ``(...)``, falling with T from 1/(number of tied maxima) to 1/(number of options that are not forbidden); type
        and gradients as for :func:`entropy`.

    Raises:
        InputError: scores or T that cannot be used.

    >>> import heatbath as hb
    >>> float(hb.top_probability([2.0, 1.0, 0.0]).round(4))
    0.6652

    How to choose: the measure of confidence that is easiest to explain; blind to how the rest is spread.
    """
    return _measured(lambda bath: 1.0 / bath.rows.sum(bath.weights), logits, temperature)


def effective_choices(logits: Any, temperature: Temperature = 1.0, *, order: float = 2.0) -> Array:
    """Effective number of choices: the Hill number of an order.

    ``D_a = (sum_i p_i^a)^(1 / (1 - a))``: the number of equally likely options with the same diversity of order a. It
    falls with a: a = 0 counts what is not forbidden, a = 1 (the limit) is :func:`perplexity`, a = 2 is the inverse of
    the probability that two draws agree, a = inf is 1/:func:`top_probability`.

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        temperature: 0 <= T <= inf; one number, or one per row (shape ``(...)``).
        order: a, 0 <= a <= inf.

    Returns:
        ``(...)``; type and gradients as for :func:`entropy`.

    Raises:
        InputError: scores, T or order that cannot be used.

    >>> import heatbath as hb
    >>> [round(float(hb.effective_choices([2.0, 1.0, 0.0], order=a)), 4) for a in (0, 1, 2, float("inf"))]
    [3.0, 2.2988, 1.9587, 1.5032]

    How to choose: order 2 when repeats matter (how many different answers will ten draws give?), order 1 when rare
    options should count more, order 0 for the size of the support after truncation.

    Reference: M. O. Hill, "Diversity and evenness: a unifying notation and its consequences", 1973; order 2 is the
    participation ratio of physics and the inverse Simpson index of ecology.
    """
    hill = check_number(order, "order", "one number from 0 to inf", lambda a: a >= 0, example=2)
    return _measured(lambda bath: _hill(bath, hill), logits, temperature)


def free_energy(logits: Any, temperature: Temperature = 1.0) -> Array:
    """Free energy of the row at temperature T, in the unit of the scores.

    ``F = -T ln sum_i exp(z_i / T)`` for energies ``E = -z``; ``F = <E> - T H`` and ``dF/dT = -H``. -F is the "soft
    maximum" of the scores: T = 0 gives -max z. Towards T = inf, F falls without bound like ``-T ln N - mean z`` where N
    > 1 options are not forbidden, so that F(inf) = -inf, with the limits for gradients: -1/N, and -ln N with respect to
    T; with N = 1 it is -z at every T.

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        temperature: 0 <= T <= inf; one number, or one per row (shape ``(...)``).

    Returns:
        ``(...)``; type and gradients as for :func:`entropy` (``dF/dz = -p``).

    Raises:
        InputError: scores or T that cannot be used.

    >>> import heatbath as hb
    >>> hb.free_energy([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0]], temperature=[0, 1]).round(4)
    array([-2.    , -2.4076])

    How to choose: -F is the value of a state in soft Q-learning and the score of "not out of distribution" in
    detection; to show how open a choice is, use :func:`entropy`.

    Reference: W. Liu et al., "Energy-based out-of-distribution detection", 2020; T. Haarnoja et al., "Reinforcement
    learning with deep energy-based policies", 2017.
    """
    return _measured(_free_energy, logits, temperature)


def heat_capacity(logits: Any, temperature: Temperature = 1.0) -> Array:
    """Heat capacity: how fast the entropy answers to the temperature.

    ``C = Var_p(z) / T^2 = dH / d ln T``: a rise of T by 1 % raises the entropy by C/100 nats. 0 at T = 0 and T = inf.

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        temperature: 0 <= T <= inf; one number, or one per row (shape ``(...)``).

    Returns:
        ``(...)``, never negative; type and gradients as for :func:`entropy`.

    Raises:
        InputError: scores or T that cannot be used.

    >>> import heatbath as hb
    >>> float(hb.heat_capacity([2.0, 1.0, 0.0]).round(4))
    0.4244

    How to choose: to see where the knob bites (large C) and where it turns without effect (C near 0).
    """
    return _measured(bath_capacity, logits, temperature)


def _measured(measure: Any, logits: Any, temperature: Temperature) -> Array:
    check_temperature(temperature)
    bath = temper(read(logits, "logits", temperature), temperature)
    return bath.rows.measure(measure(bath))


def bath_entropy(bath: Tempered) -> Array:
    """The entropy, ``(..., 1)`` in the working type."""
    ties, rest = bath.partition()
    lost = bath.rows.sum(bath.weights * bath.finite_exponents())
    return bath.rows.xp.log(ties) + bath.rows.xp.log1p(rest / ties) - lost / (ties + rest)


def _perplexity(bath: Tempered) -> Array:
    return bath.rows.sum(bath.weights) * bath.rows.xp.exp(-bath.mean(bath.finite_exponents()))  # exact at both ends


def _hill(bath: Tempered, order: float) -> Array:
    xp = bath.rows.xp
    if order == 1:
        return _perplexity(bath)
    if order == inf:
        return bath.rows.sum(bath.weights)
    if abs(order - 1) < 0.1:  # sum p^a = 1 + sum p (p^(a - 1) - 1), whose logarithm survives the division by 1 - a
        log_p = xp.clip(bath.exponents - bath.log_sum(), -700, 0)  # below, p is 0 and p^(a - 1) could overflow
        return xp.exp(xp.log1p(bath.mean(xp.expm1((order - 1) * log_p))) / (1 - order))
    powers = xp.where(bath.exponents == -inf, 0.0, xp.exp(order * bath.finite_exponents()))
    return xp.exp((xp.log(bath.rows.sum(powers)) - order * bath.log_sum()) / (1 - order))


def _free_energy(bath: Tempered) -> Array:
    xp, log_sum = bath.rows.xp, bath.log_sum()
    if is_number(bath.temperature) and bath.temperature < inf:
        return -bath.rows.top - bath.temperature * log_sum
    hot = log_sum * 0 + bath.temperature == inf
    # There F = -mean z - T ln N, and so its gradients; inf * 0 must not arise, for N = 1 or on the way back.
    options = bath.rows.sum(xp.astype(bath.exponents > -inf, log_sum.dtype))
    scores = xp.astype(bath.rows.scores, log_sum.dtype, copy=False)
    mean = bath.rows.sum(xp.where(scores == -inf, 0.0, scores) / options)
    log_sum = xp.where(hot, constant(log_sum), log_sum)
    spread = xp.where(hot & (log_sum == 0), 0.0, bath.temperature) * log_sum
    return -xp.where(hot, mean, bath.rows.top) - spread


def bath_capacity(bath: Tempered) -> Array:
    """The heat capacity, ``(..., 1)`` in the working type."""
    q = bath.finite_exponents()
    with np.errstate(over="ignore", invalid="ignore"):
        squares = (q - bath.mean(q)) ** 2
        # at the smallest of temperatures a square overflows where its weight is 0
        return bath.mean(bath.rows.xp.where(bath.weights == 0, 0.0, squares))
