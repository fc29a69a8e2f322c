"""``heatbath key``: a key for those who call the gateway."""

import re
from typing import Annotated

import typer

from heatbath.cli.serve import needs
from heatbath.errors import InputError


def key(
    name: Annotated[str, typer.Argument(help="Whose key it is; it stands in the log of requests.", metavar="NAME")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may do: call, feedback, admin. Left out: call and feedback.", metavar="SCOPE"),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Requests per minute; left out, as many as it likes.", metavar="X", min=0)
    ] = None,
) -> None:
    """Make a key for the gateway: the key, which is shown this once, and the table for heatbath.toml, which holds its
    hash.

    \b
    Examples
      heatbath key anna
      heatbath key operator --scope admin
      heatbath key batch --scope call --rate 600
    """
    with needs("gateway", "making a key"):
        from heatbath.service.gateway.config import NAME, SCOPES
        from heatbath.service.gateway.keys import new_key
    scopes = scope or ["call", "feedback"]
    if not re.fullmatch(NAME, name):
        raise InputError(
            "a name has letters, digits, -, _ and .", doing="making a key", on=name, instead="heatbath key anna"
        )
    if unknown := [each for each in scopes if each not in SCOPES]:
        raise InputError(
            f"there is no scope {unknown[0]!r}", doing="making a key", on=name, instead=f"write of {', '.join(SCOPES)}"
        )
    made = new_key(name)
    typer.echo(made.key)
    typer.echo(f'\n[keys."{name}"]\nhash = "{made.hash}"\nscopes = [{", ".join(f"{each!r}" for each in scopes)}]')
    if rate is not None:
        typer.echo(f"rate = {rate:g}")
