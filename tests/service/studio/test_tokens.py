"""The prompt's tokens tell their numbers as the drawn ones do: to the keyboard, the finger and the mouse."""

# ruff: noqa: RUF001  Chinese has punctuation of its own

import math
import re

import numpy as np
import pytest
from playwright.sync_api import expect

import heatbath as hb

PROMPT = " kalo misu, the"


def tokens(page):
    return page.locator(".prompt-tokens .token")


def panel(page):
    return page.get_by_role("dialog")


def nats(words, index):
    """How surprising the model finds a token of the prompt, from its scores."""
    ids = words.tokenizer.encode(PROMPT)
    scores = words.start([ids[:index]])[0][0].astype(float)
    return -math.log(hb.softmax(scores)[ids[index]])


@pytest.fixture
def page(open_page):
    return open_page(f"#v=1&lang=en&prompt={PROMPT}")


def test_by_keyboard(page, words):
    expect(page.locator(".prompt-tokens [tabindex='0']")).to_have_count(1)
    page.get_by_role("button", name="The princess opened the door and saw a").focus()
    for index, (key, word) in enumerate([("Tab", "kalo"), ("ArrowRight", "misu"), ("ArrowRight", ","), ("End", "the")]):
        page.keyboard.press(key)
        token = tokens(page).nth(index)
        expect(token).to_be_focused()
        told = re.fullmatch(rf"“{word}”, surprisal ([\d.]+) bits", token.get_attribute("aria-label"))
        assert float(told[1]) == pytest.approx(nats(words, index) / math.log(2), abs=0.006)
        expect(panel(page)).to_contain_text(f"{told[1]} bits")
        expect(panel(page)).to_have_attribute("aria-label", f"“{word}”, in the prompt")
    page.keyboard.press("Enter")  # there is nothing to choose
    expect(tokens(page).last).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#inspector")).to_be_hidden()
    page.keyboard.press("Home")
    expect(tokens(page).first).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#inspector")).to_be_hidden()
    expect(page.locator("#cooler")).to_be_focused()


def test_by_touch(open_page, words):
    page = open_page(f"#v=1&lang=en&prompt={PROMPT}", has_touch=True, width=390)
    tokens(page).nth(1).tap()
    expect(panel(page)).to_contain_text(re.compile(r"Model, T = 1[\d.]+% · [\d.]+ bits"))
    ids = words.tokenizer.encode(PROMPT)
    expect(panel(page)).to_contain_text(f"id {ids[1]} · bytes {words.tokenizer.token_bytes(ids[1]).hex()}")
    expect(panel(page).get_by_role("button")).to_have_count(0)
    page.locator(".lede").tap()
    expect(page.locator("#inspector")).to_be_hidden()


def test_by_mouse(page, words):
    tokens(page).nth(2).hover()
    shown = panel(page).locator("dd").inner_text()
    percent, bits = re.fullmatch(r"(?:< )?([\d.]+)% · ([\d.]+) bits", shown).groups()
    assert float(bits) == pytest.approx(nats(words, 2) / math.log(2), abs=0.006)
    assert float(percent) == pytest.approx(100 * np.exp(-nats(words, 2)), rel=0.06)
    page.mouse.move(5, 5)
    expect(page.locator("#inspector")).to_be_hidden()


def test_in_the_other_language(page):
    page.get_by_role("button", name="中文").click()
    expect(tokens(page).first).to_have_attribute("aria-label", re.compile(r"^“kalo”，惊奇度 [\d.]+ 比特$"))
    tokens(page).first.focus()
    expect(panel(page)).to_have_attribute("aria-label", "提示词中的 “kalo”")


def test_white_space_alone_can_be_seen(open_page):
    page = open_page("#v=1&lang=en&prompt= kalo%0A%0A misu")
    expect(tokens(page)).to_have_text(["kalo", re.compile("^↵"), re.compile("^↵"), "misu"])
    for token in tokens(page).all():
        assert token.bounding_box()["width"] > 4


def test_a_character_in_three_tokens_is_one(open_page):
    page = open_page("#v=1&lang=en&prompt= kalo%E9%9B%AA")
    assert tokens(page).all_inner_texts() == ["kalo", "", "", "雪"]
    tokens(page).nth(1).focus()
    expect(panel(page)).to_contain_text(r"\xe9")
