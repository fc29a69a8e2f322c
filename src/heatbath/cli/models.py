"""Which model a ``--model`` flag means."""

from typing import Annotated

import typer

from heatbath.embedded import load
from heatbath.errors import InputError, ModelError
from heatbath.types import Model

ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="A folder with a causal language model exported to ONNX and its tokenizer.json, or 'toy', a weather "
        "forecast with known probabilities. Left out: the small model that comes with heatbath.",
        metavar="DIR|toy",
        show_default=False,
    ),
]


def load_model(name: str | None) -> Model:
    """The model that a ``--model`` flag means.

    Raises:
        InputError: what was typed names no model that can be loaded.
        ModelError: the model that comes with heatbath cannot be loaded.
        MissingExtraError: a library that runs models is not installed.
    """
    try:
        return load(name)
    except ModelError as error:
        if name is None:
            raise
        raise InputError(error.why, doing=error.doing, on=error.on, instead=error.instead, field="model") from error
