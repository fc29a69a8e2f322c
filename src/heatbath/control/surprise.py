"""Holding the surprisal of what is drawn: mirostat's idea, with T in place of a truncation."""

from typing import Any

from heatbath.control.glance import look
from heatbath.control.holding import Course, check_course, check_target, no_state, parts
from heatbath.control.seeing import as_plain, rows_like, told
from heatbath.core import namespace
from heatbath.core.arrays import constant, known
from heatbath.errors import while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Thermostat
from heatbath.types import Outcome, Seen, State, Temperature


@maker("thermostat")
def hold_surprise(
    target: Any,
    horizon: int,
    *,
    start: float | None = None,
    coldest: float | None = None,
    hottest: float | None = None,
) -> Thermostat:
    """Move T so that the mean surprisal of what is drawn stays at ``target`` over about ``horizon`` draws.

    The surprisal S of a draw is ``-ln p`` at T = 1 under the scores that reach the thermostat: a text on which it is
    held has the perplexity exp(target) under the model. After each draw::

        ln T  <-  ln T + (target - S) / (N slope),    slope <- slope + (max(T C, target) - slope) / 16N

    C is the heat capacity at the T that was used: the mean of S over the draw rises with ln T at the rate ``T C``. This
    is the controller of :func:`heatbath.hold_entropy` with another error, and stable for the same reasons; its errors
    too add up to the way that ln T has gone, and cancel. But S carries the luck of the draw. And as T falls it does not
    fall to 0, but to the surprisal of the best options: a target below that is out of reach, and near it T wanders.

    Measured on heatbath-tales, tokens 100 to 230 of 32 texts; "sd of texts" is that of the mean S of a text:

    ========================= ========= ========= =========== ===========
    thermostat                mean S    mean T    sd of ln T  sd of texts
    ========================= ========= ========= =========== ===========
    hold_surprise(1.3, 32)    1.32      0.66      0.46        0.10
    hold_entropy(1.3, 32)     1.45      0.76      0.23        0.23
    hold_surprise(2.5, 32)    2.51      0.98      0.17        0.10
    hold_entropy(2.5, 32)     2.53      1.00      0.14        0.17
    hold_surprise(4.0, 32)    4.03      1.25      0.10        0.12
    hold_entropy(4.0, 32)     4.15      1.29      0.08        0.35
    ========================= ========= ========= =========== ===========

    Nothing is learned where one option was left, or where nobody tells: :meth:`heatbath.Sampler.step` tells after every
    draw, other callers call ``learn``.

    Arguments:
        target: nats, >= 0; one number, or one per row.
        horizon: over how many draws the mean is held, 4 to 2**53.
        start: T of the first draw, > 0; 1 where not given.
        coldest: T never falls below; ``start / 4`` where not given, since a lower T hardly acts on the surprisal.
        hottest: T never rises above; ``5 start`` where not given.

    Raises:
        InputError: an argument outside its range; at a step, no scores to look at, or a state of other rows.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.temperature(hb.control.hold_surprise(2.5, 64)))
    >>> scores, state, surprisals = np.linspace(3, 0, 20), sampler.init(), []
    >>> for _ in range(3000):
    ...     _, state, reading = sampler.step(state, scores, seed=1, reading=True)
    ...     surprisals.append(reading.surprisal)
    >>> bool(abs(np.mean(surprisals[500:]) - 2.5) < 0.03), float(hb.entropy(scores).round(2))
    (True, 2.66)

    How to choose: where the text that came out is what counts, luck and later steps included: each text then has the
    perplexity that was asked for, also when a truncation behind the temperature takes options away. For all else
    :func:`heatbath.hold_entropy`, which moves T less for the same horizon and reaches every target. Take 32 to 128, and
    a target of at least 1.5 times the mean surprisal at T = 0.3.

    Reference: Basu et al., "Mirostat: a neural text decoding algorithm that directly controls perplexity", ICLR 2021.
    It moves a truncation (:func:`heatbath.sampling.mirostat_v2`), with a gain that does not know how steep the effect
    is. Its targets are in bits: the usual 5 are 3.47 nats.
    """
    with while_doing("making hold_surprise", f"target={show(target)}, horizon={show(horizon)}"):
        wanted = check_target(target, "a finite number of nats >= 0", "hold_surprise(2.0, 64)")
        course = check_course(horizon, start, coldest, hottest, cooler=4)
    return _held(wanted, course)


def _held(target: Any, course: Course) -> Thermostat:
    """The state is (T, slope, what the last row adds to the slope; -1 where it was no choice or was told already)."""
    asked = f"target={show(target)}, horizon={course.horizon}"

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("holding the surprisal", asked):
            plain = look(seen).constant()
            xp = namespace(plain.like)
            temperature, slope = (rows_like(part, plain.like, "state") for part in parts(state, 3, NAME)[:2])
            if known(xp.all((temperature > 0) & (slope >= 0))) is False:
                raise no_state(state, NAME)
            row = plain.at(temperature)
        steepness = xp.where(row.options > 1, temperature * row.heat_capacity, NOTHING_TO_LEARN)
        return temperature, tuple(as_plain(part) for part in (temperature, slope, steepness))

    def learn(state: State, outcome: Outcome) -> State:
        if outcome.surprisal is None:
            return state
        with while_doing("holding the surprisal", asked):
            surprisal = constant(told(outcome.surprisal, "surprisal"))
            rows = surprisal[..., None]  # of one option each
            temperature, slope, steepness = (rows_like(part, rows, "state") for part in parts(state, 3, NAME))
            wanted = rows_like(target, rows, "target")
        xp, news = namespace(surprisal), steepness >= 0
        moved = course.moved(temperature, wanted - surprisal, slope)
        # S is noisier than an entropy, and T C follows T more closely than C does: hence a longer time and a higher
        # floor than those of hold_entropy, with which the mean of S would be 3 % above the target at short horizons.
        learned = course.learned(slope, xp.maximum(steepness, wanted), slower=16)
        return (
            as_plain(xp.where(news, moved, temperature)),
            as_plain(xp.where(news, learned, slope)),
            as_plain(xp.full_like(slope, NOTHING_TO_LEARN)),
        )

    return Thermostat(
        init=lambda: (course.start, as_plain(target), NOTHING_TO_LEARN),
        step=step,
        learn=learn,
        glances=True,
        hears=("surprisal",),
    )


NAME = "hold_surprise"
NOTHING_TO_LEARN = -1.0
