"""The heart of the arithmetic: the exponents (z - max z) / T and their exponentials, right to the last digits.

Every function of this room is a sum over ``w = exp(q)`` with ``q = (z - max z) / T``. A plain float32 evaluation rounds
three times before the exponential (T, the difference, the quotient), each time by up to 2^-24 of the value, and the
exponential turns a relative error of q into ``|q|`` times as much: 1.2e-5 at p = 1e-30. (Dividing before the maximum is
subtracted, as in ``softmax(z / T)``, is worse: the quotients of scores of 1e4 are rounded at their own size.) So:

* where the library has float64, q is computed in float64;
* where it has not (JAX by default, Apple's GPUs), what the roundings lost is computed too, without error, and put back:
  ``exp(q) * (1 + slip)`` (T. J. Dekker, "A floating-point technique for extending the available precision", 1971);
* at T = 1 nothing is divided, one rounding is left, 4e-6 at p = 1e-30, and float32 is enough.

The limits come out of the same formula. T = inf gives q = 0 to all that is not forbidden. T = 0 leaves only the tied
maxima and divides their differences, which are 0, by inf: q = 0, and every gradient is 0, its limit from above.

The maximum is no constant to the gradients: it moves with the scores, and the weight of a single maximum never does.
"""

from math import inf, nan
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from heatbath.core.arrays import constant, has_float64, in_library, is_array, is_number, overflowing
from heatbath.core.scores import Rows, check_shape
from heatbath.types import Array, Temperature


class Tempered(NamedTuple):
    """Rows of scores in a bath of temperature T."""

    rows: Rows
    temperature: Any
    """T, a number or ``(..., 1)``."""
    exponents: Array
    """q, ``(..., V)``: 0 for the highest score, -inf for what cannot be chosen."""
    weights: Array
    """exp(q), ``(..., V)``."""

    def finite_exponents(self) -> Array:
        """The exponents with 0 in place of -inf, for products with a weight of 0."""
        return self.rows.xp.where(self.exponents == -inf, 0.0, self.exponents)

    def partition(self) -> tuple[Array, Array]:
        """The sum of the weights, ``(..., 1)``, in two parts: the number of tied maxima, and the rest.

        The rest keeps its digits where it is too small to change the sum.
        """
        xp = self.rows.xp
        below = self.exponents < 0
        ties = self.exponents.shape[-1] - self.rows.sum(xp.astype(below, self.weights.dtype))
        return ties, self.rows.sum(xp.where(below, self.weights, 0.0))

    def log_sum(self) -> Array:
        """Logarithm of the sum of the weights, ``(..., 1)``: also minus the logarithm of the top probability."""
        ties, rest = self.partition()
        return self.rows.xp.log(ties) + self.rows.xp.log1p(rest / ties)

    def mean(self, values: Array) -> Array:
        """Mean over the options, ``(..., 1)``."""
        return self.rows.sum(self.weights * values) / self.rows.sum(self.weights)


def temper(rows: Rows, temperature: Temperature) -> Tempered:
    """Put rows that were read in a bath of a temperature that was checked."""
    with overflowing("under", "invalid"):
        top, t, q, slip = _differences(rows, temperature)
        weights = rows.xp.exp(q)
        return Tempered(rows._replace(top=top), t, q, weights if slip is None else weights * (1 + slip))


@np.errstate(over="ignore", under="ignore", invalid="ignore")
def probabilities(rows: Rows, temperature: Temperature) -> Array:
    """The probabilities alone, ``(..., V)`` in the working type."""
    if rows.xp is np:  # one array from the first step to the last, five times faster on large ones than one for each
        weights = _differences(rows, temperature)[2]
        np.exp(weights, out=weights)
        weights /= rows.sum(weights)
        return weights
    bath = temper(rows, temperature)
    return bath.weights / rows.sum(bath.weights)


def _differences(rows: Rows, temperature: Temperature) -> tuple[Array, Any, Array, Array | None]:
    """The maximum and T in the working type, the exponents, and what they have lost (None where that is nothing)."""
    xp, scores = rows.xp, rows.scores
    one = is_number(temperature) and temperature == 1
    narrow = scores.dtype != xp.float64 and (one or not has_float64(xp, scores))
    working = xp.float32 if narrow else xp.float64
    if narrow:
        scores = xp.astype(scores, working, copy=False)
    top = xp.astype(rows.top, working, copy=False)  # whose type decides that of the differences
    if one:
        return top, 1.0, scores - top, None
    t, t_slip = _divisor(rows, temperature, working)
    q = _exponents(xp, scores, top, t)
    slip = _slip(xp, constant(scores), constant(top), constant(q), constant(t), t_slip) if narrow else None
    return top, t, q, slip


def _exponents(xp: Any, scores: Array, top: Array, t: Any) -> Array:
    if is_number(t):
        if 0 < t < inf:
            return (scores - top) / t
        alive, divisor = (scores == top if t == 0 else scores > -inf), inf
    else:
        alive = xp.where(t == 0, scores == top, scores > -inf)
        divisor = xp.where(t == 0, inf, t)
    difference = scores - top
    # -inf here, of a forbidden option or beyond the type, would make inf / inf, and gradients with respect to T inf * 0
    difference = xp.where(alive & ((difference > -inf) | (divisor != inf)), difference, 0.0)
    return xp.where(alive, difference / divisor, -inf)


def _slip(xp: Any, scores: Array, top: Array, q: Array, t: Any, t_slip: Any) -> Array:
    """What float32 has lost of the exponents: (z - max z) / (t + t_slip) - q."""
    difference = scores - top
    back = difference - scores
    lost = (scores - (difference - back)) - (top + back)  # difference + lost = z - max z
    q_high, q_low = _halves(q)
    t_high, t_low = _halves(t)
    left = ((difference - q_high * t_high) - q_high * t_low - q_low * t_high) - q_low * t_low  # difference - q t
    slip = (left + lost - q * t_slip) / t
    return xp.where(xp.isfinite(slip), slip, 0.0)  # T = 0 or inf, and exponents beyond all digits


def _halves(a: Any) -> tuple[Any, Any]:
    """Two float32 numbers of 12 bits with the sum a.

    Their products are exact, here and in the caller, so that a compiler may fuse multiplications and additions.
    """
    high = (4096 * a + a) - 4096 * a
    return high, a - high


def _divisor(rows: Rows, temperature: Temperature, working: Any) -> tuple[Any, Any]:
    """T as a number or ``(..., 1)`` in the working type, and what that type cannot hold of it."""
    xp, wide = rows.xp, working == rows.xp.float64
    if is_number(temperature):
        return (float(temperature), 0.0) if wide else _split(np.float64(temperature))
    given = temperature if is_array(temperature) else np.asarray(temperature, dtype=np.float64)
    check_shape("temperature", given, rows.scores)
    given = given[..., None]
    if wide or not array_api_compat.is_numpy_array(given):
        t = xp.astype(in_library(xp, given, rows.scores), working, copy=False)
        if xp is not np:  # where it could not be checked, what is no temperature gives NaN
            t = xp.where(t >= 0, t, nan)
        return t, 0.0
    near, slip = _split(given)
    return in_library(xp, near, rows.scores), in_library(xp, slip, rows.scores)


def _split(exact: Any) -> tuple[Any, Any]:
    """The nearest float32 of a NumPy number or array, and what it leaves over."""
    with np.errstate(over="ignore", invalid="ignore"):
        near = exact.astype(np.float32)
        slip = (exact - near).astype(np.float32)
    return near, np.where(np.isfinite(slip), slip, np.float32(0))[()]
