"""Flags made from the one table of options, and the samplers that they ask for."""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple

import typer

from heatbath.cli.numbers import MINUS, as_number
from heatbath.cli.table import FLAGS, flag_of
from heatbath.errors import InputError, SpecError
from heatbath.sampling import Sampler
from heatbath.spec import OPTIONS, check_options, parse, sampler_from


def flag(name: str, *short: str, more: str = "", panel: str | None = None, default: float | None = None) -> Any:
    """The flag of a row of the table: its help (and ``more`` of it), its range and its value when left out.

    A verb with a default of its own names it here and to :func:`checked`.
    """
    option = FLAGS[name] if default is None else FLAGS[name]._replace(default=default)
    narrow = option.range and (option.high == math.inf or option.high < 2**32)  # the seed's range tells nobody anything
    notes = [
        f"Range: {option.range}." if narrow else "",
        f"Default: {option.default:g}." if option.default is not None else "",
    ]
    return typer.Option(
        *short,
        flag_of(name),
        help=" ".join([option.help, *([more] if more else []), *(f"[dim]{note}[/]" for note in notes if note)]),
        metavar={int: "N", float: "X", str: "TEXT"}[option.kind],
        show_default=False,
        rich_help_panel=panel,
    )


def checked(name: str, text: str | None, default: float | None = None) -> Any:
    """What a flag means, by its row of the table; the default, the verb's own if it has one, where it was left out.

    Raises:
        InputError: the type or the range is wrong.
    """
    value = FLAGS[name].check(number_of(text))
    if value is None:
        return FLAGS[name].default if default is None else default
    return value


def number_of(text: str | None) -> Any:
    """The number that a flag was given, for the table to check; what is none is left for it to refuse.

    >>> number_of("40"), number_of("0.95"), number_of("forty"), number_of(None)
    (40, 0.95, 'forty', None)
    """
    if text is None:
        return None
    try:
        return int(text.replace(MINUS, "-"))  # exact, as a seed of 64 bits must be
    except ValueError:
        value = as_number(text, instead="write a number nearer to 0")
        return text if value is None else value


def temperature_of(text: str) -> float | None:
    """The number that ``-T`` was given; None where it is the text of a thermostat."""
    return as_number(text, instead="write inf for the hottest T")


Temperatures = Annotated[
    list[str] | None,
    typer.Option(
        "-T",
        flag_of("temperature"),
        help=f"{OPTIONS['temperature'].help} A number, or a thermostat such as 'hold_entropy(2.0, horizon=32)'. "
        "May be repeated, to compare. [dim]Range: [0, inf].[/]",
        metavar="T",
        show_default=False,
    ),
]
Chains = Annotated[list[str] | None, flag("chain", more="May be repeated, to compare.")]
Repetition = Annotated[str | None, flag("repetition_penalty", panel="Penalties")]
Presence = Annotated[str | None, flag("presence_penalty", panel="Penalties")]
Frequency = Annotated[str | None, flag("frequency_penalty", panel="Penalties")]
TopK = Annotated[str | None, flag("top_k")]
TopP = Annotated[str | None, flag("top_p")]
MinP = Annotated[str | None, flag("min_p")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document for machines.")]

DECIMAL_COMMA = re.compile(r"\d+,\d+")
"""How a number is written in much of the world."""


class Setting(NamedTuple):
    """One way of choosing, as it was asked for."""

    label: str
    sampler: Sampler


def settings(temperatures: Sequence[str], chains: Sequence[str], **others: str | None) -> list[Setting]:
    """One setting for each temperature and each chain; the other options hold for all of them.

    Raises:
        InputError: an illegal value; a chain beside options that it already decides.
    """
    others = check_options({name: number_of(text) for name, text in others.items()})
    with _setting("-T"):
        made = [_at_temperature(text, others) for text in temperatures]
    with _setting(flag_of("chain")):
        return made + [Setting(text, sampler_from({"chain": text, **others})) for text in chains]


@contextmanager
def _setting(name: str) -> Iterator[None]:
    """A text that does not parse is that of this flag."""
    try:
        yield
    except SpecError as error:
        error.doing = f"setting {name}"
        raise


def _at_temperature(text: str, others: dict[str, Any]) -> Setting:
    value = temperature_of(text)
    if value is not None:
        return Setting(f"T = {text}", sampler_from({"temperature": value, **others}))
    _check_thermostat(text)
    return Setting(text, sampler_from({"chain": text, **others}))


def _check_thermostat(text: str) -> None:
    before = "temperature("
    try:
        parse(f"{before}{text})")  # here an unknown name is no thermostat; alone it would be no step
        made = parse(text)
    except SpecError as error:
        if DECIMAL_COMMA.fullmatch(text):
            why, point = "a number is written with a point", text.replace(",", ".")
            raise SpecError(why, text=text, position=text.index(","), instead=f"write {point}") from None
        position = min(max(error.position - len(before), 0), len(text))
        raise SpecError(error.why, text=text, position=position, instead=error.instead) from None
    if isinstance(made, Sampler):
        raise InputError("it is a chain", doing="setting", on=f"-T {text!r}", instead="write --chain in place of -T")
