"""What steps that look back share: which of the tokens so far count, how much, and what repeats."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.core.arrays import in_library, tallied
from heatbath.core.numbers import check_whole
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.history import NO_TOKEN
from heatbath.sampling.parameters import beside
from heatbath.sampling.step import Moment
from heatbath.types import Array

Tokens = npt.NDArray[np.int64]


class Span(NamedTuple):
    """Which of the tokens so far count."""

    window: int | None
    """The latest so many; None: all."""
    prompt: bool
    """Whether those of the prompt do."""
    decay: int
    """Over how many tokens before the window the weight falls to nothing."""

    @property
    def reach(self) -> float:
        """How far back a token can count."""
        return math.inf if self.window is None else self.window + self.decay

    def weights(self, length: int) -> npt.NDArray[np.float64]:
        """The weight of each of the latest tokens, ``(length,)``: 1 within the window."""
        age = np.arange(length)[::-1]
        if self.window is None or not self.decay:
            return np.ones(length)
        return np.clip(1 - (age - self.window) / self.decay, 0, 1)


def check_span(window: Any, prompt: Any, decay: Any) -> Span:
    """The arguments of a step that say which tokens count.

    Raises:
        InputError: a window below 1, a decay below 0 or without a window, or a prompt that is neither True nor False.
    """
    if not isinstance(prompt, bool | np.bool_):
        raise InputError(
            f"prompt must be True or False, not {show(prompt):.60}",
            instead="write prompt=True to count the tokens of the prompt as well",
            field="prompt",
        )
    span = Span(check_window(window), bool(prompt), check_whole(decay, "decay", least=0))
    if span.decay and span.window is None:
        raise InputError(
            "decay has no meaning without a window: no token lies before it",
            instead="give a window, or leave decay out",
            field="decay",
        )
    return span


def check_window(window: Any) -> int | None:
    """How many of the latest tokens are looked at; None: all."""
    return None if window is None else check_whole(window, "window", example=64)


def latest(moment: Moment, reach: float) -> Array:
    """The latest tokens, one row per row of the scores, ``(rows, L)``; -1 before the first.

    In PyTorch, where they lie; else in NumPy.
    """
    tokens = moment.history
    if not isinstance(tokens, np.ndarray) and not array_api_compat.is_torch_array(tokens):
        tokens = np.asarray(tokens.tolist(), dtype=np.int64)
    text = tokens.reshape(math.prod(moment.scores.shape[:-1]), tokens.shape[-1])
    return text if reach == math.inf else text[:, max(text.shape[1] - int(reach), 0) :]


def options_of(tokens: Array, options: int) -> Array:
    """Which of the tokens are options; -1 and what stands for an image are none."""
    return (tokens != NO_TOKEN) & (tokens < options)


class Occurred(NamedTuple):
    """How the options occur in the tokens so far, in the scores' library and type."""

    count: Array
    """How often, every occurrence by its weight, ``(..., V)``."""
    last: Array
    """The weight of the latest occurrence, 0 where there is none, ``(..., V)``."""


def occurrences(moment: Moment, span: Span) -> Occurred:
    """Count the options in the tokens that a span takes in; tokens that are no options count for nothing."""
    options = moment.scores.shape[-1]
    tokens = latest(moment, span.reach)
    xp, length = namespace(tokens), tokens.shape[-1]
    counts = options_of(tokens, options)
    if not span.prompt:
        drawn = moment.drawn if array_api_compat.is_torch_array(moment.drawn) else np.asarray(moment.drawn)
        age = in_library(xp, np.arange(length)[::-1].copy(), tokens)
        counts = counts & (age < in_library(xp, drawn, tokens).reshape(-1, 1))
    weights = in_library(xp, span.weights(length), tokens) * xp.astype(counts, xp.float64)
    tallies = tallied(xp, xp.where(counts, tokens, xp.zeros_like(tokens)), weights, options)
    shape = tuple(moment.scores.shape)
    return Occurred(*(beside(xp.reshape(each, shape), moment.scores, "history") for each in tallies))


def repeats(tokens: Sequence[int]) -> list[int]:
    """Before each token, how many in a row are those that the text ends with.

    If entry i is n, writing token i once more would repeat the n tokens before it and itself. The Z-algorithm on the
    text read backwards: each entry starts from what an earlier match already says of it, so the time is linear.

    >>> from heatbath.sampling.past import repeats
    >>> repeats([1, 2, 3, 1, 2])
    [0, 0, 2, 0, 0]

    Reference: Gusfield, *Algorithms on Strings, Trees, and Sequences*, Cambridge University Press 1997, section 1.4.
    """
    length = len(tokens)
    back = tokens[::-1]
    matched = [0] * length
    start = end = 0  # back[start:end] equals the beginning of back, and no match seen so far ends later
    for place in range(1, length):
        known = max(min(end - place, matched[place - start]), 0)
        while place + known < length and back[known] == back[place + known]:
            known += 1
        matched[place] = known
        if place + known > end:
            start, end = place, place + known
    return [*([0] if length else []), *matched[:0:-1]]
