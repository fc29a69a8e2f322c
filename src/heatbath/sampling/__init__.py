"""Token sampling: steps that temper and truncate, draws that choose, and the chain that joins them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from heatbath.sampling.adaptive import adaptive_p
from heatbath.sampling.ban import ban_sequences, bans, logit_bias
from heatbath.sampling.chain import Sampled, Sampler, chain
from heatbath.sampling.continuation import Continuation, Continuations
from heatbath.sampling.cutoffs import epsilon, eta, p_less, top_a
from heatbath.sampling.draw import categorical, greedy, gumbel
from heatbath.sampling.left import check_drawn
from heatbath.sampling.lookahead import look_ahead
from heatbath.sampling.mirostat import mirostat_v1, mirostat_v2
from heatbath.sampling.penalise import frequency, penalties, presence, repetition
from heatbath.sampling.power import power
from heatbath.sampling.repeating import dry, no_repeat_ngram
from heatbath.sampling.serving import threads
from heatbath.sampling.several import Several, plackett_luce, without_replacement
from heatbath.sampling.shape import min_k, tail_free, top_h
from heatbath.sampling.smooth import smoothing
from heatbath.sampling.spread import top_n_sigma
from heatbath.sampling.step import Applied, Draw, Moment, Op, Step, stateless
from heatbath.sampling.streams import row_of, stack
from heatbath.sampling.temper import temperature
from heatbath.sampling.truncate import min_p, top_k, top_p
from heatbath.sampling.typical import typical
from heatbath.sampling.xtc import xtc

if TYPE_CHECKING:
    from heatbath.sampling import orders
    from heatbath.sampling.diagnosis import (
        Diagnosis,
        Effects,
        Estimate,
        Repeats,
        Response,
        Sensitivity,
        Verdict,
        Wanted,
        Written,
        diagnose,
        read_responses,
    )

# What a draw never needs comes when it is asked for, so that `import heatbath` stays fast.
LATER = {
    "orders": "heatbath.sampling.orders",
    "Diagnosis": "heatbath.sampling.diagnosis",
    "Effects": "heatbath.sampling.diagnosis",
    "Estimate": "heatbath.sampling.diagnosis",
    "Repeats": "heatbath.sampling.diagnosis",
    "Response": "heatbath.sampling.diagnosis",
    "Sensitivity": "heatbath.sampling.diagnosis",
    "Verdict": "heatbath.sampling.diagnosis",
    "Wanted": "heatbath.sampling.diagnosis",
    "Written": "heatbath.sampling.diagnosis",
    "diagnose": "heatbath.sampling.diagnosis",
    "read_responses": "heatbath.sampling.diagnosis",
}

__all__ = [
    "Applied",
    "Continuation",
    "Continuations",
    "Diagnosis",
    "Draw",
    "Effects",
    "Estimate",
    "Moment",
    "Op",
    "Repeats",
    "Response",
    "Sampled",
    "Sampler",
    "Sensitivity",
    "Several",
    "Step",
    "Verdict",
    "Wanted",
    "Written",
    "adaptive_p",
    "ban_sequences",
    "bans",
    "categorical",
    "chain",
    "check_drawn",
    "diagnose",
    "dry",
    "epsilon",
    "eta",
    "frequency",
    "greedy",
    "gumbel",
    "logit_bias",
    "look_ahead",
    "min_k",
    "min_p",
    "mirostat_v1",
    "mirostat_v2",
    "no_repeat_ngram",
    "orders",
    "p_less",
    "penalties",
    "plackett_luce",
    "power",
    "presence",
    "read_responses",
    "repetition",
    "row_of",
    "smoothing",
    "stack",
    "stateless",
    "tail_free",
    "temperature",
    "threads",
    "top_a",
    "top_h",
    "top_k",
    "top_n_sigma",
    "top_p",
    "typical",
    "without_replacement",
    "xtc",
]


def __getattr__(name: str) -> Any:
    """Import what stands in `LATER` at its first use."""
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(LATER[name])
    if name not in globals():  # a room names itself here when it is imported
        globals()[name] = getattr(module, name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(globals() | dict.fromkeys(LATER))
