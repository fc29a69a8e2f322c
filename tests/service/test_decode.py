"""Whatever bytes arrive, the outcome is a request or one error of ours."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.service.decode import chat_request, completion_request
from heatbath.service.errors import ApiError
from heatbath.service.unsupported import CHAT, COMPLETION, MESSAGE, STREAM_OPTIONS
from heatbath.service.wire import ChatRequest, CompletionRequest, Message, StreamOptions

DECODERS = (chat_request, completion_request)
NAMES = sorted({*ChatRequest.__struct_fields__, *CompletionRequest.__struct_fields__, *CHAT, *COMPLETION, "nonsense"})
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "text", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=40))
def test_any_bytes(body):
    for decode in DECODERS:
        with suppress(ApiError):
            decode(body)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5), st.integers(0, 200))
def test_any_json(fields, cut):
    body = json.dumps(fields).encode()
    for decode in DECODERS:
        for sent in (body, body[:cut], json.dumps({"prompt": "", "messages": [fields], **fields}).encode()):
            with suppress(ApiError):
                decode(sent)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"a": \xff}', "not UTF-8: byte 6 is 0xff"),
        (b'\xef\xbb\xbf{"prompt": "" x}', "line 1, column 15"),
        (b'{"prompt": "\\ud800"}', "not JSON"),
        (b"nul", "line 1, column 1"),
        (b'{"prompt": "a" "n": 1}', "Expecting ',' delimiter at line 1, column 16"),
        (b'{"prompt": "a"} x', "Extra data at line 1, column 17"),
    ],
)
def test_bodies_that_are_not_json(body, says):
    with pytest.raises(ApiError, match=says):
        completion_request(body)


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert completion_request(b'\xef\xbb\xbf{"prompt": "a"}').prompt == "a"


def asks(decode, extra):
    return decode(json.dumps({("prompt" if decode is completion_request else "messages"): [], **extra}).encode())


@pytest.mark.parametrize(
    "extra",
    [
        *[{name: None} for name in CHAT],
        {"user": "ada", "metadata": {"a": "b"}, "safety_identifier": "x", "prompt_cache_key": "y"},
        {"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "parallel_tool_calls": True},
        {"response_format": {"type": "text"}, "modalities": ["text"], "service_tier": "auto", "store": False},
        {"tools": [], "tool_choice": "none", "functions": [], "function_call": "auto", "reasoning_effort": "none"},
    ],
)
def test_fields_that_ask_for_nothing_are_accepted(extra):
    asks(chat_request, extra)


@pytest.mark.parametrize("name", COMPLETION)
def test_null_asks_for_nothing_in_completions_too(name):
    asks(completion_request, {name: None})


def test_an_answer_of_ours_can_be_sent_back_as_a_message():
    answered = {"role": "assistant", "content": "a", "refusal": None, "name": "Ada"}
    assert chat_request(json.dumps({"messages": [answered]}).encode()).messages == [Message("assistant", "a")]


def test_no_field_is_both_done_and_not_done():
    for done, undone in (
        (ChatRequest, CHAT),
        (CompletionRequest, COMPLETION),
        (Message, MESSAGE),
        (StreamOptions, STREAM_OPTIONS),
    ):
        assert not set(done.__struct_fields__) & set(undone)
