"""T as a function of what is seen.

======================================== ============================================================================
:func:`hold_entropy`                     keeps the entropy at a target: per decision, or the mean over a horizon
:func:`by_confidence`                    sure choices stay cold, open ones are warm
:class:`Profile`                         what each T does to a model on average; turns a wanted effect into one T
======================================== ============================================================================

How to choose: for text, begin with a :class:`Profile` (one T per request, the same effect on every model); use
``hold_entropy(target, horizon=64)`` where each text must meet the effect by itself, and :func:`by_confidence` where
some places must stay right whatever happens elsewhere. For decisions that stand alone, ``hold_entropy(target)``.
"""

from heatbath.control.confidence import by_confidence
from heatbath.control.entropy import hold_entropy
from heatbath.control.measuring import Curve
from heatbath.control.profile import Effect, Profile

__all__ = ["Curve", "Effect", "Profile", "by_confidence", "hold_entropy"]
