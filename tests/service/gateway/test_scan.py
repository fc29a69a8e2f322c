"""Whatever a body holds, changing one member changes no other byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatbath.service.gateway.scan import REMOVED, edited, scan

SPACES = st.text(" \t\n\r", max_size=3)
NUMBERS = st.one_of(
    st.integers(-(10**40), 10**40).map(str), st.sampled_from(["0.70", "1e5", "-0", "1E-7", "12345678901234567890.10"])
)
TEXTS = st.text(max_size=8).flatmap(lambda t: st.sampled_from([json.dumps(t), json.dumps(t, ensure_ascii=False)]))
WORDS = st.sampled_from(["true", "false", "null"])


def joined(opening, parts, closing, spaces):
    return f"{opening}{spaces}" + f"{spaces},".join(parts) + f"{spaces}{closing}"


def containers(inner):
    pairs = st.tuples(TEXTS, SPACES, inner).map(lambda p: f"{p[0]}{p[1]}:{p[1]}{p[2]}")
    return st.one_of(
        st.tuples(st.lists(inner, max_size=4), SPACES).map(lambda p: joined("[", p[0], "]", p[1])),
        st.tuples(st.lists(pairs, max_size=4), SPACES).map(lambda p: joined("{", p[0], "}", p[1])),
    )


VALUES = st.recursive(st.one_of(NUMBERS, TEXTS, WORDS), containers, max_leaves=12)
NAMES = st.one_of(
    st.sampled_from(['"model"', '"temperature"', '"messages"', '"a"', '"temper\\u0061ture"', '"}"', '"\\""', '"模型"']),
    TEXTS,
)
MEMBERS = st.lists(st.tuples(NAMES, SPACES, VALUES), max_size=6)


def written(members, spaces):
    parts = [f"{name}{gap}:{gap}{value}" for name, gap, value in members]
    return joined("{", [f"{spaces}{part}" for part in parts], "}", spaces).encode()


@given(MEMBERS, SPACES)
def test_every_member_is_found_where_it_stands(members, spaces):
    body = written(members, spaces)
    scanned = scan(body)
    assert [(m.name, body[m.value : m.end].decode()) for m in scanned.members] == [
        (json.loads(name), value) for name, _, value in members
    ]
    for name in scanned.last:
        assert scanned.raw(name).decode() == [v for n, _, v in members if json.loads(n) == name][-1]
    names = [json.loads(name) for name, _, _ in members]
    doubled = {name for name in names if names.count(name) > 1}
    assert (scanned.twice(frozenset(doubled)) in doubled) == bool(doubled)


@given(MEMBERS, SPACES, st.sampled_from(["1.2", "REMOVED", None]), st.sampled_from(['"other"', "REMOVED", None]))
def test_a_change_touches_nothing_else(members, spaces, temperature, model):
    body = written(members, spaces)
    said = {"temperature": temperature, "model": model}
    changes = {name: REMOVED if new == "REMOVED" else new.encode() for name, new in said.items() if new}
    after = edited(scan(body), changes)
    expected = []
    for name, _, value in members:
        new = said.get(json.loads(name))
        if new != "REMOVED":
            expected.append((name, new or value))
    there = {json.loads(name) for name, _, _ in members}
    expected += [
        (json.dumps(name), new) for name, new in said.items() if new not in (None, "REMOVED") and name not in there
    ]
    again = scan(after)
    assert [(json.loads(name), value.encode()) for name, value in expected] == [
        (m.name, after[m.value : m.end]) for m in again.members
    ]
    if not changes or ({temperature, model} <= {None, "REMOVED"} and not there & set(changes)):
        assert after == body


@pytest.mark.parametrize("depth", [1, 3, 4, 5, 9, 200])
def test_depth_does_not_matter(depth):
    value = b'[{"a": "]}"}, ' * depth + b"1" + b"]" * depth
    body = b'{"deep": ' + value + b', "temperature": 1}'
    assert scan(body).raw("deep") == value
    assert edited(scan(body), {"temperature": b"2"}) == body.replace(b"1}", b"2}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b"}",
        b'{"a"}',
        b'{"a":}',
        b'{"a":1,}',
        b'{"a":[}]}',
        b'{"a":1}x',
        b'{"a":NaN}',
        b'{"a":01}',
        b'{"a":"\xff"}',
        b"\xff\xfe{\x00}\x00",
        b'{"a":' + b"[" * 100_000,
        b'{"a":"\x01"}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_object_is_refused(body):
    with pytest.raises(ValueError, match=r"JSON|Expected|truncated|decode"):
        scan(body)


@given(st.binary(max_size=60))
def test_bytes_are_scanned_or_refused(body):
    try:
        scanned = scan(body)
    except ValueError:
        with pytest.raises((ValueError, AssertionError)):
            assert isinstance(json.loads(body), dict)
    else:
        assert isinstance(json.loads(body), dict)
        assert {m.name for m in scanned.members} == set(json.loads(body))
