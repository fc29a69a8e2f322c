"""Temperatures that are decided by a look at the row: the formulas of thermostats (:class:`heatbath.thermostat.Rule`).

Each is decided on what the steps before it leave of the row, and then the row is served as if that T had been given. So
a decision and the draw behind it are one call, and the maximum of the row is looked for once.
"""

from typing import Any

import numpy as np

from heatbath.sampling.kernel.batch import entered, look, serve_row
from heatbath.sampling.kernel.bits import take_next
from heatbath.sampling.kernel.glance import counts, glimpse, look_at, warmth_for
from heatbath.sampling.kernel.left import Left, first_look, laid_out
from heatbath.sampling.kernel.ops import GIVE_UP
from heatbath.sampling.kernel.row import run
from heatbath.sampling.kernel.sweeps import jit

NAMES = (
    "edt", "confidence by top_probability", "confidence by margin", "confidence by entropy",
    "entropy in nats", "entropy in share", "entropy in ratio",
    "mean entropy in nats", "mean entropy in share", "mean entropy in ratio",
)  # fmt: skip

EDT, TOP_PROBABILITY, MARGIN, RELATIVE_ENTROPY, NATS, SHARE, RATIO, MEAN_NATS, MEAN_SHARE, MEAN_RATIO = range(
    len(NAMES)
)
"""Their numbers are base, theta ln n and coldest; cold, hot and exponent; target, coldest and hottest; target, horizon,
coldest, hottest and the least slope. The last three are told T and the slope, and give what those are afterwards."""

RULES = {name: code for code, name in enumerate(NAMES)}

MOST_NUMBERS = 5
"""So many numbers at most has a rule."""

ANSWERS = 3
"""T, and what is remembered: two numbers at most."""

ABOVE = 1e-6
"""So many nats above the entropy of tied maxima a T is that shares the choice among them."""


@entered
def decide_rows(
    what: Any, x: Any, ops: Any, numbers: Any, seeds: Any, positions: Any, asked: Any, wanted: Any, peaks: Any,
    tops: Any, tail: Any, room: Any, turn: Any, choices: Any, told: Any, rules: Any, decided: Any, own: Any,
    silent: Any,
) -> None:  # fmt: skip
    """As :func:`heatbath.sampling.kernel.batch.serve_any`, where each of the ``rules`` decides a T for each row.

    A rule is its place among ``ops``, its code and its numbers; what it remembers comes as the numbers of that place.
    ``decided`` gets the answers of each row and rule. ``own`` is room for one row of numbers, and ``silent`` says that
    none of the steps before a rule wants to be told of the draw.
    """
    work = laid_out(tail, room, tops.shape[1])
    several, keep, every = numbers.shape[0] > 1, tops.shape[0] > 1, positions.shape[0] > 1
    while True:
        row = take_next(turn)
        if row >= x.shape[0]:
            break
        at = row if keep else 0
        top, code = look(x[row], work.tail, peaks, tops, at)
        for i in range(own.shape[1]):
            own[0, i] = numbers[row if several else 0, i]
        seed, position = seeds[row], positions[row if every else 0]
        for i in range(rules.shape[0]):
            if code < 0:
                break
            place, rule = np.int64(rules[i, 0]), np.int64(rules[i, 1])
            left = run(x[row], ops[:place], own[0], seed, position, top, tops[at], silent, work)
            t, answers = np.nan, decided[row, i]
            if left.code >= 0 and rule >= MEAN_NATS:
                t, answers[1], answers[2] = steer(
                    x[row], tops[at], left, rule, rules[i, 2:], own[0, place], own[0, place + 1], work
                )
            elif left.code >= 0:
                t = decide(x[row], tops[at], left, rule, rules[i, 2:], work)
            own[0, place] = answers[0] = t
            code = code if t >= 0.0 else GIVE_UP
            if left.top != top:  # tops are those of what was left
                first_look(x[row], work.tail, tops[at])
        choices[row] = code
        if code >= 0:
            peaks[at] = top
            serve_row(
                what, x, row, ops, own[0], seeds, positions, asked, wanted, peaks, tops, work, choices, told
            )  # fmt: skip


