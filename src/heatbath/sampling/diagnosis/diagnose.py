"""Whether a temperature is too low or too high, which one was used, and which one would do what is wanted."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from heatbath.core import check_temperature
from heatbath.core.arrays import is_number
from heatbath.core.numbers import check_number, check_whole
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.sampling.diagnosis import cold, hot
from heatbath.sampling.diagnosis.effects import Response, Sensitivity, Wanted, check_wanted, sensitivity
from heatbath.sampling.diagnosis.evidence import Evidence, as_asked, is_raw
from heatbath.sampling.diagnosis.known import Known, know
from heatbath.sampling.diagnosis.repeats import Repeats
from heatbath.sampling.diagnosis.used import Estimate, used_temperature
from heatbath.sampling.diagnosis.verdict import Outcome, Verdict
from heatbath.sampling.diagnosis.written import Written, after_temperature, check


class Diagnosis(NamedTuple):
    """What :func:`diagnose` found; ``print`` shows it in words."""

    verdicts: tuple[Verdict, ...]
    """On "loops", "frozen", "tail", "surprise" and "temperature", in that order."""
    used: Estimate | None
    """The T that the choices tell, with its interval; None where they tell none. From log-probabilities of which nobody
    knows whether they were tempered, it is what T would be if they were not."""
    surprisal: float | None
    """Mean of what was drawn, in nats at T = 1."""
    entropy: tuple[float, float] | None
    """The model's own mean entropy at T = 1, in nats; two bounds, which are equal where all scores are known."""
    repeated: tuple[Repeats | None, ...]
    """What repeats in each text."""
    sensitivity: Sensitivity | None
    """How the entropy answers to T; None without logits."""
    effects: tuple[Wanted, ...]
    """Which T has which effect, the coldest first; empty without logits."""
    response: Response | None
    """What any T does: ``response.at(0.7).entropy``; None without logits."""

    @property
    def outcome(self) -> Outcome:
        """Of the four on quality together: a side where only one is found, and "fine" where all that could be measured
        is, on either side something.
        """
        measured = {verdict.name: verdict.outcome for verdict in self.verdicts if verdict.value is not None}
        found = {outcome for name, outcome in measured.items() if name != "temperature"}
        sides: list[Outcome] = [side for side in _SIDES if side in found]
        if len(sides) == 1:
            return sides[0]
        both = all(
            measured.keys() & names for names in _SIDES.values()
        )  # loops alone cannot clear a T of being too high
        return "fine" if both and found == {"fine"} else "no verdict"

    def verdict(self, name: str) -> Verdict:
        """The verdict of this name.

        Raises:
            InputError: there is none of this name.
        """
        found = {verdict.name: verdict for verdict in self.verdicts}
        if name not in found:
            raise InputError(f"there is no verdict {name!r}", instead=f"known are {', '.join(found)}", field="name")
        return found[name]

    def __str__(self) -> str:
        return "\n".join(
            [f"T is {self.outcome}" if self.outcome in _SIDES else self.outcome, *map(_line, self.verdicts)]
        )


_SIDES: dict[Outcome, set[str]] = {"too low": {"loops", "frozen"}, "too high": {"tail", "surprise"}}
"""The verdicts that find each."""


def _line(verdict: Verdict) -> str:
    if verdict.value is None:
        return f"{verdict.name}: {verdict.outcome}: {verdict.why}"
    interval = f"{verdict.value:.3g} ({verdict.low:.3g} to {verdict.high:.3g})"
    against = "" if verdict.threshold is None else f", against {verdict.threshold:.3g}"
    tries = f"; try {' or '.join(verdict.remedies)}" if verdict.remedies else ""
    return f"{verdict.name}: {verdict.outcome}: {interval}{against}: {verdict.why}{tries}"


