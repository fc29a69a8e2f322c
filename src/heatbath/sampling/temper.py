"""The temperature step."""

from functools import partial
from math import inf, nan
from typing import Any

import numpy as np

from heatbath.core import check_temperature, namespace
from heatbath.core.arrays import is_array, is_number, overflowing
from heatbath.errors import while_doing
from heatbath.made import maker
from heatbath.sampling.parameters import beside, per_row
from heatbath.sampling.step import Applied, Moment, Op, Step
from heatbath.thermostat import as_thermostat, ask, learn_nothing
from heatbath.types import Array, Seen, State, Temperature


@maker("step")
def temperature(thermostat: Any) -> Step:
    """Divide the scores by T: ``score <- (score - max score) / T``.

    Arguments:
        thermostat: a number, one number per row, a schedule or a thermostat. A thermostat sees the scores as they reach
            this step, so ``min_p(0.05) -> temperature(hold_entropy(2.0))`` and the other order are two samplers.

    The maximum is subtracted first, which changes no probability and lets every T > 0 be divided by.

    At the boundaries: T = 0 keeps only the best option, the first of them where several tie, so that it never depends
    on a seed; T = inf makes all options that are not forbidden equally likely.

    Raises:
        InputError: T is negative or not a number; at a step, where a schedule or thermostat decides such a T.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.temperature(0.5)).scores((), np.array([1.0, 2.0, -np.inf])).scores
    array([ -2.,   0., -inf])

    How to choose: put it first to let the heat decide what truncation keeps (transformers and vLLM), last to truncate
    what the model itself finds likely and heat only the rest (llama.cpp). The later it stands, the hotter it can
    safely be.
    """
    decide = as_thermostat(thermostat)

    def apply(state: State, moment: Moment) -> Applied:
        scores = moment.scores
        with while_doing("asking for a temperature", decide):
            decided, state = ask(decide, state, Seen(scores, moment.context))
            check_temperature(decided)
            if is_array(decided) and not isinstance(decided, np.ndarray):  # unchecked, it spoils its row
                decided = namespace(decided).where(decided >= 0, decided, nan)
            return Applied(temper(scores, decided), state, temperature=beside(decided, scores, "temperature"))

    def op(state: State, moment: Moment) -> Op | None:
        with while_doing("asking for a temperature", decide):
            decided, state = ask(decide, state, Seen(None, moment.context, moment.glance))
            if is_array(decided) and not isinstance(decided, np.ndarray):
                decided = _in_memory(decided) if moment.glance else None  # a T of the caller's own is not looked into
                if decided is None:
                    return None
            if type(decided) is not float or not decided >= 0:  # what is asked for at every token
                check_temperature(decided)
        return Op("temperature", decided, state)

    if type(thermostat) in (int, float):
        return Step(apply=apply, init=decide.init, most=inf, op=Op("temperature", float(thermostat)))
    if decide.rule:
        told = Op("temperature", nan, rule=decide.rule)
        return Step(
            apply=apply, init=decide.init, most=inf, op=partial(_remembering, told) if decide.rule.remembers else told
        )
    return Step(
        apply=apply,
        init=decide.init,
        learn=decide.learn,
        op=op if decide.glances or not decide.looks else None,
        glances=decide.looks or decide.learn is not learn_nothing,
        hears=decide.hears,
        most=inf,
    )


def _remembering(told: Op, state: State, moment: Moment) -> Op | None:  # noqa: ARG001  the contract's signature
    """With the numbers of the state; None where it has others: the reference says what is wrong."""
    if not isinstance(state, list | tuple) or told.rule is None or len(state) != told.rule.remembers:
        return None
    try:
        first, *more = (part if type(part) is float else np.asarray(part, np.float64) for part in state)
    except (TypeError, ValueError, RuntimeError):
        return None
    return told._replace(number=first, more=tuple(more), state=state)


def _in_memory(temperature: Array) -> Any:
    """T in NumPy; None where that would lose a gradient."""
    try:
        return np.asarray(temperature)
    except (TypeError, RuntimeError):
        return None


def temper(scores: Array, value: Temperature) -> Array:
    """``(scores - max) / T`` with the exact limits at T = 0 and T = inf."""
    xp = namespace(scores)
    best = xp.max(scores, axis=-1, keepdims=True)
    t = per_row(value, scores, "temperature")
    limits = xp.finfo(scores.dtype)
    if is_number(value) and float(limits.smallest_normal) < float(value) <= float(limits.max):  # no end to see to
        with overflowing():
            return (scores - best) / t
    first_best = xp.argmax(scores, axis=-1, keepdims=True)
    options = xp.arange(scores.shape[-1], dtype=first_best.dtype, device=getattr(scores, "device", None))
    lost = (scores == -xp.inf) | ((t == 0) & (options != first_best))
    with overflowing():  # a difference or quotient beyond the type is -inf, its limit
        # What is lost is set to 0 before dividing and to -inf after it, so that no gradient meets inf * 0. At T = inf
        # all differences are, as inf / inf would be NaN.
        difference = xp.where(lost | (t == xp.inf), xp.zeros_like(scores), scores - best)
        tempered = difference / xp.where(t == 0, xp.ones_like(t), t)
    return xp.where(lost, xp.full_like(scores, -xp.inf), tempered)
