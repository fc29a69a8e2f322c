"""``heatbath serve``: the HTTP interface and the studio."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from heatbath.cli.flags import checked, flag
from heatbath.cli.models import ModelName, load_model
from heatbath.cli.screen import screen
from heatbath.embedded import load_profile
from heatbath.errors import MissingExtraError
from heatbath.types import Model


def serve(
    model: ModelName = None,
    host: Annotated[
        str,
        typer.Option(help="The address to listen on. Any other than 127.0.0.1 lets other machines in.", metavar="NAME"),
    ] = "127.0.0.1",
    port: Annotated[str | None, flag("port")] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="A further name by which clients call the service, such as that of a proxy in front of it.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve a model: the studio, a web page in which temperature can be moved, and an OpenAI-compatible interface.

    Stop it with Ctrl-C; answers that are being written get a moment to finish.

    \b
    Examples
      heatbath serve
      heatbath serve --port 8080 --model path/to/an-onnx-model
      heatbath serve --model toy --port 0
    """
    number = checked("port", port)
    try:
        from heatbath.service.run import serve as run  # the web server is imported when it is wanted
    except ModuleNotFoundError as error:
        if (error.name or "heatbath").startswith("heatbath"):
            raise
        raise MissingExtraError(
            f"the library {error.name} is not installed",
            doing="starting the service",
            instead="pip install 'heatbath[serve]'",
        ) from None
    loaded = load_model(model)
    run(
        loaded,
        host,
        number,
        hosts=allow_host or (),
        profile=load_profile(model),
        announce=lambda url: announce(screen(), loaded, url),
    )


def announce(console: Console, model: Model, url: str) -> None:
    """Say where the studio and the interface are, and how to try them."""
    body = f'\'{{"model": "{model.name}", "prompt": "Once upon a time", "temperature": 0.7}}\''
    lines = (
        ("heatbath", f"serves {model.name}; Ctrl-C stops it"),
        ("studio", url),
        ("API", f"{url}/v1"),
        ("try", f"curl {url}/v1/completions -H 'Content-Type: application/json' -d {body}"),
    )
    for name, text in lines:
        console.print(Text.assemble((f"{name:>8}  ", "bold"), text), soft_wrap=True)
