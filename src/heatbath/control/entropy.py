"""Holding the entropy: of every decision, or of the running mean over a text."""

import math
from typing import Any

import numpy as np

from heatbath.control.seeing import as_plain, rows_like, see
from heatbath.core import temperature_for
from heatbath.core.arrays import constant, known
from heatbath.core.measures import bath_capacity, bath_entropy
from heatbath.core.numbers import check_number, check_whole
from heatbath.core.tempered import temper
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Thermostat
from heatbath.types import Seen, State, Temperature

SHORTEST = 4
"""The smallest horizon. With 1 or 2 a correction is as large as what it corrects: where the entropy rises suddenly, T
goes to and fro between its bounds, and the mean that is held is not the target."""


@maker("thermostat")
def hold_entropy(
    target: Any,
    horizon: int | None = None,
    *,
    start: float | None = None,
    coldest: float | None = None,
    hottest: float | None = None,
) -> Thermostat:
    """Move T so that the entropy stays at ``target``: of every decision, or of the mean over about ``horizon`` of them.

    *Without a horizon*, each row of scores gets the T that solves ``H(scores, T) = target``. A row may be unable to
    reach the target: its entropy lies between ln(number of tied maxima) at T = 0 and ln(number of options) at T = inf.
    It then gets the end that comes nearest (0 or inf, or ``coldest`` or ``hottest``), because a stream cannot stop
    where few options happen to be left. Where maxima tie, the cold end is a T just above 0, at which they share the
    choice; at T = 0 itself a chain would always take the first of them.

    *With a horizon* N, T is decided before the scores are looked at, and then corrected by them::

        ln T  <-  ln T + (target - H) / (N max(slope, target / 4)),    slope <- slope + (C - slope) / 4N

    H is the entropy of the scores at the T that was used and ``C = dH / d ln T`` their heat capacity, so this is
    Newton's method with the error averaged over about N decisions and the slope over 4N (Robbins-Monro with a constant
    gain). The corrections add up to the way that ln T has gone, which is bounded: so the errors cancel, and the mean
    entropy of a long text is the target. A wrong start is forgotten in about three horizons. T wanders by a factor of
    ``exp(+-d)``, d being ``1 / sqrt(2 N)`` times (spread of the entropy / slope) and more where neighbours resemble
    each other. A step at which only one option is left is no decision and changes nothing. At its bounds T waits, and
    what is missing is not stored up. Measured on stories260K writing its own text with N = 32: targets of 0.3, 1 and 2
    nats gave means of 0.301, 0.998 and 2.000 with d = 0.23, 0.12 and 0.08.

    Arguments:
        target: entropy in nats, >= 0; one number, or one per row.
        horizon: over how many decisions the mean is held, 4 to 2**53. None: every single decision.
        start: T of the first decision, > 0; 1 where not given. Only with a horizon.
        coldest: T never falls below; 0 where not given, with a horizon ``start / 20``.
        hottest: T never rises above; inf where not given, with a horizon ``5 start``.

    Raises:
        InputError: an argument outside its range; at a step, no scores to look at, or a state of other rows.

    >>> import numpy as np, heatbath as hb
    >>> scores = np.log([[0.9, 0.05, 0.03, 0.02], [0.4, 0.3, 0.2, 0.1]])
    >>> thermostat = hb.hold_entropy(1.0)
    >>> temperature, state = thermostat.step(thermostat.init(), hb.Seen(scores))
    >>> temperature.round(2), hb.entropy(scores, temperature).round(3)
    (array([1.87, 0.42]), array([1., 1.]))

    The same for a stream, of which every second position is certain: the mean is held, not each position.

    >>> thermostat = hb.hold_entropy(0.5, horizon=32)
    >>> state, entropies = thermostat.init(), []
    >>> for position in range(2000):
    ...     row = scores[position % 2]
    ...     temperature, state = thermostat.step(state, hb.Seen(row))
    ...     entropies.append(float(hb.entropy(row, temperature)))
    >>> sure, open_ = entropies[1000::2], entropies[1001::2]
    >>> [round(float(np.mean(some)), 2) for some in (sure, open_, sure + open_)]
    [0.01, 0.99, 0.5]

    How to choose: one horizon or none?

    * *A sequence* (text, music, image tokens): give a horizon, 32 to 128. Solving every position for the same entropy
      heats the places where the model is rightly certain (the second half of a word) and cools the open ones (the first
      word of a sentence): the opposite of what is wanted. Small horizons follow the text, large ones keep T quiet.
    * *Decisions that stand alone* (an agent's action, a character's move, a slate): no horizon. The target then means
      the same whatever the unit of the scores.

    Which target? That of the text you like: ``hb.Profile`` tells what T = 0.7 means for a model, and its
    ``thermostat(entropy=...)`` is the simpler tool where one T per request is enough. As a start, for text: 0.3 for
    code and facts, 1 for prose, 2 for ideas. The T that a text gets depends on the text; where the same T must apply
    to everything, use :func:`heatbath.fixed`.

    Reference: Robbins and Monro, "A stochastic approximation method", Annals of Mathematical Statistics 22, 1951. Its
    steps shrink and its T converges; ours do not shrink, so that T can follow a text that changes. Mirostat (Basu et
    al., ICLR 2021) holds the *surprisal of the drawn token* by moving a truncation; here the entropy, which does not
    depend on the luck of the draw, is held by moving T.
    """
    with while_doing("making hold_entropy", f"target={show(target)}, horizon={show(horizon)}"):
        wanted = _check_target(target)
        if horizon is None:
            if start is not None:
                raise InputError(
                    "start has no meaning without a horizon: every decision is solved anew",
                    instead="give a horizon, or leave start out",
                    field="start",
                )
            low, high = _check_bounds(0.0 if coldest is None else coldest, math.inf if hottest is None else hottest)
            return _each_decision(wanted, low, high)
        length = check_whole(horizon, "horizon", least=SHORTEST, example=64)
        first = check_number(
            1.0 if start is None else start, "start", "a finite number > 0", lambda t: 0 < t < math.inf
        )
        low, high = _check_bounds(
            first / 20 if coldest is None else coldest, 5 * first if hottest is None else hottest, moving=True
        )
        if not low <= first <= high:
            raise InputError(
                f"T would start at {first:g}, outside {low:g} to {high:g}",
                instead="give a start between coldest and hottest",
                field="start",
            )
        return _running_mean(wanted, length, first, low, high)


