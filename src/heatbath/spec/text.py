"""The text form of thermostats and chains. Reading it back is the inverse of printing it.

::

    chain      = call ("->" call)*                      temperature(0.7) -> top_k(40) -> categorical()
    call       = name [ "(" [argument ("," argument)*] ")" ]
    argument   = [name "="] value
    value      = number | "inf" | "True" | "False" | "None" | string | list | call
    list       = "[" [value ("," value)*] "]"

Names are the makers of :data:`heatbath.made.MAKERS`; nothing else can be called, so a text from a request is safe to
read.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from heatbath.errors import HeatbathError, SpecError
from heatbath.made import MAKERS
from heatbath.sampling import Draw, Sampler, chain
from heatbath.spec.arguments import Argument, at_fault, bind
from heatbath.spec.names import DECIDERS, LINKS, assigned, is_any, maker_of
from heatbath.spec.tokens import Source, Token, shortened, split
from heatbath.thermostat import Thermostat, as_thermostat

MAX_DEPTH = 20


def parse(text: str) -> Sampler | Thermostat:
    """Read a chain or a thermostat from its text form; ``str`` is the inverse.

    Arguments:
        text: a chain (``"temperature(0.7) -> min_p(0.05)"``, a single step included) or something that gives a
            temperature: a thermostat (``"hold_entropy(2.0)"``), a schedule or a number.

    Returns:
        a :class:`heatbath.Sampler` for a chain, a :class:`heatbath.Thermostat` for the rest.

    Raises:
        SpecError: the text does not parse; the message points at the character and says what was expected.

    >>> import heatbath as hb
    >>> hb.parse("temperature(hold_entropy(2.0)) -> min_p(0.05)")
    temperature(hold_entropy(2.0)) -> min_p(0.05) -> categorical()
    >>> hb.parse("cosine(1.2, 0.6, 100)")
    scheduled(cosine(1.2, 0.6, 100))
    >>> hb.parse("temperature(0.7) -> topp(0.9)")
    Traceback (most recent call last):
        ...
    heatbath.errors.SpecError: parsing, at character 20: there is no step or draw 'topp'; did you mean top_p?
      temperature(0.7) -> topp(0.9)
                          ^
    """
    if not isinstance(text, str):
        raise SpecError(
            "a text was expected", text=repr(text), position=0, instead="write for example 'temperature(0.7)'"
        )
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.source = Source(text)
        self.tokens = split(self.source)
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def _next(self) -> Token:
        token = self.token
        self.index += 1
        return token

    def _take(self, text: str) -> bool:
        if self.token.text == text and self.token.kind != "string":
            self.index += 1
            return True
        return False

    def _expect(self, text: str, wanted: str) -> None:
        if not self._take(text):
            self._wrong(wanted)

    def _wrong(self, wanted: str) -> NoReturn:
        self.source.fail(f"expected {wanted}, found {self.token}", self.token.position)

    def whole(self) -> Sampler | Thermostat:
        first = self.token
        if first.kind not in ("name", "number", "string", "constant") and first.text != "[":
            self._wrong("a step, a thermostat or a number")
        if first.kind == "name" and not is_any(first.text, DECIDERS):
            return self._chain()
        value = self._value()
        self._expect("", "the end of the text (only steps can be joined by '->': put this inside temperature(...))")
        thermostat: Thermostat = self._make(lambda: as_thermostat(value), lambda _: first)
        return thermostat

    def _chain(self) -> Sampler:
        links = [self._call(LINKS if is_any(self.token.text, LINKS) else tuple(MAKERS))]
        while self._take("->"):
            link = self.token
            links.append(self._call(LINKS))
            if isinstance(links[-2], Draw):
                self.source.fail(f"nothing can follow a draw, and {links[-2]} draws", link.position)
        self._expect("", "'->' and another step, or the end")
        return chain(*links)

    def _make(self, make: Callable[[], Any], place: Callable[[HeatbathError], Token]) -> Any:
        try:
            return make()
        except HeatbathError as error:
            self.source.fail(shortened(error.why, 300), place(error).position, error.instead)

    def _call(self, kinds: tuple[str, ...]) -> Any:
        if self.token.kind != "name":
            self._wrong(f"the name of a {' or '.join(kinds)}")
        name = self._next()
        if self.token.text == "=":
            value = self.tokens[self.index + 1].text or "..."
            advice = assigned(name.text, shortened(value, 20), kinds)
            if advice:
                self.source.fail(f"'=' has no meaning behind {name}", self.token.position, advice)
        make = maker_of(self.source, name, kinds)
        if self.token.kind in ("number", "string", "constant") or self.token.text == "[":
            self._wrong(f"'(' after {name.text}")
        bound = bind(self.source, name, make, self._arguments(name) if self._take("(") else [])
        values = {parameter: argument.value for parameter, argument in bound.items()}
        return self._make(lambda: make(**values), lambda error: at_fault(error, name, bound))

    def _arguments(self, call: Token) -> list[Argument]:
        given: list[Argument] = []
        while not self._take(")"):
            if given:
                self._expect(",", f"',' or ')' in the arguments of {call.text}")
            given.append(self._argument())
            if given[-1].name is None and any(argument.name for argument in given):
                self.source.fail(
                    "a value without a name stands behind one with a name",
                    given[-1].at.position,
                    "name it, or move it forward",
                )
        return given

    def _argument(self) -> Argument:
        name = None
        if self.token.kind == "name" and self.tokens[self.index + 1].text == "=":
            name = self._next()
            self.index += 1
        at = self.token
        return Argument(self._value(), at, name)

    def _value(self) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.source.fail(f"the text is nested more than {MAX_DEPTH} deep", self.token.position)
        value = self._value_inside()
        self.depth -= 1
        return value

    def _value_inside(self) -> Any:
        if self.token.kind in ("number", "string", "constant"):
            return self._next().value
        if self.token.kind == "name":
            return self._call(DECIDERS)
        if not self._take("["):
            self._wrong("a number, a list or a thermostat")
        items: list[Any] = []
        while not self._take("]"):
            if items:
                self._expect(",", "',' or ']' in the list")
            items.append(self._value())
        return items
