"""Solving for the temperature that has a wanted effect.

Entropy, perplexity, relative entropy and minus the logarithm of the top probability all rise with T. Each row is solved
for ``u = ln T`` by Newton's method inside a bracket; a step that leaves the bracket, or that is not half of the one
before, is replaced by bisection. Two things make a handful of steps enough:

* The scores are measured from their maximum down, in units of their spread, so that they lie in [0, 1] and bounds are
  known. At T = 1/800 of the smallest difference nothing but the maximum is left. And the effect misses its upper limit
  by at most 1/(8 T^2) (entropy: the integral of the variance, at most 1/4, over T^3) or 1/T (top probability).
* Newton works on ``ln(x / (R - x))``, x being the effect above its lower limit and R its range. Towards T = inf that is
  a straight line in u; towards T = 0 it bends like -1/T, from the left of which Newton climbs to the root without a
  jump.

The loop carries no gradients. They come from the implicit function theorem: a Newton step from the solution, as a
function of scores and target, has the derivatives of the solution. Two of them have its second derivatives, too. Their
value, which is rounding, is left out.
"""

from math import inf, log
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from heatbath.core.arrays import constant, has_float64, iterate
from heatbath.core.measures import bath_capacity, bath_entropy
from heatbath.core.scores import Rows, read
from heatbath.core.targets import EFFECTS, as_target, check_reach, the_one
from heatbath.core.tempered import temper
from heatbath.types import Array

MOST_STEPS = 200
"""Far more than any row needs: halving at every second step, a bracket of 1000 in ln T is down to rounding after
130."""


@np.errstate(all="ignore")
def temperature_for(
    logits: Any,
    *,
    entropy: Any = None,
    perplexity: Any = None,
    top_probability: Any = None,
    relative_entropy: Any = None,
) -> Array:
    """The temperature that has a wanted effect: the inverse of :func:`entropy` and its relatives.

    ``T`` with ``effect(row, T) = target``, for each row its own; all these effects move one way with T. The search
    takes about seven passes over the scores, and never more than 200. Exactly one target is given, as one number or as
    one number per row (shape ``(...)``).

    Arguments:
        logits: scores z, ``(..., V)``, of any array library, or nested lists. -inf = forbidden.
        entropy: wanted entropy in nats, from ln(number of tied maxima) to ln(number of options not forbidden).
        perplexity: wanted exp(entropy), from the number of tied maxima to the number of options not forbidden.
        top_probability: wanted probability of the most probable option, from 1/(number of options not forbidden) to
            1/(number of tied maxima).
        relative_entropy: wanted entropy as a share of ln(number of options not forbidden), up to 1.

    Returns:
        T, ``(...)``, in the library of the scores: float64 for scores in float64, else float32. 0 and inf for targets
        at the ends of the range. 1 for a row whose scores are all equal, where every T has the same effect.
        Differentiable, also twice, with respect to scores and target. Where values are being traced (``jax.jit``) and
        no error can be raised, NaN stands for a target out of reach.

    Raises:
        TargetError: no temperature has that effect on one of the rows; the message names the row and its range.
        InputError: scores or a target that cannot be used, or not exactly one target.

    >>> import heatbath as hb
    >>> t = hb.temperature_for([2.0, 1.0, 0.0], entropy=0.5)
    >>> float(t.round(4)), float(hb.entropy([2.0, 1.0, 0.0], t).round(4))
    (0.5485, 0.5)
    >>> float(hb.temperature_for([2.0, 1.0, 0.0], perplexity=3))
    inf
    >>> hb.temperature_for([2.0, 1.0, 0.0], perplexity=4)
    Traceback (most recent call last):
    heatbath.errors.TargetError: perplexity=4: no temperature gives that: one option has the highest score and 3 are not
    forbidden; ask for 1 (T = 0) to 3 (T = inf)

    How to choose: for one decision (an action, a card, a slate) ask for the effect that matters there; relative entropy
    compares rows of different sizes. Do not solve every position of a text for one entropy: that heats the places where
    a model is rightly certain and cools the open ones. Hold the running mean there, with
    :func:`heatbath.hold_entropy`, or use a model's profile.
    """
    name, target = the_one(
        {
            "entropy": entropy,
            "perplexity": perplexity,
            "top_probability": top_probability,
            "relative_entropy": relative_entropy,
        }
    )
    rows = read(logits, "logits", target)
    xp = rows.xp
    working = xp.float64 if has_float64(xp, rows.scores) else xp.float32
    wanted, precision = as_target(rows, name, target, working)
    fall = constant(xp.astype(rows.top, working, copy=False) - rows.scores)
    spread = xp.max(xp.where(fall == inf, 0.0, fall), axis=-1, keepdims=True)
    unit = xp.where(spread == 0, 1.0, spread)
    ties, options = (rows.sum(xp.astype(which, working)) for which in (fall == 0, fall < inf))
    curve = _Curve(rows, fall / unit, ties, options, entropic=name != "top_probability")

    goal, low, high = EFFECTS[name].nats(xp, wanted, options), xp.log(ties), xp.log(options)
    eps = max(float(xp.finfo(working).eps), precision)
    slack = max(eps, float(np.finfo(np.float32 if rows.scores.dtype.itemsize <= 4 else np.float64).eps))
    reached = (goal >= low * (1 - 4 * slack)) & (goal <= high * (1 + 4 * slack))
    check_reach(name, wanted, ties, options, reached)
    cold, hot = goal <= low * (1 + 2 * eps), goal >= high * (1 - 2 * eps)
    seek = reached & ~cold & ~hot
    end = xp.where(cold & hot, 1.0, xp.where(cold, 0.0, inf))

    u = curve.search(xp.where(seek, constant(goal) - low, 0.5 * (high - low)), seek)
    t = xp.where(seek, xp.exp(u) * unit, 1.0)
    if array_api_compat.is_jax_namespace(xp) or _wants_gradient(rows.scores, wanted):
        t = _differentiable(rows, t, goal, seek, curve.entropic)
    return rows.measure(xp.where(seek, t, xp.where(reached, end, xp.nan)))