def _check_target(target: Any) -> Any:
    try:
        nats = np.asarray(target)
        fine = nats.dtype.kind in "iuf" and nats.size > 0 and bool(np.all((nats >= 0) & (nats < math.inf)))
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise InputError(
            f"the target must be a finite number of nats >= 0, not {show(target)}",
            instead="write for example hold_entropy(2.0)",
            field="target",
        )
    return float(nats) if nats.ndim == 0 else nats.astype(np.float64)


def _check_bounds(coldest: Any, hottest: Any, moving: bool = False) -> tuple[float, float]:
    if moving:  # T is multiplied from step to step, in single precision too: it must stay an ordinary number
        low = check_number(coldest, "coldest", "a finite number > 0", lambda t: 0 < t < math.inf, example=0.1)
        high = check_number(hottest, "hottest", f"from coldest={low:g} to 1e30", lambda t: low < t <= 1e30, example=5.0)
    else:
        low = check_number(coldest, "coldest", "a finite number >= 0", lambda t: 0 <= t < math.inf, example=0.1)
        high = check_number(hottest, "hottest", f"a number > coldest={low:g}", lambda t: low < t, example=5.0)
    return low, high


def _each_decision(target: Any, coldest: float, hottest: float) -> Thermostat:
    asked = f"target={show(target)}"

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("holding the entropy of a decision", asked):
            rows = see(seen)
            xp = rows.xp
            wanted = rows_like(target, rows.scores, "target")
            least, most = (rows.measure(bath_entropy(temper(rows, end))) for end in (coldest, hottest))
            # Between tied maxima T = 0 would choose by their order, with no entropy at all: stay just above it, which
            # is further than the rounding that temperature_for allows for.
            tied = (least > 0) if coldest == 0 else xp.zeros_like(least, dtype=xp.bool)
            above = least + xp.clip(8 * float(xp.finfo(least.dtype).eps) * least, min=1e-6)
            inside = xp.where(tied, xp.minimum(above, most), least)
            solved = temperature_for(rows.scores, entropy=xp.clip(wanted, inside, most))
        cold = xp.where(tied, solved, coldest)
        return xp.where(wanted >= most, hottest, xp.where(wanted <= least, cold, solved)), state

    return Thermostat(init=lambda: (), step=step)


def _running_mean(target: Any, horizon: int, start: float, coldest: float, hottest: float) -> Thermostat:
    """The state is (T, slope)."""
    asked = f"target={show(target)}, horizon={horizon}"

    def init() -> State:
        # Before anything is seen, the target itself is the guess of the slope: on stories260K the mean heat capacity is
        # 0.8 to 1.2 times the mean entropy at every T from 0.2 to 2.
        return start, as_plain(target)

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("holding the mean entropy", asked):
            rows = see(seen)
            xp, scores = rows.xp, constant(rows.scores)  # a state must not drag the gradients of a whole stream along
            wanted = rows_like(target, scores, "target")
            temperature, slope = (rows_like(part, scores, "state") for part in _two(state))
            if known(xp.all((temperature > 0) & (slope >= 0))) is False:
                raise _no_state(state)
            bath = temper(rows._replace(scores=scores, top=constant(rows.top)), temperature)
            error, steepness = wanted - rows.measure(bath_entropy(bath)), rows.measure(bath_capacity(bath))
        a_choice = xp.sum(xp.astype(scores > -math.inf, xp.int32), axis=-1) > 1
        floor = xp.clip(wanted / 4, min=_LEAST_SLOPE)
        with np.errstate(over="ignore"):  # from the largest of targets; the bounds hold
            moved = temperature * xp.exp(error / (horizon * xp.maximum(slope, floor)))
        moved = xp.clip(moved, coldest, hottest)
        # Over a longer time than the error: a slope that follows the text closely is small just where the entropy is,
        # corrections upwards get larger than those downwards, and the mean that is held is 3 % above the target.
        learned = slope + (steepness - slope) / (4 * horizon)
        return temperature, (
            as_plain(xp.where(a_choice, moved, temperature)),
            as_plain(xp.where(a_choice, learned, slope)),
        )

    return Thermostat(init=init, step=step)


_LEAST_SLOPE = 0.01
"""Nats per factor e of T: below this, T hardly acts on the entropy and dividing by the slope would throw it about."""


def _two(state: State) -> Any:
    if not isinstance(state, list | tuple) or len(state) != 2:
        raise _no_state(state)
    return state


def _no_state(state: State) -> InputError:
    return InputError(
        f"{show(state)} is no state of hold_entropy with a horizon",
        instead="begin with init() and carry what step gives back",
        field="state",
    )
