"""The synchronous half of the engine: several texts, one model call per token."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.errors import ModelError
from heatbath.sampling import Sampler
from heatbath.service.draws import Drawn, Wanted, draw
from heatbath.service.shares import Ticket
from heatbath.types import Cache, Model, Reading, State

Scores = npt.NDArray[np.float32]

End = Literal["stop", "length", "context"]
"""Why a text ends: the model or a stop text ended it, it has as many tokens as were asked for, the context is full."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One text to be generated.

    Arguments:
        prompt: token ids; none means the beginning of a text.
        sampler: how to draw.
        seed: of the random numbers, which are the same whatever else runs at the same time.
        max_tokens: how many tokens to draw; the end of the model's context may come first. None: up to that end.
        alternatives: how many of the model's most likely tokens to report at each place; None reports no probabilities.
        reading: whether to report a :class:`heatbath.Reading` of each draw.
        given: tokens that follow the prompt as if they had been drawn, so that they are reported as the drawn ones are.
    """

    prompt: Sequence[int]
    sampler: Sampler
    seed: int
    max_tokens: int | None
    alternatives: int | None = None
    reading: bool = False
    given: Sequence[int] = ()


class Alternative(NamedTuple):
    """A token that could have been."""

    token: int
    bytes: bytes
    logprob: float


class Generated(NamedTuple):
    """One token of a text. Probabilities are the model's own, at T = 1 and before the chain."""

    token: int
    bytes: bytes
    logprob: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    reading: Reading | None = None
    finish: End | None = None
    """Why the text ends with this token; "stop": the token is the end itself, and has no bytes."""


@dataclass(slots=True, eq=False)
class Row:
    """A text in the making."""

    generation: Generation
    ticket: Ticket
    limit: int
    """Tokens to report, the given ones included; a row of none is never run."""
    cut_by: End
    """Why the text ends at the limit: "length" or "context"."""
    group: list["Row"]
    """The rows of this request that have the same prompt; it is read once for all of them."""
    state: State = ()
    written: list[int] = field(default_factory=list)
    """The tokens reported so far."""
    cache: Cache | None = None
    """What the model remembers of this text alone, while it is not in the batch."""
    fresh: bool = True
    over: bool = False
    """It has ended, failed or been given up."""

    @property
    def draws(self) -> bool:
        """Whether the next token is drawn: all given ones were reported."""
        return len(self.written) >= len(self.generation.given)

    def tokens(self) -> list[int]:
        """The prompt and what followed it."""
        return [*self.generation.prompt, *self.written]


UNUSABLE = "the model gave no usable scores: they are NaN, +inf, or forbid every token"

Event = tuple[Row, Generated | Exception]


class Batch:
    """The rows that advance together, and their common cache."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.clear()

    def clear(self) -> None:
        """Forget every row."""
        self._rows: list[Row] = []
        self._cache: Cache | None = None

    def turn(self, running: Sequence[Row]) -> list[Event]:
        """Give one token to each of these rows, and the first token to the whole group of a fresh one."""
        advancing = [row for row in running if not row.fresh]
        opened = [event for row in running if row.fresh for event in self._open(row.group)]
        return opened + self._advance(advancing)

    def _open(self, group: Sequence[Row]) -> list[Event]:
        rows = [row for row in group if row.fresh and not row.over]
        for row in rows:
            row.fresh = False
        if not rows:
            return []
        try:
            scores, cache = self.model.start([rows[0].generation.prompt])
        except Exception as error:  # noqa: BLE001  whatever the model does, it ends these texts, not the engine
            return _failed(rows, error)
        for row in rows:
            row.cache = cache
        return self._choose([(row, scores[0]) for row in rows])

    def _advance(self, rows: Sequence[Row]) -> list[Event]:
        try:
            self._arrange(rows)
            if not self._rows or self._cache is None:
                return []
            scores, self._cache = self.model.step(self._cache, [row.written[-1] for row in self._rows])
        except Exception as error:  # noqa: BLE001  whatever the model does, it ends these texts, not the engine
            failed = self._rows
            self.clear()
            return _failed([*failed, *(row for row in rows if row not in failed)], error)
        return self._choose(list(zip(self._rows, scores, strict=True)))

    def _arrange(self, wanted: Sequence[Row]) -> None:
        """Take rows that pause out of the common cache, and rows that come in into it."""
        if list(wanted) == self._rows:
            return
        staying = [index for index, row in enumerate(self._rows) if row in wanted]
        cache, before = self._cache, self._rows
        for index, row in enumerate(before):
            if cache is not None and index not in staying and not row.over:
                row.cache = cache.rows([index])
        entering = [row for row in wanted if row not in before]
        kept = [cache.rows(staying)] if cache is not None and staying else []
        joined: Any = None
        for part in (*kept, *(row.cache for row in entering)):
            joined = part if joined is None else joined.join(part)
        self._rows, self._cache = [*(before[index] for index in staying), *entering], joined
        for row in entering:
            row.cache = None

    def _choose(self, placed: Sequence[tuple[Row, Scores]]) -> list[Event]:
        """The next token of each row: a given one where there is one left, a drawn one otherwise."""
        outcomes: dict[Row, Drawn | Exception] = {
            row: ModelError(UNUSABLE) for row, scores in placed if not np.isfinite(scores.max())
        }
        drawing = [(row, scores) for row, scores in placed if row.draws and row not in outcomes]
        wanted = [
            Wanted(
                row.generation.sampler,
                row.state,
                row.generation.seed,
                row.generation.reading,
                scores,
                text=partial(self._spelled, row),
            )
            for row, scores in drawing
        ]
        outcomes |= zip((row for row, _ in drawing), draw(wanted), strict=True)
        return [(row, self._report(row, scores, outcomes.get(row))) for row, scores in placed]

    def _spelled(self, row: Row) -> str:
        return self.model.tokenizer.decode(row.tokens())

    def _report(self, row: Row, scores: Scores, drawn: Drawn | Exception | None) -> Generated | Exception:
        if isinstance(drawn, Exception):
            row.over = True
            return drawn
        if drawn:
            row.state, token, reading = drawn.state, drawn.token, drawn.reading
        else:
            token, reading = row.generation.given[len(row.written)], None
        ended = drawn is not None and token in self.model.stop_tokens
        row.written.append(token)
        full = len(row.written) >= row.limit
        row.over = row.over or ended or full
        logprob, alternatives = self._probabilities(scores, token, row.generation.alternatives)
        return Generated(
            token,
            b"" if ended else self.model.tokenizer.token_bytes(token),
            logprob,
            alternatives,
            reading,
            "stop" if ended else row.cut_by if full else None,
        )

    def _probabilities(
        self, scores: Scores, token: int, count: int | None
    ) -> tuple[float | None, tuple[Alternative, ...]]:
        if count is None:
            return None, ()
        wide = scores.astype(np.float64)
        best = wide.max()
        logprobs = wide - best - np.log(np.exp(wide - best).sum())
        count = min(count, int(np.isfinite(logprobs).sum()))
        if not count:
            return float(logprobs[token]), ()
        worst = np.partition(logprobs, -count)[-count]
        candidates = np.flatnonzero(logprobs >= worst)  # ties at the end of the list can make them more than count
        ranked = candidates[np.argsort(-logprobs[candidates], kind="stable")][:count]
        spell = self.model.tokenizer.token_bytes
        return float(logprobs[token]), tuple(Alternative(int(i), spell(int(i)), float(logprobs[i])) for i in ranked)


def _failed(rows: Sequence[Row], error: Exception) -> list[Event]:
    for row in rows:
        row.over = True
    return [(row, error) for row in rows]