@jit
def decide(x: Any, tops: Any, left: Left, rule: Any, given: Any, work: Any) -> Any:
    """T by a rule with these numbers; NaN where it could not be had."""
    if rule >= NATS:
        return _holding(x, tops, left, rule, given[0], given[1], given[2], work)
    log_sum, mean, options = glimpse(x, tops, left, work)
    gap = counts(x, tops, left, work)[2] if rule == MARGIN else 0.0
    if np.isnan(log_sum - mean + gap):
        return np.nan
    if rule == EDT:
        base, scale, coldest = given[0], given[1], given[2]
        nats = log_sum - mean
        return max(base * np.exp(scale / nats) if nats > 0.0 else 0.0, coldest)
    cold, hot, exponent = given[0], given[1], given[2]
    sure = np.exp(-log_sum)
    if rule == MARGIN:
        sure = sure * -np.expm1(-gap)
    elif rule == RELATIVE_ENTROPY:
        sure = 1.0 - (log_sum - mean) / largest_entropy(options)
    return cold + (hot - cold) * min(max(1.0 - sure, 0.0), 1.0) ** exponent


@jit
def largest_entropy(options: Any) -> Any:
    """``ln n``; 1 where one option is left."""
    return np.log(options) if options > 1.0 else 1.0


@jit
def _holding(
    x: Any, tops: Any, left: Left, rule: Any, target: Any, coldest: Any, hottest: Any, work: Any
) -> Any:  # fmt: skip
    """The T that holds an entropy, as near as its bounds let it come. The entropy rises with T, so that what lies
    outside of the bounds need not be looked at there.
    """
    ties, options, _ = counts(x, tops, left, work)
    least, goal = np.log(ties), target
    if rule == SHARE:
        goal = target * largest_entropy(options)
    elif rule == RATIO:
        log_sum, mean, _ = glimpse(x, tops, left, work)
        goal = target * (log_sum - mean)
        if np.isnan(goal):
            return goal
    if goal >= np.log(options):
        return hottest
    if coldest == 0.0 and least > 0.0:  # at T = 0 itself the first of those that tie would take all
        goal = max(goal, min(least + ABOVE, np.log(options)))
    elif goal <= least:
        return coldest
    t = warmth_for(x, tops, left, goal, ties, options, work)
    return min(max(t, coldest), hottest) if t >= 0.0 else t


@jit
def steer(
    x: Any, tops: Any, left: Left, rule: Any, given: Any, t: Any, slope: Any, work: Any
) -> Any:  # fmt: skip
    """T, as it is remembered, and T and the slope after the row was seen at it: the mean of its entropy is held."""
    target, horizon, coldest, hottest, least = given[0], given[1], given[2], given[3], given[4]
    if not (t > 0.0 and slope >= 0.0):
        return np.nan, np.nan, np.nan
    log_sum, mean, capacity = look_at(x, tops, left, t, work)
    value, one, options = target, 1.0, 2.0  # so many at least where there is any entropy
    if rule == MEAN_RATIO:
        log_own, mean_own, options = glimpse(x, tops, left, work)
        value = target * (log_own - mean_own)
    elif rule == MEAN_SHARE or not log_sum > 0.0:
        options = counts(x, tops, left, work)[1]
        one = largest_entropy(options) if rule == MEAN_SHARE else 1.0
    if options == 1.0:
        return t, t, slope
    error, steepness = value - (log_sum - mean) / one, max(capacity / one, value / 4.0)
    moved = t * np.exp(error / (horizon * max(slope, least)))
    if np.isnan(moved):
        return np.nan, np.nan, np.nan
    return t, min(max(moved, coldest), hottest), slope + (steepness - slope) / (4.0 * horizon)