def diagnose(
    logits: Any = None,
    tokens: Any = None,
    *,
    logprobs: Any = None,
    top_logprobs: Any = None,
    mask: Any = None,
    text: str | None = None,
    texts: Sequence[Written] | None = None,
    temperature: float | None = None,
    tempered: bool | None = None,
    options: int | None = None,
    wanted: Mapping[str, Sequence[float]] | None = None,
    level: float = 0.99,
) -> Diagnosis:
    """Say whether T is too low or too high for what was written, which T was used, and which T has which effect.

    T is too low where a text repeats itself ("loops") or T decides what the model leaves open ("frozen"); too high
    where much is drawn from the tail ("tail") or the text surprises its model ("surprise"). The T that was used
    ("temperature") maximises the likelihood of the choices, ``sum z_chosen = sum <z>_T``. Each verdict waits until an
    interval has cleared its threshold, and is "no verdict" otherwise.

    Arguments:
        logits: the model's scores before any temperature or truncation, ``(N, V)``, one row per decision in order.
        tokens: what was drawn, ``(N,)``: ids where there are logits, else ids or texts of tokens.
        logprobs: ln p of what was drawn, ``(N,)``; None where one is not known.
        top_logprobs: ln p of the best tokens at each decision, one mapping each.
        mask: which options a truncation left, booleans ``(N, V)``. Without it, a truncation makes the T that was used
            look lower than it was.
        text: the words, where there are no tokens.
        texts: several texts, each a :class:`Written`, in place of all the arguments above.
        temperature: the T that was asked for, if it was one. Without it, or where the choices tell of another, the one
            that they tell is judged.
        tempered: whether ``logprobs`` are those after division by T; None: as the texts say (:class:`Written`), or not
            known.
        options: V, where there are no logits; without it, entropies from ``top_logprobs`` have no upper bound.
        wanted: effects to find a T for, such as ``{"entropy": [0.5, 1.0], "top_probability": [0.9]}``.
        level: the confidence of every interval, 0 < level < 1.

    Returns:
        a :class:`Diagnosis`.

    Raises:
        InputError: nothing to judge, lengths that disagree, values that are no scores, tokens or log-probabilities.
        TargetError: an effect that is wanted and that no T has.

    >>> import numpy as np, heatbath as hb
    >>> logits = 3 * np.random.default_rng(0).normal(size=(200, 50))
    >>> drawn = hb.chain(hb.temperature(2.0)).step((), logits, seed=7).choice
    >>> found = hb.sampling.diagnose(logits, drawn)
    >>> found.outcome, found.verdict("surprise").remedies
    ('too high', ('temperature(1)', 'min_p(0.1) -> temperature(2.2)'))
    >>> [round(end, 1) for end in found.used]  # which T was used, as the choices tell, and its interval
    [2.2, 1.9, 2.6]

    How to choose what to give: logits and tokens tell everything. From an interface, ask for the best
    log-probabilities (``top_logprobs``): they tell which T was used, because among the k best, too, what is drawn has a
    probability proportional to ``p**(1/T)``. Log-probabilities alone tell the surprisal, words alone whether they
    repeat. Logits without tokens are judged by what ``temperature`` would draw.

    What it cannot know: whether a text is good, and what a threshold should be for your use; those here are the
    studio's. Intervals are about the places that these texts came to.
    """
    with while_doing("diagnosing"):
        single = Written(logits, tokens, logprobs, top_logprobs, mask, text)
        if texts is None:
            given = [single]
        elif any(value is not None for value in single):
            raise InputError("texts stand in place of the other arguments", instead="put all into texts", field="texts")
        else:
            given = _several(texts)
        _check_numbers(temperature, tempered, options)
        sure = check_number(level, "level", "a number between 0 and 1", lambda n: 0 < n < 1, example=0.99)
        effects = check_wanted(wanted)
        asked = None if temperature is None else float(temperature)
        checked = [check(each) for each in given]
        known = [know(each, asked, options) for each in checked]
        after = after_temperature(checked) if tempered is None else tempered
        return _judge(known, all(each.logits is not None for each in checked), asked, after, effects, sure)


def _judge(
    known: Sequence[Known], scores: bool, asked: float | None, tempered: bool | None, effects: Any, level: float
) -> Diagnosis:
    used = used_temperature([drawn for text in known for drawn in text.choices], level)
    raw = is_raw(tempered, scores, asked, used)
    rows = [text.rows for text in known if text.rows]
    response = Response(rows) if rows else None
    evidence = Evidence(known, asked, used if raw is not False else None, raw, level, response)
    judges = (cold.loops, cold.frozen, hot.tail, hot.surprise, as_asked)
    near = evidence.temperature
    near = 1.0 if near is None else near
    surprises = [text.surprise for text in known if text.surprise is not None and raw]
    bounds = [each.own for each in surprises if each.own is not None]
    drawn = [nats for each in surprises for nats in each.drawn.tolist() if math.isfinite(nats)]
    return Diagnosis(
        tuple(judge(evidence) for judge in judges),
        evidence.used,
        sum(drawn) / len(drawn) if drawn else None,
        _mean_bounds(bounds) if bounds else None,
        tuple(text.repeated for text in known),
        sensitivity(rows, near) if rows else None,
        tuple(response.wanted(effects)) if response else (),
        response,
    )


def _mean_bounds(bounds: Sequence[Any]) -> tuple[float, float]:
    count = sum(len(each.low) for each in bounds)
    return sum(float(each.low.sum()) for each in bounds) / count, sum(float(each.high.sum()) for each in bounds) / count


def _several(texts: Any) -> list[Written]:
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(each, Written) for each in texts):
        raise InputError(
            "texts is a list of Written, one for each text",
            instead="write for example texts=[Written(logits, tokens)]",
            field="texts",
        )
    return list(texts)


def _check_numbers(temperature: Any, tempered: Any, options: Any) -> None:
    if temperature is not None:
        check_temperature(temperature)
        if not is_number(temperature):
            raise InputError("one T for all texts is expected", instead="leave it out if T moved", field="temperature")
    if tempered is not None and not isinstance(tempered, bool):
        raise InputError(
            f"tempered is True, False or None, not {show(tempered):.60}",
            instead="write tempered=False for log-probabilities before the temperature",
            field="tempered",
        )
    if options is not None:
        check_whole(options, "options", example=50257)
