"""Whole continuations of prompts: what they are, what is known of them, and how they grow side by side.

A continuation ends with a stop token, which counts as its last token, or has ``max_tokens`` tokens. No continuation is
the beginning of another, so their probabilities ``p(x) = prod_t p(x_t | x_<t)`` add up to 1.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from heatbath.core.numbers import check_number, check_whole
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.chain import Sampler
from heatbath.sampling.random import Words
from heatbath.sampling.streams import row_of, stack
from heatbath.types import Model, State


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


class Text(NamedTuple):
    """A continuation, or the beginning of one, token by token."""

    tokens: tuple[int, ...]
    log_p: tuple[float, ...]
    """Of each token under the model."""
    log_q: tuple[float, ...]
    """Of each token under the chain that drew it."""
    states: tuple[State, ...]
    """The chain's state before each token, and after the last."""

    def until(self, place: int) -> "Text":
        """The first tokens."""
        return Text(self.tokens[:place], self.log_p[:place], self.log_q[:place], self.states[: place + 1])


@dataclass
class Cost:
    """What the model has done, for each row and in all."""

    drawn: list[int]
    read: list[int]
    calls: int = 0


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
        "a number above 0 whose reciprocal is finite too",
        lambda value: 0 < value < math.inf and value >= 1 / 1.7e308,
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
        if not all(type(token) is int and 0 <= token < model.vocabulary for token in row):
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
    return [tuple(row) for row in rows]


@dataclass
class _Growing:
    """A text that is being written."""

    row: int
    seed: int
    state: State
    waiting: list[int]
    """Tokens of the text that the model has yet to read, the next one last."""
    tokens: list[int] = field(default_factory=list)
    log_p: list[float] = field(default_factory=list)
    log_q: list[float] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    def after(self, text: Text) -> Text:
        """The text with what was written behind it."""
        return Text(
            (*text.tokens, *self.tokens),
            (*text.log_p, *self.log_p),
            (*text.log_q, *self.log_q),
            (*text.states, *self.states),
        )


def ended(text: Text, model: Model, limit: int) -> bool:
    """Whether it is a continuation of at most so many tokens."""
    return len(text.tokens) >= limit or bool(text.tokens and text.tokens[-1] in model.stop_tokens)


def grow(
    model: Model,
    proposal: Sampler,
    prompts: Sequence[tuple[int, ...]],
    texts: Sequence[Text],
    seeds: Words,
    limit: int,
    cost: Cost,
) -> list[Text]:
    """Each text with tokens of the proposal behind it, until it stops or has ``limit`` tokens.

    The rows share the calls of the model, never their randomness: each depends on its own seed alone.
    """
    # Where a prompt is empty, the model may begin with a token that only it knows; it reads such a text token by token.
    writing = [
        _Growing(row, int(seeds[row]), text.states[-1], [] if prompts[row] else list(reversed(text.tokens)))
        for row, text in enumerate(texts)
        if not ended(text, model, limit)
    ]
    written = {one.row: one for one in writing}
    begins = [(*prompts[one.row], *(texts[one.row].tokens if prompts[one.row] else ())) for one in writing]
    for one, begin in zip(writing, begins, strict=True):
        cost.read[one.row] += len(begin)
    if writing:
        scores, cache = model.start(begins)
        cost.calls += 1
    while writing:
        ready = [place for place, one in enumerate(writing) if not one.waiting]
        following = [one.waiting.pop() if one.waiting else -1 for one in writing]
        for place, one in enumerate(writing):
            cost.read[one.row] += following[place] >= 0
        if ready:
            for place, token in zip(ready, _draw(proposal, [writing[i] for i in ready], scores[ready]), strict=True):
                following[place] = token
                cost.drawn[writing[place].row] += 1
        keep = [
            place
            for place, one in enumerate(writing)
            if not one.tokens
            or (one.tokens[-1] not in model.stop_tokens and len(texts[one.row].tokens) + len(one.tokens) < limit)
        ]
        if not keep:
            break
        cache = cache.rows(keep) if len(keep) < len(writing) else cache
        writing = [writing[place] for place in keep]
        scores, cache = model.step(cache, [following[place] for place in keep])
        cost.calls += 1
    return [written[row].after(text) if row in written else text for row, text in enumerate(texts)]


def _draw(proposal: Sampler, writing: Sequence[_Growing], scores: Any) -> Iterable[int]:
    """One more token for each."""
    states = stack([one.state for one in writing])
    seeds = np.array([one.seed for one in writing], dtype=np.uint64)
    choice, after, reading = proposal.step(states, scores, seed=seeds, reading=True)
    tokens: list[int] = choice.tolist()
    if reading is not None:
        log_p, log_q = (-reading.surprisal).tolist(), (-reading.surprisal_after).tolist()
    for row, one in enumerate(writing):
        one.state = row_of(one.state, after, row)
        one.tokens.append(tokens[row])
        one.log_p.append(log_p[row])
        one.log_q.append(log_q[row])
        one.states.append(one.state)
    return tokens
