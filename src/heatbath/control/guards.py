"""Guards around another thermostat: warmer where the text repeats itself, cooler where it falls apart."""

import math
from typing import Any

import numpy as np

from heatbath.control.holding import SHORTEST, parts
from heatbath.control.seeing import as_plain, per_row, rows_like, told
from heatbath.core import namespace
from heatbath.core.arrays import in_library, is_array
from heatbath.core.numbers import check_number, check_whole
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Thermostat, as_thermostat, ask, learn_nothing
from heatbath.types import Array, Outcome, Seen, State, Temperature

NO_TOKEN = -1
LONGEST = 1024
"""The longest window: each stream keeps as many tokens, and looks through them at every draw."""


@maker("thermostat")
def loop_guard(
    thermostat: Any,
    window: int = 64,
    length: int = 4,
    *,
    allowed: float = 0.5,
    warmest: float = 4.0,
    horizon: int = 8,
) -> Thermostat:
    """Another thermostat, warmer while the text repeats itself: ``T * warmest**x``, x from 0 to 1.

    After each draw, the last ``length`` tokens are looked for among the ``window`` last. r is the running share of
    draws that end such a repetition, ``r <- r + (found - r) / horizon``, and ``x = (r - allowed) / (1 - allowed)``, cut
    to 0 to 1. So T is the inner thermostat's until more than ``allowed`` of the last draws repeat, rises towards
    ``warmest`` times that in a loop, and falls back within about a horizon when the loop is over. It settles and does
    not swing: r forgets at a fixed rate, and a higher T makes repetition rarer.

    Measured on heatbath-tales, 64 texts of 230 tokens. "Stuck" are texts with a run of 40 tokens or more that repeat; S
    is the mean surprisal under the model, "warmed" the share of draws whose T was raised by 5 % or more:

    ==== ================= ==================== ======
    T    alone: stuck, S   guarded: stuck, S    warmed
    ==== ================= ==================== ======
    0.1  66 %, 0.64        27 %, 0.66           45 %
    0.2  45 %, 0.62        3 %, 0.66            31 %
    0.3  34 %, 0.67        0 %, 0.71            24 %
    0.4  20 %, 0.71        0 %, 0.77            16 %
    0.7  3 %, 1.21         0 %, 1.24            2 %
    1.0  0 %, 2.46         0 %, 2.47            0 %
    ==== ================= ==================== ======

    Arguments:
        thermostat: a number, a schedule, a thermostat.
        window: how many of the latest draws are remembered, more than ``length``, 1024 at most. A loop that is longer
            is not seen, nor is the prompt.
        length: how many tokens make a repetition, >= 2.
        allowed: how much repetition is left alone, a share, 0 <= allowed < 1.
        warmest: the factor in a loop, > 1.
        horizon: over how many draws repetition is counted, >= 4.

    At the boundaries: T = 0 and T = inf stay what they are, so a greedy text stays in its loop. The inner thermostat is
    not told that its T was raised.

    Raises:
        InputError: an argument outside its range; at a step or when told of a draw, a state of other rows.

    >>> import heatbath as hb
    >>> thermostat = hb.control.loop_guard(0.3, window=16, length=2)
    >>> state, temperatures = thermostat.init(), []
    >>> for token in [1, 2, 3, 4, 5, 6] + [7, 8] * 6 + list(range(10, 30)):
    ...     temperature, state = thermostat.step(state, hb.Seen())
    ...     temperatures.append(round(float(temperature), 2))
    ...     state = thermostat.learn(state, hb.Outcome(choice=token))
    >>> temperatures[10], max(temperatures), temperatures[-1]
    (0.3, 0.52, 0.3)

    How to choose: around a cold T (0.2 to 0.5), where small models repeat themselves, instead of a T that is warmer
    everywhere: at T = 0.4 the model above is stuck more often than guarded at 0.2, and says more surprising things.
    Code, lists and tables repeat by right, and among few options tokens do by chance: raise ``allowed`` or ``length``.
    A penalty on repeated tokens acts on those tokens, from the first repetition on; this acts on T alone, and not
    before it is needed.

    Reference: none that sets T by it; that likely continuations feed on themselves is shown by Holtzman et al., "The
    curious case of neural text degeneration", ICLR 2020.
    """
    with while_doing("making loop_guard", f"thermostat={show(thermostat)}, window={show(window)}"):
        inner = as_thermostat(thermostat)
        size = check_whole(length, "length", least=2, example=4)
        reach = check_whole(window, "window", least=size + 1, example=64)
        if reach > LONGEST:
            raise InputError(
                f"a window of {reach} tokens is more than every stream can keep",
                instead=f"give {LONGEST} at most",
                field="window",
            )
        quiet = check_number(allowed, "allowed", "a share, 0 <= allowed < 1", lambda a: 0 <= a < 1, example=0.5)
        most = check_number(warmest, "warmest", "a finite number > 1", lambda f: 1 < f < math.inf, example=4.0)
        slow = check_whole(horizon, "horizon", least=SHORTEST, example=8)

    def learn(state: State, outcome: Outcome) -> State:
        held, repeated, tokens = parts(state, 3, "loop_guard")
        held = inner.learn(held, outcome)
        if outcome.choice is None:
            return held, repeated, tokens
        with while_doing("looking for repetition"):
            choice = told(outcome.choice, "choice")
            tokens = _with(tokens, choice, reach)
            hit = repeats(tokens, size)
            share = rows_like(repeated, hit[..., None], "state")
        return held, as_plain(share + (namespace(share).astype(hit, share.dtype) - share) / slow), tokens

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        held, repeated, tokens = parts(state, 3, "loop_guard")
        temperature, held = ask(inner, held, seen)
        return _moved(temperature, seen, most, repeated, quiet, 1.0), (held, repeated, tokens)

    return Thermostat(
        init=lambda: (inner.init(), 0.0, np.full(reach, NO_TOKEN, dtype=np.int64)),
        step=step,
        learn=learn,
        looks=inner.looks,
        glances=inner.glances,
        hears=_hears(inner, "choice"),
    )


