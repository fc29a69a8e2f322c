"""Steps against the repetition of passages: they look where the text has gone on from words like its last."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library, overflowing, tallied
from heatbath.errors import while_doing
from heatbath.made import Made, maker
from heatbath.sampling.followed import repeated, since
from heatbath.sampling.history import NO_TOKEN
from heatbath.sampling.ids import check_ids, listed
from heatbath.sampling.left import check_left, forbid
from heatbath.sampling.parameters import beside, check_argument, check_parameter, check_rows, per_row
from heatbath.sampling.past import Tokens, check_window, latest, options_of, repeats
from heatbath.sampling.step import Applied, Moment, Step
from heatbath.types import Array, State

MOST = 88.0
"""The logarithm of the largest power in :func:`dry`; e**88.7 is the largest number of float32, and llama.cpp's."""


@maker("step")
def no_repeat_ngram(n: Any) -> Step:
    """Forbid every token that would complete a sequence of ``n`` tokens for the second time.

    Arguments:
        n: an integer >= 1, or one per row; 1 forbids every token that has come. Prompt and generated tokens count
            alike.

    At the boundary: a text of fewer than n tokens has nothing to repeat.

    Raises:
        InputError: n is no whole number >= 1; at a step, nothing left.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.no_repeat_ngram(3))
    >>> sampler.scores(sampler.init([0, 1, 2, 0, 1]), np.array([1.0, 2.0, 3.0])).scores
    array([  1.,   2., -inf])

    How to choose: 3 or 4 in summaries. It is blunt: a name of n tokens can come but once, quotations included.
    :func:`dry` lowers scores instead, the more the longer the passage.

    Reference: Paulus, Xiong and Socher, "A deep reinforced model for abstractive summarization", ICLR 2018, there with
    n = 3 and in beam search.
    """
    size = check_parameter(
        n,
        "no_repeat_ngram",
        lambda n: n >= 1,
        "n must be a whole number >= 1",
        "write for example no_repeat_ngram(3)",
        whole=True,
    )

    def apply(state: State, moment: Moment) -> Applied:
        scores = moment.scores
        check_rows("n", size, scores)
        check_rows("n", size, scores)
        text, options = latest(moment, np.inf), scores.shape[-1]
        longest = _longest(text, options, int(size.max()) - 1, ())
        least = per_row(size - 1, longest, "n")
        return Applied(forbid(scores, namespace(scores).reshape(longest >= least, scores.shape)), state)

    return Step(apply=apply, looks_back=np.inf)


