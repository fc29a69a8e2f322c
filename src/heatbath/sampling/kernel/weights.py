"""Exponentials for the kernel: fast ones that a loop vectorises, with a known error, and exact ones.

Both split ``exp(x) = 2**n * 2**r`` with a whole n and ``|r| <= 1/2`` and put a polynomial for ``2**r``.

*Fast.* The weight of a score s is ``2**(s c - K)`` with ``c = log2(e) / T`` and a whole number K near the maximum of
``s c``, so that weights are of the order of 1 there. ``s c`` would lose as many digits as it has in front of the point;
``fma(s, c_low, fma(s, c_high, -n - K))`` loses none, because n + K is whole and the product is rounded only after most
of it is gone. What is left is the error of the polynomial, 1.2e-7, and of three roundings: :data:`ERROR`, which a test
measures over all exponents.

*Exact.* The same in float64 with a polynomial of degree 11: within 4e-16.
"""

import math
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import overload

from heatbath.sampling.kernel.bits import FAST, bits32, float32_of, float64_of, fma, inner

LOG2E = math.log2(math.e)
LN2 = math.log(2)

ERROR = 3e-7
"""Largest relative error of a fast weight."""

LIMIT = 2.0**22
"""Fast weights serve while all finite ``|s c|`` stay below this: then n + K is exact."""

MIDDLE = 1.5 * 2.0**23
"""Where float32 numbers are whole, with nine zeros as their last bits: ``s c + (MIDDLE - K)`` is rounded to
``MIDDLE + n``, and shifting its bits by 23 leaves those of n where ``2**r`` has its exponent."""


def weight(score: Any, c_high: Any, c_low: Any, k: Any) -> Any:
    """``2**(score * (c_high + c_low) - k)`` as float32, for exponents from -126 to 126."""
    raise NotImplementedError


@overload(weight, jit_options={"fastmath": FAST, "error_model": "numpy"}, inline="never")
def _weight(score: Any, c_high: Any, c_low: Any, k: Any) -> Any:
    if score == types.float32:

        def single(score: Any, c_high: Any, c_low: Any, k: Any) -> Any:
            shift = np.float32(MIDDLE - k)
            shifted = fma(score, np.float32(c_high), shift)  # its last bits are those of n
            r = fma(score, np.float32(c_low), fma(score, np.float32(c_high), shift - shifted))
            return float32_of(bits32(_power(r)) + (bits32(shifted) << np.int32(23)))

        return single

    def double(score: Any, c_high: Any, c_low: Any, k: Any) -> Any:
        y = max(score * (np.float64(c_high) + np.float64(c_low)) - k, -126.0)
        n = np.floor(y + 0.5)
        return _power(np.float32(y - n)) * float32_of((np.int32(n) + np.int32(127)) << np.int32(23))

    return double


@numba.njit(inline="always", fastmath=FAST, error_model="numpy")
def _power(r: Any) -> Any:
    """``2**r`` for ``|r| <= 1/2``; coefficients of ``exp(r ln 2)``, adjusted for the least relative error."""
    p = np.float32(1.5403530e-4)
    p = p * r + np.float32(1.3333558e-3)
    p = p * r + np.float32(9.6181291e-3)
    p = p * r + np.float32(5.5504109e-2)
    p = p * r + np.float32(2.4022651e-1)
    p = p * r + np.float32(6.9314718e-1)
    return p * r + np.float32(1.0)


@inner(fastmath={"contract"}, error_model="numpy")  # LLVM builds it in, with its own freedoms
def exact(q: Any) -> Any:
    """``exp(q)`` for q <= 0 in float64; 0 below -745.2, where NumPy's is."""
    bounded = max(q, -746.0)
    n = np.floor(bounded * LOG2E + 0.5)
    r = fma(bounded, LOG2E, -n)
    r = fma(bounded, 2.0355273740931033e-17, r)  # what LOG2E leaves of log2(e)
    x = r * LN2
    p = 1.6059043836821613e-10
    p = p * x + 2.08767569878681e-09
    p = p * x + 2.505210838544172e-08
    p = p * x + 2.7557319223985893e-07
    p = p * x + 2.7557319223985893e-06
    p = p * x + 2.48015873015873e-05
    p = p * x + 0.0001984126984126984
    p = p * x + 0.001388888888888889
    p = p * x + 0.008333333333333333
    p = p * x + 0.041666666666666664
    p = p * x + 0.16666666666666666
    p = p * x + 0.5
    p = p * x + 1.0
    p = p * x + 1.0
    n, last = (n + 64.0, 2.0**-64) if n < -1000.0 else (n, 1.0)  # numbers below 2**-1022 take two products
    return p * float64_of((np.int64(n) + np.int64(1023)) << np.int64(52)) * last if q >= -745.2 else 0.0
