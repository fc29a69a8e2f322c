"""A function for each engine, made from its row of the table."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from heatbath.sampling.chain import Sampler
from heatbath.sampling.orders.engine import Engine, Setting
from heatbath.sampling.orders.table import ENGINES


def _function(engine: Engine) -> Callable[..., Sampler]:
    def make(**settings: Any) -> Sampler:
        return engine.sampler(settings)

    make.__name__ = make.__qualname__ = engine.function
    make.__doc__ = _doc(engine)
    parameters = [
        inspect.Parameter(row.name, inspect.Parameter.KEYWORD_ONLY, default=row.default) for row in engine.settings
    ]
    make.__signature__ = inspect.Signature(parameters, return_annotation=Sampler)  # type: ignore[attr-defined]
    return make


def _doc(engine: Engine) -> str:
    arguments = "\n".join(_wrapped(f"{row.name}: {said(row)}", 4) for row in engine.settings)
    differences = "\n".join(_wrapped(f"* *{each.name}*: {each.says};", 0, 2) for each in engine.differences)
    return f"""The sampler that keeps and draws from what {engine.name} does, by its own names and defaults.

{_wrapped("The order at the defaults: " + " → ".join(default_order(engine)) + ".", 0)}

Arguments:
{arguments}

{_wrapped(f"A thermostat or a schedule can stand in the place of the temperature. {heat_said(engine)}.")}

What {engine.name} does that this chain does not:

{differences.rstrip(";")}.

Raises:
    InputError: a name that is unknown, or a value that {engine.name} refuses.

How to choose: to get the same distribution as from {engine.name}, not the same random numbers.

Reference: the source of {engine.name}, {engine.version}.
"""


def said(row: Setting) -> str:
    """A setting in words."""
    legal = f"{row.legal.words}; " if row.legal.words else ""
    off = f" off where it is {row.off.words};" if row.off.words else ""
    target = f"argument {row.argument} of {', '.join(row.steps)};" if row.argument else "decides about the order;"
    scale = " in bits;" if 0.69 < row.scale < 0.7 else " in units of 1e-4;" if row.scale == 1e-4 else ""
    return f"{legal}{target}{scale}{off} {row.default!r} where not given."


def default_order(engine: Engine) -> list[str]:
    """The steps of an engine in its default order, whether they are on or not."""
    return [step for step in engine.order(engine.read(engine.warm)) if isinstance(step, str)]


def heat_said(engine: Engine) -> str:
    """What the engine does with temperatures at the ends, in one line."""
    return "; ".join(f"{case}: {what}" for case, what in engine.said.items())


def _wrapped(text: str, indent: int = 0, more: int = 4) -> str:
    return textwrap.fill(
        text, 100, initial_indent=" " * indent, subsequent_indent=" " * (indent + more if indent or more == 2 else 0)
    )


_BY_NAME = {engine.function: _function(engine) for engine in ENGINES.values()}
"""The functions, by their names."""

exllamav2 = _BY_NAME["exllamav2"]
exllamav3 = _BY_NAME["exllamav3"]
llama_cpp = _BY_NAME["llama_cpp"]
llama_cpp_python = _BY_NAME["llama_cpp_python"]
mlx_lm = _BY_NAME["mlx_lm"]
ollama = _BY_NAME["ollama"]
ollama_mlx = _BY_NAME["ollama_mlx"]
sglang = _BY_NAME["sglang"]
tensorrt_llm = _BY_NAME["tensorrt_llm"]
tensorrt_llm_cpp = _BY_NAME["tensorrt_llm_cpp"]
text_generation_webui = _BY_NAME["text_generation_webui"]
transformers = _BY_NAME["transformers"]
vllm = _BY_NAME["vllm"]
vllm_v1 = _BY_NAME["vllm_v1"]
