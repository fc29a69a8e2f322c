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

import difflib
import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from heatbath import control, sampling, schedules  # noqa: F401  importing the rooms is what fills the registry
from heatbath.errors import HeatbathError, SpecError
from heatbath.made import MAKERS
from heatbath.sampling import Sampler, chain
from heatbath.thermostat import Thermostat, as_thermostat

MAX_LENGTH = 10_000
MAX_DEPTH = 20

_TOKEN = re.compile(
    r"""(?P<arrow>->)
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)\b)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<string>'[^']*'|"[^"]*")
      | (?P<mark>[()\[\],=])""",
    re.VERBOSE,
)
_CONSTANTS = {"True": True, "False": False, "None": None}


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


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
    if len(text) > MAX_LENGTH:
        raise SpecError(f"the text is longer than {MAX_LENGTH} characters", text=text[:60] + " ...", position=0)
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split(text)
        self.index = 0
        self.depth = 0

    def _split(self, text: str) -> list[_Token]:
        tokens, position = [], 0
        while position < len(text):
            if text[position].isspace():
                position += 1
                continue
            found = _TOKEN.match(text, position)
            if not found:
                self._fail(f"{text[position]!r} has no meaning here", position, "expected a name, a number or '->'")
            tokens.append(_Token(str(found.lastgroup), found.group(), position))
            position = found.end()
        return [*tokens, _Token("end", "", len(text))]

    def _fail(self, why: str, position: int, instead: str = "") -> NoReturn:
        raise SpecError(why, text=self.text, position=position, instead=instead) from None

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def _take(self, text: str) -> bool:
        if self.token.text == text and self.token.kind != "string":
            self.index += 1
            return True
        return False

    def _expect(self, text: str, instead: str) -> None:
        if not self._take(text):
            found = repr(self.token.text) if self.token.text else "the end of the text"
            self._fail(f"expected {instead}, found {found}", self.token.position)

    def whole(self) -> Sampler | Thermostat:
        first = self.token
        if first.kind == "name" and first.text not in _CONSTANTS and not _known(first.text, "thermostat", "schedule"):
            links = [self._call("step", "draw")]
            while self._take("->"):
                links.append(self._call("step", "draw"))
            self._expect("", "'->' and another step, or the end")
            sampler: Sampler = self._make(lambda: chain(*links), first)
            return sampler
        value = self._value()
        self._expect("", "the end of the text (only steps can be joined by '->': put this inside temperature(...))")
        thermostat: Thermostat = self._make(lambda: as_thermostat(value), first)
        return thermostat

    def _make(self, make: Callable[[], Any], at: _Token) -> Any:
        try:
            return make()
        except SpecError:
            raise
        except HeatbathError as error:
            self._fail(error.why, at.position, error.instead)

    def _call(self, *kinds: str) -> Any:
        name = self.token
        if name.kind != "name":
            found = repr(name.text) if name.text else "the end of the text"
            self._fail(f"expected the name of a {' or '.join(kinds)}, found {found}", name.position)
        makers = {known: make for kind in kinds for known, make in MAKERS[kind].items()}
        if name.text not in makers:
            self._fail(
                f"there is no {' or '.join(kinds)} {name.text!r}", name.position, _advice(name.text, makers, kinds)
            )
        self.index += 1
        args, named = self._arguments(name) if self._take("(") else ([], {})
        signature = inspect.signature(makers[name.text])
        try:
            signature.bind(*args, **named)
        except TypeError as error:
            self._fail(f"{name.text}: {error}", name.position, f"its arguments are {name.text}{_plain(signature)}")
        return self._make(lambda: makers[name.text](*args, **named), name)

    def _arguments(self, call: _Token) -> tuple[list[Any], dict[str, Any]]:
        args: list[Any] = []
        named: dict[str, Any] = {}
        while not self._take(")"):
            if args or named:
                self._expect(",", f"',' or ')' in the arguments of {call.text}")
            at, following = self.token, self.tokens[min(self.index + 1, len(self.tokens) - 1)]
            if at.kind == "name" and following.text == "=":
                self.index += 2
                if at.text in named:
                    self._fail(f"{at.text} is given twice", at.position)
                named[at.text] = self._value()
            elif named:
                self._fail(
                    "a value without a name stands behind one with a name", at.position, "name it, or move it forward"
                )
            else:
                args.append(self._value())
        return args, named

    def _value(self) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._fail(f"the text is nested more than {MAX_DEPTH} deep", self.token.position)
        value = self._value_inside()
        self.depth -= 1
        return value

    def _value_inside(self) -> Any:
        token = self.token
        if token.kind == "number":
            self.index += 1
            return int(token.text) if re.fullmatch(r"[+-]?\d+", token.text) else float(token.text)
        if token.kind == "string":
            self.index += 1
            return token.text[1:-1]
        if token.text in _CONSTANTS:
            self.index += 1
            return _CONSTANTS[token.text]
        if self._take("["):
            items: list[Any] = []
            while not self._take("]"):
                if items:
                    self._expect(",", "',' or ']' in the list")
                items.append(self._value())
            return items
        if token.kind == "name":
            return self._call("thermostat", "schedule")
        found = repr(token.text) if token.text else "the end of the text"
        return self._fail(f"expected a number, a list or a thermostat, found {found}", token.position)


def _known(name: str, *kinds: str) -> bool:
    return any(name in MAKERS[kind] for kind in kinds)


def _advice(name: str, makers: dict[str, Any], kinds: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, makers, n=1, cutoff=0.5)
    elsewhere = [kind for kind in MAKERS if kind not in kinds and name in MAKERS[kind]]
    if elsewhere:
        return f"{name} is a {elsewhere[0]}: " + (
            f"write temperature({name}(...))"
            if elsewhere[0] in ("thermostat", "schedule")
            else "it stands in a chain by itself"
        )
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(makers))}"


def _plain(signature: inspect.Signature) -> str:
    """The signature as a person writes it: names and defaults, no types."""
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
