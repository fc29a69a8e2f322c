"""Prompts are what the models have not read."""

import pytest

from training.data import split_tales
from training.knob.texts import MISSING, PROMPT_BYTES, shakespeare, stories, tales


@pytest.mark.parametrize("domain", [shakespeare, tales])
def test_prompts_are_short_and_different_and_always_the_same(domain, data):
    prompts = domain().prompts
    assert len(prompts) == len(set(prompts)) >= 96
    assert all(10 < len(prompt.encode()) <= PROMPT_BYTES for prompt in prompts)
    assert all(prompt == prompt.strip() for prompt in prompts)
    assert domain().prompts == prompts


def test_what_is_held_out_is_not_trained_on(data):
    told = tales()
    _, held_out = split_tales()
    texts = [tale.text for book in held_out.values() for tale in book if not tale.text.startswith(MISSING)]
    assert len(texts) > 10
    assert not any(text in told.train for text in texts)
    assert all(any(prompt in text for text in texts) for prompt in told.prompts)
    plays, whole = shakespeare(), (data / "tinyshakespeare" / "input.txt").read_text()
    assert whole.startswith(plays.train)
    assert all(prompt in whole[len(plays.train) :] for prompt in plays.prompts)


def test_openings_of_stories_are_different():
    openings = stories(100)
    assert len(set(openings)) == 100
    assert stories(100) == openings
