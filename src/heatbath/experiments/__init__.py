"""Experiments with temperatures: who gets which, what came of it, and what that shows.

The gateway decides and answers; this room remembers. Its records are plain tuples, its store is
the only place with SQL, and its statistics are those of :mod:`heatbath.stats`.
"""

from typing import TYPE_CHECKING, Any

from heatbath.experiments.experiment import Arm, Event, Experiment
from heatbath.experiments.metrics import Guardrail, Metric
from heatbath.experiments.off_policy import Evaluation, Logged, evaluate
from heatbath.experiments.records import Answer, Decision, Feedback, Recorder, new_id, time_of

if TYPE_CHECKING:
    from heatbath.experiments.store import Store

__all__ = [
    "Answer",
    "Arm",
    "Decision",
    "Evaluation",
    "Event",
    "Experiment",
    "Feedback",
    "Guardrail",
    "Logged",
    "Metric",
    "Recorder",
    "Store",
    "evaluate",
    "new_id",
    "time_of",
]


def __getattr__(name: str) -> Any:
    """Bring in the store, and the database's library, when somebody comes for it."""
    if name == "Store":
        from heatbath.experiments.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
