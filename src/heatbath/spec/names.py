"""Names in the text form: which maker is meant, and what to say where none is."""

import difflib
from collections.abc import Callable, Collection
from typing import Any

from heatbath import control, sampling, schedules  # noqa: F401  importing the rooms is what fills the registry
from heatbath.made import MAKERS, UNWRITTEN
from heatbath.spec.tokens import Source, Token

LINKS = ("step", "draw")
"""What stands in a chain."""
DECIDERS = ("thermostat", "schedule")
"""What stands where a temperature can."""


def is_any(name: str, kinds: Collection[str]) -> bool:
    """Whether one of the kinds has a maker of this name."""
    return any(name in MAKERS[kind] for kind in kinds)


def maker_of(source: Source, name: Token, kinds: tuple[str, ...]) -> Callable[..., Any]:
    """The maker of a name.

    Raises:
        SpecError: none of the kinds has it, or it has no text form; the message says what was probably meant.
    """
    if name.text in UNWRITTEN:
        source.fail(f"{name.text} has no text form: no text can say a function", name.position, "make it in Python")
    home = next((kind for kind in kinds if name.text in MAKERS[kind]), None)
    if home is None:
        source.fail(_why(name, kinds), name.position, _advice(name.text, kinds))
    return MAKERS[home][name.text]


def _why(name: Token, kinds: Collection[str]) -> str:
    if set(kinds) == set(DECIDERS):
        return f"{name} is no number, thermostat or schedule"
    return f"nothing is called {name}" if set(kinds) == set(MAKERS) else f"there is no {' or '.join(kinds)} {name}"


def _advice(name: str, kinds: Collection[str]) -> str:
    home = _homes()
    own = sorted(known for known in home if home[known] in kinds)
    if name in home and home[name] in DECIDERS:
        return f"{name} is a {home[name]}: write temperature({name}(...))"
    if name in home:
        return f"{name} is a {home[name]}: it stands in a chain by itself"
    near = _near(name, own) or _near(name, home)
    if near and near not in own and home[near] in DECIDERS:
        return f"did you mean temperature({near}(...))?"
    if near:
        return f"did you mean {near}?"
    number = "write a number such as 0.7, or a thermostat such as hold_entropy(2.0)"
    return number if set(kinds) == set(DECIDERS) else f"known are {', '.join(own)}"


def assigned(name: str, value: str, kinds: Collection[str]) -> str | None:
    """What to write instead of ``name=value``, where that stands for a call; None where no name is near."""
    near = name if is_any(name, kinds) else _near(name, [known for known, kind in _homes().items() if kind in kinds])
    return near and f"write {near}({value}), and '->' between steps"


def _homes() -> dict[str, str]:
    """The kind of every name."""
    return {known: kind for kind, makers in MAKERS.items() for known in makers if known not in UNWRITTEN}


def _near(name: str, names: Collection[str]) -> str | None:
    if name in ("t", "T") and "temperature" in names:
        return "temperature"
    longer = [known for known in names if known.startswith(name.lower())]  # "temp" is nearer to step, by its letters
    return next(iter(longer or difflib.get_close_matches(name.lower(), names, n=1)), None)
