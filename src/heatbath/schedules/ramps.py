"""Schedules that are one formula from beginning to end."""

import math
from collections.abc import Callable

from heatbath.core import namespace
from heatbath.core.numbers import check_whole
from heatbath.made import maker
from heatbath.schedules.checks import check_t, making
from heatbath.schedules.schedule import Schedule, as_schedule
from heatbath.types import Array


@maker("schedule")
def constant(temperature: float) -> Schedule:
    """The same T at every count: ``T(n) = temperature``.

    Arguments:
        temperature: 0 <= T <= inf.

    Raises:
        InputError: T is negative or not a number.

    >>> import heatbath as hb
    >>> hb.schedules.constant(0.7)(1000)
    0.7

    How to choose: as one piece of :func:`join`; a T that never changes is simply :func:`heatbath.fixed`.
    """
    with making("constant", temperature):
        return as_schedule(check_t(temperature, "temperature"), "temperature")


@maker("schedule")
def linear(start: float, end: float, steps: int) -> Schedule:
    """A straight line: ``T(n) = start + (end - start) n / steps`` for n < steps, and ``end`` from there on.

    Arguments:
        start: T at count 0; 0 <= T < inf.
        end: T at count ``steps`` and ever after; 0 <= T < inf.
        steps: how many decisions the way takes, >= 1.

    Raises:
        InputError: a T that is negative, infinite or not a number; ``steps`` below 1.

    >>> import heatbath as hb
    >>> cooling = hb.schedules.linear(1.0, 0.5, steps=100)
    >>> cooling(0), cooling(50), cooling(100), cooling(1000)
    (1.0, 0.75, 0.5, 0.5)

    How to choose: the first thing to try. :func:`cosine` where the two ends should be gentle, :func:`exponential`
    where T goes over more than one order of magnitude.
    """
    with making("linear", start, end, steps):
        first, last = check_t(start, "start", finite=True), check_t(end, "end", finite=True)
        return _ramp(first, last, check_whole(steps, "steps"), lambda part: first + (last - first) * part)


@maker("schedule")
def cosine(start: float, end: float, steps: int) -> Schedule:
    """Half a cosine wave from ``start`` to ``end``: ``T(n) = start + (end - start) (1 - cos(pi n / steps)) / 2``.

    Arguments:
        start: T at count 0; 0 <= T < inf.
        end: T at count ``steps`` and ever after; 0 <= T < inf.
        steps: how many decisions the way takes, >= 1.

    Raises:
        InputError: a T that is negative, infinite or not a number; ``steps`` below 1.

    >>> import heatbath as hb
    >>> warm_opening = hb.schedules.cosine(1.2, 0.6, steps=100)
    >>> [round(warm_opening(n), 3) for n in (0, 25, 50, 75, 100, 200)]
    [1.2, 1.112, 0.9, 0.688, 0.6, 0.6]

    How to choose: like :func:`linear` with the same mean, but it stays near both ends longer: a warm opening, a quick
    passage, a calm ending. Inside :func:`cyclic` it gives warm restarts.

    Reference: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017 (for learning
    rates).
    """
    with making("cosine", start, end, steps):
        first, last = check_t(start, "start", finite=True), check_t(end, "end", finite=True)

        def wave(part: Array) -> Array:
            xp = namespace(part)
            return first + (last - first) * xp.sin(part * (math.pi / 2)) ** 2  # (1 - cos 2x) / 2 = sin(x)**2

        return _ramp(first, last, check_whole(steps, "steps"), wave)


@maker("schedule")
def exponential(start: float, end: float, steps: int) -> Schedule:
    """The same factor at every step (geometric cooling): ``T(n) = start (end / start)**(n / steps)``, then ``end``.

    Arguments:
        start: T at count 0; 0 < T < inf.
        end: T at count ``steps`` and ever after; 0 < T < inf.
        steps: how many decisions the way takes, >= 1. To cool by a factor ``a`` at every decision, give
            ``round(ln(end / start) / ln a)``.

    Raises:
        InputError: a T that is not a finite number above 0 (no number of factors reaches 0); ``steps`` below 1.

    >>> import heatbath as hb
    >>> annealing = hb.schedules.exponential(10.0, 0.1, steps=100)
    >>> [round(annealing(n), 3) for n in (0, 50, 100)]
    [10.0, 1.0, 0.1]

    How to choose: the usual cooling of simulated annealing, and the fading of exploration: equal time is spent in every
    octave of T. It has no guarantee of finding the optimum, which :func:`logarithmic` has, in a time nobody has.

    Reference: Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing", Science 220, 1983 (factor 0.9 per
    stage).
    """
    with making("exponential", start, end, steps):
        first = check_t(start, "start", finite=True, positive=True)
        last = check_t(end, "end", finite=True, positive=True)

        def decay(part: Array) -> Array:
            return first ** (1 - part) * last**part  # neither factor overflows, as (last / first)**part may

        return _ramp(first, last, check_whole(steps, "steps"), decay)


@maker("schedule")
def logarithmic(start: float) -> Schedule:
    """The slowest cooling, that of the convergence theorems: ``T(n) = start / ln(e + n)``.

    Arguments:
        start: T at count 0, and the constant of the theorems; 0 <= T < inf, in the unit of the scores (or energies).

    Raises:
        InputError: T is negative, infinite or not a number.

    >>> import heatbath as hb
    >>> slow = hb.schedules.logarithmic(1.0)
    >>> [round(slow(n), 3) for n in (0, 10, 1000, 1_000_000)]
    [1.0, 0.393, 0.145, 0.072]

    How to choose: to study the theorem. A thousand decisions take T to a seventh of its start and a million only to a
    fourteenth, so real annealing uses :func:`exponential`, or this one only for its first few hundred steps.

    Reference: Hajek, "Cooling schedules for optimal annealing", Mathematics of Operations Research 13, 1988: with
    ``T(n) = c / ln(1 + n)``, annealing ends in a global optimum with probability tending to 1 *if and only if* ``c``
    is at least the depth of the deepest local optimum that is not global. (``e`` in the place of 1 makes T(0) finite
    and changes nothing in the limit: the condition is that ``sum exp(-depth / T(n))`` diverges.) Two corrections to
    what is often said: ``c`` is no free "starting temperature" but has the unit of an energy and must be large enough,
    otherwise the guarantee is gone; and Geman and Geman, "Stochastic relaxation, Gibbs distributions, and the Bayesian
    restoration of images", IEEE PAMI 6, 1984, proved only that a far larger ``c`` (number of sites times the range of
    the energy) is enough.
    """
    with making("logarithmic", start):
        first = check_t(start, "start", finite=True)
        # ln(e + n) = 1 + ln(1 + n / e), written so that T(0) is exactly the start in every precision.
        return Schedule(value=lambda count: first / (1 + namespace(count).log1p(count / math.e)))


def _ramp(start: float, end: float, steps: int, between: Callable[[Array], Array]) -> Schedule:
    """``between(n / steps)`` kept within the two ends whatever the rounding, and exactly ``end`` from ``steps`` on."""

    def value(count: Array) -> Array:
        xp = namespace(count)
        part = xp.clip(count / float(steps), 0.0, 1.0)
        inside = xp.clip(between(part), min(start, end), max(start, end))
        return xp.where(part < 1, inside, end)

    return Schedule(value=value)
