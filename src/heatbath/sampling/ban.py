"""Steps that move or remove options by their ids, whatever their scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library, is_number, overflowing, tallied
from heatbath.core.numbers import as_float
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.sampling.ids import check_ids, check_known, listed
from heatbath.sampling.left import check_left, forbid
from heatbath.sampling.parameters import beside
from heatbath.sampling.past import latest
from heatbath.sampling.step import Applied, Moment, Step, stateless
from heatbath.types import Array, State

ANY = -2
"""In front of a shorter sequence, where any token may stand."""


@maker("step")
def logit_bias(bias: Any) -> Step:
    """Add a number to the scores of named options: ``score + bias``.

    Arguments:
        bias: token ids and numbers, as a mapping ``{50256: -100}`` or as pairs ``[[50256, -100]]``, which is how it is
            written in text; at least one, each id once. A finite number, or -inf, which bans the option.

    At the boundaries: an option that is forbidden stays so. -100 and 100 are numbers like others, and in practice
    forbid and force, as with OpenAI.

    Raises:
        InputError: something else than ids and numbers, +inf, or an id twice; at a step, an id that no option has, or
            nothing left.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.logit_bias({2: -np.inf, 0: 1})).scores((), np.array([1.0, 2.0, 3.0])).scores
    array([  2.,   2., -inf])

    How to choose: 1 to 5 to nudge; :func:`bans` to forbid. Before a temperature it is divided by T with the rest.

    Reference: the interface of OpenAI, where it goes from -100 to 100.
    """
    with while_doing("making logit_bias", f"logit_bias({show(bias):.60})"):
        pairs = _pairs(bias)

    def add(scores: Array) -> Array:
        options = scores.shape[-1]
        check_known(pairs, options, "bias")
        shift = np.zeros(options)
        shift[list(pairs)] = list(pairs.values())
        with overflowing():  # what no float can hold is refused below
            moved = scores + beside(shift, scores, "bias")
        return check_left(moved, "nothing is left to choose from", "ban fewer options, or give numbers nearer to 0")

    return stateless(add)


@maker("step")
def bans(tokens: Any) -> Step:
    """Forbid the options with these ids.

    Arguments:
        tokens: token ids, at least one.

    Raises:
        InputError: something else than ids; at a step, an id that no option has, or nothing left.

    >>> import numpy as np, heatbath as hb
    >>> hb.chain(hb.sampling.bans([0, 2])).scores((), np.array([1.0, 2.0, 3.0])).scores
    array([-inf,   2., -inf])

    How to choose: for tokens that must never come, such as the one that ends a text; what depends on the text so far,
    such as a grammar, comes as the ``mask`` of :meth:`heatbath.Sampler.step`.
    """
    with while_doing("making bans", f"bans({show(tokens):.60})"):
        ids = list(check_ids(tokens, "tokens", "write for example bans([50256])"))

    def remove(scores: Array) -> Array:
        options = scores.shape[-1]
        check_known(ids, options, "tokens")
        banned = np.zeros(options, bool)
        banned[ids] = True
        return forbid(scores, banned)

    return stateless(remove)


@maker("step")
def ban_sequences(sequences: Any) -> Step:
    """Keep sequences of tokens from being written: the last token of one is forbidden where the others just came.

    Arguments:
        sequences: a list of lists of token ids; one of a single id is always forbidden. Prompt and generated tokens
            count alike as the beginning of a sequence.

    Raises:
        InputError: something else than lists of ids; at a step, an id that no option has, or nothing left.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.ban_sequences([[0, 1, 2]]))
    >>> sampler.scores(sampler.init([0, 1]), np.array([1.0, 2.0, 3.0])).scores
    array([  1.,   2., -inf])

    How to choose: for words that must not come. One word has several spellings in tokens (with a space in front, with a
    capital, cut elsewhere): ban all of them. vLLM and transformers call this bad words.
    """
    with while_doing("making ban_sequences", f"ban_sequences({show(sequences):.60})"):
        example = "write for example ban_sequences([[5, 17], [5, 21, 3]])"
        banned = [check_ids(sequence, "sequences", example) for sequence in listed(sequences, "sequences", example)]
    longest = max(1, *(len(sequence) - 1 for sequence in banned))  # a step that looks back is always shown something
    beginnings = np.full((len(banned), longest), ANY)
    for row, (*beginning, _) in zip(beginnings, banned, strict=True):
        row[longest - len(beginning) :] = beginning
    lasts = np.array([sequence[-1] for sequence in banned])

    def apply(state: State, moment: Moment) -> Applied:
        scores, options = moment.scores, moment.scores.shape[-1]
        check_known((token for sequence in banned for token in sequence), options, "sequences")
        text = latest(moment, longest)
        xp, missing = namespace(text), longest - text.shape[-1]
        some = (beginnings[:, :missing] == ANY).all(axis=-1)  # the others are longer than the text
        wanted, last = (in_library(xp, array, text) for array in (beginnings[some, missing:], lasts[some]))
        came = xp.all((text[:, None, :] == wanted) | (wanted == ANY), axis=-1)
        _, forbidden = tallied(xp, xp.broadcast_to(last, came.shape), xp.astype(came, xp.float64), options)
        return Applied(forbid(scores, xp.reshape(forbidden > 0, scores.shape)), state)

    return Step(apply=apply, looks_back=longest)


def _pairs(bias: Any) -> dict[int, float]:
    instead = "write for example logit_bias([[50256, -100]])"
    pairs = [
        listed(pair, "every pair of bias", instead)
        for pair in listed(list(bias.items()) if isinstance(bias, Mapping) else bias, "bias", instead)
    ]
    if any(len(pair) != 2 for pair in pairs):
        raise InputError("bias is made of pairs: a token id and a number", instead=instead, field="bias")
    ids = check_ids([token for token, _ in pairs], "bias", instead)
    numbers = [number for _, number in pairs]
    for token, number in zip(ids, numbers, strict=True):
        if not is_number(number) or not as_float(number, "bias") < np.inf:
            raise InputError(
                f"the bias of {token} must be a finite number or -inf, not {show(number):.60}",
                instead="write 100 to force an option, or ban the others",
                field="bias",
            )
    if len(set(ids)) < len(ids):
        twice = next(token for place, token in enumerate(ids) if token in ids[:place])
        raise InputError(f"{twice} has more than one bias", instead="give each id once", field="bias")
    return {token: as_float(number, "bias") for token, number in zip(ids, numbers, strict=True)}
