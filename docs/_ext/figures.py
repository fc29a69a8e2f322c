"""How the figures of the gallery look: readable on a light and on a dark page, and without seeing colour."""

from typing import Any

import matplotlib as mpl
from cycler import cycler

INK = "#767676"
"""At least 4:1 on white and on the dark page."""

COLOURS = ("#2a7fc1", "#c85a00", "#0f8f6c", "#b0568c", INK)
"""The colours of the studio and the command line; blue and orange are told apart by every type of colour vision."""

STYLE = {
    "figure.figsize": (8.0, 4.2),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "savefig.transparent": True,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "grid.color": INK,
    "grid.alpha": 0.18,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "legend.labelcolor": INK,
}


def apply_style(gallery_conf: dict[str, Any], example: str) -> None:  # noqa: ARG001  sphinx-gallery's signature
    """Before each example."""
    mpl.rcdefaults()
    mpl.use("agg")
    mpl.rcParams.update(STYLE)
