"""Holding the entropy: of every decision, or of the running mean over a text."""

import math
from typing import Any

from heatbath.control.glance import look
from heatbath.control.holding import LEAST_SLOPE, Course, check_bounds, check_course, check_target, no_state, parts
from heatbath.control.seeing import as_plain, rows_like
from heatbath.control.units import UNITS, Unit
from heatbath.core import namespace
from heatbath.core.arrays import known
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Rule, Thermostat
from heatbath.types import Seen, State, Temperature


@maker("thermostat")
def hold_entropy(
    target: Any,
    horizon: int | None = None,
    *,
    unit: str = "nats",
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

    H is the entropy of the scores at the T that was used and ``C = dH / d ln T`` their heat capacity (counted as
    ``target / 4`` where it is less), so this is Newton's method with the error averaged over about N decisions and the
    slope over 4N (Robbins-Monro with a constant gain). The corrections add up to the way that ln T has gone, which is
    bounded: so the errors cancel, and the mean entropy of a long text is the target. A wrong start is forgotten in
    about three horizons. T wanders by a factor of ``exp(+-d)``, d being ``1 / sqrt(2 N)`` times (spread of the entropy
    / slope) and more where neighbours resemble each other. A step at which only one option is left is no decision and
    changes nothing. At its bounds T waits, and what is missing is not stored up.

    *In another unit* the same is done with another error:

    ========= ==================================== ======================= =========================================
    unit      what the target is                   one decision            with a horizon
    ========= ==================================== ======================= =========================================
    ``nats``  an entropy                           ``H = target``          the mean of H is the target
    ``share`` a share of the largest entropy       ``H / ln n = target``   the mean of H / ln n is the target
    ``ratio`` a ratio to the entropy at T = 1, H_1 ``H = target H_1``      the mean of H is target times that of H_1
    ========= ==================================== ======================= =========================================

    n is the number of options that are left. In every unit T acts on H alone, which rises with T: so the mean error has
    one zero, and each correction leads towards it. What makes nats stable makes the others stable. Measured on
    stories260K writing its own text, so that the text answers to T, with N = 32 (twelve texts of 670 tokens):

    ========= ====================== ====================== ==================
    unit      targets                means                  d
    ========= ====================== ====================== ==================
    ``nats``  0.3, 1, 2              0.299, 0.998, 2.006    0.22, 0.14, 0.08
    ``share`` 0.05, 0.15, 0.3        0.050, 0.150, 0.301    0.22, 0.14, 0.09
    ``ratio`` 0.3, 0.8, 1.3          0.300, 0.801, 1.298    0.10, 0.02, 0.02
    ========= ====================== ====================== ==================

    Arguments:
        target: in the unit: nats >= 0, a share from 0 to 1, a ratio >= 0; one number, or one per row.
        horizon: over how many decisions the mean is held, 4 to 2**53. None: every single decision.
        unit: "nats", "share" or "ratio".
        start: T of the first decision, > 0; 1 where not given. Only with a horizon.
        coldest: T never falls below; 0 where not given, with a horizon ``start / 20``.
        hottest: T never rises above; inf where not given, with a horizon ``5 start``.

    Raises:
        InputError: an argument outside its range, an unknown unit; at a step, no scores to look at, or a state of other
            rows.

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

    Half as open as the model by itself:

    >>> temperature, _ = hb.hold_entropy(0.5, unit="ratio").step((), hb.Seen(scores))
    >>> (hb.entropy(scores, temperature) / hb.entropy(scores)).round(3)
    array([0.5, 0.5])

    How to choose: one horizon or none?

    * *A sequence* (text, music, image tokens): give a horizon, 32 to 128. Solving every position for the same entropy
      heats the places where the model is rightly certain (the second half of a word) and cools the open ones (the first
      word of a sentence): the opposite of what is wanted. Small horizons follow the text, large ones keep T quiet.
    * *Decisions that stand alone* (an agent's action, a character's move, a slate): no horizon. The target then means
      the same whatever the unit of the scores.

    Which unit? Nats add up over a text and mean the same on every vocabulary: begin there. A share compares decisions
    with different numbers of options (actions, slates); over a vocabulary its numbers are small. A ratio leaves the
    model its own rhythm: T is 1 at a ratio of 1 and moves little, and where the model is sure the text stays sure. So
    it also stays in a loop that the model believes in, where nats would heat.

    Which target? That of the text you like: ``hb.Profile`` tells what T = 0.7 means for a model, and its
    ``thermostat(entropy=...)`` is the simpler tool where one T per request is enough. As a start, for text: 0.3 for
    code and facts, 1 for prose, 2 for ideas. The T that a text gets depends on the text; where the same T must apply
    to everything, use :func:`heatbath.fixed`.

    Reference: Robbins and Monro, "A stochastic approximation method", Annals of Mathematical Statistics 22, 1951. Its
    steps shrink and its T converges; ours do not shrink, so that T can follow a text that changes. Mirostat (Basu et
    al., ICLR 2021) holds the *surprisal of the drawn token* by moving a truncation; here the entropy, which does not
    depend on the luck of the draw, is held by moving T. :func:`heatbath.control.hold_surprise` is in between.
    """
    with while_doing("making hold_entropy", f"target={show(target)}, horizon={show(horizon)}, unit={show(unit)}"):
        if not isinstance(unit, str) or unit not in UNITS:
            raise InputError(f"there is no unit {show(unit)}", instead=f"known are {', '.join(UNITS)}", field="unit")
        measured = UNITS[unit]
        wanted = check_target(target, measured.wanted, measured.example, measured.most)
        if horizon is not None:
            course = check_course(horizon, start, coldest, hottest)
            given = (wanted, float(course.horizon), course.coldest, course.hottest, LEAST_SLOPE)
            rule = Rule(f"mean entropy in {unit}", given, remembers=2) if isinstance(wanted, float) else None
            return _running_mean(wanted, measured, course)._replace(rule=rule)
        if start is not None:
            raise InputError(
                "start has no meaning without a horizon: every decision is solved anew",
                instead="give a horizon, or leave start out",
                field="start",
            )
        low, high = check_bounds(0.0 if coldest is None else coldest, math.inf if hottest is None else hottest)
        rule = Rule(f"entropy in {unit}", (wanted, low, high)) if isinstance(wanted, float) else None
        return _each_decision(wanted, measured, low, high)._replace(rule=rule)


def _each_decision(target: Any, unit: Unit, coldest: float, hottest: float) -> Thermostat:
    asked = f"target={show(target)}"

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("holding the entropy of a decision", asked):
            row = look(seen)
            xp = namespace(row.like)
            aim = unit.aim(rows_like(target, row.like, "target"), row)
            wanted = aim.value * aim.one
            least, most = (row.at(end).entropy for end in (coldest, hottest))
            # Between tied maxima T = 0 would choose by their order, with no entropy at all: stay just above it, which
            # is further than the rounding that temperature_for allows for.
            tied = (least > 0) if coldest == 0 else xp.zeros_like(least, dtype=xp.bool)
            above = least + xp.clip(8 * float(xp.finfo(least.dtype).eps) * least, min=1e-6)
            inside = xp.where(tied, xp.minimum(above, most), least)
            solved = row.temperature_for(entropy=xp.minimum(xp.maximum(wanted, inside), most))
        cold = xp.where(tied, solved, coldest)
        return xp.where(wanted >= most, hottest, xp.where(wanted <= least, cold, solved)), state

    return Thermostat(init=lambda: (), step=step, glances=True)


def _running_mean(target: Any, unit: Unit, course: Course) -> Thermostat:
    """The state is (T, slope)."""
    asked = f"target={show(target)}, horizon={course.horizon}"

    def init() -> State:
        # Before anything is seen, the target itself is the guess of the slope: on stories260K the mean heat capacity is
        # 0.8 to 1.2 times the mean entropy at every T from 0.2 to 2.
        return course.start, as_plain(target)

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("holding the mean entropy", asked):
            plain = look(seen).constant()  # a state must not drag the gradients of a whole stream along
            xp = namespace(plain.like)
            temperature, slope = (rows_like(part, plain.like, "state") for part in parts(state, 2, NAME))
            if known(xp.all((temperature > 0) & (slope >= 0))) is False:
                raise no_state(state, NAME)
            aim, row = unit.aim(rows_like(target, plain.like, "target"), plain), plain.at(temperature)
            error, steepness = aim.value - row.entropy / aim.one, row.heat_capacity / aim.one
        a_choice = row.options > 1
        moved = course.moved(temperature, error, slope)
        learned = course.learned(slope, xp.maximum(steepness, aim.value / 4))
        return temperature, (
            as_plain(xp.where(a_choice, moved, temperature)),
            as_plain(xp.where(a_choice, learned, slope)),
        )

    return Thermostat(init=init, step=step, glances=True)


NAME = "hold_entropy with a horizon"
