"""T as a formula of one look at a row: rules that papers and engines use."""

import math

import numpy as np

from heatbath.control.confidence import by_confidence
from heatbath.control.glance import look
from heatbath.core import namespace
from heatbath.core.numbers import check_number
from heatbath.errors import while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Rule, Thermostat
from heatbath.types import Seen, State, Temperature


@maker("thermostat")
def edt(base: float, theta: float, n: float = 0.8, coldest: float = 0.0) -> Thermostat:
    """T that falls steeply where the entropy is small: ``T = base * n**(theta / H)``, at least ``coldest``.

    H is the entropy, in nats, of the scores that reach the thermostat, at T = 1. T rises with it, from 0 at H = 0 (one
    option left, or one that takes all) towards ``base``; it is ``base / 2`` at ``H = theta ln(1 / n) / ln 2``, which is
    ``0.32 theta`` for n = 0.8.

    Arguments:
        base: T_0, the T that is never quite reached; 0 <= base < inf.
        theta: how many nats make a difference, > 0.
        n: 0 < n < 1. Only ``theta ln(1 / n)`` matters, so that it can stay as it is.
        coldest: 0 <= coldest <= base.

    Raises:
        InputError: an argument outside its range; at a step, no scores to look at.

    >>> import numpy as np, heatbath as hb
    >>> thermostat = hb.control.edt(1.0, 1.5)
    >>> scores = np.log([[0.97, 0.01, 0.01, 0.01], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]])
    >>> temperature, _ = thermostat.step(thermostat.init(), hb.Seen(scores))
    >>> hb.entropy(scores).round(2), temperature.round(2)
    (array([0.17, 0.94, 1.39]), array([0.14, 0.7 , 0.79]))

    How to choose: as :func:`heatbath.by_confidence`, for text that must be right where the model is sure; this curve is
    steeper near certainty, and does not depend on how many options are left. Set theta to about three times the entropy
    at which T should be half of base. Texts that heatbath-tales wrote with ``edt(0.8, 1.0)`` had a mean entropy of 1.20
    nats, at T from 0.01 to 0.76 (5 and 95 %).

    Reference: Zhang, Bao and Huang, "EDT: improving large language models' generation by entropy-based dynamic
    temperature sampling", 2024, arXiv 2403.14541, with N = 0.8. The base of the logarithm in H is part of theta: with
    bits instead of nats, theta is 1.44 times as large.
    """
    given = f"base={show(base)}, theta={show(theta)}, n={show(n)}"
    with while_doing("making edt", given):
        top = check_number(base, "base", "a finite number >= 0", lambda t: 0 <= t < math.inf)
        scale = check_number(theta, "theta", "a finite number > 0", lambda t: 0 < t < math.inf, example=1.5)
        scale *= math.log(check_number(n, "n", "a number between 0 and 1", lambda x: 0 < x < 1, example=0.8))
        low = check_number(coldest, "coldest", f"from 0 to base={top:g}", lambda t: 0 <= t <= top, example=0.1)

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("setting T by edt"):
            nats = look(seen).entropy
        xp = namespace(nats)
        open_ = nats > 0
        with np.errstate(over="ignore"):  # n**(theta / H) is 0 there, its limit
            share = xp.where(open_, xp.exp(scale / xp.where(open_, nats, 1.0)), 0.0)
        warm = top * share
        return xp.where(warm > low, warm, low), state

    return Thermostat(init=lambda: (), step=step, glances=True, rule=Rule("edt", (top, scale, low)))


@maker("thermostat")
def dynatemp(temperature: float, range: float, exponent: float = 1.0) -> Thermostat:
    """Dynamic temperature as llama.cpp has it: ``T = low + (high - low) (H / ln n)**exponent``.

    ``low = max(0, temperature - range)`` and ``high = temperature + range``; H is the entropy at T = 1 over the n
    options that are left when the thermostat is asked. Where one option is left, T is ``low`` and does nothing. It is
    ``by_confidence(low, high, "entropy", exponent)`` under the names and numbers of that program.

    Arguments:
        temperature: the middle, 0 <= temperature < inf (``--temp``).
        range: how far T goes to either side, 0 <= range < inf (``--dynatemp-range``); 0 leaves T where it is.
        exponent: > 0 (``--dynatemp-exp``). Above 1, only the most open choices are heated.

    Raises:
        InputError: an argument outside its range; at a step, no scores to look at.

    >>> import numpy as np, heatbath as hb
    >>> thermostat = hb.control.dynatemp(0.8, 0.5)
    >>> scores = np.log([[0.98, 0.01, 0.01], [0.4, 0.3, 0.3], [1 / 3, 1 / 3, 1 / 3]])
    >>> temperature, _ = thermostat.step(thermostat.init(), hb.Seen(scores))
    >>> temperature.round(2)
    array([0.4 , 1.29, 1.3 ])

    How to choose: to bring a setting over from llama.cpp, together with its order: there it stands behind the
    truncation, and ln n is that of the few options that truncation left. Before it, over a whole vocabulary, H / ln n
    is small (0.3 on average for heatbath-tales at T = 1, which has 2048 tokens; less for larger models), and T stays in
    the lower half: an exponent below 1, or :func:`heatbath.by_confidence` with the top probability, then does more.

    Reference: the sampler ``temp_ext`` of llama.cpp, and ``dynatemp_range``, ``dynatemp_exponent`` in its
    ``common/common.h``. It is sometimes said to be the method of arXiv 2309.02772; that paper (AdapT) sets T by the
    place in the code, which is :func:`heatbath.control.by_text`.
    """
    with while_doing("making dynatemp", f"temperature={show(temperature)}, range={show(range)}"):
        middle = check_number(temperature, "temperature", "a finite number >= 0", lambda t: 0 <= t < math.inf)
        reach = check_number(range, "range", "a finite number >= 0", lambda t: 0 <= t < math.inf, example=0.5)
        return by_confidence(max(0.0, middle - reach), middle + reach, "entropy", exponent)
