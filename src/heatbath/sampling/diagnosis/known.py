"""What follows from what is known of a text: numbers per decision, to which the verdicts set their thresholds."""

import math
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.core import entropy, log_softmax, namespace
from heatbath.sampling.diagnosis.limits import TAIL
from heatbath.sampling.diagnosis.listed import Bounds, among_listed, entropy_bounds, ranked, tail_bound
from heatbath.sampling.diagnosis.repeats import RUN, Repeats, repeats, words
from heatbath.sampling.diagnosis.used import Drawn
from heatbath.sampling.diagnosis.written import Written
from heatbath.sampling.mask import allow
from heatbath.types import Array

AT_ONCE = 2**17
"""Scores worked on at a time: a megabyte, which stays in the processor's cache."""

Floats = npt.NDArray[np.float64]


class Tail(NamedTuple):
    """Of each decision, how much was drawn from the tail, and how much of the model's own choices lies there."""

    drawn: Floats
    own: Floats | None
    """None where not even a bound is known."""


class Surprise(NamedTuple):
    """Of each decision, the surprisal of what was drawn, in nats at T = 1, and the model's own entropy."""

    drawn: Floats
    own: Bounds | None


class Known(NamedTuple):
    """One text."""

    repeated: Repeats | None
    expected: Floats | None
    """The probability at T = 1 of completing a run that had come before, one number per run."""
    rows: Sequence[Array]
    """The scores, in pieces."""
    choices: Sequence[Drawn]
    """What the temperature is estimated from."""
    tail: Tail | None
    surprise: Surprise | None


def know(text: Written, temperature: float | None, options: int | None) -> Known:
    """What follows from a text that was checked. Without tokens, what is drawn at the temperature is expected."""
    tokens = text.tokens
    pieces = tokens if tokens is not None else None if text.text is None else words(text.text)
    repeated = None if pieces is None else repeats(pieces)
    if text.logits is not None:
        rows = list(_pieces(text.logits))
        tail, surprise = _from_scores(rows, tokens, temperature)
        choices = [] if tokens is None else _choices(text.logits, text.mask, tokens)
        expected = None if tokens is None else _again_at_one(text.logits, tokens)
        return Known(repeated, expected, rows, choices, tail, surprise)
    tops, found = text.top_logprobs, None
    surprisal = None if text.logprobs is None else -np.array(text.logprobs, dtype=np.float64)
    if tops is not None and tokens is not None:
        found = among_listed(tops, tokens)
        if surprisal is None:
            surprisal = -np.array([top.get(token, np.nan) if top else np.nan for top, token in _both(tops, tokens)])
    if surprisal is None:
        return Known(repeated, None, [], [] if found is None else [found], None, None)
    there = ~np.isnan(surprisal)
    tail, surprise = Tail((surprisal > -math.log(TAIL)).astype(float)[there], None), Surprise(surprisal[there], None)
    if tops is not None and all(len(top or ()) for top, told in zip(tops, there, strict=True) if told):
        listed = ranked([top or {} for top in tops])[there]
        tail = tail._replace(own=tail_bound(listed, TAIL))
        surprise = surprise._replace(own=entropy_bounds(listed, options))
    return Known(repeated, None, [], [] if found is None else [found], tail, surprise)


def _both(tops: Any, tokens: Sequence[Hashable]) -> Iterator[tuple[Any, Hashable]]:
    return zip(tops, tokens, strict=True)


def _pieces(scores: Array) -> Iterator[Array]:
    step = max(1, AT_ONCE // scores.shape[-1])
    for begin in range(0, scores.shape[0], step):
        yield scores[begin : begin + step]


def _numbers(array: Array) -> Floats:
    return np.asarray(array.tolist(), dtype=np.float64)


def _from_scores(
    rows: Sequence[Array], tokens: Sequence[Any] | None, temperature: float | None
) -> tuple[Tail | None, Surprise | None]:
    if tokens is None and temperature is None:
        return None, None
    parts, begin = [], 0
    for scores in rows:
        xp = namespace(scores)
        log_p = log_softmax(scores)
        below = log_p < math.log(TAIL)
        own = xp.sum(xp.where(below, xp.exp(log_p), 0.0), axis=-1)
        if tokens is None:
            drawn = xp.exp(log_softmax(scores, temperature))
            tail = xp.sum(xp.where(below, drawn, 0.0), axis=-1)
            surprisal = -xp.sum(xp.where(drawn > 0, drawn * log_p, 0.0), axis=-1)
        else:
            now = tokens[begin : begin + scores.shape[0]]
            index = xp.asarray(now, device=getattr(scores, "device", None))[:, None]
            surprisal = -xp.take_along_axis(log_p, index, axis=-1)[:, 0]
            tail = xp.astype(surprisal > -math.log(TAIL), scores.dtype)
        parts.append([_numbers(each) for each in (tail, own, surprisal, entropy(scores))])
        begin += scores.shape[0]
    tail, own, surprisal, nats = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Tail(tail, own), Surprise(surprisal, Bounds(nats, nats))


def _choices(logits: Array, mask: Any, tokens: Sequence[Any]) -> list[Drawn]:
    xp = namespace(logits)
    left = allow(logits, mask)
    choice = xp.asarray(tokens, device=getattr(logits, "device", None))
    step = max(1, AT_ONCE // logits.shape[-1])
    return [Drawn(left[i : i + step], choice[i : i + step]) for i in range(0, len(tokens), step)]


def _again_at_one(logits: Array, tokens: Sequence[Any]) -> Floats:
    """At each run's last token, the probability at T = 1 of any token that completes an earlier run."""
    followers: dict[tuple[Any, ...], set[int]] = {}
    places: list[list[int]] = []
    for end in range(RUN - 1, len(tokens)):
        after = followers.setdefault(tuple(tokens[end - RUN + 1 : end]), set())
        places.append(sorted(after))
        after.add(tokens[end])
    found = np.zeros(len(places))
    rows = [row for row, each in enumerate(places) if each]
    if not rows:
        return found
    xp, device = namespace(logits), getattr(logits, "device", None)
    width = max(len(places[row]) for row in rows)
    padded = np.zeros((len(rows), width), np.int64)
    real = np.zeros((len(rows), width), bool)
    for line, row in enumerate(rows):
        padded[line, : len(places[row])], real[line, : len(places[row])] = places[row], True
    for begin in range(0, len(rows), max(1, AT_ONCE // logits.shape[-1])):
        part = slice(begin, begin + max(1, AT_ONCE // logits.shape[-1]))
        which = xp.asarray(np.array(rows[part]) + RUN - 1, device=device)
        log_p = log_softmax(xp.take(logits, which, axis=0))
        taken = _numbers(xp.take_along_axis(log_p, xp.asarray(padded[part], device=device), axis=-1))
        found[rows[part]] = np.where(real[part], np.exp(taken), 0.0).sum(axis=-1)
    return found
