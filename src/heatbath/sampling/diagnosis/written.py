"""What is known of a text: scores, tokens, probabilities, or no more than its words."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from heatbath.core import as_scores, namespace
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.mask import allow
from heatbath.types import Array

PLACEHOLDER = -9999.0
"""What interfaces write in place of a log-probability that is too low for them, -inf included."""


class Written(NamedTuple):
    """One text, with whatever is known of it. Everything has one entry per decision, in order; leave out the rest.

    >>> import numpy as np, heatbath as hb
    >>> hb.sampling.Written(logits=np.zeros((2, 3)), tokens=[0, 2]).tokens
    [0, 2]

    How to choose: scores and tokens tell most; log-probabilities with the best alternatives beside them tell which T
    was used; log-probabilities alone how surprising the text is; tokens or words alone whether it repeats itself.
    """

    logits: Array | None = None
    """The model's scores before any temperature or truncation, ``(N, V)``; for one decision, ``(V,)``."""
    tokens: Sequence[Hashable] | None = None
    """What was drawn: token ids, ``(N,)``; texts of tokens where there are no logits."""
    logprobs: Sequence[float | None] | None = None
    """ln p of what was drawn, ``(N,)``; None where it is not known, and -9999 counts as -inf."""
    top_logprobs: Sequence[Mapping[Hashable, float] | None] | None = None
    """ln p of the best tokens at each decision, the drawn one among them or not."""
    mask: Array | None = None
    """Which options a truncation left, booleans ``(N, V)``; None: all."""
    text: str | None = None
    """The words, where there are no tokens."""
    tempered: bool | None = None
    """Whether the log-probabilities are those after division by T; None: not known."""


def after_temperature(texts: Sequence[Written]) -> bool | None:
    """Whether log-probabilities are those after the temperature, as all texts that have some say; None: not known."""
    said = {text.tempered for text in texts if text.logprobs is not None or text.top_logprobs is not None}
    return said.pop() if len(said) == 1 else None


def check(text: Written) -> Written:
    """The text with its logits, as ``(N, V)`` in float32 or wider, and its tokens, as a list.

    Raises:
        InputError: nothing is known, lengths disagree, or values that are no scores, tokens or log-probabilities.
    """
    if all(value is None for value in text._replace(tempered=None)):
        raise InputError(
            "nothing is known of the text",
            instead="give logits, tokens, logprobs, top_logprobs or text",
            field="logits",
        )
    if text.logits is not None:
        text = text._replace(logits=_scores(text.logits))
    if text.mask is not None:
        if text.logits is None:
            raise InputError("a mask says which logits were left", instead="give the logits as well", field="mask")
        allow(text.logits, text.mask)
    if text.tokens is not None:
        text = text._replace(tokens=_tokens(text.tokens, text.logits))
    if text.logprobs is not None:
        text = text._replace(logprobs=[_logprob(value) for value in _listed(text.logprobs, "logprobs")])
    if text.top_logprobs is not None:
        text = text._replace(top_logprobs=[_tops(each) for each in _listed(text.top_logprobs, "top_logprobs")])
    if text.text is not None and not isinstance(text.text, str):
        raise InputError(f"a text is expected, not {show(text.text):.60}", instead="give a str", field="text")
    tempered: Any = text.tempered
    if tempered is not None and not isinstance(tempered, bool):
        why = f"tempered is True, False or None, not {show(tempered):.60}"
        raise InputError(why, instead="leave it out if it is not known", field="tempered")
    lengths = {name: len(getattr(text, name)) for name in _LONG if getattr(text, name) is not None}
    for (name, length), (other, more) in pairwise(lengths.items()):
        if length != more:
            raise InputError(
                f"there are {length} {name} and {more} {other}",
                instead="give one of each per decision",
                field=other,
            )
    if text.logits is not None and text.tokens:
        _check_open(text.logits, text.tokens, "is forbidden there, its score is -inf", "tokens")
        if text.mask is not None:
            _check_open(allow(text.logits, text.mask), text.tokens, "is not among those that the mask has left", "mask")
    return text


_LONG = ("logits", "tokens", "logprobs", "top_logprobs")


def _scores(logits: Any) -> Array:
    scores = as_scores(logits)
    xp = namespace(scores)
    scores = xp.astype(scores, xp.float32) if scores.dtype.itemsize < 4 else scores
    scores = scores[None, :] if scores.ndim == 1 else scores
    if scores.ndim != 2:
        raise InputError(
            f"the scores have shape {tuple(scores.shape)}",
            instead="give the decisions of one text, (N, V), and several texts as a list of Written",
            field="logits",
        )
    return scores


def _tokens(tokens: Any, logits: Array | None) -> Sequence[Hashable]:
    given = _listed(tokens, "tokens")
    if logits is None:
        if not all(isinstance(token, Hashable) for token in given):
            raise InputError(
                "a token is an id or a text",
                on=f"tokens={show(given):.60}",
                instead="give one list of tokens per text",
                field="tokens",
            )
        return given
    options = logits.shape[-1]
    for token in given:
        if isinstance(token, bool) or not isinstance(token, int) or not 0 <= token < options:
            raise InputError(
                f"with {options} options a token is a whole number from 0 to {options - 1}, not {show(token):.60}",
                instead="give the ids of what was drawn from these logits",
                field="tokens",
            )
    return given


def _check_open(scores: Array, tokens: Sequence[Any], why: str, field: str) -> None:
    """Refuse a token that could not be drawn."""
    xp = namespace(scores)
    index = xp.asarray(tokens, device=getattr(scores, "device", None))[:, None]
    for row, score in enumerate(xp.take_along_axis(scores, index, axis=-1)[:, 0].tolist()):
        if score == -np.inf:
            raise InputError(
                f"token {tokens[row]} {why}",
                on=f"decision {row} of tokens",
                instead="give what the tokens were drawn from: row i for token i",
                field=field,
            )


def _listed(values: Any, field: str) -> list[Any]:
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Sequence):
        raise InputError(
            f"{field} is a list, not {show(values):.60}", instead="give one entry per decision", field=field
        )
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _logprob(value: Any) -> float:
    """NaN where it is not known."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= 1e-5:  # rounding of float32
        raise InputError(
            f"a log-probability is a number <= 0, not {show(value):.60}",
            instead="give natural logarithms of probabilities, and None where one is not known",
            field="logprobs",
        )
    return float("-inf") if value <= PLACEHOLDER else min(float(value), 0.0)


def _tops(given: Any) -> dict[Hashable, float]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InputError(
            f"the alternatives of a decision are a mapping, not {show(given):.60}",
            instead="give for example {' king': -0.5, ' wolf': -1.2}",
            field="top_logprobs",
        )
    tops = {token: _logprob(value) for token, value in given.items()}
    if sum(np.exp(list(tops.values()))) > 1.01:
        raise InputError(
            f"the probabilities of {show(dict(given)):.60} add up to more than 1",
            instead="give natural logarithms of probabilities",
            field="top_logprobs",
        )
    return tops
