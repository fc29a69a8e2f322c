"""The table is complete and means what the providers say."""

import pytest

from heatbath.service.errors import ApiError
from heatbath.service.gateway.effects import effect, is_rejection, is_taken, requested
from heatbath.service.gateway.providers import PROVIDERS, STATES, Mode, Range, rule_for
from heatbath.service.gateway.scan import REMOVED, scan
from tests.service.gateway import mock

ROWS = [(name, rule) for name, provider in PROVIDERS.items() for rule in provider.rules]
MODES: tuple[Mode, ...] = ("thinking", "plain", "unsaid")


@pytest.mark.parametrize(("name", "rule"), ROWS, ids=lambda value: getattr(value, "models", value))
def test_every_row_holds_together(name, rule):
    assert rule.state in STATES
    assert rule.source or name == "openai-compatible", "say where it is from"
    if rule.default is not None and rule.range:
        assert rule.default in rule.range
    if rule.state == "rejected":
        assert rule.range is None
    if rule.pieces:
        assert [piece.upto for piece in rule.pieces] == sorted(piece.upto for piece in rule.pieces)
        assert rule.pieces[-1].upto >= rule.range.high


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("mode", MODES)
def test_some_row_fits_every_model(provider, mode):
    assert rule_for(provider, "a-model-of-tomorrow", mode)


@pytest.mark.parametrize(
    ("provider", "model", "mode", "state", "span", "default"),
    [
        ("openai", "gpt-4.1", "unsaid", "adjustable", "[0, 2]", 1),
        ("openai", "GPT-5-mini", "unsaid", "rejected", None, 1),
        ("openai", "o3-mini", "unsaid", "rejected", None, 1),
        ("openai", "gpt-5-chat-latest", "unsaid", "adjustable", "[0, 2]", 1),
        ("openai", "gpt-5.2-chat-latest", "unsaid", "rejected", None, 1),
        ("openai", "gpt-4o-search-preview", "unsaid", "rejected", None, 1),
        ("openai", "gpt-5.1", "plain", "adjustable", "[0, 2]", 1),
        ("openai", "gpt-5.1", "thinking", "rejected", None, 1),
        ("dashscope", "qwen-plus", "unsaid", "adjustable", "[0, 2)", 0.7),
        ("dashscope", "qwen-long", "unsaid", "adjustable", "[0, 2)", 1),
        ("dashscope", "qwen3-max", "unsaid", "adjustable", "[0, 2)", None),
        ("deepseek", "deepseek-chat", "unsaid", "adjustable", "[0, 2]", 1),
        ("deepseek", "deepseek-chat", "thinking", "ignored", None, None),
        ("deepseek", "deepseek-reasoner", "unsaid", "ignored", None, None),
        ("deepseek", "deepseek-v4", "unsaid", "ignored", None, None),
        ("deepseek", "deepseek-v4", "plain", "adjustable", "[0, 2]", 1),
        ("anthropic", "claude-opus-4-6", "unsaid", "adjustable", "[0, 1]", 1),
        ("anthropic", "claude-opus-4-6", "thinking", "rejected", None, 1),
        ("anthropic", "claude-opus-4-7", "unsaid", "rejected", None, 1),
        ("anthropic", "claude-sonnet-5", "unsaid", "rejected", None, 1),
        ("anthropic", "claude-opus-4-5-20251101", "unsaid", "adjustable", "[0, 1]", 1),
        ("gemini", "gemini-3-pro", "unsaid", "advised against", "[0, 2]", 1),
        ("gemini", "gemini-2.5-flash", "unsaid", "adjustable", "[0, 2]", 1),
        ("moonshot", "kimi-k2.5", "unsaid", "rejected", None, 1),
        ("moonshot", "kimi-k2-0905", "unsaid", "adjustable", "[0, 1]", None),
        ("mistral", "mistral-large", "unsaid", "adjustable", None, None),
        ("groq", "llama-3.3-70b", "unsaid", "adjustable", "[0, 2]", 1),
        ("vllm", "anything", "unsaid", "adjustable", "[0, inf)", None),
        ("ollama", "gemma", "unsaid", "adjustable", "[0, inf)", None),
        ("llama.cpp", "any", "unsaid", "adjustable", "[0, inf)", 0.8),
        ("heatbath", "heatbath-tales", "unsaid", "adjustable", "[0, inf)", 1),
    ],
)
def test_what_providers_do(provider, model, mode, state, span, default):
    rule = rule_for(provider, model, mode)
    assert (rule.state, str(rule.range) if rule.range else None, rule.default) == (state, span, default)


@pytest.mark.parametrize(
    ("provider", "model", "sent", "effective"),
    [
        ("moonshot-anthropic", "kimi-k2", 1, 0.6),
        ("deepseek", "deepseek-v3-0324", 1, 0.3),
        ("deepseek", "deepseek-v3-0324", 0.5, 0.15),
        ("deepseek", "deepseek-v3-0324", 1.3, 0.6),
        ("deepseek", "deepseek-v3-0324", 2, 1.3),
        ("deepseek", "deepseek-v3-0324", None, 0.3),
        ("deepseek", "deepseek-reasoner", 0.2, None),
        ("openai", "gpt-4.1", None, 1),
        ("openai", "gpt-4.1", 0.2, 0.2),
        ("openai", "o3", 0.2, 1),
        ("vllm", "x", None, None),
    ],
)
def test_requested_is_not_effective(provider, model, sent, effective):
    assert rule_for(provider, model, "unsaid").effective(sent) == effective


