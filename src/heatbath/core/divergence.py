"""How far one bath is from another."""

from math import inf
from typing import Any

import numpy as np

from heatbath.core.check import check_temperature
from heatbath.core.scores import read
from heatbath.core.tempered import temper
from heatbath.errors import InputError
from heatbath.types import Array, Temperature


@np.errstate(invalid="ignore")
def kl(
    logits: Any,
    other_logits: Any,
    temperature: Temperature = 1.0,
    other_temperature: Temperature | None = None,
) -> Array:
    """Kullback-Leibler divergence of one distribution from another, in nats.

    ``KL(p || q) = sum_i p_i (ln p_i - ln q_i)`` with ``p = softmax(logits, temperature)`` and ``q =
    softmax(other_logits, other_temperature)``: what it costs to believe q where p is true. +inf where p allows what q
    forbids, even where p is too small for the floating-point type. Computed as ``sum_i p_i (r_i + exp(-r_i) - 1)`` with
    ``r = ln p - ln q``, which is the same sum since both p and q add up to 1: no term is negative, so that nothing
    cancels, and distributions that differ by 1e-9 have a divergence with digits.

    Arguments:
        logits: scores of p, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        other_logits: scores of q, of a shape that broadcasts with the shape of logits, over the same V options.
        temperature: 0 <= T <= inf of p; one number, or one per row.
        other_temperature: T of q; the T of p where left out.

    Returns:
        ``(...)`` in nats, 0 for equal distributions; float64 where the scores of p are, else float32. Differentiable
        with respect to both rows of scores and both temperatures.

    Raises:
        InputError: scores or T that cannot be used, or two different numbers of options.

    >>> import heatbath as hb
    >>> float(hb.kl([2.0, 1.0, 0.0], [2.0, 1.0, 0.0], temperature=1.0, other_temperature=2.0).round(4))
    0.0603
    >>> float(hb.kl([1.0, 1.0], [1.0, float("-inf")]))
    inf

    How to choose: p is the truth or the teacher, q the approximation or the student. It is not symmetric.

    Reference: S. Kullback and R. A. Leibler, "On information and sufficiency", 1951.
    """
    other_temperature = temperature if other_temperature is None else other_temperature
    check_temperature(temperature)
    check_temperature(other_temperature, "other_temperature")
    given = (logits, other_logits, temperature, other_temperature)
    rows, other_rows = read(logits, "logits", *given), read(other_logits, "other_logits", *given)
    _check_shapes(tuple(rows.scores.shape), tuple(other_rows.scores.shape))
    p, q = temper(rows, temperature), temper(other_rows, other_temperature)
    xp = rows.xp
    outside = (p.exponents > -inf) & (q.exponents == -inf)
    log_ratio = (p.finite_exponents() - p.log_sum()) - (q.finite_exponents() - q.log_sum())
    share, other_share = p.weights / rows.sum(p.weights), q.weights / rows.sum(q.weights)
    # Far below q, where p may be 0 and exp(-r) infinite, p exp(-r) is written as what it is: q.
    far = (p.exponents == -inf) | (log_ratio < -1)
    near_ratio = xp.where(far, 0.0, log_ratio)
    near = share * xp.clip(near_ratio + xp.expm1(-near_ratio), min=0.0)  # rounding may leave it at -1e-33
    terms = xp.where(far, share * xp.where(far, log_ratio - 1, 0.0) + other_share, near)
    divergence = rows.sum(xp.where(outside, 0.0, terms))
    return rows.measure(xp.where(xp.any(outside, axis=-1, keepdims=True), inf, divergence))


def _check_shapes(shape: tuple[int, ...], other: tuple[int, ...]) -> None:
    try:
        np.broadcast_shapes(shape[:-1], other[:-1])
        why = (
            f"there are {shape[-1]} options on one side and {other[-1]} on the other" if shape[-1] != other[-1] else ""
        )
    except ValueError:
        why = "the rows of logits and other_logits cannot be paired"
    if why:
        raise InputError(
            why,
            on=f"logits of shape {shape} and other_logits of shape {other}",
            instead="give scores of the same options, with as many rows or with one",
            field="other_logits",
        )
