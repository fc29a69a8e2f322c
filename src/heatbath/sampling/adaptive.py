"""The step that aims at options of a wanted probability."""

from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.errors import while_doing
from heatbath.made import Made, maker
from heatbath.sampling.carried import begin, carried, learner, numbers_of
from heatbath.sampling.mass import weigh
from heatbath.sampling.parameters import check_argument, per_row
from heatbath.sampling.step import Applied, Moment, Op, Step
from heatbath.types import Array, Outcome, State

PEAK, SHARPNESS, WIDTH = 5.0, 10.0, 0.3


@maker("step")
def adaptive_p(target: Any, decay: Any = 0.9) -> Step:
    """Prefer the options whose probability is near ``target``, and correct so that the mean of what is drawn nears it.

    ``score = 5 - 10 d^2 / (1 + d)`` with ``d = |p_i - t| / 0.3``, and ``t = 2 target - mean`` cut to [0, 1]: where the
    mean of what was drawn is above the target, t goes as far below it. (A correction in proportion to the error makes
    the error smaller, not 0.) After a draw of probability p the mean becomes
    ``decay mean + (1 - decay) p``; it begins at the target.

    Arguments:
        target: the probability to aim at, 0 <= target <= 1, or one per row.
        decay: 0 <= decay < 1, or one per row: the mean is over about 1 / (1 - decay) draws.

    At the boundaries: nothing is removed and -inf stays -inf; options of equal probability get equal scores, but the
    order of the options is not kept: the best one may become the least likely. Probabilities are those of the scores as
    they reach this step.

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.adaptive_p(0.3))
    >>> sampler.scores(sampler.init(), np.log([0.6, 0.3, 0.1, 1e-9])).scores.round(3)
    array([0.   , 5.   , 2.333, 0.   ])

    How to choose: 0.3 to 0.7 for stories, **behind** ``min_p(0.05)`` or the like and with nothing but the draw after
    it. Without a cut before it every option of the tail, however unlikely, gets nearly the score of any other: with
    target = 0.5 each of them exp(-10.4) of the likeliest, which 100 000 of them make into three times as much. There is
    no published comparison with other methods.

    Reference: the sampler "adaptive-p" of llama.cpp (pull request 17927) by MrJackSpade and contributors, with its
    constants. llama.cpp lowers a decay above 0.99 to that, and draws at once; here the draw is the chain's.
    """
    with while_doing("making adaptive_p", Made("adaptive_p", ((None, target), (None, decay)))):
        wanted = check_argument(target, "target", lambda n: (n >= 0) & (n <= 1), "a probability, 0 to 1", 0.5)
        past = check_argument(decay, "decay", lambda n: (n >= 0) & (n < 1), "a number in [0, 1)", 0.9)

    def apply(state: State, moment: Moment) -> Applied:
        scores = moment.scores
        xp = namespace(scores)
        weighed, mean = weigh(scores), carried(state, scores)
        aim = xp.clip(2 * per_row(wanted, scores, "target") - (mean[..., None] if mean.ndim else mean), 0.0, 1.0)
        distance = xp.abs(weighed.weights / weighed.total - aim) / WIDTH
        near = PEAK - SHARPNESS * distance**2 / (1 + distance)
        return Applied(xp.where(scores > -xp.inf, near, xp.full_like(scores, -xp.inf)), state)

    def op(state: State, _moment: Moment) -> Op | None:
        mean = numbers_of(state)
        return None if mean is None else Op("adaptive_p", np.clip(2 * wanted - mean, 0.0, 1.0), state)

    def news(outcome: Outcome) -> Any:
        return outcome.surprisal

    def move(mean: Array, surprisal: Array) -> Array:
        kept = per_row(past, surprisal, "decay")
        return kept * mean + (1 - kept) * namespace(surprisal).exp(-surprisal)

    return Step(
        apply=apply,
        init=lambda: begin(wanted),
        learn=learner("adaptive_p", news, move),
        op=op,
        hears=("surprisal",),
    )
