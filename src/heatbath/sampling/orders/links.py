"""What an engine does to the scores, as data: the steps with their arguments, and which of them change places."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from heatbath.core.arrays import is_number
from heatbath.made import MAKERS
from heatbath.sampling.adaptive import adaptive_p
from heatbath.sampling.ban import ban_sequences, bans, logit_bias
from heatbath.sampling.cutoffs import epsilon, eta, top_a
from heatbath.sampling.mirostat import mirostat_v1, mirostat_v2
from heatbath.sampling.penalise import frequency, presence, repetition
from heatbath.sampling.repeating import dry, no_repeat_ngram
from heatbath.sampling.shape import tail_free, top_h
from heatbath.sampling.smooth import smoothing
from heatbath.sampling.spread import top_n_sigma
from heatbath.sampling.step import Step
from heatbath.sampling.temper import temperature
from heatbath.sampling.truncate import min_p, top_k, top_p
from heatbath.sampling.typical import typical
from heatbath.sampling.xtc import xtc


class Link(NamedTuple):
    """A step, before it is made: its name and the arguments of its maker."""

    name: str
    arguments: Mapping[str, Any]

    def step(self) -> Step:
        """Make it."""
        return STEPS[self.name](**self.arguments)

    def scaled(self, argument: str, factor: float) -> "Link":
        """The same with one number times a factor."""
        return self.replaced(argument, self.arguments[argument] * factor)

    def replaced(self, argument: str, value: Any) -> "Link":
        """The same with one argument changed."""
        return Link(self.name, {**self.arguments, argument: value})


def _dynatemp(exponent: float = 1.0, **ends: float) -> Step:
    """By the middle and the range, as in llama.cpp, or by the ends."""
    make = MAKERS["thermostat"]  # the thermostats live in a room of their own, which the registry leads to
    if "range" in ends:
        return temperature(make["dynatemp"](ends["thermostat"], ends["range"], exponent))
    return temperature(make["by_confidence"](ends["low"], ends["high"], "entropy", exponent))


def _mirostat(version: int, tau: float, eta: float) -> Step:
    return (mirostat_v1 if version == 1 else mirostat_v2)(tau, eta, renormalised=True)


STEPS: dict[str, Callable[..., Step]] = {
    "logit_bias": logit_bias,
    "bans": bans,
    "ban_sequences": ban_sequences,
    "repetition": repetition,
    "presence": presence,
    "frequency": frequency,
    "no_repeat_ngram": no_repeat_ngram,
    "dry": dry,
    "temperature": temperature,
    "dynatemp": _dynatemp,
    "smoothing": smoothing,
    "top_n_sigma": top_n_sigma,
    "top_k": top_k,
    "top_p": top_p,
    "min_p": min_p,
    "typical": typical,
    "epsilon": epsilon,
    "eta": eta,
    "top_a": top_a,
    "top_h": top_h,
    "tail_free": tail_free,
    "xtc": xtc,
    "mirostat": _mirostat,
    "adaptive_p": adaptive_p,
}
"""The makers of the steps that engines have."""

MASKS = frozenset({"bans", "ban_sequences", "no_repeat_ngram"})
ADDED = {"logit_bias": "bias", "presence": "penalty", "frequency": "penalty", "dry": "multiplier"}
"""Steps that add to scores by what the text is, not by what the scores are; and the argument they are in proportion to.
"""
EARLY = MASKS | set(ADDED) | {"repetition"}
"""Steps that look at ids and at the text, not at the distribution."""
MAY_LOSE_THE_BEST = frozenset({"typical", "xtc", "adaptive_p"})


def swap(first: Link, second: Link) -> tuple[Link, Link] | None:
    """Two links in the other order that do the same to all scores, or None where there are none.

    With A the links that add (biases, presence, frequency, dry), R repetition, M bans and T a fixed temperature, in
    exact arithmetic and with all options that tie kept:

    * M, A, R and T change places with M; A with A; R with T, which divides and keeps every sign;
    * A, then T, is T and then A / T;
    * top_k and top_n_sigma change places with T, which keeps ranks, and scales distances and deviation alike;
    * T, then min_p(p), is min_p(p**T) and then T: both keep ``score >= max - T ln(1 / p)``;
    * T, then smoothing(f), is smoothing(f / T) and then T: both give ``-f d**2 / T**2``;
    * top_k and min_p change places: one keeps ranks, the other what is near the best, which both always keep.

    Nothing else does: masses (top_p, typical, epsilon, ...) change with T and with what was removed before.
    """
    names = {first.name, second.name}
    if names & MASKS:
        return (second, first) if names <= EARLY | {"temperature"} and _fixed(first, second) else None
    if names <= set(ADDED) or names == {"top_k", "min_p"}:
        return second, first
    if first.name == "temperature" == second.name:
        return second, first
    if first.name == "temperature" and _fixed(first):
        return _past(second, first, later=True)
    if second.name == "temperature" and _fixed(second):
        found = _past(first, second, later=False)
        return found and (found[1], found[0])
    return None


def _past(link: Link, heat: Link, *, later: bool) -> tuple[Link, Link] | None:
    """A link on the other side of a temperature; ``later``: it stands behind it now. Gives the link, then the heat."""
    t = float(heat.arguments["thermostat"])
    if link.name in ("repetition", "top_k", "top_n_sigma"):
        return link, heat
    if link.name == "min_p":
        return link.replaced("p", link.arguments["p"] ** (t if later else 1 / t)), heat
    if link.name == "smoothing" and link.arguments.get("curve", 1) == 1:
        return link.scaled("factor", 1 / t if later else t), heat
    if link.name == "logit_bias":
        scale = t if later else 1 / t
        return link.replaced("bias", {token: add * scale for token, add in dict(link.arguments["bias"]).items()}), heat
    if link.name in ADDED:
        return link.scaled(ADDED[link.name], t if later else 1 / t), heat
    return None


def _fixed(*links: Link) -> bool:
    """Whether every temperature among the links is a number above 0 and below infinity."""
    given = [link.arguments["thermostat"] for link in links if link.name == "temperature"]
    return all(is_number(t) and 0 < t < float("inf") for t in given)
