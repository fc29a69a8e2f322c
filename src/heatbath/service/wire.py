"""The shapes of requests and answers, as OpenAI's interface writes them."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from heatbath.service.batch import End

Finish = Literal["stop", "length"]
"""Why a text ends, in OpenAI's words, which have none for a full context."""


class StreamOptions(Struct):
    """How to stream."""

    include_usage: bool | None = None


class Asked(Struct, kw_only=True):
    """The fields that both kinds of request have. null means the same as leaving a field out."""

    model: str | None = None
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    heatbath: str | None = None
    seed: int | None = None
    max_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None


class TextPart(Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    """A part of a message's content; other kinds of parts are refused."""

    text: str


class Message(Struct):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]


class ChatRequest(Asked):
    """POST /v1/chat/completions."""

    messages: list[Message]
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class CompletionRequest(Asked):
    """POST /v1/completions."""

    prompt: str | list[str | int | list[int]]
    logprobs: int | None = None
    echo: bool | None = None


class Usage(Struct):
    """What the request took, in tokens. A prompt counts once however many answers it gets."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Extension(Struct, kw_only=True):
    """The extension field of answers: all that is needed to draw the same tokens again, and how the texts ended."""

    chain: str | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    """Answer ``index`` was drawn with ``seed + index``."""
    ends: list[End] | UnsetType = UNSET
    """One for each of the ``choices`` beside it."""


class TopLogprob(Struct):
    """A token that could have been."""

    token: str
    logprob: float
    bytes: list[int]


class TokenLogprob(TopLogprob):
    """A token, its log-probability under the model, and the most likely tokens at its place."""

    top_logprobs: list[TopLogprob]


class ChatLogprobs(Struct):
    """Log-probabilities in a chat answer."""

    content: list[TokenLogprob]
    refusal: None = None


class CompletionLogprobs(Struct):
    """Log-probabilities in a completion: four lists of equal length."""

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None]
    text_offset: list[int]


class ChatMessage(Struct):
    """The answer as a message."""

    content: str
    role: Literal["assistant"] = "assistant"
    refusal: None = None


class Delta(Struct, omit_defaults=True):
    """What a chunk adds to the answer."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChatChoice(Struct, kw_only=True):
    """One answer of a chat request; a chunk has ``delta`` in the place of ``message``."""

    index: int
    message: ChatMessage | UnsetType = UNSET
    delta: Delta | UnsetType = UNSET
    logprobs: ChatLogprobs | None = None
    finish_reason: Finish | None = None


class CompletionChoice(Struct, kw_only=True):
    """One completion, or a piece of one."""

    index: int
    text: str
    logprobs: CompletionLogprobs | None = None
    finish_reason: Finish | None = None


class Answer(Struct, kw_only=True):
    """A whole answer, or a chunk of one."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChatChoice | CompletionChoice]
    usage: Usage | UnsetType | None = UNSET
    heatbath: Extension | UnsetType = UNSET
    system_fingerprint: str


class ServedModel(Struct, kw_only=True):
    """A model of /v1/models."""

    id: str
    created: int
    context_length: int
    object: str = "model"
    owned_by: str = "heatbath"


class ModelList(Struct, kw_only=True):
    """GET /v1/models."""

    data: list[ServedModel]
    object: str = "list"


class Health(Struct, kw_only=True):
    """GET /healthz."""

    model: str
    running: int
    waiting: int
    status: str = "ok"
