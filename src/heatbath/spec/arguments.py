"""Arguments of a call in the text form: which parameter each one is for, and which of them an error is about."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from heatbath.errors import HeatbathError
from heatbath.spec.tokens import Source, Token


class Argument(NamedTuple):
    """A value in a call, and where it stands."""

    value: Any
    at: Token
    name: Token | None = None


def bind(source: Source, call: Token, make: Callable[..., Any], given: Sequence[Argument]) -> dict[str, Argument]:
    """The arguments by the names of a maker's parameters.

    Raises:
        SpecError: an unknown name, one value too many, one parameter twice or not at all.
    """
    parameters = inspect.signature(make).parameters.values()
    instead = f"its arguments are {call.text}({', '.join(map(_written, parameters))})"
    unnamed = iter([parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY])
    named = {parameter.name for parameter in parameters}
    bound: dict[str, Argument] = {}
    for argument in given:
        at = argument.name or argument.at
        name = at.text if argument.name else next(unnamed, None)
        if name is None:
            rest = ", the others are given by name" if len(named) > len(bound) else ""
            source.fail(f"one value too many for {call.text}{rest}", at.position, instead)
        if name not in named:
            source.fail(f"{call.text} has no argument {at}", at.position, instead)
        if name in bound:
            source.fail(f"{name} is given twice", at.position)
        bound[name] = argument
    missing = [each.name for each in parameters if each.default is each.empty and each.name not in bound]
    if missing:
        source.fail(f"{call.text} needs {', '.join(missing)}", call.position, instead)
    return bound


def at_fault(error: HeatbathError, call: Token, bound: Mapping[str, Argument]) -> Token:
    """The value that an error is about: that of its field, the only one, or else the call as a whole."""
    field = re.sub(r"\W.*", "", error.field or "")  # then(0) is about the argument then
    if field in bound:
        return bound[field].at
    return next(iter(bound.values())).at if len(bound) == 1 else call


def _written(parameter: inspect.Parameter) -> str:
    return parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"
