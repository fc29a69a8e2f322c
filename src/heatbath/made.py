"""How a thing was made: a name and its arguments, kept with the thing so that it can be shown, stored and made again.

Thermostats, schedules, chain steps and draws are values made of functions, and a function cannot be printed. So each of
their makers is decorated with :func:`maker`, which remembers the call in the value's ``made`` field and lists the
maker in :data:`MAKERS`, where the text form, the docs and the contract tests find it.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np

P = ParamSpec("P")


class Made(NamedTuple):
    """A call, as data: ``str`` of it is the text form."""

    name: str
    arguments: tuple[tuple[str | None, Any], ...]
    """Name (None when positional) and value of each argument that was given."""

    def __str__(self) -> str:
        given = (f"{name}={show(value)}" if name else show(value) for name, value in self.arguments)
        return f"{self.name}({', '.join(given)})"


T = TypeVar("T")

MAKERS: dict[str, dict[str, Callable[..., Any]]] = {"thermostat": {}, "schedule": {}, "step": {}, "draw": {}}
"""Every maker, by what it makes and by name."""


def maker(kind: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function that makes a thermostat, schedule, step or draw; ``kind`` says which.

    The value it returns, a NamedTuple with a field ``made``, then knows how it was made. Arguments equal to their
    defaults are left out:

    >>> from heatbath import top_k
    >>> top_k(k=40)
    top_k(40)
    """

    def decorate(make: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(make)

        @functools.wraps(make)
        def remember(*args: P.args, **kwargs: P.kwargs) -> T:
            thing: Any = make(*args, **kwargs)
            return cast("T", thing._replace(made=Made(make.__name__, _given(signature, args, kwargs))))

        MAKERS[kind][make.__name__] = remember
        return remember

    return decorate


def _given(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[str | None, Any], ...]:
    bound = signature.bind(*args, **kwargs)
    given: list[tuple[str | None, Any]] = []
    positional = True  # until an argument was left out, the ones behind it can be written without their names
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            given += [(None, _frozen(value)) for value in bound.arguments.get(name, ())]
            continue
        if name not in bound.arguments or _same(bound.arguments[name], parameter.default):
            positional = False
            continue
        named = not positional or parameter.kind is parameter.KEYWORD_ONLY
        given.append((name if named else None, _frozen(bound.arguments[name])))
    return tuple(given)


def _frozen(value: Any) -> Any:
    """The caller's lists as tuples, so that changing them later does not change what is shown."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) and not hasattr(value, "made") else value


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


def show(value: Any) -> str:
    """The text form of an argument: numbers as Python writes them, arrays as lists, things by how they were made."""
    if hasattr(value, "made"):
        return repr(value)
    if isinstance(value, bool | str | None):
        return repr(value)
    if isinstance(value, int | float | np.number):
        return repr(value.item() if isinstance(value, np.number) else value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(show, value))}]"
    if hasattr(value, "tolist"):  # an array of any library
        return show(value.tolist())
    return f"<{getattr(value, '__name__', type(value).__name__)}>"
