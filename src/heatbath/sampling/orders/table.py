"""The one table of engines: from it come the functions, the translations, the docs and the tests."""

from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.orders.engine import Engine, meant
from heatbath.sampling.orders.exllama import EXLLAMA
from heatbath.sampling.orders.llama import LLAMA
from heatbath.sampling.orders.mlx import MLX
from heatbath.sampling.orders.sglang import SGLANG
from heatbath.sampling.orders.tensorrt import TENSORRT_LLM, TENSORRT_LLM_CPP
from heatbath.sampling.orders.transformers import TRANSFORMERS
from heatbath.sampling.orders.vllm import VLLM, VLLM_V1
from heatbath.sampling.orders.webui import WEBUI

_ROWS = (TRANSFORMERS, VLLM, VLLM_V1, SGLANG, TENSORRT_LLM, TENSORRT_LLM_CPP, *LLAMA, *MLX, *EXLLAMA, WEBUI)

ENGINES: dict[str, Engine] = {engine.name: engine for engine in _ROWS}
"""Every engine by its name."""


def engine(name: str) -> Engine:
    """The engine of a name, as its authors, Python or a user writes it.

    Raises:
        InputError: none has it; the message says which was probably meant.
    """
    known = {each.casefold(): row for row in ENGINES.values() for each in (row.name, row.function, *row.aliases)}
    found = known.get(name.casefold()) if isinstance(name, str) else None
    if found is None:
        raise InputError(
            f"there is no engine {show(name):.60}",
            doing="looking for an engine",
            instead=meant(name, ENGINES) if isinstance(name, str) else f"known are {', '.join(ENGINES)}",
            field="engine",
        )
    return found
