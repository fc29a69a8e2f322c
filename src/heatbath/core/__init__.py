"""The arithmetic of temperature: tempered softmax, measures, solving for T, which array library this is."""

from heatbath.core.arrays import namespace
from heatbath.core.check import check_temperature
from heatbath.core.divergence import kl
from heatbath.core.measures import (
    effective_choices,
    entropy,
    free_energy,
    heat_capacity,
    perplexity,
    top_probability,
)
from heatbath.core.scores import as_scores
from heatbath.core.softmax import log_softmax, softmax
from heatbath.core.solve import temperature_for
from heatbath.core.waiting import checks

__all__ = [
    "as_scores",
    "check_temperature",
    "checks",
    "effective_choices",
    "entropy",
    "free_energy",
    "heat_capacity",
    "kl",
    "log_softmax",
    "namespace",
    "perplexity",
    "softmax",
    "temperature_for",
    "top_probability",
]
