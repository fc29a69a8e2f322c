"""Every number of the training run, in one place."""

import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("HEATBATH_DATA", ROOT.parent / "shared" / "data"))
WORK = ROOT / "training" / "work"
SHIPPED = ROOT / "src" / "heatbath" / "embedded" / "weights"


class Config(NamedTuple):
    """What the shipped model was made with."""

    # text
    held_out_every: dict[str, int] = {"grimm": 14, "jacobs": 9}  # noqa: RUF012  (a NamedTuple default, never changed)
    """One whole tale in so many is held out."""
    held_out_stories: int = 40
    """One story in so many, of those without an opening, is held out."""
    rare: int = 3
    """Stories with a word that tales and stories together have fewer times than this are not trained on."""
    vocabulary: int = 2048

    # model
    layers: int = 5
    heads: int = 5
    width: int = 160
    hidden: int = 432
    context: int = 256
    dropout: float = 0.15

    # training
    seed: int = 0
    """Of the first stage; the next stage has the next."""
    stages: tuple[tuple[tuple[int, float], ...], ...] = (
        ((-1, 0.0), (49, 1.0), (1000, 1.0), (1200, 0.8)),
        ((-1, 0.0), (19, 0.8), (300, 0.0)),
    )
    """Step and share of the learning rates, straight between; a stage starts from the best checkpoint so far."""
    batch: int = 16
    tale_share: float = 0.45
    muon_rate: float = 0.02
    momentum: float = 0.95
    adam_rate: float = 3e-3
    weight_decay: float = 0.05
    clip: float = 1.0
    evaluate_every: int = 100


CONFIG = Config()
