"""A prompt against the model's context: what cannot fit is refused before it costs anything."""

from collections.abc import Sequence

from heatbath.errors import InputError
from heatbath.types import Model


class ContextError(InputError):
    """A prompt that leaves no room in the model's context."""


def read_prompt(text: str, model: Model, *, field: str = "prompt") -> list[int]:
    """The tokens of a text.

    Raises:
        ContextError: the text has more bytes than a whole context of the longest tokens. Reading it into tokens would
            take seconds, only to find the same.
    """
    size, most = len(text.encode()), model.context * model.tokenizer.longest
    if size > most:
        raise ContextError(
            f"the prompt has {size} bytes, and {model.context} tokens hold at most {most}",
            doing="reading a prompt",
            instead="shorten the prompt",
            field=field,
        )
    return model.tokenizer.encode(text)


def room_after(tokens: Sequence[int], model: Model, *, needed: int, field: str = "prompt") -> int:
    """How many tokens may follow.

    Raises:
        ContextError: fewer than ``needed``.
    """
    room = model.context - len(tokens)
    if room < needed:
        raise ContextError(
            f"the prompt has {len(tokens)} tokens and the model's context {model.context}",
            doing="reading a prompt",
            instead=f"shorten the prompt to {model.context - needed} tokens at most",
            field=field,
        )
    return room
