"""Whole continuations of prompts: what they are, what is told of them, and what may be asked.

A continuation ends with a stop token, which counts as its last token, or has ``max_tokens`` tokens. No continuation is
the beginning of another, so their probabilities ``p(x) = prod_t p(x_t | x_<t)`` add up to 1.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from heatbath.core.numbers import check_number, check_whole
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import Model


class Continuation(NamedTuple):
    """A continuation that was sampled from a power of the model, and what it took."""

    tokens: tuple[int, ...]
    """The last of them is a stop token where the model ended the text. Tokenizers decode those to nothing."""
    log_p: float
    """ln p of the whole continuation under the model at T = 1, stop token included, in nats."""
    drawn: int
    """Tokens that were drawn, one after the other, the thrown away ones included."""
    read: int
    """Tokens that the model read beside those that were drawn: the prompt, and the beginning of what is drawn anew."""
    trace: tuple[float, ...] = ()
    """ln p after each move of :func:`heatbath.sampling.power`; where it still climbs at the end, more moves are
    wanted."""
    accepted: tuple[bool, ...] = ()
    """Whether each move was accepted."""

    @property
    def acceptance(self) -> float:
        """The share of the moves that were accepted; NaN without moves."""
        return sum(self.accepted) / len(self.accepted) if self.accepted else math.nan


class Continuations(NamedTuple):
    """What :func:`heatbath.sampling.power` and :func:`heatbath.sampling.look_ahead` give back."""

    rows: tuple[Continuation, ...]
    """One per prompt."""
    calls: int
    """How often the model was called for all rows together."""


class Asked(NamedTuple):
    """The arguments that both ways of sampling share, checked."""

    prompts: list[tuple[int, ...]]
    alpha: float
    max_tokens: int


def read_asked(model: Model, prompts: Any, temperature: Any, alpha: Any, max_tokens: Any) -> Asked:
    """Check prompts, T or alpha, and length; the caller adds *doing what*."""
    length = check_whole(max_tokens, "max_tokens", example=40)
    return Asked(_read_prompts(model, prompts, length), _read_alpha(temperature, alpha), length)


def _read_alpha(temperature: Any, alpha: Any) -> float:
    if (temperature is None) == (alpha is None):
        given = "neither temperature nor alpha is given" if alpha is None else "both temperature and alpha are given"
        raise InputError(
            f"{given}, and the one is 1 over the other",
            instead="write temperature=0.25, or alpha=4 for the same",
            field="temperature" if alpha is None else "alpha",
        )
    name = "alpha" if temperature is None else "temperature"
    number = check_number(
        alpha if temperature is None else temperature,
        name,
        "a number from 1e-300 to 1e300",
        lambda value: 1e-300 <= value <= 1e300,
        example=4.0 if temperature is None else 0.25,
    )
    return number if temperature is None else 1 / number


def _read_prompts(model: Model, prompts: Any, length: int) -> list[tuple[int, ...]]:
    plain = prompts.tolist() if hasattr(prompts, "tolist") else prompts
    fine = isinstance(plain, Sequence) and not isinstance(plain, str | bytes) and len(plain) > 0
    rows = [row.tolist() if hasattr(row, "tolist") else row for row in plain] if fine else []
    if not fine or not all(isinstance(row, Sequence) and not isinstance(row, str | bytes) for row in rows):
        raise InputError(
            "the prompts are sequences of token ids, one per row",
            on=f"prompts={show(prompts):.60}",
            instead="write for example [model.tokenizer.encode('Once upon a time')] * 8 for eight rows",
            field="prompts",
        )
    for number, row in enumerate(rows):
        if not all(_is_whole(token) and 0 <= token < model.vocabulary for token in row):
            raise InputError(
                f"{model.name} has tokens 0 to {model.vocabulary - 1}",
                on=f"prompt {number}, {show(row):.60}",
                instead="use the model's own tokenizer",
                field="prompts",
            )
        room = model.context - max(len(row), 1)  # an empty prompt is one token to a model that has a first one
        if room < length:
            raise InputError(
                f"with {len(row)} tokens it leaves room for {max(room, 0)}, as {model.name} reads {model.context} at "
                f"most, and max_tokens={length} is part of what is sampled from",
                on=f"prompt {number}",
                instead=f"write max_tokens={room}" if room > 0 else "shorten the prompt",
                field="max_tokens",
            )
    return [tuple(map(int, row)) for row in rows]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
