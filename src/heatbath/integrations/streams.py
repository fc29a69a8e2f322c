"""Streams inside somebody else's loop: the tool hands over logits, draws by itself, and shows later what it drew.

A tool calls once per token, for rows that come and go. Each row belongs to a request with a state of its own, so each
has a :class:`Stream`; :func:`rescore` brings those of one call together, batch by chain, and parts them again.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library, is_array
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling import Draw, Sampler, chain, history, row_of, stack, temperature
from heatbath.sampling.alone import check_one_row
from heatbath.sampling.random import as_seeds
from heatbath.spec import parse
from heatbath.thermostat import learn_nothing
from heatbath.types import NOTHING, Array, State


class Stream:
    """One request of a tool: its chain, its state, and what it waits to be told.

    Arguments:
        sampler: the chain.
        prompt: the token ids that the first scores follow.
        seed: for a chain that draws random numbers of its own, see :func:`needs_seed`.
    """

    __slots__ = ("_before", "_shown", "sampler", "seed", "start", "state")

    def __init__(self, sampler: Sampler, prompt: Sequence[int] = (), seed: int | None = None) -> None:
        self.sampler = sampler
        self.seed = seed
        self.start = sampler.init(prompt)
        self.state = self.start
        self._before: State | None = None
        self._shown: Array | None = None

    @property
    def waits(self) -> bool:
        """Whether the token that was drawn from the latest scores must be told."""
        return self._before is not None and listens(self.sampler)

    def rewind(self) -> None:
        """The latest scores were drawn from by nobody; the next ones take their place."""
        if self._before is not None:
            self._settle(self._before)

    def _offer(self, after: State, shown: Array | None) -> None:
        """Scores were handed out; ``after`` is the state they leave until a token is told."""
        self._before, self._shown, self.state = self.state, shown, after

    def _settle(self, state: State) -> None:
        self.state, self._before, self._shown = state, None, None


def listens(sampler: Sampler) -> bool:
    """Whether the chain must be told what was drawn: it looks back at tokens, or a step learns from them."""
    return bool(sampler.looks_back) or _learns(sampler)


def _learns(sampler: Sampler) -> bool:
    return any(step.learn is not learn_nothing for step in sampler.steps)


def remembers(sampler: Sampler) -> bool:
    """Whether a stream is another one once it has begun: its chain counts, learns, looks back or draws."""
    _, states, *_ = sampler.init()
    return listens(sampler) or needs_seed(sampler) or any(np.size(state) for state in states)


def needs_seed(sampler: Sampler) -> bool:
    """Whether the chain draws random numbers even where the tool makes the final draw."""
    return any(step.random for step in sampler.steps) or _ending(sampler) not in ("categorical", "greedy")


def _ending(sampler: Sampler) -> str:
    return sampler.draw.made.name if sampler.draw.made else ""


def as_sampler(given: Any) -> Sampler:
    """What may stand for a chain: a sampler, its text form, or whatever :func:`heatbath.temperature` takes.

    Raises:
        InputError: it is none of these; a text that does not parse.
    """
    if isinstance(given, Sampler):
        return given
    if given is None or isinstance(given, bool):
        raise InputError(
            f"{show(given)} is no chain",
            doing="reading a chain",
            instead="write for example 'temperature(0.7) -> min_p(0.05)'",
            field="chain",
        )
    return _made(given) if isinstance(given, str | int | float) else chain(temperature(given))


NO_TEXT = (
    "token ids are all that is known here, and no text; by_text is for HeatbathGenerate(chain, tokenizer=tokenizer) of "
    "heatbath.integrations.transformers, or a loop of your own"
)
"""What to say of a thermostat that looks at a text, in a tool that shows none."""


def as_request(given: Any, vocabulary: int | None = None, *, seed: Any = None) -> Sampler:
    """The chain that a request of a server names: its text form, or a number for T.

    Whatever would go wrong with it later, in a batch that it shares with others, goes wrong here.

    Arguments:
        given: the chain.
        vocabulary: how many tokens the model has; None: not known.
        seed: the seed that the request names; None: none.

    Raises:
        InputError: it is neither; a text that does not parse; a chain that cannot serve one text of this model, as
            :func:`heatbath.sampling.alone.check_one_row` has it; a seed that is none.
    """
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise InputError(
            f"{show(given):.60} is neither the text of a chain nor a number",
            doing="reading a request",
            instead="write for example 'temperature(0.7) -> min_p(0.05)'",
            field="heatbath",
        )
    if seed is not None and as_seeds(seed, 1).size and not isinstance(seed, int | np.integer):
        raise InputError(
            f"{show(seed):.60} is not one seed", doing="reading a request", instead="write for example 7", field="seed"
        )
    return _served(given, vocabulary)


@lru_cache(maxsize=1024)
def _served(given: str | float, vocabulary: int | None) -> Sampler:
    """Checked once, and not for each request that names it."""
    sampler = as_sampler(given)
    check_one_row(sampler, vocabulary, instead=NO_TEXT)
    return sampler


@lru_cache(maxsize=1024)
def _made(given: str | float) -> Sampler:
    """One object per text or number, by which rows of equal chains find each other."""
    thing = parse(given) if isinstance(given, str) else given
    return thing if isinstance(thing, Sampler) else chain(temperature(thing))


def rescore(
    streams: Sequence[Stream | None],
    logits: Array,
    drawn: Sequence[int | None],
    context: Mapping[str, Any] = NOTHING,
) -> Array:
    """The scores from which the tool is to draw, ``(B, V)``, a new array like the logits.

    A chain that ends in another draw than :func:`heatbath.categorical` chooses itself; the tool is left that one token.

    Arguments:
        streams: one per row; None for a row to be left as it is.
        logits: ``(B, V)``, as the model gave them.
        drawn: for each stream that waits, the token that the tool drew from its latest scores; ignored elsewhere. A
            token that the chain had ruled out, such as one that the tool forces, joins the history, and nothing is
            learned from it.
        context: as in :meth:`heatbath.Sampler.step`; lists have one entry per row.
    """
    xp = namespace(logits)
    scores = None
    for rows in _alike(streams):
        group = [stream for stream in (streams[row] for row in rows) if stream is not None]
        _tell(group, [drawn[row] for row in rows])
        all_rows = len(rows) == len(streams)
        part = logits if all_rows else logits[in_library(xp, np.array(rows), logits), :]
        mine = _scores(group, part, _of_rows(context, rows))
        if all_rows:
            return mine
        scores = xp.astype(logits, logits.dtype, copy=True) if scores is None else scores
        scores[in_library(xp, np.array(rows), logits), :] = xp.astype(mine, scores.dtype)
    return logits if scores is None else scores


def _of_rows(context: Mapping[str, Any], rows: Sequence[int]) -> Mapping[str, Any]:
    return {name: [value[row] for row in rows] if isinstance(value, list) else value for name, value in context.items()}


def _alike(streams: Sequence[Stream | None]) -> Iterable[list[int]]:
    """The rows of each chain."""
    groups: dict[int, list[int]] = {}
    for row, stream in enumerate(streams):
        if stream is not None:
            groups.setdefault(id(stream.sampler), []).append(row)
    return groups.values()


def _scores(group: Sequence[Stream], logits: Array, context: Mapping[str, Any]) -> Array:
    sampler = group[0].sampler
    before = stack([stream.state for stream in group])
    seeds = [stream.seed for stream in group] if needs_seed(sampler) else None
    applied = sampler.scores(before, logits, seed=seeds, context=context)
    scores = applied.scores
    if _ending(sampler) != "categorical":
        choice = sampler.step(before, logits, seed=0 if seeds is None else seeds, context=context).choice
        scores = only(scores, choice)
    kept = namespace(logits).astype(logits, logits.dtype, copy=True) if _learns(sampler) else None
    after = _on_host(applied.state)
    for row, stream in enumerate(group):
        stream._offer(row_of(stream.start, after, row), None if kept is None else kept[row, :])
    return scores


def only(scores: Array, choice: Array) -> Array:
    """Scores ``(B, V)`` that leave the choice alone: 0 there, -inf elsewhere."""
    xp = namespace(scores)
    options = xp.arange(scores.shape[-1], device=getattr(scores, "device", None))
    return xp.where(options == choice[..., None], xp.zeros_like(scores), xp.full_like(scores, -xp.inf))


def _tell(group: Sequence[Stream], drawn: Sequence[int | None]) -> None:
    """Tell those streams of one chain that wait which token was drawn."""
    waiting: list[tuple[Stream, int]] = []
    for stream, token in zip(group, drawn, strict=True):
        if not stream.waits:
            continue
        if token is None or token < 0:
            raise InputError(
                f"{stream.sampler} must be told which token was drawn, and the tool does not say",
                doing="continuing a stream",
                instead="use a chain that neither looks back nor learns, or let the tool wait for each token",
            )
        waiting.append((stream, token))
    learned = _learned(waiting) if waiting and _learns(group[0].sampler) else [None] * len(waiting)
    for (stream, token), state in zip(waiting, learned, strict=True):
        stream._settle(_extended(stream, token) if state is None else state)


def _learned(waiting: Sequence[tuple[Stream, int]]) -> list[State | None]:
    """The state of each stream after its token; None where the chain had ruled the token out.

    The chain is applied once more to what it was shown, with a draw at its end that is told what to draw.
    """
    streams = [stream for stream, _ in waiting]
    sampler = streams[0].sampler
    shown = [stream._shown for stream in streams]
    logits = namespace(shown[0]).stack(shown)
    possible: list[bool] = []

    def pick(scores: Array, _chance: Any) -> Array:
        xp = namespace(scores)
        choice = in_library(xp, np.array([token for _, token in waiting]), scores)
        kept = xp.take_along_axis(scores, choice[:, None], axis=-1)[:, 0] > -xp.inf
        possible.extend(kept.tolist())
        return xp.where(kept, choice, xp.argmax(scores, axis=-1))

    told = sampler._replace(draw=Draw(pick))
    seeds = [stream.seed or 0 for stream in streams]
    after = _on_host(told.step(stack([stream._before for stream in streams]), logits, seed=seeds).state)
    return [row_of(stream.start, after, row) if possible[row] else None for row, stream in enumerate(streams)]


def _extended(stream: Stream, token: int) -> State:
    """The state with the token in its history, and nothing learned."""
    if not stream.sampler.looks_back:
        return stream.state
    position, states, tokens = stream.state
    return position, states, history.extend(tokens, np.int64(token), stream.sampler.looks_back)


def _on_host(state: State) -> State:
    """The arrays of a state as NumPy's: rows part and meet again, wherever the next logits lie."""
    if isinstance(state, tuple):
        return tuple(map(_on_host, state))
    if hasattr(state, "detach"):  # PyTorch's, perhaps on a device
        return state.detach().cpu().numpy()
    return np.asarray(state) if is_array(state) else state
