"""How a chain ends: one option per row."""

from heatbath.core import namespace
from heatbath.made import maker
from heatbath.sampling.random import Chance
from heatbath.sampling.step import Draw, Op
from heatbath.types import Array


@maker("draw")
def greedy() -> Draw:
    """Take the best option, the first of them where several tie. Needs no randomness: the seed is not used.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.greedy())
    >>> sampler.step(sampler.init(), np.array([1.0, 3.0, 3.0]), seed=0).choice
    np.int64(1)

    How to choose: when one answer is wanted and always the same. Long greedy texts tend to repeat themselves.
    """
    return Draw(
        pick=lambda scores, chance: namespace(scores).argmax(scores, axis=-1), quick=(Op("temperature", 0.0, ()),)
    )


@maker("draw")
def categorical() -> Draw:
    """Draw with the probabilities of softmax(scores), by inverting their distribution function.

    ``choice = min {i : p_0 + ... + p_i > u}`` with the options in the order of their indices and u in [0, 1) from
    :mod:`heatbath.sampling.random`. An option of probability 0 is never drawn.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.categorical())
    >>> sampler.step(sampler.init(), np.log([0.2, 0.8]), seed=1).choice
    np.int64(1)

    How to choose: the default. Two samplers with one seed share their u at every position (common random numbers),
    which makes a comparison of two temperatures much less noisy.
    """

    def pick(scores: Array, chance: Chance) -> Array:
        xp, uniform = namespace(scores), chance.one()
        weights = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
        mass = xp.cumulative_sum(weights, axis=-1)
        mass = xp.where(weights > 0, mass, xp.zeros_like(mass))
        # Every float below 1 that a uniform may round to, times the total, stays below the total: some option is hit.
        hit = mass > uniform[..., None] * xp.max(mass, axis=-1, keepdims=True)
        return xp.argmax(xp.astype(hit, xp.int8), axis=-1)

    return Draw(pick=pick, quick=())


@maker("draw")
def gumbel() -> Draw:
    """Draw with the probabilities of softmax(scores), by adding Gumbel noise to each score and taking the largest.

    ``choice = argmax_i (score_i - ln(-ln(1 - u_i)))``, each u_i in [0, 1) from :mod:`heatbath.sampling.random`; it
    depends on the seed, the position and i alone. An option of probability 0 is never drawn.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.gumbel())
    >>> sampler.step(sampler.init(), np.log([0.2, 0.8]), seed=1).choice
    np.int64(1)

    How to choose: :func:`heatbath.categorical` has the same distribution at one random number instead of V. Take this
    one to compare samplers option by option: with one seed, an option that is removed changes the choice only where it
    was the choice, and one that is added behind the last only where it is. It draws what :func:`without_replacement`
    draws first.

    Reference: Gumbel, *Statistical Theory of Extreme Values and Some Practical Applications*, 1954; Maddison, Tarlow
    and Minka, "A* sampling", NIPS 2014.
    """
    return Draw(pick=lambda scores, chance: namespace(scores).argmax(scores + chance.gumbels(), axis=-1))
