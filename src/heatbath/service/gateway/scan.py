"""Where the members of a JSON object stand in its bytes, so that one can be changed and all others stay as they are.

A body is validated by a real parser, which makes nothing of it, and then walked once: a member is one step of a regular
expression, and one that is nested deeply one more for each of its brackets.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

SPACE = rb"[ \t\n\r]*+"
STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
OPENING = re.compile(SPACE + rb"\{" + SPACE, re.DOTALL)
SCALAR = STRING + rb'|[^",\[\]{} \t\n\r]++'
FLAT = rb'[^"\[\]{}]*+(?:' + STRING + rb'[^"\[\]{}]*+)*+'
"""Up to the next bracket that is not in a text."""


def _nested(levels: int) -> bytes:
    """A value with brackets, so many levels deep."""
    inner = FLAT if levels == 1 else FLAT + b"(?:" + _nested(levels - 1) + FLAT + b")*+"
    return rb"[\[{]" + inner + rb"[\]}]"


MEMBER = re.compile(
    b"("
    + STRING
    + b")"
    + SPACE
    + b":"
    + SPACE
    + b"(?:("
    + SCALAR
    + b"|"
    + _nested(4)
    + b")"
    + SPACE
    + b",?+"
    + SPACE
    + b")?+",
    re.DOTALL,
)
"""A name, and its value unless that is nested more deeply."""
TO_BRACKET = re.compile(FLAT, re.DOTALL)
BETWEEN = re.compile(SPACE + b",?+" + SPACE)
OPENS, CLOSES = frozenset(b"[{"), ord("}")

REMOVED = b""
"""In place of a value: take the member out."""


class _Anything(msgspec.Struct):
    """An object, whatever is in it."""


_validate = msgspec.json.Decoder(_Anything).decode


class Member(NamedTuple):
    """One member of an object: its name, and where its name and its value stand."""

    name: str
    start: int
    value: int
    end: int


class Scanned(NamedTuple):
    """An object, and its members in the order they are written; a name may be there twice."""

    body: bytes
    members: list[Member]
    last: dict[str, Member]
    """The members by name, the last one where a name is there twice."""

    def raw(self, name: str) -> bytes | None:
        """The bytes of a value, of the last one where a name is there twice; None where it is not there."""
        member = self.last.get(name)
        return None if member is None else self.body[member.value : member.end]

    def value(self, name: str) -> Any:
        """The value; None where it is not there."""
        raw = self.raw(name)
        return None if raw is None else msgspec.json.decode(raw)

    def twice(self, names: frozenset[str]) -> str | None:
        """One of these names that is there more than once."""
        if len(self.last) == len(self.members):
            return None
        doubled = (each.name for each in self.members if each is not self.last[each.name])
        return next((name for name in doubled if name in names), None)


def scan(body: bytes) -> Scanned:
    """The members of a JSON object.

    Raises:
        ValueError: it is no JSON object in UTF-8; the message says where it stops being one.

    >>> scanned = scan(b'{"model": "a", "temperature": 0.70}')
    >>> scanned.raw("temperature"), scanned.value("temperature"), scanned.raw("seed")
    (b'0.70', 0.7, None)
    """
    if not body.isascii():
        body.decode()
    try:
        _validate(body)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    opened = OPENING.match(body)
    at = opened.end() if opened else 0
    members: list[Member] = []
    last: dict[str, Member] = {}
    while body[at] != CLOSES:
        found = MEMBER.match(body, at)
        if found is None:  # pragma: no cover  the parser has seen an object
            raise ValueError(f"JSON is malformed: no name of a member (byte {at})")
        quoted = found[1]
        name = msgspec.json.decode(quoted) if b"\\" in quoted else quoted[1:-1].decode()
        value, end = found.span(2)
        behind = found.end()
        if value < 0:
            value, end = behind, _end_of_nested(body, behind)
            behind = BETWEEN.match(body, end).end()  # type: ignore[union-attr]  # it matches the empty text
        member = last[name] = Member(name, at, value, end)
        members.append(member)
        at = behind
    return Scanned(body, members, last)


def _end_of_nested(body: bytes, at: int) -> int:
    depth, at = 1, at + 1
    while depth:
        at = TO_BRACKET.match(body, at).end()  # type: ignore[union-attr]  # it matches the empty text
        depth += 1 if body[at] in OPENS else -1
        at += 1
    return at


def edited(scanned: Scanned, changes: Mapping[str, bytes]) -> bytes:
    """The body with other values, in JSON; :data:`REMOVED` takes a member out, and a new name is written last.

    No other byte of a member changes, and none changes its place.

    >>> edited(scan(b'{"model": "a", "temperature": 0.70, "big": 12345678901234567890}'), {"temperature": b"1.2"})
    b'{"model": "a", "temperature": 1.2, "big": 12345678901234567890}'
    >>> edited(scan(b'{"model": "a", "temperature": 0.70}'), {"temperature": REMOVED, "seed": b"7"})
    b'{"model": "a", "seed":7}'
    """
    body, members, names = scanned
    if not changes:
        return body
    if len(changes) == 1:  # by far the most frequent change: one value for another
        ((name, value),) = changes.items()
        if value != REMOVED and name in names and len(names) == len(members):
            return body[: names[name].value] + value + body[names[name].end :]
    begin, end = (members[0].start, members[-1].end) if members else (body.index(b"{") + 1,) * 2
    parts = [body[:begin]]
    last = -1  # the last member that was kept
    for index, member in enumerate(members):
        new = changes.get(member.name)
        if new == REMOVED:
            continue
        if last >= 0:  # the comma and the spaces that stood behind the last one
            parts.append(body[members[last].end : members[last + 1].start])
        parts += (body[member.start : member.value], new) if new else (body[member.start : member.end],)
        last = index
    for name, value in changes.items():
        if value != REMOVED and name not in names:
            parts.append(b", " if last >= 0 else b"")
            parts.append(msgspec.json.encode(name) + b":" + value)
            last = max(last, 0)
    parts.append(body[end:])
    return b"".join(parts)
