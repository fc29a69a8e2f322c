"""Text to tokens and back, and the exact bytes of every token, from any `tokenizer.json`."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from heatbath.embedded.extra import tokenizers
from heatbath.errors import InputError, ModelError

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPACE = "\u2581"  # how sentencepiece writes a space
SHRINKING = 4
"""How much shorter a normalized text may be: Unicode's forms make one byte of four (a mathematical letter) at most."""


class JsonTokenizer:
    """A `tokenizer.json`, as the `tokenizers` library reads it.

    ``encode`` adds what the file says stands around every text (a start token, for most models), so the
    tokens of an empty text need not be none. Special tokens stand for no bytes.

    Arguments:
        path: the file.

    Raises:
        ModelError: the file cannot be read, or its tokens are neither byte-level nor of sentencepiece's kind.

    >>> from heatbath.embedded import load
    >>> tokenizer = load().tokenizer
    >>> ids = tokenizer.encode("The wolf said, \\u201cNo\\u201d")
    >>> b"".join(map(tokenizer.token_bytes, ids)).decode()
    'The wolf said, \u201cNo\u201d'
    """

    def __init__(self, path: Path) -> None:
        library = tokenizers()
        try:
            self._tokenizer = library.Tokenizer.from_file(str(path))
        except Exception as error:
            raise ModelError(
                f"the file cannot be read as a tokenizer ({error})",
                doing="loading a tokenizer",
                on=str(path),
                instead="copy tokenizer.json from the model's repository again",
            ) from error
        description = json.loads(self._tokenizer.to_str())
        self._bytes = _table(description, self._tokenizer.get_vocab(), str(path))
        self.longest = _longest(description, self._bytes)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, with the tokens that the model wants around it."""
        return list(self._tokenizer.encode(text).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text; special tokens are left out, and bytes that are no UTF-8 become U+FFFD."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def token_bytes(self, token: int) -> bytes:
        """The bytes that the token stands for; a token may hold part of a character."""
        if token < 0:
            raise InputError(
                "token ids start at 0", doing="reading a token", on=str(token), instead="write the id of a token"
            )
        return self._bytes.get(token, b"")  # a model may have more rows than its tokenizer has tokens


def _table(description: dict[str, Any], vocabulary: dict[str, int], path: str) -> dict[int, bytes]:
    kinds = set(_kinds(description.get("decoder"))) | set(_kinds(description.get("pre_tokenizer")))
    if "ByteLevel" in kinds:
        alphabet = _byte_alphabet()
        table = {i: _byte_level(token, alphabet) for token, i in vocabulary.items()}
    elif kinds & {"ByteFallback", "Metaspace"}:
        table = {i: _sentencepiece(token) for token, i in vocabulary.items()}
    else:
        raise ModelError(
            f"the tokens are neither byte-level nor of sentencepiece's kind ({', '.join(sorted(kinds)) or 'unnamed'})",
            doing="loading a tokenizer",
            on=path,
            instead="use a model whose tokens spell out bytes, as those of GPT, Llama, Qwen and Gemma do",
        )
    for added in description.get("added_tokens", ()):
        table[added["id"]] = b"" if added["special"] else added["content"].encode()
    return table


def _longest(description: dict[str, Any], table: dict[int, bytes]) -> int:
    """The most bytes of a text that one token takes in, with a margin where texts are normalized first."""
    added = [token["content"].encode() for token in description.get("added_tokens", ())]  # the special ones, too
    return max(map(len, [*table.values(), *added])) * (SHRINKING if description.get("normalizer") else 1)


def _kinds(part: Any) -> Iterator[str]:
    """Every "type" in a part of the description, however deep."""
    if isinstance(part, dict):
        if "type" in part:
            yield part["type"]
        for inner in part.values():
            yield from _kinds(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _kinds(inner)


def _byte_alphabet() -> dict[str, int]:
    """The printable character that byte-level tokenizers write for each byte.

    Bytes that print as themselves in Latin-1 stand for themselves; the other 68 are numbered from U+0100 on.
    """
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(others)}


def _byte_level(token: str, alphabet: dict[str, int]) -> bytes:
    if all(character in alphabet for character in token):
        return bytes(alphabet[character] for character in token)
    return token.encode()  # an added token, written as it is


def _sentencepiece(token: str) -> bytes:
    byte = _BYTE_TOKEN.fullmatch(token)
    return bytes([int(byte[1], 16)]) if byte else token.replace(_SPACE, " ").encode()
