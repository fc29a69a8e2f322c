"""From the bytes of a body to a typed request, with every mistake named."""

import codecs
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar, get_args

import msgspec

from heatbath.service.errors import ApiError
from heatbath.service.unsupported import CHAT, COMPLETION, MESSAGE, STREAM_OPTIONS, Unsupported
from heatbath.service.wire import ChatRequest, CompletionRequest, Message, StreamOptions

RequestT = TypeVar("RequestT", bound=msgspec.Struct)

WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
ROLES = get_args(Message.__annotations__["role"])
TOOL_ROLES = ("tool", "function")
LARGEST = 2**64
"""No field takes a number this large."""


def chat_request(body: bytes) -> ChatRequest:
    """The body of POST /v1/chat/completions."""
    data = _object(body)
    _only_known(data, ChatRequest, CHAT)
    for index, message in _objects(data.get("messages")):
        if message.get("role") in TOOL_ROLES:
            _refuse("the model calls no tools", f"messages[{index}].role", "unsupported_field", "leave the message out")
        _only_known(message, Message, MESSAGE, f"messages[{index}].")
        for position, part in _objects(message.get("content")):
            where, instead = f"messages[{index}].content[{position}]", 'write {"type": "text", "text": ...}'
            if "type" not in part:
                _refuse("it is missing", f"{where}.type", "missing_field", instead)
            if part["type"] != "text":
                why = f"the part is of type {part['type']!r}, and the model reads text alone"
                _refuse(why, where, "unsupported_field", instead)
    return _typed(data, ChatRequest)


def completion_request(body: bytes) -> CompletionRequest:
    """The body of POST /v1/completions."""
    return flat_request(body, CompletionRequest, COMPLETION)


def flat_request(body: bytes, kind: type[RequestT], unsupported: Mapping[str, Unsupported] = {}) -> RequestT:
    """A body whose fields are those of ``kind``, and ``unsupported`` ones that ask for nothing."""
    data = _object(body)
    _only_known(data, kind, unsupported)
    return _typed(data, kind)


def _objects(items: Any) -> Iterable[tuple[int, dict[str, Any]]]:
    """The objects of what should be a list of them; whatever else it is, is found when types are checked."""
    return [(i, item) for i, item in enumerate(items) if isinstance(item, dict)] if isinstance(items, list) else []


def _refuse(why: str, param: str | None, code: str, instead: str = "") -> NoReturn:
    at = f", field {param}" if param else ""
    raise ApiError(
        f"reading the request{at}: {why}{f'; {instead}' if instead else ''}", code=code, param=param
    ) from None


def _object(body: bytes) -> dict[str, Any]:
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        _refuse("the body is empty", None, "invalid_json", "send a JSON object")
    try:
        data = msgspec.json.decode(body)
    except RecursionError:
        _refuse("the JSON is nested too deeply", None, "invalid_json")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _refuse(*_malformed(body, str(error)))
    if not isinstance(data, dict):
        _refuse("the body is JSON, but not an object", None, "invalid_type", 'write {"model": ..., ...}')
    return data


def _malformed(body: bytes, said: str) -> tuple[str, None, str, str]:
    """Where and why the body is no JSON; Python's slower reader knows that better than the fast one."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is 0x{body[error.start]:02x}"
        return f"the body is not UTF-8: {why}", None, "invalid_json", "send JSON as UTF-8"
    if "out of range" in said:
        return "a number is too large for a double", None, "invalid_value", INFINITE
    try:
        json.loads(body, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        near = error.doc[max(0, error.pos - 20) : error.pos + 20]
        why = f"{error.msg} at line {error.lineno}, column {error.colno}, near {near!r}"
        return f"the body is not JSON: {why}", None, "invalid_json", ""
    except _NoConstantError as error:
        return f"the body is not JSON: JSON has no {error}", None, "invalid_json", INFINITE
    except RecursionError:
        pass
    return f"the body is not JSON: {said}", None, "invalid_json", ""


class _NoConstantError(Exception):
    """NaN, Infinity or -Infinity."""


def _no_constant(name: str) -> NoReturn:
    raise _NoConstantError(name)


INFINITE = 'for an infinite temperature write "heatbath": "temperature(inf)"'


def _only_known(
    data: dict[str, Any], struct: type[msgspec.Struct], unsupported: Mapping[str, Unsupported], prefix: str = ""
) -> None:
    """Take out what asks for nothing; refuse what nobody knows, and what is known and not done here."""
    known = struct.__struct_fields__
    for name in data.keys() - set(known):
        param = prefix + name
        if name not in unsupported:
            near = difflib.get_close_matches(name, [*known, *unsupported], n=1)
            instead = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            _refuse("there is no such field", param, "unknown_field", instead)
        value, rule = data.pop(name), unsupported[name]
        if value is not None and not rule.harmless(value):
            instead = f"leave it out{f' or send {rule.values}' if rule.values else ''}"
            _refuse(f"{rule.why}, so this value would do nothing", param, "unsupported_field", instead)


def _typed(data: dict[str, Any], kind: type[RequestT]) -> RequestT:
    for name, value in data.items():
        if isinstance(value, int) and abs(value) >= LARGEST:
            _refuse("the number is far out of range", name, "invalid_value")
    options = data.get("stream_options")
    if isinstance(options, dict):
        _only_known(options, StreamOptions, STREAM_OPTIONS, "stream_options.")
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        _refuse(*_mistyped(str(error)))


def _mistyped(said: str) -> tuple[str, str | None, str]:
    """A message of msgspec in this project's words: why, which field, which code."""
    what, _, path = said.partition(" - at `$")
    param = path.rstrip("`").removeprefix(".").removesuffix("[...]")  # somewhere in an object of any keys
    absent = re.search(r"(missing required|unknown) field `(.+?)`", what)
    if absent:
        name = f"{param}.{absent[2]}" if param else absent[2]
        if absent[1] == "unknown":
            return "there is no such field", name, "unknown_field"
        return "it is missing", name, "missing_field"
    expected = re.search(r"Expected `(.+?)`, got `(.+?)`", what)
    if expected:
        kinds = [WORDS.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null"]
        return f"expected {' or '.join(kinds)}, got {WORDS.get(expected[2], expected[2])}", param, "invalid_type"
    bound = re.search(r"Expected `(.+?)` (.+)", what)
    if bound:
        return f"{WORDS.get(bound[1], bound[1])} must be {bound[2]}", param, "invalid_value"
    unknown = re.search(r"Invalid enum value '(.*)'", what, re.DOTALL)
    return f"{unknown[1]!r} is none of {', '.join(ROLES)}" if unknown else what, param, "invalid_value"
