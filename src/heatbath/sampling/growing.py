"""Texts that a chain writes side by side, and what is remembered of them so that their ends can be written anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from heatbath.core.philox import Words
from heatbath.sampling.chain import Sampler
from heatbath.sampling.streams import row_of, stack
from heatbath.types import Model, Reading, State


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


@dataclass
class _Writing:
    """What is being written behind a text."""

    row: int
    seed: np.uint64
    left: int
    """How many tokens it may get."""
    unread: list[int]
    """Tokens of the text that the model has yet to read, the next one last."""
    state: State
    tokens: list[int] = field(default_factory=list)
    log_p: list[float] = field(default_factory=list)
    log_q: list[float] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    def behind(self, text: Text) -> Text:
        """The text, continued."""
        return Text(
            (*text.tokens, *self.tokens),
            (*text.log_p, *self.log_p),
            (*text.log_q, *self.log_q),
            (*text.states, *self.states),
        )


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
    begins, writing = [], []
    for row, (prompt, text) in enumerate(zip(prompts, texts, strict=True)):
        if _ended(text.tokens, model, limit):
            continue
        # Behind an empty prompt the model may begin with a token that only it knows; a text there is read by steps.
        begins.append((*prompt, *text.tokens) if prompt else ())
        unread = [] if prompt else [*reversed(text.tokens)]
        writing.append(_Writing(row, seeds[row], limit - len(text.tokens), unread, text.states[-1]))
        cost.read[row] += len(prompt) + len(text.tokens)
    grown = list(texts)
    if not writing:
        return grown
    scores, cache = model.start(begins)
    cost.calls += 1
    while True:
        drawing = [place for place, one in enumerate(writing) if not one.unread]
        if drawing:
            _draw(proposal, [writing[place] for place in drawing], scores[drawing], cost)
        following = [one.unread.pop() if one.unread else one.tokens[-1] for one in writing]
        keep = []
        for place, one in enumerate(writing):
            if _ended(one.tokens, model, one.left):
                grown[one.row] = one.behind(texts[one.row])
            else:
                keep.append(place)
        if not keep:
            return grown
        if len(keep) < len(writing):
            writing, cache = [writing[place] for place in keep], cache.rows(keep)
        scores, cache = model.step(cache, [following[place] for place in keep])
        cost.calls += 1


def _ended(tokens: Sequence[int], model: Model, limit: int) -> bool:
    return len(tokens) >= limit or (len(tokens) > 0 and tokens[-1] in model.stop_tokens)


def _draw(proposal: Sampler, writing: Sequence[_Writing], scores: Any, cost: Cost) -> None:
    """One more token for each."""
    states = stack([one.state for one in writing])
    seeds = np.array([one.seed for one in writing])
    choice, after, made = proposal.step(states, scores, seed=seeds, reading=True)
    reading: Reading = made  # type: ignore[assignment]  # it was asked for
    drawn = zip(writing, choice.tolist(), reading.surprisal.tolist(), reading.surprisal_after.tolist(), strict=True)
    for row, (one, token, surprisal, surprisal_after) in enumerate(drawn):
        one.state = row_of(one.state, after, row)
        one.tokens.append(token)
        one.log_p.append(-surprisal)
        one.log_q.append(-surprisal_after)
        one.states.append(one.state)
        cost.drawn[one.row] += 1
