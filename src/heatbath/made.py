"""How a thing was made: a name and its arguments, kept with the thing so that it can be shown, stored and made again.

Thermostats, schedules, chain steps and draws are values made of functions, and a function cannot be printed. So each of
their makers is decorated with :func:`maker`, which remembers the call in the value's ``made`` field and lists the
maker in :data:`MAKERS`, where the text form, the docs and the contract tests find it. By that call the value also
travels to other processes (``pickle``), where its maker is called again.
"""

import copyreg
import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np

from heatbath.errors import InputError

P = ParamSpec("P")


class Made(NamedTuple):
    """A call, as data: ``str`` of it is the text form. Equal calls are equal, and nothing done later changes one.

    For that, lists and NumPy arrays are kept as tuples, mappings as tuples of pairs, NumPy's numbers as Python's, and
    things that were made as their own ``Made``. Arrays of other libraries stay what they are: they may be traced or on
    a device, and reading them would wait for it. A call with one of those is no more constant, comparable and hashable
    than they are.
    """

    name: str
    arguments: tuple[tuple[str | None, Any], ...]
    """Name (None when positional) and value of each argument that was given."""

    def __str__(self) -> str:
        given = (f"{name}={show(value)}" if name else show(value) for name, value in self.arguments)
        return f"{self.name}({', '.join(given)})"

    def again(self) -> Any:
        """Make the same thing once more.

        Raises:
            InputError: no maker has this name.

        >>> import heatbath as hb
        >>> hb.top_k(40).made.again()
        top_k(40)
        """
        make = next((makers[self.name] for makers in MAKERS.values() if self.name in makers), None)
        if make is None:
            raise InputError(
                f"there is no maker {self.name!r}",
                doing="making again",
                on=show(self),
                instead="import the module that decorates it with heatbath.made.maker",
            )
        given = [(name, _thawed(value)) for name, value in self.arguments]
        return make(*(value for name, value in given if not name), **{name: value for name, value in given if name})


T = TypeVar("T")

MAKERS: dict[str, dict[str, Callable[..., Any]]] = {"thermostat": {}, "schedule": {}, "step": {}, "draw": {}}
"""Every maker, by what it makes and by name."""

UNWRITTEN: set[str] = set()
"""The names of those that no text form can call."""


def maker(kind: str, *, written: bool = True) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function that makes a thermostat, schedule, step or draw; ``kind`` says which.

    ``written=False`` is for one that has no text form, because it cannot do without what no text can say: a function.

    The value it returns, a NamedTuple with a field ``made``, then knows how it was made. Arguments equal to their
    defaults are left out. Every parameter has a name of its own (no ``*args``), and a name belongs to one kind.

    Raises:
        InputError: another kind has a maker of this name.

    >>> from heatbath import top_k
    >>> top_k(k=40)
    top_k(40)
    """

    def decorate(make: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(make)
        for other, makers in MAKERS.items():
            if other != kind and make.__name__ in makers:
                raise InputError(
                    f"there is a {other} of that name",
                    doing=f"listing the {kind}",
                    on=make.__name__,
                    instead="choose another name",
                )

        @functools.wraps(make)
        def remember(*args: P.args, **kwargs: P.kwargs) -> T:
            thing: Any = make(*args, **kwargs)
            return cast("T", thing._replace(made=Made(make.__name__, _given(signature, args, kwargs))))

        MAKERS[kind][make.__name__] = remember
        if not written:
            UNWRITTEN.add(make.__name__)
        return remember

    return decorate


def _given(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[str | None, Any], ...]:
    bound = signature.bind(*args, **kwargs)
    given: list[tuple[str | None, Any]] = []
    positional = True  # until an argument was left out, the ones behind it can be written without their names
    for name, parameter in signature.parameters.items():
        if name not in bound.arguments or _same(bound.arguments[name], parameter.default):
            positional = False
            continue
        named = not positional or parameter.kind is parameter.KEYWORD_ONLY
        given.append((name if named else None, _frozen(bound.arguments[name])))
    return tuple(given)


def _frozen(value: Any) -> Any:
    """The argument as a value of its own, see :class:`Made`."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        value = tuple(value.items())
    made = getattr(value, "made", None)
    if isinstance(made, Made):
        return made
    return tuple(map(_frozen, value)) if type(value) in (list, tuple) else value


