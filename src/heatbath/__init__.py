"""heatbath: the temperature system of machine learning.

Put any model in a heat bath: choose how sharply it chooses.
"""

import importlib
from typing import TYPE_CHECKING, Any

from heatbath import control, sampling, schedules
from heatbath.control import Profile, by_confidence, from_feedback, hold_entropy
from heatbath.core import (
    effective_choices,
    entropy,
    free_energy,
    heat_capacity,
    kl,
    log_softmax,
    perplexity,
    softmax,
    temperature_for,
    top_probability,
)
from heatbath.errors import (
    ConflictError,
    HeatbathError,
    InputError,
    MissingExtraError,
    ModelError,
    SpecError,
    StoreError,
    TargetError,
)
from heatbath.sampling import (
    Sampler,
    categorical,
    chain,
    greedy,
    min_p,
    penalties,
    temperature,
    top_k,
    top_n_sigma,
    top_p,
    typical,
)
from heatbath.spec import parse
from heatbath.thermostat import Thermostat, fixed, scheduled
from heatbath.types import Outcome, Reading, Seen

if TYPE_CHECKING:
    from heatbath import stats
    from heatbath.sampling import orders

__version__ = "0.1.0"

__all__ = [
    "ConflictError",
    "HeatbathError",
    "InputError",
    "MissingExtraError",
    "ModelError",
    "Outcome",
    "Profile",
    "Reading",
    "Sampler",
    "Seen",
    "SpecError",
    "StoreError",
    "TargetError",
    "Thermostat",
    "by_confidence",
    "categorical",
    "chain",
    "control",
    "effective_choices",
    "entropy",
    "fixed",
    "free_energy",
    "from_feedback",
    "greedy",
    "heat_capacity",
    "hold_entropy",
    "kl",
    "log_softmax",
    "min_p",
    "orders",
    "parse",
    "penalties",
    "perplexity",
    "sampling",
    "scheduled",
    "schedules",
    "softmax",
    "stats",
    "temperature",
    "temperature_for",
    "top_k",
    "top_n_sigma",
    "top_p",
    "top_probability",
    "typical",
]


def __getattr__(name: str) -> Any:
    """Open the rooms of engines' orders and of statistics when somebody comes for them: a draw never needs them."""
    if name == "orders":
        return sampling.orders
    if name == "stats":
        return importlib.import_module("heatbath.stats")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "orders", "stats"})
