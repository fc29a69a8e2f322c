"""What a request asks to be generated: its texts, how to draw them, and where they end."""

import functools
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from heatbath.errors import HeatbathError, InputError, SpecError
from heatbath.sampling import Sampler, chain, logit_bias
from heatbath.sampling.alone import TEXT_ONLY, check_one_row
from heatbath.service.batch import Generation
from heatbath.service.errors import ApiError
from heatbath.service.prompt import read_prompt, room_after
from heatbath.service.wire import Asked, ChatRequest, CompletionRequest
from heatbath.spec import OPTIONS, ORDER, sampler_from
from heatbath.types import Model

COMPLETION_TOKENS = 16
"""max_tokens where a completion request leaves it out, as in OpenAI's interface; a chat answer has no limit then."""
MAX_ALTERNATIVES = 20
MAX_CHOICES = 128
LARGEST_BIAS = 100
MAX_STOPS = 4
MAX_STOP_LENGTH = 256
BETWEEN_MESSAGES = "\n"
"""The plain form of a conversation: the texts of its messages, line by line; the model sees no roles."""
FRESH_SEEDS = 2**53
"""Seeds that are drawn for requests without one stay below this, so that every JSON reader keeps them exactly."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it was asked for and as the model reads it."""

    text: str
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked request. Text ``i`` follows prompt ``i // n`` and is drawn with ``seed + i``."""

    prompts: Sequence[Prompt]
    n: int
    sampler: Sampler
    seed: int
    max_tokens: int | None
    """None: up to the end of the context."""
    stops: Sequence[str]
    alternatives: int | None
    echo: bool = False

    def generations(self) -> list[Generation]:
        """The texts to be generated; an echoed prompt whose probabilities are asked for is given token by token."""
        return [self._generation(prompt.tokens, index) for index, prompt in enumerate(self._repeated())]

    def _repeated(self) -> list[Prompt]:
        return [prompt for prompt in self.prompts for _ in range(self.n)]

    def _generation(self, tokens: list[int], index: int) -> Generation:
        seen = 1 if self.echo and self.alternatives is not None else len(tokens)
        seed = (self.seed + index) % 2**64  # seeds are taken modulo 2**64
        return Generation(tokens[:seen], self.sampler, seed, self.max_tokens, self.alternatives, given=tokens[seen:])


def plan_chat(request: ChatRequest, model: Model) -> Plan:
    """Check a chat request.

    Raises:
        ApiError: a value is out of range, or two fields contradict each other.
    """
    if not request.messages:
        raise _refusal("there are no messages", "messages", 'write [{"role": "user", "content": "Once upon a time"}]')
    if None not in (request.max_tokens, request.max_completion_tokens) and (
        request.max_tokens != request.max_completion_tokens
    ):
        raise _refusal("it contradicts max_completion_tokens", "max_tokens", "give one of the two")
    if request.top_logprobs is not None and not request.logprobs:
        raise _refusal("it needs logprobs", "top_logprobs", 'add "logprobs": true')
    name = "max_tokens" if request.max_completion_tokens is None else "max_completion_tokens"
    wanted = _option("max_tokens", getattr(request, name), name)
    text = BETWEEN_MESSAGES.join(_content(message.content) for message in request.messages)
    return Plan(
        [Prompt(text, read_prompt(text, model, field="messages"))],
        max_tokens=wanted,
        alternatives=_alternatives(request.top_logprobs or 0, "top_logprobs") if request.logprobs else None,
        **_common(request, model),
    )


def plan_completion(request: CompletionRequest, model: Model) -> Plan:
    """Check a completion request.

    Raises:
        ApiError: a value is out of range, or two fields contradict each other.
    """
    items = _items(request.prompt)
    common = _common(request, model)
    if len(items) > MAX_CHOICES:
        why = f"there are {len(items)} prompts, and {MAX_CHOICES} is the most"
        raise _refusal(why, "prompt", "send several requests")
    if len(items) * common["n"] > MAX_CHOICES:
        raise _refusal(
            f"{len(items)} prompts with n={common['n']} each ask for {len(items) * common['n']} answers, "
            f"and {MAX_CHOICES} is the most",
            "n",
            "send several requests",
        )
    wanted = request.max_tokens
    # 0 is legal here: with echo and logprobs it asks for the probabilities of the prompt
    max_tokens = COMPLETION_TOKENS if wanted is None else _option("max_tokens", wanted, low=0)
    return Plan(
        [_prompt(item, model, needed=min(max_tokens, 1)) for item in items],
        max_tokens=max_tokens,
        alternatives=None if request.logprobs is None else _alternatives(request.logprobs, "logprobs"),
        echo=bool(request.echo),
        **common,
    )


def _common(request: Asked, model: Model) -> dict[str, Any]:
    if request.stream_options is not None and not request.stream:
        raise _refusal("it needs stream", "stream_options", 'add "stream": true')
    seed = _option("seed", request.seed)
    return {
        "n": _option("n", request.n) or 1,
        "sampler": _sampler(
            model.vocabulary,
            _biases(request.logit_bias or {}, model.vocabulary),
            *((name, getattr(request, name)) for name in (*ORDER, "heatbath")),
        ),
        "seed": secrets.randbelow(FRESH_SEEDS) if seed is None else seed,
        "stops": _stops(request.stop),
    }


