"""T as a function of the number of decisions taken so far.

=================== =========================================== ================================================
schedule            T                                           for
=================== =========================================== ================================================
:func:`constant`    never changes                               a piece of a :func:`join`
:func:`linear`      a straight line                             the first thing to try
:func:`cosine`      gentle at both ends                         warm openings and calm endings of texts
:func:`exponential` the same factor every step                  annealing, exploration that fades
:func:`logarithmic` slower than any of these                    the theorem of simulated annealing
:func:`step`        stairs                                      "random for 30 moves, then the best one"
:func:`warm_up`     a ramp, then another schedule               careful beginnings
:func:`cyclic`      the same again and again                    leaving ruts: warm restarts, triangles
:func:`join`        one after another                           whatever else
=================== =========================================== ================================================

How to choose: a schedule knows the step and nothing else. Where T should depend on what the model is choosing between,
a thermostat of :mod:`heatbath.control` is the better tool. Every schedule can stand where a temperature can:
``hb.temperature(hb.schedules.cosine(1.2, 0.6, 100))``.

>>> import heatbath as hb
>>> hb.chain(hb.temperature(hb.schedules.cosine(1.2, 0.6, 100)), hb.min_p(0.05))
temperature(cosine(1.2, 0.6, 100)) -> min_p(0.05) -> categorical()
"""

from heatbath.schedules.pieces import cyclic, join, step, warm_up
from heatbath.schedules.ramps import constant, cosine, exponential, linear, logarithmic
from heatbath.schedules.schedule import Schedule

__all__ = [
    "Schedule",
    "constant",
    "cosine",
    "cyclic",
    "exponential",
    "join",
    "linear",
    "logarithmic",
    "step",
    "warm_up",
]
