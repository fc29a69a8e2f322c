"""Signs that T is too high: draws from the tail, and a text that surprises its own model."""

import math
from typing import Any

import numpy as np

from heatbath.sampling.diagnosis.evidence import Evidence
from heatbath.sampling.diagnosis.limits import EXCESS, FEWEST, MORE, OUTSIDE, SURPRISE, TAIL
from heatbath.sampling.diagnosis.verdict import Verdict, mean_interval, no_verdict, share_interval

CONVENTION = (
    "the log-probabilities may be those before or after the temperature, and these do not say which; add "
    "tempered=False or tempered=True"
)


def tail(evidence: Evidence) -> Verdict:
    """Whether too much is drawn from the tail."""
    name, measure = "tail", f"share of what was drawn with p < 1/{1 / TAIL:.0f} under the model"
    found = [known.tail for known in evidence.texts if known.tail is not None]
    missing = _missing(evidence, sum(len(each.drawn) for each in found))
    if missing:
        return no_verdict(name, measure, missing)
    drawn = np.concatenate([each.drawn for each in found])
    own = None if any(each.own is None for each in found) else np.concatenate([each.own for each in found])
    threshold = OUTSIDE if own is None else max(OUTSIDE, float(own.mean()) + MORE)
    share = share_interval(drawn, evidence.level)
    verdict = Verdict(name, "no verdict", measure, share.value, share.low, share.high, threshold, "")
    itself = (
        ""
        if own is None
        else f"; the model itself, at T = 1, draws {100 * float(own.mean()):.1f} % there at these places"
    )
    if share.low > threshold:
        why = f"words that the model finds out of place{itself}"
        return verdict._replace(outcome="too high", why=why, remedies=_cooler(evidence))
    if share.high < threshold:
        return verdict._replace(outcome="fine", why=f"few draws come from the tail{itself}")
    return verdict._replace(why=f"the interval holds the threshold; more tokens would tell{itself}")


def surprise(evidence: Evidence) -> Verdict:
    """Whether the text surprises its model more than the model's own entropy explains."""
    name = "surprise"
    found = [known.surprise for known in evidence.texts if known.surprise is not None]
    measure = "mean surprisal beyond the model's own entropy, nats per token"
    missing = _missing(evidence, sum(len(each.drawn) for each in found))
    if missing:
        return no_verdict(name, measure, missing)
    bounded = all(each.own is not None and np.isfinite(each.own.high).all() for each in found)
    drawn = np.concatenate([each.drawn for each in found])
    counted = np.isfinite(drawn)  # -9999 and the like: the tail counts them, a mean cannot
    if counted.sum() < FEWEST:
        return no_verdict(name, measure, "nearly all log-probabilities are -inf")
    low = high = drawn[counted]
    threshold = SURPRISE
    if bounded:
        bounds: Any = [each.own for each in found]
        low = low - np.concatenate([each.high for each in bounds])[counted]
        high = high - np.concatenate([each.low for each in bounds])[counted]
        threshold = EXCESS
    else:
        measure = "mean surprisal under the model, nats per token (its own entropy is not known)"
    mean = mean_interval(low, high, evidence.level)
    verdict = Verdict(name, "no verdict", measure, mean.value, mean.low, mean.high, threshold, "")
    if mean.low > threshold:
        factor = math.exp(mean.value)
        why = (
            f"as if the model had left {factor:.0f} times as many equal options open as it did"
            if bounded
            else f"each token is on average one of {factor:.0f} equal options"
        )
        return verdict._replace(outcome="too high", why=why, remedies=_cooler(evidence))
    if mean.high < threshold:
        return verdict._replace(outcome="fine", why="the text surprises its model no more than that")
    return verdict._replace(why="the interval holds the threshold; more tokens would tell")


def _missing(evidence: Evidence, count: int) -> str:
    if not count:
        return "it needs logprobs, or logits and the tokens drawn from them or the temperature"
    if evidence.raw is not True:
        return CONVENTION if evidence.raw is None else "it needs the log-probabilities before the temperature"
    return f"{FEWEST} tokens are needed, and there are {count}" if count < FEWEST else ""


def _cooler(evidence: Evidence) -> tuple[str, ...]:
    """The model as it was trained, or a cut by the model's own judgement before the heat, as the studio proposes."""
    t = evidence.temperature
    if t is None or math.isinf(t):
        return ("temperature(1)",)
    return "temperature(1)", f"min_p(0.1) -> temperature({round(t, 2):g})"
