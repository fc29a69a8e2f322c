"""The command line: one file per verb.

Exit codes: 0 all is well, which includes a service that was asked to stop; 1 something failed (a missing extra, a full
disk, a reader that went away); 2 what was typed cannot be used (an option, a number, a file or a model that cannot be
read, a port in use); 130 stopped by Ctrl-C. Results go to standard output, everything else to standard error.
"""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from heatbath import __version__
from heatbath.cli.commands import Command, Group
from heatbath.cli.diagnose import diagnose
from heatbath.cli.experiment import app as experiment
from heatbath.cli.explain import explain
from heatbath.cli.key import key
from heatbath.cli.numbers import NumbersCommand
from heatbath.cli.refusal import one_line, verb_of
from heatbath.cli.sample import sample
from heatbath.cli.serve import serve
from heatbath.cli.store import app as store
from heatbath.errors import HeatbathError, InputError

EPILOG = """A first try: heatbath sample "Once upon a time" -T 0.2 -T 0.8 -T 1.6

Completion in your shell: heatbath --install-completion

Exit codes: 0 done, 1 failed, 2 used wrongly, 130 stopped by Ctrl-C"""

app = typer.Typer(
    name="heatbath",
    cls=Group,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=Command)(serve)
app.command(cls=Command)(sample)
app.command(cls=Command)(key)
app.command(cls=NumbersCommand)(explain)
app.command(cls=Command)(diagnose)
app.add_typer(experiment, name="experiment")
app.add_typer(store, name="store")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"heatbath {__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOG)
def program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Put any model in a heat bath: choose how sharply it chooses."""


def run(arguments: Sequence[str]) -> int:
    """Run the program in this process; an error that is the user's is one line on standard error.

    Returns:
        the exit code.
    """
    try:
        return app(arguments or ["--help"], prog_name="heatbath", standalone_mode=False) or 0
    except HeatbathError as error:
        typer.echo(f"heatbath {verb_of(arguments)}: {one_line(error)}", err=True)
        return 2 if isinstance(error, InputError) else 1
    except typer.TyperException as error:  # the parser's own refusals
        path = getattr(getattr(error, "ctx", None), "command_path", f"heatbath {verb_of(arguments)}")
        typer.echo(f"{path}: {error.format_message().rstrip('.')}; see {path} --help", err=True)
        return error.exit_code


def main() -> None:
    """The ``heatbath`` program."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115  None where it was closed (>&-)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # where the encoding lacks a character, "?" is better than an end
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough (| head): no word about it
        code = _give_up()
    except OSError as error:  # a full disk
        typer.echo(f"heatbath: {error}", err=True)
        code = _give_up()
    sys.exit(code)


def _give_up() -> int:
    """Let what is still to be written go nowhere, so that the interpreter does not complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