@maker("thermostat")
def coherence_guard(thermostat: Any, limit: float, *, coolest: float = 0.25, horizon: int = 16) -> Thermostat:
    """Another thermostat, cooler while what is drawn surprises the model: ``T * coolest**x``, x from 0 to 1.

    m is the running mean of the surprisal of the draws, ``m <- m + (S - m) / horizon``, from 0 on, with ``S = -ln p``
    at T = 1 under the scores that reach the thermostat, in nats; ``x = m / limit - 1``, cut to 0 to 1. So T is the
    inner thermostat's as long as the mean is below the limit, and ``coolest`` times that where it is twice the limit. A
    text that falls apart is one that the model finds less and less likely; colder draws bring m back, and then T. It
    settles and does not swing: m forgets at a fixed rate, and a lower T makes S smaller. Around a T that is too hot
    throughout, m settles above the limit.

    Measured on heatbath-tales, 64 texts of 230 tokens: the mean surprisal, and the mean over texts of their most
    surprising 32 tokens in a row:

    ==== =============== =========================== ============= ============
    T    alone           guarded with limit 2        limit 2.5     limit 3
    ==== =============== =========================== ============= ============
    0.7  1.21, 1.77      1.17, 1.74                  1.21, 1.77    1.21, 1.77
    1.0  2.46, 3.37      2.03, 2.73                  2.25, 3.05    2.40, 3.20
    1.2  3.57, 4.63      2.33, 3.06                  2.71, 3.51    3.05, 3.87
    1.5  5.46, 6.69      2.62, 3.52                  3.14, 4.08    3.58, 4.55
    ==== =============== =========================== ============= ============

    Arguments:
        thermostat: a number, a schedule, a thermostat.
        limit: nats, > 0. No number fits every model: measure the mean surprisal of texts that you like, and begin with
            a quarter more.
        coolest: the factor where the mean is twice the limit, between 0 and 1.
        horizon: over how many draws the mean goes, >= 4.

    At the boundaries: T = 0 and T = inf stay what they are. The inner thermostat is not told that its T was lowered.

    Raises:
        InputError: an argument outside its range; at a step or when told of a draw, a state of other rows.

    >>> import heatbath as hb
    >>> thermostat = hb.control.coherence_guard(1.2, limit=2.0)
    >>> state, temperatures = thermostat.init(), []
    >>> for surprisal in [1.5] * 40 + [5.0] * 40 + [1.5] * 80:
    ...     temperature, state = thermostat.step(state, hb.Seen())
    ...     temperatures.append(round(float(temperature), 2))
    ...     state = thermostat.learn(state, hb.Outcome(surprisal=surprisal))
    >>> temperatures[39], temperatures[79], temperatures[-1]
    (1.2, 0.3, 1.2)

    How to choose: around a hot T (1.2 and above) on a model that falls apart there, together with a truncation, which
    keeps single draws sane where this one watches over the text. Where the surprisal is to be held, and not only
    bounded, take :func:`hold_surprise`.

    Reference: none that does this; bounding the surprisal of a text from above is half of mirostat (Basu et al., ICLR
    2021).
    """
    with while_doing("making coherence_guard", f"thermostat={show(thermostat)}, limit={show(limit)}"):
        inner = as_thermostat(thermostat)
        most = check_number(limit, "limit", "a finite number of nats > 0", lambda s: 0 < s < math.inf, example=3.0)
        least = check_number(coolest, "coolest", "a number between 0 and 1", lambda f: 0 < f < 1, example=0.25)
        slow = check_whole(horizon, "horizon", least=SHORTEST, example=16)

    def learn(state: State, outcome: Outcome) -> State:
        held, mean = parts(state, 2, "coherence_guard")
        held = inner.learn(held, outcome)
        if outcome.surprisal is None:
            return held, mean
        with while_doing("learning the surprisal"):
            surprisal = told(outcome.surprisal, "surprisal")
            before = rows_like(mean, surprisal[..., None], "state")
        return held, as_plain(before + (surprisal - before) / slow)

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        held, mean = parts(state, 2, "coherence_guard")
        temperature, held = ask(inner, held, seen)
        return _moved(temperature, seen, least, mean, most, 2 * most), (held, mean)

    return Thermostat(
        init=lambda: (inner.init(), 0.0),
        step=step,
        learn=learn,
        looks=inner.looks,
        glances=inner.glances,
        hears=_hears(inner, "surprisal"),
    )


