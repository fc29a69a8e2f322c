"""What providers make of a temperature: one table, in which the first row that fits a model holds.

Whatever is not known is left open: a row without a range leaves it to the provider to refuse, and a row without a
default makes the effective temperature of a request that names none unknown.
"""

import math
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple, get_args

from heatbath.service.gateway.scan import Scanned

State = Literal["adjustable", "rejected", "ignored", "advised against"]
STATES: tuple[State, ...] = get_args(State)

Mode = Literal["thinking", "plain", "unsaid"]
"""Whether a request asks for reasoning, asks for none, or does not say."""

EVERY: frozenset[Mode] = frozenset(get_args(Mode))
THINKING: frozenset[Mode] = frozenset({"thinking"})
THINKING_UNLESS_TOLD: frozenset[Mode] = frozenset({"thinking", "unsaid"})


class Range(NamedTuple):
    """Temperatures that a provider takes."""

    low: float
    high: float
    open: bool = False
    """Whether ``high`` itself is refused."""

    def __contains__(self, temperature: object) -> bool:
        if not isinstance(temperature, int | float):
            return False
        below = temperature < self.high if self.open else temperature <= self.high
        return math.isfinite(temperature) and self.low <= temperature and below

    def __str__(self) -> str:
        return f"[{self.low:g}, {self.high:g}{')' if self.open or self.high == math.inf else ']'}"


class Piece(NamedTuple):
    """``effective = scale * requested + offset`` up to a requested temperature, that one included."""

    upto: float
    scale: float
    offset: float = 0.0


class Rule(NamedTuple):
    """What a provider does with the temperature of some models."""

    models: str
    """Names, as patterns of the shell; several are separated by spaces."""
    state: State
    range: Range | None = None
    default: float | None = None
    modes: frozenset[Mode] = EVERY
    pieces: tuple[Piece, ...] = ()
    """Where the provider samples with another temperature than it is sent."""
    greedy: State | None = None
    """The state at T = 0, where it is another."""
    advice: str = ""
    source: str = ""

    def fits(self, model: str, mode: Mode) -> bool:
        """Whether the row is about this model in this mode."""
        return mode in self.modes and any(fnmatchcase(model.lower(), each) for each in self.models.split())

    def effective(self, sent: float | None) -> float | None:
        """What the provider samples with when it is sent this; None where nobody knows."""
        if sent is None or self.state in ("rejected", "ignored"):
            sent = self.default
        if sent is None:
            return None
        for piece in self.pieces:
            if sent <= piece.upto:
                return round(piece.scale * sent + piece.offset, 12)
        return sent


class Provider(NamedTuple):
    """A provider: its rows, and how a request to it says whether it asks for reasoning."""

    rules: tuple[Rule, ...]
    mode: Callable[[Scanned], Mode] = lambda scanned: "unsaid"


def _by_effort(scanned: Scanned) -> Mode:
    effort = scanned.value("reasoning_effort")
    if effort is None:
        reasoning = scanned.value("reasoning")
        effort = reasoning.get("effort") if isinstance(reasoning, dict) else None
    return "unsaid" if effort is None else "plain" if effort == "none" else "thinking"


def _by_thinking(scanned: Scanned) -> Mode:
    thinking = scanned.value("thinking")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind is None:
        return "unsaid"
    return "plain" if kind == "disabled" else "thinking"


def _by_switch(scanned: Scanned) -> Mode:
    return _said(scanned.value("enable_thinking"))


def _by_template(scanned: Scanned) -> Mode:
    arguments = scanned.value("chat_template_kwargs")
    return _said(arguments.get("enable_thinking") if isinstance(arguments, dict) else None)


def _said(thinking: Any) -> Mode:
    return "unsaid" if thinking is None else "thinking" if thinking else "plain"


ANY = Range(0, math.inf)
TWO = Range(0, 2)
NO_GREEDY = "the model card warns of endless repetition when decoding greedily"

OPENAI = "platform.openai.com/docs/api-reference/chat, and the refusals of the models themselves"
DASHSCOPE = "help.aliyun.com/zh/model-studio, parameters of the Qwen API"
DEEPSEEK = "api-docs.deepseek.com/quick_start/parameter_settings and /guides/thinking_mode"
ANTHROPIC = "docs.claude.com, Messages API and OpenAI compatibility"
GEMINI = "docs.cloud.google.com, Gemini 3 prompting guide"
KIMI = "platform.kimi.ai/docs/api/models-overview, and the Kimi-K2 README"

