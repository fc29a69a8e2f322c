"""Signs that T is too low: the text repeats itself, or hardly a decision is left to chance."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from heatbath.core import top_probability
from heatbath.sampling.diagnosis.evidence import Evidence
from heatbath.sampling.diagnosis.known import Known
from heatbath.sampling.diagnosis.limits import CERTAIN, FEWEST, FROZEN, REPEATS
from heatbath.sampling.diagnosis.repeats import RUN, Repeats
from heatbath.sampling.diagnosis.search import crossing
from heatbath.sampling.diagnosis.verdict import Verdict, no_verdict, share_interval
from heatbath.types import Array


def loops(evidence: Evidence) -> Verdict:
    """Whether one of the texts repeats itself."""
    name, measure = "loops", f"share of runs of {RUN} that the text had written before, in the text with most of them"
    told = [(known, known.repeated) for known in evidence.texts if known.repeated is not None]
    long = [(known, found) for known, found in told if len(found.again) >= FEWEST]
    if not long:
        most = max((len(found.again) for _, found in told), default=0)
        why = (
            f"a text of {FEWEST} runs is needed, and the longest has {most}" if told else "it needs tokens or the text"
        )
        found = max((found for _, found in told), key=lambda each: each.share, default=None)
        if found is not None and found.passage:
            why = f"{_said(found)}; {why}"
        return no_verdict(name, measure, why)
    level = 1 - (1 - evidence.level) / len(long)  # one text of several is looked for
    judged = [(share_interval(found.again.astype(float), level), known, found) for known, found in long]
    worst, known, found = max(judged, key=lambda each: each[0].low)
    verdict = Verdict(name, "no verdict", measure, worst.value, worst.low, worst.high, REPEATS, "")
    if worst.low <= REPEATS:
        worst, known, found = max(judged, key=lambda each: each[0].high)
        verdict = verdict._replace(value=worst.value, low=worst.low, high=worst.high)
        if worst.high < REPEATS:
            return verdict._replace(outcome="fine", why="no text repeats itself more than usual texts do")
        return verdict._replace(why="the interval holds the threshold; longer texts would tell")
    said = _said(found)
    again = ("dry(0.8) -> " + _temperature(evidence),)
    if evidence.coldest is not None and evidence.coldest >= 1:
        return verdict._replace(why=f"{said}; at T >= 1 it is not the temperature that makes it", remedies=again)
    if known.expected is not None and not _beyond(known, found, level):
        share = float(known.expected.mean())
        why = f"{said}; but at T = 1 the model itself would have repeated {100 * share:.0f} % here: T is not to blame"
        return verdict._replace(why=why, remedies=again)
    why = f"{said}; cold draws lead into loops, and out of none"
    return verdict._replace(outcome="too low", why=why, remedies=(*_guarded(evidence), *again, *_warmer(evidence)))


def _said(found: Repeats) -> str:
    if not found.passage:
        return "short passages come again and again"
    return f"a passage of length {len(found.passage)} stands {found.times} times in one text"


def _beyond(known: Known, found: Repeats, level: float) -> bool:
    """Whether more repeats than the model at T = 1 would have; each draw varies around its own probability."""
    expected: Any = known.expected
    off, variance = float(found.again.sum() - expected.sum()), float((expected * (1 - expected)).sum())
    return off > NormalDist().inv_cdf(level) * math.sqrt(variance)


def _temperature(evidence: Evidence) -> str:
    t = evidence.temperature
    return f"temperature({0.8 if t is None or math.isinf(t) else round(t, 2):g})"


def _guarded(evidence: Evidence) -> tuple[str, ...]:
    """A guard around the present T; around 0 it has no power."""
    t = evidence.temperature
    return () if t is None or not 0 < round(t, 2) < math.inf else (f"temperature(loop_guard({round(t, 2):g}))",)


def _warmer(evidence: Evidence) -> tuple[str, ...]:
    """A T with twice as many equal options, as the studio proposes."""
    t, response = evidence.temperature, evidence.response
    if t is None or response is None:
        return ()
    livelier = response.temperature_for("entropy", response.at(t).entropy + math.log(2))
    return (f"temperature({round_up(min(1.0, livelier or 1.0)):g})",)


def frozen(evidence: Evidence) -> Verdict:
    """Whether T decides most of what the model leaves open."""
    name = "frozen"
    measure = f"share of the decisions that the model leaves open (best option <= {CERTAIN}) and T makes certain"
    pieces = [piece for known in evidence.texts for piece in known.rows]
    if not pieces:
        return no_verdict(name, measure, "it needs the logits")
    if evidence.coldest is None or evidence.hottest is None:
        return no_verdict(name, measure, "it needs the temperature, or the tokens to estimate it from")
    open_rows = [piece[top_probability(piece) <= CERTAIN] for piece in pieces]
    open_rows = [rows for rows in open_rows if rows.shape[0]]
    count = sum(rows.shape[0] for rows in open_rows)
    if count < FEWEST:
        why = f"{FEWEST} decisions that the model leaves open are needed, and there are {count}"
        return no_verdict(name, measure, why)
    ends = [_certain(open_rows, t) for t in (evidence.hottest, evidence.coldest)]
    low, high = (share_interval(certain, evidence.level) for certain in ends)
    value = float(_certain(open_rows, evidence.temperature).mean())
    verdict = Verdict(name, "no verdict", measure, value, low.low, high.high, FROZEN, "")
    if low.low > FROZEN:
        why = "the entropy has collapsed: T, not the model, makes nearly every choice"
        return verdict._replace(outcome="too low", why=why, remedies=(f"temperature({_thawed(open_rows):g})",))
    if high.high < FROZEN:
        return verdict._replace(outcome="fine", why="most of what the model leaves open stays open")
    return verdict._replace(why="the interval holds the threshold; more decisions would tell")


def _certain(rows: list[Array], temperature: Any) -> Any:
    return np.concatenate(
        [np.asarray((top_probability(piece, temperature) > CERTAIN).tolist(), dtype=float) for piece in rows]
    )


def _thawed(rows: list[Array]) -> float:
    """The T at which half as many are frozen as may be; below 1, at which none of these is."""
    return round_up(crossing(lambda t: -float(_certain(rows, t).mean()), -FROZEN / 2, 1.0, 0.8, precise=1e-3))


def round_up(t: float) -> float:
    """The next hundredth, so that a remedy is on the safe side of what was solved for."""
    return math.ceil(t * 100 - 1e-9) / 100
