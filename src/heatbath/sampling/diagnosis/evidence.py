"""Everything that the verdicts look at, and whether the temperature is the one that was asked for."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from heatbath.sampling.diagnosis.effects import Response
from heatbath.sampling.diagnosis.known import Known
from heatbath.sampling.diagnosis.used import Estimate
from heatbath.sampling.diagnosis.verdict import Verdict, no_verdict


class Evidence(NamedTuple):
    """What is known of all texts."""

    texts: Sequence[Known]
    asked: float | None
    """The T that was asked for."""
    used: Estimate | None
    """The T that the choices tell."""
    raw: bool | None
    """Whether probabilities are those before the temperature; None where nobody knows."""
    level: float
    response: Response | None

    @property
    def agreed(self) -> float | None:
        """The T that was asked for, unless the choices tell of another."""
        denied = self.raw and self.used and self.asked is not None and not self.used.low <= self.asked <= self.used.high
        return None if denied else self.asked

    @property
    def temperature(self) -> float | None:
        """The best that is known of T."""
        return self.agreed if self.agreed is not None else self.used.value if self.used else None

    @property
    def coldest(self) -> float | None:
        """What T is at least."""
        return self.agreed if self.agreed is not None else self.used.low if self.used else None

    @property
    def hottest(self) -> float | None:
        """What T is at most."""
        return self.agreed if self.agreed is not None else self.used.high if self.used else None


def is_raw(tempered: bool | None, scores: bool, asked: float | None, used: Estimate | None) -> bool | None:
    """Whether the probabilities are those before the temperature.

    Tempered ones agree with draws at "T = 1" whatever T was. So if the choices exclude 1, they are not tempered, and if
    1 was asked for there is no difference.
    """
    if scores or tempered is False or (tempered is None and asked == 1):
        return True
    if tempered is True:
        return False
    return True if used is not None and not used.low <= 1 <= used.high else None


def as_asked(evidence: Evidence) -> Verdict:
    """Whether the choices agree with the T that was asked for."""
    name, measure = "temperature", "the T that the choices tell"
    asked, used = evidence.asked, evidence.used
    if evidence.raw is False:
        return no_verdict(name, measure, "log-probabilities after the temperature agree with draws at any T")
    if used is None:
        return no_verdict(
            name, measure, "it needs the tokens, and the logits or the best log-probabilities beside them"
        )
    verdict = Verdict(name, "no verdict", measure, used.value, used.low, used.high, asked, "")
    if asked is None:
        return verdict._replace(why="nothing to compare it with: say which T was asked for")
    if evidence.raw is None:
        other = "T was ignored" if not used.low <= asked <= used.high else "those before it, and T is as asked"
        return verdict._replace(why=f"the log-probabilities are those after the temperature, or {other}")
    if used.low <= asked <= used.high:
        return verdict._replace(outcome="fine", why="the choices agree with the T that was asked for")
    how = "1: it was ignored" if used.low <= 1 <= used.high else f"about {used.value:.3g}"
    if math.isinf(used.value):
        how = "far higher"
    otherwise = "or something else changed the scores: a penalty, or a cut that is not masked"
    why = f"T = {asked:g} was asked for, and what was drawn says {how}; {otherwise}"
    return verdict._replace(outcome="not as asked", why=why)
