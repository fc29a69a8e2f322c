from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from heatbath.service.text import SoFar, Writer


class Token(NamedTuple):
    bytes: bytes


TEXT = st.text("ab雪é", max_size=12)
STOPS = st.lists(st.text("ab雪", min_size=1, max_size=4), max_size=4)
CUTS = st.lists(st.integers(0, 40), max_size=10)


def tokens_of(data: bytes, cuts: list[int]) -> list[Token]:
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [Token(data[start:end]) for start, end in pairwise(ends)] or [Token(b"")]


def write(tokens, stops=(), offset=0):
    writer = Writer(stops, offset)
    pieces = []
    for token in tokens:
        pieces.append(writer.push(token))
        if writer.stopped:
            break
    pieces.append(writer.finish())
    return writer, pieces


def expected(text: str, stops: list[str]) -> tuple[str, bool]:
    """By definition: read on character by character until a stop text is complete."""
    for end in range(len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            return text[: end - max(map(len, complete))], True
    return text, False


@given(TEXT, CUTS)
def test_however_the_bytes_are_cut_the_text_is_the_same(text, cuts):
    _, pieces = write(tokens_of(text.encode(), cuts))
    assert "".join(piece.text for piece in pieces) == text


@given(st.binary(max_size=12), CUTS)
def test_bytes_that_are_no_text_are_replaced(data, cuts):
    _, pieces = write(tokens_of(data, cuts))
    assert "".join(piece.text for piece in pieces) == data.decode(errors="replace")


@given(TEXT, CUTS, STOPS)
def test_the_stop_text_that_is_completed_first_ends_the_text_before_it(text, cuts, stops):
    writer, pieces = write(tokens_of(text.encode(), cuts), stops)
    assert ("".join(piece.text for piece in pieces), writer.stopped) == expected(text, stops)


@given(TEXT, CUTS, STOPS, st.integers(0, 5))
def test_each_token_is_given_out_once_in_order_at_its_place(text, cuts, stops, offset):
    tokens = tokens_of(text.encode(), cuts)
    writer, pieces = write(tokens, stops, offset)
    placed = [one for piece in pieces for one in piece.tokens]
    whole = "".join(piece.text for piece in pieces)
    assert [one.token for one in placed] == tokens[: len(placed)]
    assert writer.length == offset + len(whole)
    if not writer.stopped:
        assert len(placed) == len(tokens)
    read = b""
    for token, place in placed:
        assert place == offset + len(read.decode(errors="ignore"))
        assert not writer.stopped or place < writer.length
        read += token.bytes


@given(TEXT, CUTS)
def test_a_token_does_not_come_before_the_characters_that_it_completes(text, cuts):
    _, pieces = write(tokens_of(text.encode(), cuts))
    given_out, tokens = "", b""
    for piece in pieces:
        given_out += piece.text
        tokens += b"".join(one.token.bytes for one in piece.tokens)
        assert given_out.startswith(tokens.decode(errors="ignore"))


def test_a_character_is_held_until_it_is_complete():
    writer = Writer()
    assert writer.push(Token("雪".encode()[:1])) == ("", ())
    assert writer.push(Token("雪".encode()[1:2])) == ("", ())
    piece = writer.push(Token("雪".encode()[2:]))
    assert (piece.text, len(piece.tokens)) == ("雪", 3)


@given(
    st.lists(st.sampled_from([b"a", "雪".encode(), "é".encode(), *(bytes([b]) for b in "雪é😀\x80".encode())])), STOPS
)
def test_a_token_stands_where_its_text_begins_when_bytes_are_no_text(pieces, stops):
    """Whoever cuts the text at the offsets gets what each token wrote, and U+FFFD for what was left unfinished."""
    tokens = [Token(piece) for piece in pieces]
    writer, made = write(tokens, stops, offset=2)
    text = "??" + "".join(piece.text for piece in made)
    for token, offset in (placed for piece in made for placed in piece.tokens):
        own = token.bytes.decode(errors="ignore")
        if own and not writer.stopped:
            assert text.startswith(own, offset)


def test_an_unfinished_character_belongs_to_the_tokens_before():
    _, pieces = write([Token(b"x\xe9"), Token(b"\x9b"), Token(b"eng"), Token(b"\xe9"), Token(b"\xe9"), Token(b"\xff")])
    assert "".join(piece.text for piece in pieces) == "x\ufffdeng\ufffd\ufffd\ufffd"
    assert [offset for piece in pieces for _, offset in piece.tokens] == [0, 1, 2, 5, 6, 7]


def test_a_token_waits_for_the_whole_of_its_text():
    writer = Writer(["bc"])
    assert writer.push(Token(b"ab")) == ("a", ())
    assert writer.push(Token(b"d")) == ("bd", ((Token(b"ab"), 0), (Token(b"d"), 2)))


def test_what_may_begin_a_stop_text_is_held_no_longer_than_needed():
    writer = Writer(["abc"])
    assert [writer.push(Token(byte)).text for byte in (b"x", b"a", b"b", b"a", b"b", b"d")] == [
        "x",
        "",
        "",
        "ab",
        "",
        "abd",
    ]


def test_the_text_so_far_is_spelled_only_when_it_is_asked_for():
    asked = []
    one = SoFar(lambda: asked.append(1) or "one")
    several = SoFar([lambda: asked.append(2) or "a", lambda: "b"])
    assert "rule" not in one
    assert (one.get("rule"), list(several), len(several)) == (None, ["text"], 1)
    assert asked == []
    assert (one["text"], several["text"]) == ("one", ["a", "b"])