@pytest.mark.parametrize(
    ("provider", "body", "mode"),
    [
        ("openai", b'{"reasoning_effort": "none"}', "plain"),
        ("openai", b'{"reasoning_effort": "high"}', "thinking"),
        ("openai", b'{"reasoning": {"effort": "none"}}', "plain"),
        ("openai", b'{"reasoning": {"summary": "auto"}}', "unsaid"),
        ("openai", b'{"reasoning": 7}', "unsaid"),
        ("openai", b"{}", "unsaid"),
        ("anthropic", b'{"thinking": {"type": "enabled", "budget_tokens": 9}}', "thinking"),
        ("deepseek", b'{"thinking": {"type": "disabled"}}', "plain"),
        ("deepseek", b'{"thinking": true}', "unsaid"),
        ("dashscope", b'{"enable_thinking": false}', "plain"),
        ("vllm", b'{"chat_template_kwargs": {"enable_thinking": true}}', "thinking"),
        ("groq", b'{"reasoning_effort": "high"}', "unsaid"),
    ],
)
def test_the_mode_is_read_in_the_providers_words(provider, body, mode):
    assert PROVIDERS[provider].mode(scan(body)) == mode


def test_ranges_have_ends():
    assert 2 in Range(0, 2)
    assert 2 not in Range(0, 2, open=True)
    assert 1.999 in Range(0, 2, open=True)
    assert -0.1 not in Range(0, 2)
    assert NAN not in Range(0, 2)
    assert float("inf") not in Range(0, float("inf"))
    assert "1" not in Range(0, 2)


NAN = float("nan")
ADJUSTABLE = rule_for("openai", "gpt-4.1", "unsaid")
REJECTED = rule_for("openai", "o3", "unsaid")
IGNORED = rule_for("deepseek", "deepseek-reasoner", "unsaid")
QWEN = rule_for("dashscope", "qwen-plus", "unsaid")


@pytest.mark.parametrize(
    ("asked", "setting", "rule", "written", "sent", "effective", "state", "change"),
    [
        (0.7, "inherit", ADJUSTABLE, True, 0.7, 0.7, "adjustable", None),
        (None, "inherit", ADJUSTABLE, False, None, 1, "adjustable", None),
        (None, "inherit", ADJUSTABLE, True, None, 1, "adjustable", None),
        (0.7, "leave out", ADJUSTABLE, True, None, 1, "adjustable", REMOVED),
        (None, "leave out", ADJUSTABLE, False, None, 1, "adjustable", None),
        (0.7, 1.2, ADJUSTABLE, True, 1.2, 1.2, "adjustable", b"1.2"),
        (None, 1.2, ADJUSTABLE, False, 1.2, 1.2, "adjustable", b"1.2"),
        (0.7, "inherit", REJECTED, True, None, 1, "rejected", REMOVED),
        (None, 1.2, REJECTED, False, None, 1, "rejected", None),
        (0.7, "inherit", IGNORED, True, 0.7, None, "ignored", None),
        (0, "inherit", QWEN, True, 0, 0, "advised against", None),
        (0.1, "inherit", QWEN, True, 0.1, 0.1, "adjustable", None),
    ],
)
def test_what_a_setting_comes_to(asked, setting, rule, written, sent, effective, state, change):
    assert tuple(effect(asked, setting, rule, written=written)) == (asked, sent, effective, state, change)


@pytest.mark.parametrize(
    ("asked", "rule"), [(2.5, ADJUSTABLE), (-1, ADJUSTABLE), (2, QWEN), (float("inf"), ADJUSTABLE)]
)
def test_nothing_is_moved_into_a_range(asked, rule):
    with pytest.raises(ApiError) as refused:
        effect(asked, "inherit", rule, written=True)
    assert refused.value.status == 400
    assert str(rule.range) in refused.value.message
    with pytest.raises(ApiError) as refused:
        effect(None, asked, rule, written=False)
    assert (refused.value.status, refused.value.code) == (500, "policy_out_of_range")


def test_without_a_known_range_the_provider_decides():
    assert is_taken(1e6, rule_for("mistral", "m", "unsaid"))
    assert not is_taken(float("inf"), rule_for("mistral", "m", "unsaid"))


@pytest.mark.parametrize("raw", [b'"0.7"', b"true", b"[1]", b"{}"])
def test_a_temperature_is_a_number(raw):
    with pytest.raises(ApiError, match="a temperature is a number"):
        requested(scan(b'{"temperature": %s}' % raw))


@pytest.mark.parametrize("name", mock.REJECTING)
def test_rejections_are_recognised(name):
    import json

    assert is_rejection(json.dumps(mock.REJECTING[name]).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[1]",
        b'{"error": "temperature must be between 0 and 2"}',
        b'{"error": {"message": "Invalid value: expected a number <= 2", "param": "temperature"}}',
        b'{"error": {"message": "temperature must be in [0, 2)", "code": "invalid_parameter_error"}}',
        b'{"error": {"message": "Unsupported value: \'tools\'", "param": "tools", "code": "unsupported_value"}}',
        b'{"error": {"message": "top_k is not supported"}}',
        b'{"error": {"message": 7}}',
    ],
)
def test_other_refusals_are_not(body):
    assert not is_rejection(body)
