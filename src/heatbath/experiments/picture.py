"""A result as a picture: the interval of each arm's effect as it was seen over time."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from heatbath.errors import MissingExtraError
from heatbath.experiments.results import Result

COLOURS = ("#c85a00", "#2a7fc1", "#0f8f6c", "#8a4fbf", "#b3382c", "#6b6b6b")


def picture(result: Result, axes: Any = None) -> Any:
    """Draw the effect of every arm over time, with its interval and the control's 0.

    Arguments:
        result: what :func:`~heatbath.experiments.results.results` gave, with its course.
        axes: of matplotlib; None makes new ones.

    Returns:
        The axes.

    Raises:
        MissingExtraError: matplotlib is not installed.

    How to choose: for a report. An interval that has left the line at 0 has shown a difference, whenever one looked.
    """
    try:
        import matplotlib.dates as mdates
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingExtraError(
            "matplotlib is not installed", doing="drawing a result", instead="pip install matplotlib"
        ) from error
    if axes is None:
        _, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    times: Any = [datetime.fromtimestamp(look.at, UTC) for look in result.course]
    control, *others = result.arms
    axes.axhline(0, color="#444444", linewidth=1)
    reach = 0.0
    for place, arm in enumerate(others):
        colour = COLOURS[place % len(COLOURS)]
        low, high, effect = (
            np.array([getattr(look, field)[place] for look in result.course]) for field in ("low", "high", "effects")
        )
        known = np.isfinite(low) & np.isfinite(high)
        axes.fill_between(times, low, high, where=known, color=colour, alpha=0.18, linewidth=0)
        axes.plot(times, np.where(known, effect, np.nan), color=colour, marker="o", markersize=3, label=arm.name)
        reach = max([reach, *np.abs(low[known]), *np.abs(high[known])])
    axes.set_ylabel(f"{result.metric}: difference to {control.name}")
    axes.set_ylim(-1.1 * reach or -1, 1.1 * reach or 1)
    dates: Any = mdates
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.set_title(f"{result.experiment}: {result.sentences[0]}", loc="left", fontsize=10)
    if others:
        axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    return axes
