"""``heatbath serve``: the HTTP interface and the studio, or the gateway."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from heatbath.cli.flags import checked, flag
from heatbath.cli.models import ModelName, load_model
from heatbath.cli.screen import screen
from heatbath.embedded import load_profile
from heatbath.errors import InputError, MissingExtraError
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
    config: Annotated[
        Path | None,
        typer.Option(
            help="Serve as a gateway in front of other models, as this file says. SIGHUP reads it again.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve a model: the studio, a web page in which temperature can be moved, and an OpenAI-compatible interface.

    With --config it is a gateway: the same interface in front of any number of models, with the temperature decided on
    the way.

    Stop it with Ctrl-C; answers that are being written get a moment to finish.

    \b
    Examples
      heatbath serve
      heatbath serve --port 8080 --model path/to/an-onnx-model
      heatbath serve --model toy --port 0
      heatbath serve --config heatbath.toml
    """
    number = checked("port", port)
    if config is not None:
        _serve_gateway(config, model, host, number, allow_host or ())
        return
    with needs("serve", "starting the service"):
        from heatbath.service.run import serve as run  # the web server is imported when it is wanted
    loaded = load_model(model)
    run(
        loaded,
        host,
        number,
        hosts=allow_host or (),
        profile=load_profile(model),
        announce=lambda url: announce(screen(), loaded, url),
    )


@contextmanager
def needs(extra: str, doing: str) -> Iterator[None]:
    """Say which extra is missing where an import fails for lack of it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "heatbath").startswith("heatbath"):
            raise
        raise MissingExtraError(
            f"the library {error.name} is not installed", doing=doing, instead=f"pip install 'heatbath[{extra}]'"
        ) from None


def _serve_gateway(config: Path, model: str | None, host: str, port: int, hosts: Sequence[str]) -> None:
    if model is not None:
        raise InputError(
            "a gateway's models stand in its configuration",
            doing="starting the gateway",
            on=f"--model {model}",
            instead="write embedded = true and model = ... in a table of [upstreams], and leave --model out",
            field="model",
        )
    with needs("gateway", "starting the gateway"):
        from heatbath.service.gateway.run import serve as run

    def announced(url: str, routes: Sequence[str], studio: bool) -> None:
        lines = [("heatbath", f"is a gateway for {', '.join(routes) or 'nothing yet'}; Ctrl-C stops it")]
        lines += [("studio", url)] if studio else []
        lines += [("API", f"{url}/v1")]
        _print(screen(), lines)

    run(
        config,
        host,
        port,
        load_model=lambda name: (load_model(name), load_profile(name)),
        hosts=hosts,
        announce=announced,
    )


def announce(console: Console, model: Model, url: str) -> None:
    """Say where the studio and the interface are, and how to try them."""
    body = f'\'{{"model": "{model.name}", "prompt": "Once upon a time", "temperature": 0.7}}\''
    lines = [
        ("heatbath", f"serves {model.name}; Ctrl-C stops it"),
        ("studio", url),
        ("API", f"{url}/v1"),
        ("try", f"curl {url}/v1/completions -H 'Content-Type: application/json' -d {body}"),
    ]
    _print(console, lines)


def _print(console: Console, lines: Sequence[tuple[str, str]]) -> None:
    for name, text in lines:
        console.print(Text.assemble((f"{name:>8}  ", "bold"), text), soft_wrap=True)
