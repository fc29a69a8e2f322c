"""One of the texts that ``heatbath diagnose`` judged, with what matters in it marked."""

import numpy as np
from rich.text import Text

from heatbath.cli.case import Case
from heatbath.cli.screen import printable
from heatbath.cli.surprisal import Styles, legend, style_of
from heatbath.cli.watched import Watched
from heatbath.sampling import Diagnosis, Repeats
from heatbath.sampling.diagnosis.repeats import RUN

SHOWN = 400
"""Characters of a text that are shown; twice as many of one that repeats itself."""
AGAIN = "underline #c85a00"
"""The style of what a text had written before."""


def looping(found: Diagnosis) -> int | None:
    """Which text the verdict on loops is about, or the one that repeats most; None where none repeats itself."""
    verdict = found.verdict("loops")
    if verdict.outcome == "fine":
        return None
    if verdict.value is None:
        shares = [each.share if each and each.passage else 0.0 for each in found.repeated]
        return max(range(len(shares)), key=shares.__getitem__) if any(shares) else None
    return next(place for place, each in enumerate(found.repeated) if each and each.share == verdict.value)


def sample(case: Case, styles: Styles) -> Text:
    """One of the texts: the one that repeats itself most, or the first, coloured by surprise."""
    which = looping(case.found) or 0
    strand = case.strands[which]
    start = Text(printable(case.prompt), "dim")
    worst = None if looping(case.found) is None else case.found.repeated[which]
    text = Text.assemble((f"text {which + 1} of {len(case.strands)}", "bold"))
    if worst is None or not worst.share:
        return text.append("\n").append(start).append(_coloured(strand, styles)).append("\n").append(legend(styles))
    text.append(", what it had written before ", "dim").append("underlined", AGAIN).append("\n")
    return text.append(start).append(_underlined(strand, worst))


def _coloured(strand: Watched, styles: Styles) -> Text:
    text = Text()
    for drawn, characters in strand.parts():
        if len(text) > SHOWN:
            return text.append(" ...", "dim")
        text.append(printable(characters), style_of(drawn.reading.surprisal, styles))
    return text


def _underlined(strand: Watched, repeats: Repeats) -> Text:
    again = np.zeros(len(strand.chosen), bool)
    for start in np.flatnonzero(repeats.again).tolist():
        again[start : start + RUN] = True
    text = Text()
    for (_, characters), old in zip(strand.parts(), again.tolist(), strict=False):
        if len(text) > 2 * SHOWN:
            return text.append(" ...", "dim")
        text.append(printable(characters), AGAIN if old else "")
    return text
