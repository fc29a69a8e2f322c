"""The effects that a temperature can be asked for, and which of them a row can reach."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from math import log, nan
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from heatbath.core.arrays import first_bad, in_library, is_array, known, namespace
from heatbath.core.scores import Rows, check_shape
from heatbath.errors import InputError, TargetError
from heatbath.types import Array


class Effect(NamedTuple):
    """An effect that a temperature can be asked for."""

    nats: Callable[[Any, Array, Array], Array]
    """From library, target and number of options: the entropy (or, for the top probability, minus its logarithm)."""
    limits: Callable[[float, float], tuple[float, float]]
    """From the numbers of ties and of options: the effect at T = 0 and at T = inf."""


EFFECTS = {
    "entropy": Effect(lambda xp, target, options: target, lambda ties, options: (log(ties), log(options))),
    "perplexity": Effect(lambda xp, target, options: xp.log(target), lambda ties, options: (ties, options)),
    "top_probability": Effect(
        lambda xp, target, options: -xp.log(target),
        lambda ties, options: (1 / ties, 1 / options),
    ),
    "relative_entropy": Effect(
        # of a single option every share of the entropy is 0, but what is no share is out of reach all the same
        lambda xp, target, options: (
            xp.where((options > 1) | ((target >= 0) & (target <= 1)), target, nan) * xp.log(options)
        ),
        lambda ties, options: (log(ties) / log(options) if options > 1 else 0.0, 1.0),
    ),
}


def the_one(targets: dict[str, Any]) -> tuple[str, Any]:
    """The name and value of the only target that was given."""
    given = {name: target for name, target in targets.items() if target is not None}
    if len(given) == 1:
        return next(iter(given.items()))
    raise InputError(
        f"{' and '.join(given)} cannot both hold" if given else "no effect was given to find T from",
        doing="finding a temperature",
        instead=f"give exactly one of {', '.join(targets)}",
    )


def as_target(rows: Rows, name: str, target: Any, working: Any) -> tuple[Array, float]:
    """The target as ``(..., 1)`` in the working type, and the relative precision that its own type has."""
    try:
        array = target if is_array(target) else np.asarray(target)
    except ValueError:  # lists of different lengths
        raise _no_target(name, target) from None
    if array_api_compat.is_numpy_array(array):
        real, floating = array.dtype.kind in "fiu", array.dtype.kind == "f"
    else:
        floating = rows.xp.isdtype(array.dtype, "real floating")
        real = floating or rows.xp.isdtype(array.dtype, "integral")
    if not real:
        raise _no_target(name, target)
    check_shape(name, array, rows.scores)
    number = array == array
    if known(number.all()) is False:
        row, _ = first_bad(number, array)
        raise InputError(
            "NaN is no target",
            on=f"{name} of {row}" if row else name,
            instead="look for 0/0 or inf - inf in what computes it",
            field=name,
        )
    precision = float(namespace(array).finfo(array.dtype).eps) if floating else 0.0
    return rows.xp.astype(in_library(rows.xp, array[..., None], rows.scores), working, copy=False), precision


def check_reach(name: str, target: Array, ties: Array, options: Array, reached: Array) -> None:
    """Refuse the first row whose target no temperature reaches. All are ``(..., 1)``."""
    if known(reached.all()) is not False:
        return

    def at_fault(values: Array) -> tuple[str, float]:
        return first_bad(reached[..., 0], (values + 0 * ties)[..., 0])

    row, wanted = at_fault(target)
    tied, free = at_fault(ties + 0 * target)[1], at_fault(options + 0 * target)[1]
    cold, hot = EFFECTS[name].limits(tied, free)
    # rounded inward, so that what the message says can be typed
    low = Context(5, ROUND_CEILING).create_decimal(min(cold, hot)).normalize()
    high = Context(5, ROUND_FLOOR).create_decimal(max(cold, hot)).normalize()
    if tied == free:
        why = f"its scores are all equal, so that every temperature gives {cold:.5g}"
        instead = "leave it out, or ask for that"
    else:
        most = f"{tied:.0f} options tie for the highest score" if tied > 1 else "one option has the highest score"
        why = f"no temperature gives that: {most} and {free:.0f} are not forbidden"
        instead = f"ask for {low:f} (T = {0 if cold < hot else 'inf'}) to {high:f} (T = {'inf' if cold < hot else 0})"
    raise TargetError(why, on=f"{name}={wanted:g}" + (f" of {row}" if row else ""), instead=instead, field=name)


def _no_target(name: str, target: Any) -> InputError:
    return InputError(
        "a target is a real number, or one real number per row",
        on=f"{name}={target!r:.60}",
        instead=f"write for example {name}=0.5",
        field=name,
    )
