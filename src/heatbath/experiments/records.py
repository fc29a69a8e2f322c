"""What is remembered of a request: the decision, the answer, and what people said of it.

The three are written at different times and meet in the inference id. A decision is durable before the client learns
its id; an answer follows when it has been delivered, or when it never will be; feedback comes late, more than once, in
any order, or never.
"""

import secrets
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from heatbath.errors import InputError


class Decision(NamedTuple):
    """Which temperature a request got, and by what."""

    id: str
    """The inference id, see :func:`new_id`."""
    at: float
    """Seconds since 1970, UTC."""
    route: str
    """The model name that the client wrote, as the configuration knows it."""
    task: str | None
    policy: str
    """The policy in the text form, or "inherit" or "leave out"."""
    requested: float | None
    """What the client wrote; None where it wrote nothing."""
    sent: float | None
    """What the upstream was sent; None where the field was left out."""
    effective: float | None
    """What the upstream samples with, as far as its rules say; None where nobody knows."""
    state: str
    """The state of temperature on the route: "adjustable", "rejected", "ignored" or "advised against"."""
    config: str
    """A digest of the configuration that decided."""
    unit: str | None = None
    """Whom the decision sticks to: a user or a conversation, as a salted digest."""
    experiment: str | None = None
    arm: str | None = None
    propensity: float | None = None
    """The chance of this arm, or the density of this T, when it was decided."""
    context: str | None = None
    """What the policy looked at, as JSON: features, never the prompt."""
    prompt: str | None = None
    """The request body, where the configuration asks for it to be stored."""


class Answer(NamedTuple):
    """What became of a request."""

    id: str
    at: float
    status: int
    """The HTTP status that the client got; 499 where it had gone."""
    seconds: float
    first_seconds: float | None = None
    """Until the first piece of a stream."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish: str | None = None
    """Why the text ended, in the upstream's word."""
    error: str | None = None
    """The error code, where the answer is an error."""
    attempts: int = 1
    text: str | None = None
    """The answer, where the configuration asks for it to be stored."""


class Feedback(NamedTuple):
    """What somebody said of an answer."""

    key: str
    """The idempotency key: the same key is the same feedback, however often it arrives."""
    inference: str
    metric: str
    received: float
    """When the gateway had it, seconds since 1970, UTC."""
    number: float | None = None
    """A boolean as 0 or 1, a number, or the choice between two as 0 (the other) or 1 (this one)."""
    text: str | None = None
    """A comment or a corrected answer."""
    other: str | None = None
    """The inference that this one was compared with."""
    said: float | None = None
    """When the person said it, where the client knows."""


def new_id(at: float | None = None) -> str:
    """A new inference id: a UUID of version 7 (RFC 9562), which sorts by the time it was made.

    Arguments:
        at: seconds since 1970, UTC; None is now.

    >>> from heatbath.experiments import new_id, time_of
    >>> time_of(new_id(1_700_000_000.25))
    1700000000.25
    """
    milliseconds = int((time.time() if at is None else at) * 1000)
    drawn = secrets.randbits(74)
    number = milliseconds << 80 | 7 << 76 | (drawn >> 62) << 64 | 0b10 << 62 | drawn & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def time_of(inference: str) -> float:
    """When an inference id was made, in seconds since 1970, UTC.

    Raises:
        InputError: it is no id that :func:`new_id` made.
    """
    text = inference.replace("-", "") if isinstance(inference, str) and len(inference) == 36 else ""
    try:
        number = int(text, 16) if len(text) == 32 else 0
    except ValueError:
        number = 0
    if number >> 76 & 0xF != 7 or number >> 62 & 0b11 != 0b10:
        raise InputError(
            f"{inference!r} is no inference id",
            doing="reading an inference id",
            instead="give the id of the header heatbath-inference-id, such as 01890a5d-ac96-774b-bcce-b302099a8057",
            field="inference_id",
        )
    return (number >> 80) / 1000


class Recorder(Protocol):
    """What the gateway hands its records to; :class:`heatbath.experiments.store.Store` is one."""

    async def decided(self, decision: Decision) -> None:
        """Keep a decision; returns when it survives the end of this process, however sudden."""
        ...

    def answered(self, answer: Answer) -> None:
        """Keep an answer, soon; it may be lost with this process."""
        ...

    async def heard(self, feedback: Sequence[Feedback]) -> list[bool]:
        """Keep feedback; returns when it survives a loss of power: for each whether it is new, or was known already.

        Raises:
            ConflictError: a key stands for other feedback; the rest of the call has been kept.
        """
        ...