def _hears(inner: Thermostat, own: str) -> tuple[str, ...]:
    return (own,) if inner.learn is learn_nothing else (own, *inner.hears)


def repeats(tokens: Array, length: int) -> Array:
    """Whether the last ``length`` tokens have occurred before in the window, ``(..., window)`` -> ``(...)``."""
    xp, begins = namespace(tokens), tokens.shape[-1] - length
    same = xp.broadcast_to(tokens[..., -length, None] >= 0, (*tokens.shape[:-1], begins))  # no stream so young
    for place in range(length):
        same = same & (tokens[..., place : place + begins] == tokens[..., begins + place, None])
    return xp.any(same, axis=-1)


def _with(tokens: Any, choice: Array, window: int) -> Array:
    """The window with one token more per row."""
    xp = namespace(choice)
    before = in_library(xp, tokens if is_array(tokens) else np.asarray(tokens, dtype=np.int64), choice)
    if before.shape[-1] != window or (before.ndim > 1 and before.shape[:-1] != choice.shape):
        raise InputError(
            f"the window in the state has shape {tuple(before.shape)}, and {window} tokens of each row were expected",
            instead="begin with init() and carry what step and learn give back",
            field="state",
        )
    before = xp.broadcast_to(before, (*choice.shape, window))
    return xp.concat([before[..., 1:], xp.astype(choice, before.dtype)[..., None]], axis=-1)


def _moved(temperature: Temperature, seen: Seen, factor: float, value: Any, begin: float, end: float) -> Temperature:
    """T as long as the value is up to ``begin``, ``factor`` times that from ``end`` on, and a power of it between."""
    now, value = per_row(temperature, seen, "temperature"), per_row(value, seen)
    with np.errstate(over="ignore"):  # beyond the type is inf, its limit
        share = (value - begin) / (end - begin)
        if is_array(share):
            return now * factor ** namespace(share).clip(share, 0.0, 1.0)
        return now * factor ** min(max(share, 0.0), 1.0)
