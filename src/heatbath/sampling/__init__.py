"""Token sampling: steps that temper and truncate, draws that choose, and the chain that joins them."""

from heatbath.sampling.chain import Sampled, Sampler, chain
from heatbath.sampling.draw import categorical, greedy
from heatbath.sampling.step import Applied, Draw, Step, stateless
from heatbath.sampling.streams import row_of, stack
from heatbath.sampling.temper import temperature
from heatbath.sampling.truncate import min_p, top_k, top_p

__all__ = [
    "Applied",
    "Draw",
    "Sampled",
    "Sampler",
    "Step",
    "categorical",
    "chain",
    "greedy",
    "min_p",
    "row_of",
    "stack",
    "stateless",
    "temperature",
    "top_k",
    "top_p",
]
