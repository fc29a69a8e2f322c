"""T as a function of what is seen, and of what came of it.

======================================== ============================================================================
:func:`hold_entropy`                     keeps the entropy at a target: per decision, or the mean over a horizon
:func:`hold_surprise`                    keeps the surprisal of what is drawn at a target
:func:`by_confidence`                    sure choices stay cold, open ones are warm
:func:`edt`, :func:`dynatemp`            the same by formulas of a paper and of llama.cpp
:func:`by_text`, :func:`by_rule`         by the place in the text, or by the rule of a grammar
:func:`loop_guard`                       warmer while the text repeats itself
:func:`coherence_guard`                  cooler while the text falls apart
:func:`e3`                               keeps a policy's entropy from one step of training to the next
:func:`by_function`                      by a function of your own
:func:`thompson`                         learns from rewards which T is best; :func:`learned` says what
:func:`from_feedback`                    as one person likes it; :func:`population` fits what people have in common
:class:`Profile`                         what each T does to a model on average; turns a wanted effect into one T
======================================== ============================================================================

How to choose: for text, begin with a :class:`Profile` (one T per request, the same effect on every model); use
``hold_entropy(target, horizon=64)`` where each text must meet the effect by itself, and :func:`by_confidence` where
some places must stay right whatever happens elsewhere. For decisions that stand alone, ``hold_entropy(target)``. The
guards go around any of these.
"""

from heatbath.control.bandit import thompson
from heatbath.control.confidence import by_confidence
from heatbath.control.entropy import hold_entropy
from heatbath.control.function import by_function
from heatbath.control.glance import Glance
from heatbath.control.guards import coherence_guard, loop_guard
from heatbath.control.learned import Learned, learned
from heatbath.control.measuring import Curve
from heatbath.control.population import Population, population
from heatbath.control.position import by_rule, by_text
from heatbath.control.preference import Preferred, from_feedback, preferred
from heatbath.control.profile import Effect, Profile
from heatbath.control.rules import dynatemp, edt
from heatbath.control.surprise import hold_surprise
from heatbath.control.training import e3

__all__ = [
    "Curve",
    "Effect",
    "Glance",
    "Learned",
    "Population",
    "Preferred",
    "Profile",
    "by_confidence",
    "by_function",
    "by_rule",
    "by_text",
    "coherence_guard",
    "dynatemp",
    "e3",
    "edt",
    "from_feedback",
    "hold_entropy",
    "hold_surprise",
    "learned",
    "loop_guard",
    "population",
    "preferred",
    "thompson",
]
