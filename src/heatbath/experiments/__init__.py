"""Experiments with temperatures: who gets which, what came of it, and what that shows.

The gateway decides and answers; this room remembers. Its records are plain tuples
(:mod:`heatbath.experiments.records`), its store is the only place with SQL, and its statistics are those of
:mod:`heatbath.stats`.
"""

from heatbath.experiments.off_policy import Evaluation, Logged, evaluate
from heatbath.experiments.records import Answer, Decision, Feedback, new_id, time_of

__all__ = ["Answer", "Decision", "Evaluation", "Feedback", "Logged", "evaluate", "new_id", "time_of"]
