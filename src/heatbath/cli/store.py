"""``heatbath store``: the tables behind the gateway."""

from typing import Annotated

import typer

from heatbath.cli.commands import Command, Group
from heatbath.cli.flags import Json
from heatbath.cli.kept import DEFAULT, StoreUrl, opened
from heatbath.cli.screen import screen, write_json

app = typer.Typer(cls=Group, help="Keep the tables of the gateway: bring up to date, delete what is old, export.")


@app.command(cls=Command)
def migrate(store: StoreUrl = DEFAULT, as_json: Json = False) -> None:
    """Bring the tables of a store up to date, or make them.

    A gateway does so by itself when it starts; this is for whoever wants to do it before.

    \b
    Examples
      heatbath store migrate
      heatbath store migrate --store postgresql://heatbath@localhost/heatbath
    """
    from heatbath.experiments.store.version import VERSIONS

    with opened(store) as kept:  # opening it is all
        if as_json:
            write_json({"store": str(kept), "version": VERSIONS[-1]})
        else:
            screen().print(f"{kept} has version {VERSIONS[-1]}")


@app.command(cls=Command)
def retain(
    days: Annotated[
        float, typer.Option(help="Delete what is older than this many days.", metavar="X", show_default=False)
    ],
    store: StoreUrl = DEFAULT,
    as_json: Json = False,
) -> None:
    """Delete decisions, answers and feedback that are older than so many days.

    It may run at any time beside a gateway. Rows of experiments that are running stay until they are stopped, without
    prompts, texts and comments.

    \b
    Examples
      heatbath store retain --days 90
    """
    from heatbath.experiments.store import retain as let_go

    with opened(store) as kept:
        gone = let_go(kept, days=days)
    if as_json:
        write_json(gone._asdict())
        return
    screen().print(
        f"deleted {gone.decisions} decisions, {gone.answers} answers, {gone.feedback} feedback; "
        f"{gone.blanked} texts taken out"
    )


@app.command(cls=Command)
def export(
    table: Annotated[str, typer.Argument(help="decisions, answers or feedback.", metavar="TABLE", show_default=False)],
    file: Annotated[
        str,
        typer.Argument(help="Where to: a name that ends in .parquet or .csv.", metavar="FILE", show_default=False),
    ],
    days: Annotated[
        float | None,
        typer.Option(help="Only the last so many days.", metavar="X", show_default=False, min=0),
    ] = None,
    store: StoreUrl = DEFAULT,
    as_json: Json = False,
) -> None:
    """Write a table to a file, in Parquet or CSV.

    \b
    Examples
      heatbath store export decisions decisions.parquet
      heatbath store export feedback feedback.csv --days 7
    """
    import time

    from heatbath.experiments.store import export as write

    with opened(store) as kept:
        rows = write(kept, table, file, since=None if days is None else time.time() - days * 86400)
    if as_json:
        write_json({"table": table, "file": file, "rows": rows})
    else:
        screen().print(f"{rows} rows of {table} in {file}")
