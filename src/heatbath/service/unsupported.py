"""OpenAI's fields for things that this service does not do: accepted while they ask for nothing, refused otherwise."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Unsupported(NamedTuple):
    """A field, which of its values ask for nothing, and why the others are refused."""

    harmless: Callable[[Any], bool]
    values: str
    """The accepted values in words."""
    why: str


def _only(*values: Any, why: str) -> Unsupported:
    words = {False: "false", True: "true"}
    said = " or ".join(words[value] if isinstance(value, bool) else repr(value).replace("'", '"') for value in values)
    # 0 == False in Python, and a client that sends the one did not mean the other
    return Unsupported(
        lambda given: any(given == value and _kind(given) is _kind(value) for value in values), said, why
    )


def _kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _any(why: str) -> Unsupported:
    return Unsupported(lambda given: True, "any value", why)


_LABEL = _any("a label for OpenAI's own records; it never changes an answer")
_HINT = _any("a hint about speed or cost; it never changes an answer")
_TEXT_ONLY = "answers are plain text"
_NO_TOOLS = "the model calls no tools"

COMMON: dict[str, Unsupported] = {
    "user": _LABEL,
}

CHAT: dict[str, Unsupported] = {
    **COMMON,
    "metadata": _LABEL,
    "safety_identifier": _LABEL,
    "prompt_cache_key": _HINT,
    "prompt_cache_options": _HINT,
    "prompt_cache_retention": _HINT,
    "parallel_tool_calls": _any("without tools it asks for nothing"),
    "store": _only(False, why="answers are not stored"),
    "service_tier": _only("auto", "default", why="there is one tier"),
    "response_format": _only({"type": "text"}, why=_TEXT_ONLY),
    "modalities": _only(["text"], why=_TEXT_ONLY),
    "audio": _only(why=_TEXT_ONLY),
    "tools": _only([], why=_NO_TOOLS),
    "tool_choice": _only("none", "auto", why=_NO_TOOLS),
    "functions": _only([], why=_NO_TOOLS),
    "function_call": _only("none", "auto", why=_NO_TOOLS),
    "web_search_options": _only(why="the service reaches no other host"),
    "reasoning_effort": _only("none", why="the model does not reason before it answers"),
    "verbosity": _only("medium", why="the model has no such control"),
    "prediction": _only(why="predicted outputs are not implemented"),
    "moderation": _only(why="answers are not moderated"),
}

COMPLETION: dict[str, Unsupported] = {
    **COMMON,
    "best_of": _only(1, why="no answers are generated only to be thrown away; ask for them with n"),
    "suffix": _only("", why="the model cannot write towards a given end"),
}

MESSAGE: dict[str, Unsupported] = {
    "name": _any("a label; the model sees the messages' texts alone"),
    "refusal": _only(why="a refusal is no text; leave the message out"),
    "audio": _only(why=_TEXT_ONLY),
    "tool_calls": _only([], why=_NO_TOOLS),
    "function_call": _only(why=_NO_TOOLS),
    "annotations": _only([], why=_TEXT_ONLY),
}

STREAM_OPTIONS: dict[str, Unsupported] = {
    "include_obfuscation": _only(False, why="streams carry no padding"),
}
