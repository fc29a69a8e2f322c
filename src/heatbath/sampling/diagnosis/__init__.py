"""Is this temperature right? Verdicts on what was written, each against a threshold and with its uncertainty.

===================================== =================================================================
``diagnose.py``                       the function, and what it gives back
``written.py``, ``responses.py``      what may be known of a text, and how it is read
``known.py``, ``listed.py``           what follows from it, per decision
``repeats.py``                        what repeats
``used.py``                           the T that the choices tell
``effects.py``                        which T has which effect
``cold.py``, ``hot.py``,              the verdicts; ``limits.py`` has their thresholds
``evidence.py``
===================================== =================================================================
"""

from heatbath.sampling.diagnosis.diagnose import Diagnosis, diagnose
from heatbath.sampling.diagnosis.effects import Effects, Response, Sensitivity, Wanted
from heatbath.sampling.diagnosis.repeats import Repeats
from heatbath.sampling.diagnosis.responses import read_responses
from heatbath.sampling.diagnosis.used import Estimate
from heatbath.sampling.diagnosis.verdict import Verdict
from heatbath.sampling.diagnosis.written import Written

__all__ = [
    "Diagnosis",
    "Effects",
    "Estimate",
    "Repeats",
    "Response",
    "Sensitivity",
    "Verdict",
    "Wanted",
    "Written",
    "diagnose",
    "read_responses",
]
