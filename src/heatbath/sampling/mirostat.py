"""Steps that hold the surprisal of what is drawn by moving a truncation.

Both carry mu, an upper limit of surprisal, which begins at ``2 tau`` and after each draw of surprisal s becomes
``mu - eta (s - tau)``: too surprising a draw tightens the limit, too plain a one relaxes it.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.core.arrays import overflowing
from heatbath.errors import InputError, while_doing
from heatbath.made import Made, maker, show
from heatbath.sampling.carried import begin, carried, learner, numbers_of
from heatbath.sampling.mass import REACHED, keep_best, keep_likely, rank, weigh
from heatbath.sampling.parameters import beside, check_argument, per_row
from heatbath.sampling.step import Applied, Moment, Op, Step
from heatbath.types import Array, Outcome, State

MOST = 1e30
"""mu stays within this, far beyond every surprisal: from infinity there would be no way back."""

ZIPF = 100
"""From how many of the best options version 1 estimates the slope, as in the paper."""


@maker("step")
def mirostat_v2(tau: Any, eta: Any = 0.1, *, renormalised: bool = False) -> Step:
    """Hold the mean surprisal of what is drawn at ``tau``: keep the options with ``-ln p_i <= mu`` and move mu.

    Arguments:
        tau: the surprisal to hold, a finite number of **nats** > 0, or one per row. Papers and engines count in bits:
            their 5 is ``5 * ln 2 = 3.47`` here.
        eta: how fast mu follows, a finite number > 0, or one per row; the same number in nats and in bits.
        renormalised: measure surprisals behind the cut, where those that are kept sum to 1, as llama.cpp does; the
            default measures them before it, as the paper does, so that tau is the surprisal under the scores that reach
            this step.

    At the boundaries: an option of surprisal mu is kept (up to mu + 1e-12), and the best one always. mu belongs to the
    stream and is not bounded, short of 1e30.

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.mirostat_v2(1.0))
    >>> state = sampler.init()
    >>> state
    (0, (2.0,))
    >>> choice, state, _ = sampler.step(state, np.log([0.5, 0.3, 0.1, 0.1]), seed=0)
    >>> int(choice), round(state[1][0], 4)
    (0, 2.0307)

    How to choose: for long texts that should not fall apart, with eta = 0.1 and a tau below the mean entropy of the
    model (:class:`heatbath.Profile` measures it), alone or behind a temperature, whose surprisals it then holds. It can
    only cut: a tau above the mean entropy changes nothing, and one below the surprisal of the best options is out of
    reach. Over a passage without choices mu climbs, and the first open choice after it is made among nearly all
    options. :func:`heatbath.hold_entropy` moves T instead, in both directions, and does not depend on the luck of the
    draw. In the comparison of Zhou et al. (2024, arXiv:2408.13586) mirostat is among the two steadiest truncations.

    Reference: Basu, Ramachandran, Keskar and Varshney, "Mirostat: a neural text decoding algorithm that directly
    controls perplexity", ICLR 2021, whose algorithm 1 is :func:`mirostat_v1`; this shorter one is known by what
    llama.cpp made of it. What llama.cpp holds is not the perplexity of the title, because it measures behind the cut.
    """
    aim = _check("mirostat_v2", tau, eta, renormalised)

    def apply(state: State, moment: Moment) -> Applied:
        scores = moment.scores
        weighed = weigh(scores)
        floor = namespace(scores).log(weighed.total) - _limit(state, scores)
        return Applied(keep_likely(scores, weighed.exponents, floor), state)

    def op(state: State, _moment: Moment) -> Op | None:
        mu = numbers_of(state)
        return None if mu is None else Op("surprisal", mu, state)

    return aim.step("mirostat_v2", apply)._replace(op=op)


@maker("step")
def mirostat_v1(tau: Any, eta: Any = 0.1, *, renormalised: bool = False) -> Step:
    """Hold the mean surprisal of what is drawn at ``tau``: keep the k best, with k from mu and Zipf's law.

    The slope s of ``p_i ~ i^-s`` is fitted to the 100 best, ``s = sum t_i ln(p_i / p_(i+1)) / sum t_i^2`` with
    ``t_i = ln((i + 1) / i)``, and with e = s - 1 and N options ``k = (e exp(mu) / (1 - N^-e))^(1/s)``.

    Arguments:
        tau: the surprisal to hold, a finite number of **nats** > 0, or one per row. Papers and engines count in bits:
            their 5 is ``5 * ln 2 = 3.47`` here.
        eta: how fast mu follows, a finite number > 0, or one per row; the same number in nats and in bits.
        renormalised: as for :func:`mirostat_v2`.

    At the boundaries: k is rounded down (from k (1 + 1e-12)) and at least 1, as in llama.cpp; the authors' code rounds
    to the nearest and adds 1. All that ties with rank k is kept. What is forbidden counts neither in the fit nor in N.

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.mirostat_v1(0.7))
    >>> np.isfinite(sampler.scores(sampler.init(), -1.1 * np.log(np.arange(1, 9))).scores)
    array([ True,  True, False, False, False, False, False, False])

    How to choose: :func:`mirostat_v2`, which needs no assumption on the shape of the distribution and holds the same.
    This one repeats texts that were made with it.

    Reference: Basu, Ramachandran, Keskar and Varshney, "Mirostat: a neural text decoding algorithm that directly
    controls perplexity", ICLR 2021, algorithm 1. Where k is beyond the integers of llama.cpp (tau of 5 bits, nearly
    equal scores) that program keeps the best alone.
    """
    aim = _check("mirostat_v1", tau, eta, renormalised)

    def apply(state: State, moment: Moment) -> Applied:
        scores = moment.scores
        xp = namespace(scores)
        ranked = rank(scores)
        allowed = xp.astype(ranked > -xp.inf, scores.dtype)
        options = xp.sum(allowed, axis=-1, keepdims=True)
        most = _most(_slope(ranked, allowed), options, _limit(state, scores))
        places = xp.arange(1, scores.shape[-1] + 1, dtype=scores.dtype, device=getattr(scores, "device", None))
        return Applied(keep_best(scores, ranked, places <= xp.clip(most, min=1.0)), state)

    return aim.step("mirostat_v1", apply)


def _slope(ranked: Array, allowed: Array) -> Array:
    """Zipf's exponent of the best, ``(..., 1)``; 0 where they are equal, or one is alone."""
    xp = namespace(ranked)
    best, there = ranked[..., :ZIPF], allowed[..., 1:ZIPF]
    with overflowing():  # a difference beyond the type is inf: a slope that leaves the best alone
        falls = xp.where(there > 0, best[..., :-1] - xp.where(there > 0, best[..., 1:], 0.0), 0.0)
    places = np.arange(1, best.shape[-1])
    t = beside(np.log((places + 1) / places), ranked, "places")
    squares = xp.sum(there * t * t, axis=-1, keepdims=True)
    return xp.sum(falls * t, axis=-1, keepdims=True) / xp.where(squares > 0, squares, 1.0)


