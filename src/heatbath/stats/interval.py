"""What every interval of this room is: an estimate, its bounds, and the evidence against one value."""

from typing import NamedTuple

import numpy as np

from heatbath.stats.checks import Numbers


class Interval(NamedTuple):
    """An estimate with its bounds and the evidence against the null value; fields may be arrays over time.

    >>> from heatbath.stats import asymptotic, moments
    >>> print(asymptotic(moments([0.0, 1.0] * 200), null=0.5))
    0.5 (0.3987 to 0.6013)
    """

    estimate: Numbers
    low: Numbers
    """-inf (or the least that is possible) where nothing is known or only an upper bound was asked for."""
    high: Numbers
    log_e: Numbers
    """ln of the e-value against ``null`` at this moment: a bet against the null multiplied its stake by e. NaN where a
    method has none."""
    p_value: Numbers
    """At most 1. Of an anytime-valid method: the chance that it is *ever* <= a is at most a, if the null is true."""
    alpha: float
    """The chance of missing the truth that is accepted: over all looks together if anytime-valid, else at one look."""
    null: float = 0.0
    anytime: bool = True
    """Whether the bounds hold at all times together, so that looking and stopping whenever one likes is fine."""

    def running(self) -> "Interval":
        """The tightest that was shown so far, along the last axis: bounds intersected, the smallest p-value kept.

        What excluded a value once keeps it excluded, at no cost in ``alpha``. Where the effect itself changes over
        time the intersection becomes empty (``low > high``), which is a finding. The e-value stays the current one,
        since the largest e-value so far is none.

        Intervals of one look only do not hold together, and come back unchanged.

        >>> from heatbath.stats import asymptotic, moments
        >>> shown = asymptotic(moments([0.0, 1.0] * 50, running=True)).running()
        >>> bool((shown.low[1:] >= shown.low[:-1]).all())
        True
        """
        if not self.anytime or np.ndim(self.low) == 0:
            return self
        low, high, p = np.broadcast_arrays(self.low, self.high, self.p_value)
        return self._replace(
            low=np.maximum.accumulate(low, axis=-1),
            high=np.minimum.accumulate(high, axis=-1),
            p_value=np.minimum.accumulate(p, axis=-1),
        )

    def at(self, index: int = -1) -> "Interval":
        """The interval at one moment of the last axis; the last unless said otherwise."""
        arrays = map(np.asarray, (self.estimate, self.low, self.high, self.log_e, self.p_value))
        estimate, low, high, log_e, p = ((each[..., index] if each.ndim else each)[()] for each in arrays)
        return self._replace(estimate=estimate, low=low, high=high, log_e=log_e, p_value=p)

    def covers(self, value: Numbers) -> Numbers:
        """Whether the value lies within the bounds."""
        return (np.asarray(self.low) <= value) & (value <= np.asarray(self.high))

    def __str__(self) -> str:
        """The last moment, in four digits."""
        last = self.at() if np.ndim(self.low) else self
        if np.ndim(last.low):
            return repr(self)
        return f"{last.estimate:.4g} ({last.low:.4g} to {last.high:.4g})"


def p_of(log_e: Numbers) -> Numbers:
    """The p-value of an e-value, ``min(1, 1 / e)``; always valid if the e-value is one at every stopping time."""
    return np.exp(-np.maximum(log_e, 0.0))