class _Search(NamedTuple):
    """Where the search stands: ``(..., 1)`` each."""

    u: Array
    low: Array
    high: Array
    step: Array
    done: Array


class _Curve(NamedTuple):
    """The effect of each row as a function of u = ln T."""

    rows: Rows
    fall: Array
    """From the maximum down, in units of the spread, ``(..., V)``: 0 at the top, inf where forbidden."""
    ties: Array
    """Number of tied maxima, ``(..., 1)``."""
    options: Array
    """Number of options that are not forbidden, ``(..., 1)``."""
    entropic: bool
    """Whether the effect is the entropy; it is minus the logarithm of the top probability otherwise."""

    def __call__(self, u: Array) -> tuple[Array, Array]:
        """The effect above its lower limit, in nats, and its derivative."""
        xp = self.rows.xp
        q = self.fall / xp.exp(u)
        weights = xp.exp(-q)
        q = xp.where(q == inf, 0.0, q)
        rest = self.rows.sum(xp.where(self.fall == 0, 0.0, weights))
        mean = self.rows.sum(weights * q) / (self.ties + rest)
        above = xp.log1p(rest / self.ties)
        if not self.entropic:
            return above, mean
        return above + mean, self.rows.sum(weights * q * q) / (self.ties + rest) - mean * mean

    def search(self, goal: Array, seek: Array) -> Array:
        """Where the effect above its lower limit is the goal, for each row to seek; anything for the other rows."""
        xp = self.rows.xp
        reach = xp.log(self.options / self.ties)
        least = xp.min(xp.where(self.fall == 0, inf, self.fall), axis=-1, keepdims=True)
        finite = xp.where(self.fall == inf, 0.0, self.fall)
        mean = self.rows.sum(finite) / self.options
        low = xp.log(least) - log(800)
        if self.entropic:
            high = -0.5 * xp.log(8 * (reach - goal))
            variance = self.rows.sum(finite * finite) / self.options - mean * mean
            start = 0.5 * xp.log(variance / (2 * (reach - goal)))
        else:
            high = -xp.log(reach - goal)
            start = xp.log(mean / (reach - goal))
        eps = float(xp.finfo(goal.dtype).eps)
        near = 0.1 * eps**0.5  # the error that a Newton step of this size leaves is below rounding

        def advance(at: _Search) -> _Search:
            x, slope = self(at.u)
            low, high = xp.where(x < goal, at.u, at.low), xp.where(x < goal, at.high, at.u)
            newton = xp.log(goal / x * ((reach - x) / (reach - goal))) * x * (reach - x) / (reach * slope)
            newton = xp.where(x == goal, 0.0, newton)
            last = xp.abs(newton) <= near
            inside = (at.u + newton > low) & (at.u + newton < high) & (xp.abs(newton) < 0.5 * at.step)
            step = xp.where(last | inside, newton, 0.5 * (low + high) - at.u)
            done = at.done | last | (high - low <= 2 * eps * xp.abs(at.u))
            return _Search(xp.where(at.done, at.u, at.u + step), low, high, xp.abs(step), done)

        start = _Search(xp.clip(start, low, high), low, high, high - low, ~seek)
        return iterate(xp, lambda at: ~xp.all(at.done), advance, start, MOST_STEPS).u


def _wants_gradient(*arrays: Array) -> bool:
    return any(getattr(array, "requires_grad", False) for array in arrays)


def _differentiable(rows: Rows, t: Array, goal: Array, seek: Array, entropic: bool) -> Array:
    """The same T, with the derivatives of the solution of effect(T) = goal."""
    xp = rows.xp
    bath = temper(rows, t[..., 0])
    slope = constant(bath_capacity(bath) if entropic else -bath.mean(bath.finite_exponents()))
    slope = xp.where(seek & (slope > 0), slope, inf)
    for _ in range(2):
        bath = temper(rows, t[..., 0])
        step = (goal - (bath_entropy(bath) if entropic else bath.log_sum())) / slope
        t = t * xp.exp(step - constant(step))
    return t