def _thawed(value: Any) -> Any:
    if isinstance(value, Made):
        return value.again()
    return [*map(_thawed, value)] if type(value) is tuple else value


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


def show(value: Any) -> str:
    """The text form of an argument: numbers as Python writes them, arrays as lists, mappings as lists of pairs, things
    by how they were made.
    """
    if isinstance(value, Made):
        return str(value)
    if hasattr(value, "made"):
        return repr(value)
    if isinstance(value, bool | str | None):
        return repr(value)
    if isinstance(value, int | float | np.number):
        try:
            return repr(value.item() if isinstance(value, np.number) else value)
        except ValueError:  # Python writes no int of more than 4300 digits
            return "<a number of thousands of digits>"
    if isinstance(value, Mapping):
        value = list(value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(show, value))}]"
    if hasattr(value, "tolist"):  # an array of any library
        with suppress(TypeError, RuntimeError):  # being traced: it has no value yet
            return show(value.tolist())
    return f"<{getattr(value, '__name__', type(value).__name__).strip('<>')}>"  # Python writes <lambda> itself


C = TypeVar("C", bound=type[Any])


def travelling(cls: C) -> C:
    """Decorate a NamedTuple with a field ``made``: it is pickled and compared as the call that made it, and a copy is
    itself.

    What was made by hand is pickled and compared field by field. To be pickled, its functions must have names that can
    be imported. An array among the arguments or fields equals only itself: to compare its values could wait for a
    device, and gives an answer for each.

    >>> import heatbath as hb
    >>> hb.top_k(40) == hb.top_k(k=40), hb.top_k(40) == hb.top_k(41)
    (True, False)
    """
    methods: dict[str, Callable[..., Any]] = {
        "__reduce__": _reduce,
        "__copy__": _itself,
        "__deepcopy__": _itself,
        "__eq__": _equals,
        "__ne__": lambda thing, other: not _equals(thing, other),
        "__hash__": lambda thing: _hashed(thing.made or tuple(thing)),
    }
    for name, method in methods.items():
        setattr(cls, name, method)
    return cls


def _equals(thing: Any, other: Any) -> bool:
    if thing is other:
        return True
    return type(thing) is type(other) and _same_value(thing.made or tuple(thing), other.made or tuple(other))


def _same_value(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, tuple) and type(one) is type(other) and not hasattr(one, "made"):
        return len(one) == len(other) and all(map(_same_value, one, other))
    return not (_is_array(one) or _is_array(other)) and bool(one == other)


def _hashed(value: Any) -> int:
    if isinstance(value, tuple) and not hasattr(value, "made"):
        return hash(tuple(map(_hashed, value)))
    return id(value) if _is_array(value) else hash(value)


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype")


def _reduce(thing: Any) -> tuple[Any, ...]:
    if _nameless(thing.made or thing):
        raise InputError(
            "it is made of a function without a name of its own",
            doing="pickling",
            on=repr(thing),
            instead="use functions of a module, or decorate what makes it with heatbath.made.maker",
        )
    if thing.made is not None:
        return Made.again, (thing.made,)
    return copyreg.__newobj__, (type(thing), *thing)  # type: ignore[attr-defined]


def _nameless(value: Any) -> bool:
    """Whether a function is a lambda or stands inside another: Python can find it by no name."""
    return any(map(_nameless, value)) if isinstance(value, tuple) else "<" in getattr(value, "__qualname__", "")


def _itself(thing: T, _memo: Any = None) -> T:
    return thing