def _most(slope: Array, options: Array, mu: Array) -> Array:
    """How many options have a mean surprisal of mu under Zipf's law, rounded down; computed in logarithms."""
    xp = namespace(slope)
    slope = xp.clip(slope, min=1e-9, max=1e30)
    e, log_options = slope - 1, xp.log(xp.clip(options, min=2.0))  # one that is alone is kept whatever comes out
    flat = xp.abs(e) < 1e-9  # where e / (1 - N^-e) is 0 / 0, and its limit 1 / ln N
    safe = xp.where(flat, 1.0, e)
    limit, quotient = -xp.log(log_options), xp.log(xp.abs(safe)) - xp.log(xp.abs(xp.expm1(-safe * log_options)))
    log_k = (mu + xp.where(flat, limit, quotient)) / slope
    return xp.floor(xp.exp(xp.clip(log_k, min=-70.0, max=70.0)) / REACHED)


def _limit(state: State, scores: Array) -> Array:
    mu = carried(state, scores)
    return mu[..., None] if mu.ndim else mu


class _Aim(NamedTuple):
    """The arguments of either version, checked."""

    tau: npt.NDArray[Any]
    eta: npt.NDArray[Any]
    renormalised: bool

    def step(self, name: str, apply: Any) -> Step:
        def news(outcome: Outcome) -> Any:
            return outcome.surprisal_after if self.renormalised else outcome.surprisal

        def move(mu: Array, surprisal: Array) -> Array:
            error = surprisal - per_row(self.tau, surprisal, "tau")
            with overflowing():
                moved = mu - per_row(self.eta, surprisal, "eta") * error
            return namespace(moved).clip(moved, -MOST, MOST)

        return Step(
            apply=apply,
            init=lambda: begin(2 * np.minimum(self.tau, MOST / 2)),
            learn=learner(name, news, move),
            hears=("surprisal_after" if self.renormalised else "surprisal",),
        )


def _check(name: str, tau: Any, eta: Any, renormalised: Any) -> _Aim:
    with while_doing(f"making {name}", Made(name, ((None, tau), (None, eta)))):
        if not isinstance(renormalised, bool):
            raise InputError(
                f"renormalised is True or False, not {show(renormalised)}",
                instead=f"write for example {name}({show(tau)}, renormalised=True)",
                field="renormalised",
            )
        return _Aim(
            check_argument(tau, "tau", _positive, "a finite number of nats > 0", round(5 * math.log(2), 2)),
            check_argument(eta, "eta", _positive, "a finite number > 0", 0.1),
            renormalised,
        )


def _positive(number: Any) -> Any:
    return (number > 0) & np.isfinite(number)
