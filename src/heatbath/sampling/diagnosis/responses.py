"""Answers of OpenAI's interface, as they were saved: one JSON document, a list of them, or one a line."""

import json
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from heatbath.errors import InputError, while_doing
from heatbath.sampling.diagnosis.written import Written

INSTEAD = "save the whole answer of a chat or completion request made with logprobs"


def read_responses(text: str) -> list[Written]:
    """The texts in saved answers of OpenAI's interface, with the log-probabilities that they carry.

    Chat answers (``choices[].logprobs.content`` with ``top_logprobs``), older completions (``choices[].logprobs`` with
    ``tokens``, ``token_logprobs``, ``top_logprobs``), and lines of batch output (``response.body``) are read, one
    :class:`Written` per choice. A choice without log-probabilities gives its words alone. Answers of heatbath's own
    service are known by their ``system_fingerprint``, or the field ``heatbath``, to have log-probabilities before the
    temperature.

    Arguments:
        text: one JSON document, a list of them, or one on each line (JSONL).

    Raises:
        InputError: it is no JSON, holds no choices, or fields that are not what the interface says.

    >>> import heatbath as hb
    >>> answer = '{"choices": [{"text": "a b", "logprobs": {"tokens": ["a", " b"], "token_logprobs": [-0.1, -2.0]}}]}'
    >>> hb.sampling.read_responses(answer)[0].logprobs
    [-0.1, -2.0]

    How to choose: ask with ``logprobs`` and as many ``top_logprobs`` as the service allows; five already tell T well.

    Reference: OpenAI's API reference, "Chat completions" and "Completions (legacy)".
    """
    with while_doing("reading answers"):
        found = [written for where, document in _documents(text) for written in _texts(_body(document), where)]
        if not found:
            raise InputError("no choice holds a text", instead=INSTEAD)
        return found


def _documents(text: str) -> Iterator[tuple[str, Any]]:
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        lines = [(f"line {number}", line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        if len(lines) < 2:
            raise _bad("it is no JSON", "the answer") from None
        for where, line in lines:
            try:
                yield where, json.loads(line)
            except (json.JSONDecodeError, RecursionError):
                raise _bad("it is no JSON", where) from None
        return
    if isinstance(whole, list):
        yield from ((f"answer {number}", each) for number, each in enumerate(whole, 1))
    else:
        yield "the answer", whole


def _body(document: Any) -> Any:
    """The answer in a line of batch output, or the answer that it already is."""
    if isinstance(document, Mapping) and isinstance(document.get("response"), Mapping):
        return document["response"].get("body")
    return document


def _texts(body: Any, where: str) -> Iterator[Written]:
    for choice in _choices(body, where):
        written = _written(choice, where)
        if written is not None:
            before = written.logprobs is not None and _is_ours(body)
            yield written._replace(tempered=False) if before else written


def _is_ours(body: Mapping[str, Any]) -> bool:
    fingerprint = str(body.get("system_fingerprint"))
    return fingerprint.startswith("heatbath-") or isinstance(body.get("heatbath"), Mapping)


def _choices(document: Any, where: str) -> list[Any]:
    choices = document.get("choices") if isinstance(document, Mapping) else None
    if not isinstance(choices, list) or not all(isinstance(choice, Mapping) for choice in choices):
        raise _bad("it has no list of choices", where)
    return choices


def _written(choice: Mapping[str, Any], where: str) -> Written | None:
    logprobs = choice.get("logprobs")
    message = choice.get("message")
    text = choice.get("text", message.get("content") if isinstance(message, Mapping) else None)
    if logprobs is None or (isinstance(logprobs, Mapping) and logprobs.get("content", ()) is None):
        return Written(text=text) if isinstance(text, str) and text else None
    try:
        return _from_chat(logprobs["content"]) if "content" in logprobs else _from_completion(logprobs)
    except (KeyError, TypeError, AttributeError) as error:
        raise _bad(f"its logprobs are not as the interface has them ({error!r:.60})", where) from None


def _from_chat(content: list[dict[str, Any]]) -> Written | None:
    if not content:
        return None
    tops: list[Mapping[Hashable, float] | None] = [
        {_name(each): each["logprob"] for each in token.get("top_logprobs") or ()} for token in content
    ]
    return Written(
        tokens=[_name(token) for token in content],
        logprobs=[token["logprob"] for token in content],
        top_logprobs=tops if any(tops) else None,
    )


def _name(token: Mapping[str, Any]) -> str:
    """The text of a token; of one that holds part of a character, its bytes, because the texts of such are alike."""
    name = token["token"]
    if not isinstance(name, str):
        raise TypeError(f"token {name!r}")
    spelled = token.get("bytes")
    if spelled is None or bytes(spelled) == name.encode(errors="replace"):
        return name
    return "bytes:" + "".join(f"\\x{byte:02x}" for byte in spelled)


def _from_completion(logprobs: Mapping[str, Any]) -> Written | None:
    if not logprobs["tokens"]:
        return None
    tops = logprobs.get("top_logprobs")
    return Written(
        tokens=list(logprobs["tokens"]),
        logprobs=list(logprobs["token_logprobs"]),
        top_logprobs=list(tops) if tops and any(tops) else None,
    )


def _bad(why: str, where: str) -> InputError:
    return InputError(why, on=where, instead=INSTEAD)
