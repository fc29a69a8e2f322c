"""A function for each engine, made from its row of the table."""

import inspect
from collections.abc import Callable
from typing import Any

from heatbath.sampling.chain import Sampler
from heatbath.sampling.orders.common import BITS
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
    arguments = "\n".join(_wrapped(f"{row.name}: {said(row)}", "    ", " " * 8) for row in engine.settings)
    differences = ";\n".join(_wrapped(f"*{each.name}*: {each.says}", "* ", "  ") for each in engine.differences)
    ends = ";\n".join(_wrapped(f"*{case}*: {what}", "* ", "  ") for case, what in engine.said.items())
    return f"""The sampler that keeps and draws from what {engine.name} does, by its own names and defaults.

{_wrapped(f"The order: {' → '.join(default_order(engine))}.")}

Arguments:
{arguments}

{_wrapped(f"No chain carries {_named(engine)}; giving one is an error that says why.")}

A thermostat or a schedule can stand in the place of the temperature. At its ends:

{ends}.

What {engine.name} does that this chain does not:

{differences}.

Raises:
    InputError: a name that is unknown or that no chain carries, or a value that {engine.name} refuses.

>>> import heatbath as hb
>>> hb.orders.{engine.function}()
{engine.sampler({})}

How to choose: to get the same distribution as from {engine.name}, not the same random numbers.

Reference: the source of {engine.name}, {engine.version}.
"""


def _named(engine: Engine) -> str:
    return ", ".join(f"``{each.name}``" for each in engine.apart)


def said(row: Setting) -> str:
    """A setting in words."""
    of = f"for {', '.join(row.steps)}" if row.argument else "switches a step" if row.steps else "for the order"
    unit = ", in bits" if row.scale == BITS else ", in units of 1e-4" if row.scale == 1e-4 else ""
    legal = f"; {row.legal.words}" if row.legal.words else ""
    off = f"; off where it is {row.off.words}" if row.off.words else ""
    return f"{of}{unit}{legal}{off}; {row.default!r} where not given."


def default_order(engine: Engine) -> list[str]:
    """The steps of an engine in its default order, whether they are on or not."""
    return [step for step in engine.order(engine.read(engine.warm)) if isinstance(step, str)]


def _wrapped(text: str, first: str = "", later: str = "") -> str:
    """Lines of up to 100 letters; ``textwrap`` takes ten times as long, and this runs whenever heatbath is imported."""
    lines, line = [], first
    for word in text.split(" "):
        if len(line) + len(word) > 100:
            lines.append(line.rstrip())
            line = later
        line += word + " "
    return "\n".join([*lines, line.rstrip()])


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
