"""The two forms that an answer can have: a chat message and a completion; each whole or in chunks."""

from collections.abc import Iterable
from typing import Protocol

from heatbath.service.compose import Part
from heatbath.service.engine import Generated
from heatbath.service.text import Placed
from heatbath.service.wire import (
    ChatChoice,
    ChatLogprobs,
    ChatMessage,
    CompletionChoice,
    CompletionLogprobs,
    Delta,
    Finish,
    TokenLogprob,
    TopLogprob,
)

LOWEST = -9999.0
"""Stands for the log of 0, which JSON cannot write; OpenAI does the same."""

Tokens = Iterable[Placed[Generated]]


Choice = ChatChoice | CompletionChoice


class Form(Protocol):
    """How the parts of an answer are written."""

    prompt_field: str
    """The request field that holds the prompt."""
    id_prefix: str
    whole_name: str
    chunk_name: str

    def whole(self, part: Part, logprobs: bool) -> Choice:
        """The choice of a whole answer."""
        ...

    def opening(self, choice: int) -> Choice | None:
        """The choice of the first chunk, where there is one before the text."""
        ...

    def chunk(self, part: Part, logprobs: bool) -> Choice:
        """The choice of a chunk with text."""
        ...

    def closing(self, part: Part) -> Choice:
        """The choice of the last chunk."""
        ...


class ChatForm:
    """POST /v1/chat/completions."""

    prompt_field = "messages"
    id_prefix = "chatcmpl-"
    whole_name = "chat.completion"
    chunk_name = "chat.completion.chunk"

    def whole(self, part: Part, logprobs: bool) -> ChatChoice:
        return ChatChoice(
            index=part.choice,
            message=ChatMessage(part.text),
            logprobs=_chat_logprobs(part.tokens) if logprobs else None,
            finish_reason=_reason(part),
        )

    def opening(self, choice: int) -> ChatChoice:
        return ChatChoice(index=choice, delta=Delta(role="assistant", content=""))

    def chunk(self, part: Part, logprobs: bool) -> ChatChoice:
        return ChatChoice(
            index=part.choice,
            delta=Delta(content=part.text),
            logprobs=_chat_logprobs(part.tokens) if logprobs else None,
        )

    def closing(self, part: Part) -> ChatChoice:
        return ChatChoice(index=part.choice, delta=Delta(), finish_reason=_reason(part))


class CompletionForm:
    """POST /v1/completions."""

    prompt_field = "prompt"
    id_prefix = "cmpl-"
    whole_name = "text_completion"
    chunk_name = "text_completion"

    def whole(self, part: Part, logprobs: bool) -> CompletionChoice:
        return CompletionChoice(
            index=part.choice,
            text=part.text,
            logprobs=_completion_logprobs(part.tokens) if logprobs else None,
            finish_reason=_reason(part),
        )

    def opening(self, choice: int) -> None:  # noqa: ARG002  the protocol's
        return None

    def chunk(self, part: Part, logprobs: bool) -> CompletionChoice:
        return self.whole(part._replace(finish=None), logprobs)

    def closing(self, part: Part) -> CompletionChoice:
        return CompletionChoice(index=part.choice, text="", finish_reason=_reason(part))


def _reason(part: Part) -> Finish | None:
    """Why the text ends, in OpenAI's words; the answer's ``heatbath`` says which end it was."""
    return "length" if part.finish == "context" else part.finish


def spell(token: bytes) -> str:
    """The token as text; one that holds only part of a character as ``bytes:\\xe9``, as OpenAI writes them."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token)


def _chat_logprobs(tokens: Tokens) -> ChatLogprobs:
    return ChatLogprobs(
        [
            TokenLogprob(
                spell(token.bytes),
                max(token.logprob or 0.0, LOWEST),
                list(token.bytes),
                [
                    TopLogprob(spell(other.bytes), max(other.logprob, LOWEST), list(other.bytes))
                    for other in token.alternatives
                ],
            )
            for token, _ in tokens
            if token.bytes
        ]
    )


def _completion_logprobs(tokens: Tokens) -> CompletionLogprobs:
    shown = [(token, offset) for token, offset in tokens if token.bytes]
    return CompletionLogprobs(
        tokens=[spell(token.bytes) for token, _ in shown],
        token_logprobs=[None if token.logprob is None else max(token.logprob, LOWEST) for token, _ in shown],
        top_logprobs=[_top(token) for token, _ in shown],
        text_offset=[offset for _, offset in shown],
    )


def _top(token: Generated) -> dict[str, float] | None:
    """The most likely tokens and, as OpenAI does, the token itself."""
    if token.logprob is None:
        return None
    top = {spell(other.bytes): max(other.logprob, LOWEST) for other in token.alternatives}
    return {**top, spell(token.bytes): max(token.logprob, LOWEST)}
