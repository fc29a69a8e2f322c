"""The store that the verbs work on, opened when one is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from heatbath.errors import InputError

if TYPE_CHECKING:
    from heatbath.experiments import Store

StoreUrl = Annotated[
    str,
    typer.Option(
        "--store",
        help="The store: sqlite:///heatbath.db is a file in this folder; postgresql://user@host/database. "
        "[dim]Also from HEATBATH_STORE. Default: sqlite:///heatbath.db.[/]",
        metavar="URL",
        envvar="HEATBATH_STORE",
        show_default=False,
        show_envvar=False,
    ),
]
DEFAULT = "sqlite:///heatbath.db"
Name = Annotated[str, typer.Argument(help="The name of the experiment.", metavar="NAME", show_default=False)]


@contextmanager
def opened(url: str) -> Iterator["Store"]:
    """The store at this address, for as long as it is needed."""
    from heatbath.experiments import Store  # the database's library is imported when it is wanted

    with Store.open(url) as store:
        yield store


def pair(text: str, flag: str, example: str) -> tuple[str, str]:
    """The two sides of ``name=value``.

    Raises:
        InputError: there is no "=", or nothing on one side of it.
    """
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise InputError(
            "it is a name, =, and a value", doing="setting", on=f"{flag} {text!r}", instead=f"write {example}"
        )
    return name, value


def share(text: str, flag: str, example: str) -> float:
    """A number that stands in such a pair.

    Raises:
        InputError: it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise InputError(
            "it is no number", doing="setting", on=f"{flag} {text!r}", instead=f"write {example}"
        ) from None
