"""Sets of values that an engine treats alike: those it refuses, those that switch a step off."""

from collections.abc import Callable
from typing import Any, NamedTuple

from heatbath.core.arrays import is_number


class Values(NamedTuple):
    """A set of values, and the words for it."""

    words: str
    test: Callable[[Any], bool]
    example: Any = None

    def __contains__(self, value: object) -> bool:
        try:
            return bool(self.test(value))
        except (TypeError, ValueError):  # a text where a number is compared
            return False


def at_most(limit: float) -> Values:
    """Numbers up to the limit."""
    return Values(f"at most {limit:g}", lambda n: n <= limit, limit)


def at_least(limit: float) -> Values:
    """Numbers from the limit on."""
    return Values(f"{limit:g} or more", lambda n: n >= limit, limit)


def one_of(*values: Any) -> Values:
    """Just these; the first is the usual one."""
    return Values(" or ".join(map(repr, values)), lambda n: any(n is v or n == v for v in values), values[0])


def between(low: float, high: float, *, above: bool = False, below: bool = False) -> Values:
    """Numbers from low to high; ``above`` and ``below`` leave the ends out."""
    words = f"{'(' if above else '['}{low:g}, {high:g}{')' if below else ']'}"
    return Values(
        f"in {words}",
        lambda n: is_number(n) and (low < n if above else low <= n) and (n < high if below else n <= high),
        high,
    )


def outside(low: float, high: float) -> Values:
    """Numbers that are not strictly between the two."""
    return Values(f"outside ({low:g}, {high:g})", lambda n: not low < n < high, low)


def either(first: Values, second: Values) -> Values:
    """Values of one set or the other."""
    return Values(f"{first.words} or {second.words}", lambda n: n in first or n in second, first.example)


NONE = Values("", lambda n: False)
"""No value."""
ANY = Values("", lambda n: True)
"""Every value, whatever the step itself then says of it."""
NOT_GIVEN = one_of(None)
POSITIVE = Values("a finite number > 0", lambda n: is_number(n) and 0 < n < float("inf"), 1.1)
FINITE = Values("a finite number", lambda n: is_number(n) and abs(n) < float("inf"), 0.5)
WHOLE = Values("a whole number", lambda n: isinstance(n, int) and not isinstance(n, bool), 40)
FLAG = Values("True or False", lambda n: isinstance(n, bool), False)
