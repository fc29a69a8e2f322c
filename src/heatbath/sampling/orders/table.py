"""The one table of engines: from it come the functions, the translations, the docs and the tests."""

from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.orders.engine import Engine, meant
from heatbath.sampling.orders.exllama import EXLLAMA
from heatbath.sampling.orders.leading import LEADING
from heatbath.sampling.orders.llama import LLAMA
from heatbath.sampling.orders.mlx import MLX
from heatbath.sampling.orders.webui import WEBUI

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (*LEADING, *LLAMA, *MLX, *EXLLAMA, WEBUI)}
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
