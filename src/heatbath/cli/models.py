"""Which model a ``--model`` flag means."""

from typing import Annotated

import typer

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