@maker("step")
def dry(multiplier: Any, base: Any = 1.75, allowed_length: Any = 2, window: Any = None, breakers: Any = ()) -> Step:
    """Don't repeat yourself: lower a token the more, the longer the passage that it would repeat.

    ``score - multiplier * base ** (n - allowed_length)`` for a token that followed, somewhere in the text, the same n
    tokens that the text ends with, if n >= allowed_length; n is that of the longest such passage.

    Arguments:
        multiplier: a finite number >= 0, or one per row; 0 changes nothing.
        base: a finite number >= 1, or one per row.
        allowed_length: an integer >= 1, or one per row: passages of so many tokens may come again, and what would make
            them longer is lowered.
        window: only the latest so many tokens are looked at, an integer >= 1; None: all. Prompt and generated tokens
            count alike.
        breakers: token ids, and lists of token ids, that no repeated passage reaches across, such as line breaks and
            the marks of a chat: passages are compared back to the breaker that began last, and of those that began
            there to the longest.

    At the boundaries: a token that is a breaker by itself is never lowered; the power stops growing at e**88, which
    float32 can still hold.

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.dry(1.0, base=2.0, allowed_length=1))
    >>> sampler.scores(sampler.init([0, 1, 2, 0, 1]), np.array([1.0, 2.0, 3.0])).scores
    array([1., 2., 1.])

    How to choose: ``dry(0.8)`` against models that loop or copy whole phrases from the prompt; words alone may repeat,
    which :func:`repetition` punishes. Give the tokens of line breaks, colons, quotation marks and names as breakers
    where the form of a text repeats by design. Put it before any temperature.

    Reference: p-e-w, text-generation-webui, pull request 5677, 2024, without breakers of several tokens; those, and the
    search in linear time, are of pi6am, koboldcpp, pull request 982, 2024, and of llama.cpp, whose results these are.
    """
    with while_doing("making dry", Made("dry", ((None, multiplier),))):
        strength = check_argument(
            multiplier, "multiplier", lambda n: (n >= 0) & np.isfinite(n), "a finite number >= 0", 0.8
        )
        bases = check_argument(base, "base", lambda n: (n >= 1) & np.isfinite(n), "a finite number >= 1", 1.75)
        allowed = check_argument(
            allowed_length, "allowed_length", lambda n: n >= 1, "a whole number >= 1", 2, whole=True
        )
        reach = check_window(window)
        bounds = _breakers(breakers)
    with np.errstate(divide="ignore"):  # the powers of 1 do not grow
        furthest = MOST / np.log(bases.astype(np.float64))
    ends = np.where(np.isfinite(furthest), np.ceil(furthest), 0)
    enough = float(np.max(allowed + ends))  # of a passage: the power has stopped growing

    def apply(state: State, moment: Moment) -> Applied:
        scores = moment.scores
        xp = namespace(scores)
        longest = _longest(latest(moment, reach or np.inf), scores.shape[-1], enough, bounds)
        longest = xp.reshape(beside(longest, scores, "history"), scores.shape)
        beyond = longest - per_row(allowed, scores, "allowed_length")
        power = per_row(bases, scores, "base") ** xp.minimum(beyond, per_row(furthest, scores, "base"))
        with overflowing():  # what no float can hold is refused below
            lowered = scores - per_row(strength, scores, "multiplier") * power
        scores = xp.where(beyond >= 0, lowered, scores)
        scores = check_left(
            scores, "the penalty moves a score beyond what numbers can hold", "give a smaller multiplier"
        )
        return Applied(scores, state)

    return Step(apply=apply, looks_back=reach or np.inf)


def _longest(text: Array, options: int, most: float, breakers: Sequence[tuple[int, ...]]) -> Array:
    """How many tokens before each option, somewhere in the text, are those that the text ends with, ``(B, V)``.

    The most of them where it came more than once, -1 where it did not come or is a breaker by itself. In PyTorch no
    more than ``most`` are told from ``most``, and nothing is read.
    """
    xp = namespace(text)
    alone = np.array([first for first, *rest in breakers if not rest], dtype=np.int64)
    lengths: Array
    back: Array
    if xp is np:
        lengths = np.array([_repeats(row) for row in text]).reshape(text.shape)
        back = np.array([_since(row.tolist(), breakers) for row in text])
    else:
        lengths = repeated(text, int(min(most, text.shape[-1])))
        back = since(text, breakers) if breakers else None
    if breakers:
        lengths = xp.minimum(lengths, back[:, None])
    counts = options_of(text, options) & ~xp.any(text[..., None] == in_library(xp, alone, text), axis=-1)
    came = xp.where(counts, xp.astype(lengths, xp.float64) + 1, 0.0)
    return tallied(xp, xp.where(counts, text, 0), came, options)[1] - 1


def _repeats(row: Tokens) -> list[int]:
    """Of a text that may be younger than its row: -1 stands in front."""
    tokens = row[row != NO_TOKEN].tolist()
    return [0] * (len(row) - len(tokens)) + repeats(tokens)


def _breakers(breakers: Any) -> list[tuple[int, ...]]:
    instead = "write for example breakers=[198, [13, 198]]"
    if isinstance(breakers, list | tuple) and not breakers:
        return []
    several = (list, tuple, np.ndarray)
    return [
        check_ids(breaker if isinstance(breaker, several) else [breaker], "breakers", instead)
        for breaker in listed(breakers, "breakers", instead)
    ]


def _since(text: Sequence[int], breakers: Sequence[tuple[int, ...]]) -> int:
    """How many tokens came after the breaker that began last; all of them where there is none."""
    heads = {breaker[0] for breaker in breakers}
    for start in range(len(text) - 1, -1, -1):
        if text[start] in heads:
            found = [len(each) for each in breakers if tuple(text[start : start + len(each)]) == each]
            if found:
                return len(text) - start - max(found)
    return len(text)
