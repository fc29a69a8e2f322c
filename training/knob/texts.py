"""What each model of the comparison is trained on, and prompts that it has not seen."""

import random
from typing import NamedTuple

from training.config import DATA
from training.data import clean, split_tales
from training.teacher import opening

PROMPT_BYTES = 32
MISSING = "Translations are welcome"  # stands in place of some tales


class Domain(NamedTuple):
    """One kind of text."""

    train: str
    prompts: tuple[str, ...]
    """Beginnings of paragraphs that are not in ``train``, in a random order that is always the same."""


def shakespeare() -> Domain:
    """Plays; the last tenth is held out."""
    text = (DATA / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    cut = text.index("\n\n", len(text) * 9 // 10)
    return Domain(text[:cut], _prompts(text[cut:].split("\n\n")))


def tales() -> Domain:
    """Fairy tales; the tales that the shipped model never saw are held out here as well."""
    train, held_out = split_tales()
    paragraphs = [line for book in held_out.values() for tale in book for line in tale.text.splitlines()]
    prompts = tuple(prompt for prompt in _prompts(paragraphs) if not prompt.startswith(MISSING))
    return Domain("\n".join(tale.text for tale in train), prompts)


def stories(count: int) -> tuple[str, ...]:
    """Openings for the model that was trained on stories, whose texts are not here."""
    rng = random.Random(7)
    found: dict[str, None] = {}
    while len(found) < count:
        found[clean(opening(rng))] = None
    return tuple(found)


def _prompts(paragraphs: list[str]) -> tuple[str, ...]:
    """The first words of each paragraph, each once."""
    begun = dict.fromkeys(
        paragraph.strip()[:PROMPT_BYTES].rpartition(" ")[0] for paragraph in paragraphs if len(paragraph) > PROMPT_BYTES
    )
    kept = [prompt for prompt in begun if prompt.isascii() and len(prompt) > PROMPT_BYTES // 3]
    random.Random(7).shuffle(kept)
    return tuple(kept)