PROVIDERS: dict[str, Provider] = {
    "openai": Provider(
        (
            Rule("gpt-5.2-chat* *-search-preview*", "rejected", default=1, source=OPENAI),
            Rule("gpt-5-chat*", "adjustable", TWO, 1, source=OPENAI),
            Rule(
                "gpt-5.[1-9]*",
                "rejected",
                default=1,
                modes=THINKING,
                advice="temperature, top_p and logprobs need the reasoning effort none",
                source=OPENAI,
            ),
            Rule("gpt-5.[1-9]*", "adjustable", TWO, 1, source=OPENAI),
            Rule("o[1-9]* gpt-5*", "rejected", default=1, source=OPENAI),
            Rule("*", "adjustable", TWO, 1, advice="alter temperature or top_p, not both", source=OPENAI),
        ),
        _by_effort,
    ),
    "dashscope": Provider(
        (
            Rule("qwen-long*", "adjustable", Range(0, 2, open=True), 1, source=DASHSCOPE),
            Rule("qwen-vl*", "adjustable", Range(0, 2, open=True), 0.01, source=DASHSCOPE),
            Rule("*math*", "adjustable", Range(0, 2, open=True), 0, source=DASHSCOPE),
            Rule(
                "qwen3*",
                "adjustable",
                Range(0, 2, open=True),
                greedy="advised against",
                advice=NO_GREEDY,
                source=f"{DASHSCOPE}; Qwen3 model card",
            ),
            Rule(
                "qwen*",
                "adjustable",
                Range(0, 2, open=True),
                0.7,
                greedy="advised against",
                advice="the vendor sees no sense in 0",
                source=DASHSCOPE,
            ),
            Rule("*", "adjustable", Range(0, 2, open=True), source=DASHSCOPE),
        ),
        _by_switch,
    ),
    "deepseek": Provider(
        (
            Rule("deepseek-reasoner* deepseek-r1*", "ignored", source=DEEPSEEK),
            Rule("*", "ignored", modes=THINKING, source=DEEPSEEK),
            Rule(
                "deepseek-v3*",
                "adjustable",
                TWO,
                1,
                pieces=(Piece(1, 0.3), Piece(2, 1, -0.7)),
                advice="sampled at 0.3 T up to T = 1 and at T - 0.7 above",
                source="DeepSeek-V3-0324 model card",
            ),
            Rule("deepseek-chat*", "adjustable", TWO, 1, source=DEEPSEEK),
            Rule("*", "ignored", modes=THINKING_UNLESS_TOLD, source=DEEPSEEK),
            Rule("*", "adjustable", TWO, 1, source=DEEPSEEK),
        ),
        _by_thinking,
    ),
    "anthropic": Provider(
        (
            Rule(
                "claude-opus-4-[7-9]* claude-sonnet-4-[7-9]* claude-haiku-4-[7-9]* "
                "claude-opus-[5-9]* claude-sonnet-[5-9]* claude-haiku-[5-9]*",
                "rejected",
                default=1,
                source="the models' own refusal: `temperature` is deprecated for this model",
            ),
            Rule("*", "rejected", default=1, modes=THINKING, source=ANTHROPIC),
            Rule(
                "*",
                "adjustable",
                Range(0, 1),
                1,
                advice="not fully deterministic even at 0; API version 2026-10-21 and later rejects it",
                source=ANTHROPIC,
            ),
        ),
        _by_thinking,
    ),
    "gemini": Provider(
        (
            Rule(
                "gemini-3* models/gemini-3*",
                "advised against",
                TWO,
                1,
                advice="keep 1: below it the model may loop or reason worse",
                source=GEMINI,
            ),
            Rule("*", "adjustable", TWO, 1, source="ai.google.dev/gemini-api/docs/openai"),
        ),
        _by_effort,
    ),
    "moonshot": Provider(
        (
            Rule("kimi-k2.5* kimi-k2.6* kimi-k2.7* kimi-k3*", "rejected", default=1, source=KIMI),
            Rule("*", "adjustable", Range(0, 1), advice="near 0 only n = 1 is taken", source=KIMI),
        ),
        _by_thinking,
    ),
    "moonshot-anthropic": Provider(
        (
            Rule("kimi-k2.5* kimi-k2.6* kimi-k2.7* kimi-k3*", "rejected", default=1, source=KIMI),
            Rule("*", "adjustable", Range(0, 1), pieces=(Piece(1, 0.6),), advice="sampled at 0.6 T", source=KIMI),
        ),
        _by_thinking,
    ),
    "mistral": Provider(
        (
            Rule(
                "*",
                "adjustable",
                advice="between 0 and 0.7 is recommended; the default is per model, see its /models",
                source="mistralai/client-python, ChatCompletionRequest",
            ),
        )
    ),
    "groq": Provider((Rule("*", "adjustable", TWO, 1, source="groq/groq-python, completion_create_params"),)),
    "vllm": Provider(
        (
            Rule(
                "*qwen3*",
                "adjustable",
                ANY,
                greedy="advised against",
                advice=NO_GREEDY,
                source="Qwen3 model card; docs.vllm.ai",
            ),
            Rule(
                "*",
                "adjustable",
                ANY,
                advice="the default is that of the model's generation_config.json",
                source="docs.vllm.ai, --generation-config",
            ),
        ),
        _by_template,
    ),
    "ollama": Provider(
        (
            Rule(
                "*",
                "adjustable",
                ANY,
                advice="0.8 unless the model sets another; this path does not read the Modelfile's own",
                source="ollama/ollama, docs/modelfile",
            ),
        )
    ),
    "llama.cpp": Provider((Rule("*", "adjustable", ANY, 0.8, source="ggml-org/llama.cpp, tools/server"),)),
    "heatbath": Provider((Rule("*", "adjustable", ANY, 1, source="the options of heatbath"),)),
    "openai-compatible": Provider((Rule("*", "adjustable", advice="nothing is known of this provider"),)),
}
"""Every provider by the name that the configuration uses."""


def rule_for(provider: str, model: str, mode: Mode) -> Rule:
    """The row that holds for a model in a mode.

    >>> rule_for("openai", "gpt-5-mini", "unsaid").state, str(rule_for("dashscope", "qwen-plus", "unsaid").range)
    ('rejected', '[0, 2)')
    """
    return next(rule for rule in PROVIDERS[provider].rules if rule.fits(model, mode))
