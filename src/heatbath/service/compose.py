"""From the engine's tokens to the texts of a request."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from heatbath.service.batch import End
from heatbath.service.engine import Answers, Generated
from heatbath.service.plan import Plan, Prompt
from heatbath.service.text import Piece, Placed, Writer
from heatbath.types import Tokenizer


class Part(NamedTuple):
    """What is new in one text."""

    choice: int
    """Which of the request's texts."""
    text: str
    tokens: tuple[Placed[Generated], ...] = ()
    finish: End | None = None


class Composition:
    """The parts of all texts of a request, as they come.

    After the last part, ``tokens`` holds how many tokens were drawn, those that end a text included.
    """

    def __init__(self, answers: Answers, plan: Plan, tokenizer: Tokenizer) -> None:
        self.tokens = 0
        self._answers = answers
        self._texts = [_Text(prompt, plan, tokenizer) for prompt in plan.prompts for _ in range(plan.n)]

    async def parts(self) -> AsyncIterator[Part]:
        """The parts; exactly one part of each text has ``finish``, and it is the text's last."""
        unfinished = set(range(len(self._texts)))
        async for choice, generated in self._answers:
            text = self._texts[choice]
            self.tokens += text.given_left == 0
            pieces = [text.push(generated)]
            finish: End | None = "stop" if text.stopped else generated.finish
            if text.stopped:
                self._answers.give_up(choice)
            if finish:
                unfinished.discard(choice)
                pieces.append(text.finish())
            yield Part(choice, *_joined(*pieces), finish)
        for choice in sorted(unfinished):  # texts of which no token was asked
            yield Part(choice, *self._texts[choice].finish(), "length")


def _joined(*pieces: Piece[Generated]) -> Piece[Generated]:
    return Piece("".join(piece.text for piece in pieces), tuple(token for piece in pieces for token in piece.tokens))


class _Text:
    """One text: the echo of the prompt, if it was asked for, then what is generated, which alone can be stopped."""

    def __init__(self, prompt: Prompt, plan: Plan, tokenizer: Tokenizer) -> None:
        self._stops = plan.stops
        self._echo: Writer[Generated] = Writer()
        self._opening: Piece[Generated] = Piece(prompt.text if plan.echo else "", ())
        self._writer: Writer[Generated] = Writer(plan.stops, len(self._opening.text))
        self.given_left = 0
        """Tokens of the prompt that are still to be reported."""
        if plan.echo and plan.alternatives is not None and prompt.tokens:
            first, *others = prompt.tokens
            self.given_left = len(others)
            # nothing precedes the first token, so it has no probability
            self._opening = self._echoed(Generated(first, tokenizer.token_bytes(first)))

    @property
    def stopped(self) -> bool:
        return self._writer.stopped

    def push(self, generated: Generated) -> Piece[Generated]:
        opening, self._opening = self._opening, Piece("", ())
        if not self.given_left:
            return _joined(opening, self._writer.push(generated))
        self.given_left -= 1
        return _joined(opening, self._echoed(generated))

    def _echoed(self, generated: Generated) -> Piece[Generated]:
        piece = self._echo.push(generated)
        if self.given_left:
            return piece
        piece = _joined(piece, self._echo.finish())
        self._writer = Writer(self._stops, self._echo.length)
        return piece

    def finish(self) -> Piece[Generated]:
        opening, self._opening = self._opening, Piece("", ())
        return _joined(opening, self._writer.finish())
