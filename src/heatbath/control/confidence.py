"""T from how sure the model is: sure choices stay cold."""

import math
from collections.abc import Callable

from heatbath.control.glance import look
from heatbath.core import namespace
from heatbath.core.numbers import check_number
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Rule, Thermostat
from heatbath.types import Array, Glance, Seen, State, Temperature

MEASURES: dict[str, Callable[[Glance], Array]] = {
    "top_probability": lambda glance: glance.top_probability,
    "margin": lambda glance: glance.margin,
    "entropy": lambda glance: 1 - glance.relative_entropy,
}


@maker("thermostat")
def by_confidence(cold: float, hot: float, measure: str = "top_probability", exponent: float = 1.0) -> Thermostat:
    """T between ``cold`` and ``hot``, by how sure the model is: ``T = cold + (hot - cold) (1 - c)**exponent``.

    The confidence c, from 0 to 1, is taken from the probabilities p at T = 1 of the scores that reach the thermostat:

    =================== =================================== ==========================================
    measure             c                                   c = 0, T = hot
    =================== =================================== ==========================================
    ``top_probability`` p_1, the largest                    never quite: with n options c >= 1 / n
    ``margin``          p_1 - p_2, the two largest          the best two are equally likely
    ``entropy``         1 - H / ln n, n options left        all options are equally likely
    =================== =================================== ==========================================

    With one option left c is 1 and T is ``cold``.

    Arguments:
        cold: T where the model is certain; 0 <= cold <= hot.
        hot: T where it is not; < inf.
        measure: "top_probability", "margin" or "entropy".
        exponent: > 0. Above 1, only the most open choices are heated; below 1, all but the surest are.

    Raises:
        InputError: an argument outside its range, an unknown measure; at a step, no scores to look at.

    >>> import numpy as np, heatbath as hb
    >>> thermostat = hb.by_confidence(0.2, 1.2)
    >>> temperature, _ = thermostat.step(thermostat.init(), hb.Seen(np.log([[0.98, 0.01, 0.01], [0.4, 0.3, 0.3]])))
    >>> temperature
    array([0.22, 0.8 ])

    How to choose: for text that must be right in places and varied in others (code, instructions), where
    ``hold_entropy`` per decision would do the opposite: heat what is certain. Take "top_probability" first. "margin"
    also heats a choice between two good options among thousands of bad ones, and leaves a lone leader cold; "entropy"
    compares with all options left, so truncation in front of it changes T.

    Reference: the shape is that of DynaTemp of llama.cpp, ``T = T_min + (T_max - T_min) (H / ln n)**g``, which is
    ``measure="entropy"`` exactly. EDT has another: ``T = T_0 N**(theta / H)`` with 0 < N < 1 (Zhang, Bao and Huang,
    "EDT: improving large language models' generation by entropy-based dynamic temperature sampling", 2024, arXiv
    2403.14541); it too is cold where H is small and tends to its upper end where H is large.
    """
    with while_doing("making by_confidence", f"cold={show(cold)}, hot={show(hot)}, exponent={show(exponent)}"):
        low = check_number(cold, "cold", "a finite number >= 0", lambda n: 0 <= n < math.inf)
        high = check_number(hot, "hot", "a finite number >= cold", lambda n: low <= n < math.inf)
        power = check_number(exponent, "exponent", "a finite number > 0", lambda n: 0 < n < math.inf)
        if not isinstance(measure, str) or measure not in MEASURES:
            raise InputError(
                f"there is no measure {show(measure)}", instead=f"known are {', '.join(MEASURES)}", field="measure"
            )
        confidence = MEASURES[measure]

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("setting T by confidence"):
            sure = confidence(look(seen))
        doubt = namespace(sure).clip(1 - sure, 0.0, 1.0)  # rounding may leave it at -1e-7
        return low + (high - low) * doubt**power, state

    return Thermostat(
        init=lambda: (), step=step, glances=True, rule=Rule(f"confidence by {measure}", (low, high, power))
    )
