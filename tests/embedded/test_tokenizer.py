"""Every token has exact bytes, in both families of vocabularies."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from heatbath.embedded.tokenizer import JsonTokenizer
from heatbath.errors import InputError, ModelError
from heatbath.types import Model

TEXTS = st.text(st.characters(codec="utf-8"))


@given(TEXTS.filter(lambda text: "<|endoftext|>" not in text))  # which stands for the special token
def test_the_bytes_of_the_tokens_are_the_text(model: Model, text: str) -> None:
    tokens = model.tokenizer.encode(text)
    assert b"".join(map(model.tokenizer.token_bytes, tokens)) == text.encode()
    assert model.tokenizer.decode(tokens) == text


def test_a_token_may_hold_part_of_a_character(model: Model) -> None:
    parts = [model.tokenizer.token_bytes(token) for token in model.tokenizer.encode("王")]
    assert parts == [b"", *(bytes([byte]) for byte in "王".encode())]
    assert model.tokenizer.decode(model.tokenizer.encode("王")[:2]) == "\ufffd"


def test_the_special_token_stands_before_a_text_and_for_no_bytes(model: Model) -> None:
    assert model.tokenizer.encode("")[0] == 0
    assert model.tokenizer.token_bytes(0) == b""
    assert model.stop_tokens == {0}
    assert all(model.tokenizer.token_bytes(token) for token in range(1, model.vocabulary))


@pytest.fixture(scope="module")
def sentencepiece(tmp_path_factory: pytest.TempPathFactory) -> JsonTokenizer:
    """A vocabulary of Llama's kind: U+2581 for a space, <0xNN> for bytes without a piece of their own."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", "a", "b", "\u2581a", "ab"]
    merges = [("\u2581", "a"), ("a", "b")]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.add_tokens([AddedToken("<call>", normalized=False)])
    return saved(tokenizer, tmp_path_factory.mktemp("sentencepiece"))


def saved(tokenizer: Tokenizer, directory: Path) -> JsonTokenizer:
    """The tokenizer, by way of its file."""
    tokenizer.save(str(directory / "tokenizer.json"))
    return JsonTokenizer(directory / "tokenizer.json")


@given(text=TEXTS.filter(lambda text: text and "<" not in text and "\u2581" not in text))
def test_the_bytes_of_sentencepiece_tokens_are_a_space_and_the_text(sentencepiece: JsonTokenizer, text: str) -> None:
    tokens = sentencepiece.encode(text)
    assert b"".join(map(sentencepiece.token_bytes, tokens)) == b" " + text.encode()
    assert sentencepiece.decode(tokens) == text


def test_added_tokens_stand_for_their_text_unless_they_are_special(sentencepiece: JsonTokenizer) -> None:
    tokens = sentencepiece.encode("a<call></s>")
    assert [sentencepiece.token_bytes(token) for token in tokens] == [b" a", b"<call>", b""]


def test_an_id_that_the_tokenizer_lacks_stands_for_no_bytes(sentencepiece: JsonTokenizer) -> None:
    assert sentencepiece.token_bytes(9999) == b""
    with pytest.raises(InputError, match="reading a token on -1: token ids start at 0"):
        sentencepiece.token_bytes(-1)


@given(TEXTS)
def test_no_token_takes_more_of_a_text_than_the_longest(model: Model, text: str) -> None:
    for each in (text, f"{text}<|endoftext|><|endoftext|>"):
        assert len(each.encode()) <= model.tokenizer.longest * len(model.tokenizer.encode(each))


def test_the_longest_token_may_be_an_added_one(sentencepiece: JsonTokenizer, model: Model) -> None:
    assert model.tokenizer.longest == len("<|endoftext|>")
    assert sentencepiece.longest == 4 * len("<call>")  # its normalizer may shorten a text


def test_a_normalizer_may_shorten_a_text(tmp_path: Path) -> None:
    vocabulary = {character: i for i, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.normalizer, tokenizer.decoder = normalizers.NFKC(), decoders.ByteLevel()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    folded, text = saved(tokenizer, tmp_path), "\U0001d400" * 9  # mathematical letters, four bytes each
    assert len(folded.encode(text)) == 9
    assert len(text.encode()) <= 9 * folded.longest


def test_a_vocabulary_of_whole_words_is_refused(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordPiece(vocab={"[UNK]": 0, "wolf": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(
        ModelError, match=r"loading a tokenizer on .*: the tokens are neither byte-level .*\(Whitespace\)"
    ):
        saved(tokenizer, tmp_path)


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"the file cannot be read as a tokenizer .*; copy tokenizer.json"):
        JsonTokenizer(tmp_path / "tokenizer.json")
