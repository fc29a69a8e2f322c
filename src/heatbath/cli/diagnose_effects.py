"""What each T does at the places of the texts: a curve, a table, a sentence."""

from collections.abc import Sequence
from math import isfinite, log

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from heatbath.cli.explain_page import ENDS
from heatbath.cli.plot import LABEL, Frame, Mark, curve
from heatbath.cli.screen import number, percent
from heatbath.control import Profile
from heatbath.errors import TargetError
from heatbath.sampling import Diagnosis, Response, Sensitivity, Wanted

BLUE = "#2a7fc1"
POINTS = 24
"""Temperatures at which the curve is computed."""


def plot(found: Diagnosis, response: Response, style: str, width: int, plain: bool) -> list[Text]:
    """The mean entropy against T."""
    now = found.sensitivity
    points = [(each.effects.temperature, each.effects.entropy) for each in found.effects]
    t = now.temperature if now else 1.0
    finite = [each for each in (t, 1.0, *(x for x, _ in points)) if isfinite(each)]
    right = next((end for end in ENDS if end >= 1.1 * max(finite)), ENDS[-1])
    x = np.linspace(0.0, right, POINTS)
    y = np.array([response.at(float(each)).entropy for each in x])
    frame = Frame(max(10, min(72, width - LABEL - 4)), 9, right, float(y[-1]) or 1.0)
    sign = "#" if plain else "●"
    one = "o" if plain else "○"
    marks = [
        Mark(1.0, response.at(1.0).entropy, one, "dim"),
        Mark(t, response.at(t).entropy, sign, style),
    ]
    title = Text(f" mean entropy at these places, nats, against T: {sign} T here, {one} T = 1", "dim")
    return [title, *curve(frame, x, y, marks, plain=plain)]


def table(effects: Sequence[Wanted], profile: Profile | None, width: int, plain: bool) -> Table:
    """Which T has which effect; what was looked up is bold."""
    made = Table(box=box.ASCII if plain else box.SIMPLE, show_edge=False, pad_edge=True)
    for name in ("T here", "entropy", "perplexity", "top prob.", "share"):
        made.add_column(name, justify="right", no_wrap=True)
    if profile is not None and width >= 66:
        made.add_column("T by the profile", justify="right", no_wrap=True)
    if width >= 94:
        made.add_column("half of the places ask for", justify="right", no_wrap=True)
    for each in effects:
        at = each.effects
        cells = {
            "entropy": Text(f"{at.entropy:.2f}"),
            "perplexity": Text(f"{at.perplexity:.2f}"),
            "top_probability": Text(percent(at.top_probability)),
            "relative_entropy": Text(percent(at.relative_entropy)),
        }
        cells[each.measure].stylize(f"bold {BLUE}")
        row = [Text(f"{at.temperature:.2f}", "bold"), *cells.values()]
        if profile is not None and width >= 66:
            row.append(Text(f"{_by(profile, each)}"))
        if width >= 94:
            row.append(Text("-" if each.rows is None else f"T {each.rows[0]:.2f} to {each.rows[1]:.2f}", "dim"))
        made.add_row(*row)
    return made


def _by(profile: Profile, wanted: Wanted) -> str:
    try:
        return f"{profile.temperature_for(**{wanted.measure: wanted.value}):.2f}"
    except TargetError:
        return "-"


def sentence(at: Sensitivity) -> Text:
    """How the entropy answers to T, in words."""
    share = log(1.1)
    text = Text(f"At T = {number(at.temperature)} the mean entropy is {at.entropy:.2f} nats. ")
    text.append(f"10 % more T adds {share * at.heat_capacity:.2g}")
    if isfinite(at.heat_capacity_error):
        text.append(f" (standard error {share * at.heat_capacity_error:.1g})")
    return text.append(".")
