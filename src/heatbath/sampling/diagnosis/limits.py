"""The thresholds of the verdicts, and where they come from.

Those of the studio's warnings (``service/studio/static/warnings.js``) are the same numbers, which a test compares.
There one next token or one continuation is looked at; here a verdict waits until an interval has cleared them.
"""

import math

CERTAIN = 0.99
"""The best option's probability above which nothing is left to chance. The studio's."""
REPEATS = 0.25
"""The share of four-token runs that a text had written before. The studio's."""
TAIL = 2.0**-10
"""An option below this probability lies in the tail: 10 bits, the last step of the studio's colours."""
OUTSIDE = 0.3
"""The share of draws from the tail, and ... The studio's, there for draws outside the 50 best options."""
MORE = 0.2
"""... how much more than at T = 1 it must be, because some places are open by nature. The studio's."""
SURPRISE = 6 * math.log(2)
"""Nats of surprisal per token, where the model's own entropy is not known: one in 64. The studio's 6 bits."""
EXCESS = 2 * math.log(2)
"""Nats by which the surprisal exceeds the model's own entropy: as if the model had left four times as many equal
options open as it did."""
FROZEN = 0.5
"""The share of decisions that the model leaves open and T makes certain: most of them."""
FEWEST = 32
"""Decisions, or runs, below which there is too little evidence for anything."""
