"""Texts that grow side by side, one for each setting, in one batch of the model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from heatbath.cli.flags import Setting
from heatbath.errors import InputError
from heatbath.sampling.alone import TEXT_ONLY, knowing
from heatbath.service.text import Piece, Placed, SoFar, Writer
from heatbath.types import Array, Model, Reading, State


class Drawn(NamedTuple):
    """A token of a strand."""

    token: int
    bytes: bytes
    reading: Reading


@dataclass
class Strand:
    """A text that grows at one setting from one seed."""

    setting: Setting
    seed: int
    stops: Sequence[str] = ()
    """Texts before which it ends."""
    text: str = ""
    tokens: list[Placed[Drawn]] = field(default_factory=list)
    finish: str = ""
    """Why it ended: "stop" (the model or a stop text ended it), "length" or "context"; empty while it grows."""
    state: State = ()
    ids: list[int] = field(default_factory=list)
    """The tokens of the prompt and of the text."""

    def __post_init__(self) -> None:
        self._writer = Writer[Drawn](self.stops)

    @property
    def mean_surprisal(self) -> float | None:
        """Of the tokens, under the model at T = 1, in nats; None where there are none."""
        return fmean(placed.token.reading.surprisal for placed in self.tokens) if self.tokens else None

    def parts(self) -> list[tuple[Drawn, str]]:
        """Each token and the characters that it completes; none for one that only begins a character."""
        offsets = [*(placed.offset for placed in self.tokens), len(self.text)]
        spans = zip(self.tokens, pairwise(offsets), strict=True)
        return [(placed.token, self.text[start:end]) for placed, (start, end) in spans]

    def begin(self, prompt: Sequence[int]) -> None:
        """Follow these tokens."""
        self.ids = list(prompt)
        self.state = self.setting.sampler.init(prompt)

    def context(self, model: Model) -> SoFar:
        """What a thermostat may look at."""
        return SoFar(lambda: model.tokenizer.decode(self.ids))

    def draw(self, model: Model, scores: Array) -> int:
        """Grow by one token, which is returned."""
        choice, self.state, reading = self.setting.sampler.step(
            self.state, scores, seed=self.seed, reading=True, context=self.context(model)
        )
        token = int(choice)
        if token in model.stop_tokens:
            self.finish = "stop"
        else:
            self.ids.append(token)
            read = Reading(*map(float, reading or ()))
            self._write(self._writer.push(Drawn(token, model.tokenizer.token_bytes(token), read)))
            self.finish = "stop" if self._writer.stopped else ""
        return token

    def end(self, cut_by: str) -> None:
        """Write what was held back; a text that did not end by itself is cut here."""
        self._write(self._writer.finish())
        self.finish = self.finish or cut_by

    def _write(self, piece: Piece[Drawn]) -> None:
        self.text += piece.text
        self.tokens += piece.tokens


def _read(model: Model, prompt: str) -> list[int]:
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"character {error.start} is no character",
            doing="continuing a prompt",
            on=ascii(prompt),
            instead="give UTF-8 text",
        ) from None
    return model.tokenizer.encode(prompt)


def _drawn(strand: Strand, model: Model, scores: Array) -> int:
    with knowing(TEXT_ONLY):
        return strand.draw(model, scores)


def grow(model: Model, prompt: str, strands: Sequence[Strand], max_tokens: int) -> Iterator[None]:
    """Let the strands grow to their ends; yields whenever each of them has grown by a token.

    The strands share the cost of the model, never their randomness: each depends on its own seed alone.

    Raises:
        InputError: the prompt leaves no room in the model's context; a thermostat that looks at more than the text.
    """
    ids = _read(model, prompt)
    room = model.context - len(ids)
    if room < 1:
        raise InputError(
            f"it is {len(ids)} tokens long, and {model.name} reads {model.context} at most",
            doing="continuing a prompt",
            on=repr(prompt if len(prompt) <= 40 else f"{prompt[:37]}..."),
            instead=f"shorten it to fewer than {model.context} tokens",
        )
    growing = list(strands)
    for strand in growing:
        strand.begin(ids)
    scores, cache = model.start([ids])  # read once, for all of them
    scores, cache = scores.repeat(len(growing), axis=0), cache.rows([0] * len(growing))
    for left in range(min(max_tokens, room) - 1, -1, -1):
        tokens = [_drawn(strand, model, row) for strand, row in zip(growing, scores, strict=True)]
        yield
        keep = [row for row, strand in enumerate(growing) if not strand.finish]
        if not (keep and left):
            break
        if len(keep) < len(growing):
            growing, cache = [growing[row] for row in keep], cache.rows(keep)
        scores, cache = model.step(cache, [tokens[row] for row in keep])
    for strand in strands:
        strand.end("context" if room < max_tokens else "length")
    yield
