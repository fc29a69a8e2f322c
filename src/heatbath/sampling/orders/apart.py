"""Settings that engines have and no chain carries, and why."""

from typing import NamedTuple

from heatbath.sampling.orders.values import NOT_GIVEN, Values


class Reason(NamedTuple):
    """Why no chain carries a setting."""

    why: str
    instead: str
    """What to write to get it all the same."""
    same: bool = False
    """Whether settings of several engines with this reason stand for the same."""


class Apart(NamedTuple):
    """A setting that an engine has and no chain carries."""

    name: str
    reason: Reason
    off: Values = NOT_GIVEN
    """Values that ask for nothing, so that the setting may be given with them."""


def apart(reason: Reason, *names: str, off: Values = NOT_GIVEN) -> tuple[Apart, ...]:
    """Several settings with one reason; the usual one first."""
    return tuple(Apart(name, reason, off) for name in names)


_MASK = "give what is allowed at each step: sampler.step(state, logits, seed=7, mask=allowed)"
_LEAVE = "leave it out"

SEED = Reason(
    "a chain holds no seed, and no two engines have the same random numbers",
    "give one at each draw: sampler.step(state, logits, seed=7)",
    same=True,
)
LENGTH = Reason(
    "how long a text gets is up to the loop that asks for its tokens", "leave it out, and end the loop", same=True
)
STOP = Reason("where a text ends is up to the loop that asks for its tokens", "leave it out, and end the loop")
COUNT = Reason(
    "how many texts are written is up to the loop that asks for them",
    "leave it out, and give a row for each",
    same=True,
)
SHORTEST = Reason("a chain does not know which token ends a text", f"forbid that token for as long: {_MASK}", same=True)
NO_END = Reason("a chain does not know which token ends a text", "ban that token by its id")
ALLOWED = Reason("what may follow is told to each step, not to the chain", _MASK)
AT_A_PLACE = Reason("it acts at some places of a text only, or grows with its length", _MASK)
TEXTS = Reason("it bans texts, and a chain sees token ids", "ban the ids of their tokens")
SHOWN = Reason("it changes what is reported, not what is drawn", _LEAVE)
RUNNING = Reason("it changes how the model runs, not what is drawn from its scores", _LEAVE)
BEAMS = Reason("it is about beams, which are searched for and not drawn", _LEAVE)
TWO_PROMPTS = Reason("it mixes the scores of two prompts before anything is drawn", "give the chain the mixed scores")
ENCODER = Reason("it looks at the text of an encoder, which a chain is not shown", _LEAVE)
INSIDE = Reason("it chooses by the model's inner states, and a chain sees its scores", _LEAVE)
WATERMARK = Reason("a chain leaves no watermark", _LEAVE)
YOURS = Reason("what that code does to the scores cannot be known here", "call it on the scores before the chain")
MENDED = Reason("NaN and +inf are refused here and not mended", "mend the scores before the chain")
SKEWED = Reason("it bends the random number, and not what is drawn from", _LEAVE)
WHOLE_REPEATS = Reason("a step counts a repeated passage as far as it goes", _LEAVE)
AT_LEAST = Reason("a step keeps what its rule keeps, and always one option", _LEAVE)
ADDED_BEFORE = Reason("it is a tensor as long as the vocabulary", "add it to the scores before the chain")
UNKNOWN = Reason("which of its runtimes applies it, and at what place, is not established", _MASK)
NO_EFFECT = Reason("it is accepted there and does nothing", _LEAVE)
