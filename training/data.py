"""Read, clean and split the texts; train the tokenizer; write token files: `python -m training.data`."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

from training.config import CONFIG, DATA, WORK

SEPARATOR = "<|endoftext|>"  # token 0: stands before every text and so also ends it
ASCII = str.maketrans(
    {"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2014": " - ", "\u2013": "-", "\xa0": " "}
    | dict.fromkeys("_*^[]")
)
WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")


class Tale(NamedTuple):
    """A text and what it is called."""

    name: str
    text: str


def clean(text: str) -> str:
    """ASCII quotes and dashes, one space between words, one line break between paragraphs and verses."""
    lines = (" ".join(line.translate(ASCII).split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def grimm() -> list[Tale]:
    """The tales of the Brothers Grimm; a line `# name` opens each."""
    text = (DATA / "fairy-tales" / "grimm.txt").read_text(encoding="utf-8")
    for broken, right in {"Ã¶": "ö", "â\x80\x93": "-", "â\x80\x9a": ",", 'K"set': "Köset"}.items():
        text = text.replace(broken, right)  # UTF-8 that was once read as Latin-1
    parts = re.split(r"^# (.+)$", text, flags=re.MULTILINE)[1:]
    return [Tale(name, clean(tale)) for name, tale in zip(parts[::2], parts[1::2], strict=True)]


def jacobs() -> list[Tale]:
    """The tales of Joseph Jacobs, without front matter, notes and the closing plate."""
    text = (DATA / "fairy-tales" / "jacobs.txt").read_text(encoding="utf-8")
    contents = re.search(r"^CONTENTS$(.+?)^NOTES AND REFERENCES$", text, flags=re.MULTILINE | re.DOTALL)
    assert contents is not None
    titles = contents[1].split("\n\n")
    names = [title.strip() for title in titles if title.strip()]
    names = names[names.index("TOM TIT TOT") : names.index("OYEZ-OYEZ-OYEZ") + 1]
    body, tales = text[contents.end() :], []
    for name, after in pairwise(names):
        body = body.split(f"\n{name}\n", 1)[1]
        tale = body.split(f"\n{after}\n", 1)[0].replace(f"\n{name}\n", "\n")
        tales.append(Tale(name, clean(re.sub(r"\[[^\]]*\]", "", tale))))
    return tales


class Story(NamedTuple):
    """A story of the teacher."""

    temperature: float
    opened: bool
    text: str


def stories() -> list[Story]:
    """Every story that `teacher.py` has sampled."""
    files = sorted(WORK.glob("stories-*.jsonl"))
    records = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [Story(r["temperature"], r["opened"], clean(r["text"])) for r in records]


class Split(NamedTuple):
    """Texts to train on and texts held out, by whole tale and whole story."""

    tales: list[Tale]
    stories: list[Story]
    held_out: dict[str, list[Tale]]


def split_tales() -> tuple[list[Tale], dict[str, list[Tale]]]:
    """Tales to train on, and those held out, by book."""
    train: list[Tale] = []
    held_out: dict[str, list[Tale]] = {}
    for book, tales in {"grimm": grimm(), "jacobs": jacobs()}.items():
        every = CONFIG.held_out_every[book]
        out = tales[every // 2 :: every]
        held_out[book] = out
        train += [tale for tale in tales if tale not in out]
    return train, held_out


def split() -> Split:
    """The tales, and the stories: those with rare words (slips of the teacher) are not trained on."""
    train, held_out = split_tales()
    sampled = stories()
    known = Counter(word for text in texts(train, sampled) for word in words(text))
    out = [story for story in sampled[:: CONFIG.held_out_stories] if not story.opened]
    for temperature in sorted({story.temperature for story in out}):
        held_out[f"stories T={temperature}"] = [Tale("", s.text) for s in out if s.temperature == temperature]
    outside = {story.text for story in out}
    kept = [s for s in sampled if s.text not in outside and all(known[w] >= CONFIG.rare for w in words(s.text))]
    return Split(train, kept, held_out)


def texts(tales: Iterable[Tale], stories: Iterable[Story]) -> Iterator[str]:
    """The texts alone."""
    yield from (tale.text for tale in tales)
    yield from (story.text for story in stories)


def words(text: str) -> list[str]:
    """Lower-case words; what counts as a non-word is what this finds in no text."""
    return [word.lower() for word in WORD.findall(text)]


def train_tokenizer(train: Split) -> Tokenizer:
    """A byte-level BPE on the tales and as many bytes of stories; encoding puts token 0 before the text."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=CONFIG.vocabulary,
        special_tokens=[SEPARATOR],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    size, some = sum(len(tale.text) for tale in train.tales), []
    for story in train.stories:
        some.append(story)
        size -= len(story.text)
        if size < 0:
            break
    tokenizer.train_from_iterator(texts(train.tales, some), trainer)
    tokenizer.post_processor = TemplateProcessing(single=f"{SEPARATOR} $A", special_tokens=[(SEPARATOR, 0)])
    return tokenizer


def tokens(tokenizer: Tokenizer, documents: Iterable[str]) -> np.ndarray:
    """One stream of tokens: token 0, a text, token 0, a text, ..., token 0."""
    encoded = tokenizer.encode_batch(list(documents))
    return np.concatenate([np.array(e.ids, dtype=np.uint16) for e in encoded] + [np.zeros(1, dtype=np.uint16)])


def main() -> None:
    parts = split()
    tokenizer = train_tokenizer(parts)
    tokenizer.save(str(WORK / "tokenizer.json"), pretty=False)
    tale_stream = tokens(tokenizer, (tale.text for tale in parts.tales))
    story_stream = tokens(tokenizer, (story.text for story in parts.stories))
    np.savez(WORK / "tokens.npz", tales=tale_stream, stories=story_stream)
    sampled = stories()
    counts = {
        "tales": len(parts.tales),
        "tale_tokens": len(tale_stream),
        "stories_sampled": len(sampled),
        "stories_sampled_bytes": sum(len(story.text.encode()) for story in sampled),
        "stories_kept": len(parts.stories),
        "story_tokens": len(story_stream),
        "held_out": {
            book: {"texts": len(tales), "bytes": sum(len(tale.text.encode()) for tale in tales)}
            for book, tales in parts.held_out.items()
        },
    }
    (WORK / "counts.json").write_text(json.dumps(counts, indent=2))
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    main()