@functools.lru_cache(maxsize=256)
def _sampler(vocabulary: int, biases: tuple[tuple[int, float], ...], *given: tuple[str, Any]) -> Sampler:
    """Equal requests share one sampler: it holds no state, and the engine draws for the rows that share one at once."""
    options = {name: value for name, value in given if value is not None}
    text = options.pop("heatbath", None)
    try:
        sampler = sampler_from(options if text is None else {**options, "chain": text})
    except SpecError as error:
        raise ApiError(
            f"reading the request, field heatbath: {error}", code="invalid_value", param="heatbath"
        ) from None
    except InputError as error:
        raise _from_option(error) from None
    if biases:  # first, as the engines have it; before a temperature it is divided by T with the rest
        sampler = chain(logit_bias(biases), *sampler.steps, sampler.draw)
    try:
        check_request(sampler, vocabulary)
    except InputError as error:
        error.field = "heatbath"
        raise _from_option(error) from None
    return sampler


def check_request(sampler: Sampler, vocabulary: int) -> None:
    """A request's sampler draws for one text of this model, as :func:`heatbath.sampling.alone.check_one_row` has it."""
    check_one_row(sampler, vocabulary, context={"text": ""}, instead=TEXT_ONLY)


def _biases(bias: dict[str, float], vocabulary: int) -> tuple[tuple[int, float], ...]:
    """OpenAI's form: ids as texts."""
    example = f'write for example {{"50": -{LARGEST_BIAS}}}'
    for token, number in bias.items():
        if not (re.fullmatch("0|[1-9][0-9]{0,9}", token) and int(token) < vocabulary):
            why = f"{token[:20]!r} is no token; the model has tokens 0 to {vocabulary - 1}"
            raise _refusal(why, "logit_bias", example)
        if abs(number) > LARGEST_BIAS:
            raise _refusal(f"{number:g} is not in [-{LARGEST_BIAS}, {LARGEST_BIAS}]", "logit_bias", example)
    return tuple(sorted((int(token), number) for token, number in bias.items()))


def _option(name: str, value: Any, param: str | None = None, *, low: float | None = None) -> Any:
    """The value, checked by the option's row of the table; ``low`` stands in place of the row's own."""
    option = OPTIONS[name] if low is None else OPTIONS[name]._replace(low=low)
    try:
        return option.check(value)
    except InputError as error:
        error.field = param or name
        raise _from_option(error) from None


def _from_option(error: HeatbathError) -> ApiError:
    param = "heatbath" if error.field == "chain" else error.field
    where = error.on.replace("chain=", "heatbath=")
    instead = f"; {error.instead}" if error.instead else ""
    return ApiError(
        f"reading the request, field {param}: {error.why} ({where}){instead}", code="invalid_value", param=param
    )


def _refusal(why: str, param: str, instead: str) -> ApiError:
    return ApiError(f"reading the request, field {param}: {why}; {instead}", code="invalid_value", param=param)


def _alternatives(count: int, param: str) -> int:
    if not 0 <= count <= MAX_ALTERNATIVES:
        raise _refusal(f"{count} is not in [0, {MAX_ALTERNATIVES}]", param, f"write for example {param}=5")
    return count


def _stops(stop: str | list[str] | None) -> list[str]:
    stops = [stop] if isinstance(stop, str) else stop or []
    if len(stops) > MAX_STOPS:
        raise _refusal(f"there are {len(stops)} texts, and {MAX_STOPS} is the most", "stop", "leave some out")
    for text in stops:
        if not text:
            raise _refusal("an empty text would end every answer at once", "stop", 'write for example "The end."')
        if len(text) > MAX_STOP_LENGTH:
            raise _refusal(
                f"a text has {len(text)} characters, and {MAX_STOP_LENGTH} is the most", "stop", "stop at its beginning"
            )
    return stops


def _items(prompt: str | list[Any]) -> list[Any]:
    """The prompts of a request: texts, or lists of what should be tokens."""
    if prompt == [] or (isinstance(prompt, list) and [] in prompt):
        raise _refusal("the list is empty", "prompt", 'write "" for the beginning of a text')
    items = [prompt] if isinstance(prompt, str) or isinstance(prompt[0], int) else prompt
    if len({type(item) for item in items}) > 1 or any(isinstance(item, int) for item in items):
        raise _refusal(
            "texts and tokens are mixed", "prompt", "give a text, a list of texts, tokens, or lists of tokens"
        )
    return items


def _prompt(item: str | list[Any], model: Model, *, needed: int) -> Prompt:
    if isinstance(item, str):
        return Prompt(item, read_prompt(item, model))
    room_after(item, model, needed=needed)  # before it is spelled
    return Prompt(model.tokenizer.decode(_tokens(item, model.vocabulary)), item)


def _tokens(tokens: list[Any], vocabulary: int) -> list[int]:
    for token in tokens:
        if not isinstance(token, int):
            raise _refusal("texts and tokens are mixed", "prompt", "give either a text or a list of token ids")
        if not 0 <= token < vocabulary:
            raise _refusal(
                f"there is no token {token}; the model has tokens 0 to {vocabulary - 1}",
                "prompt",
                "give a text instead",
            )
    return tokens


def _content(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.text for part in content)
