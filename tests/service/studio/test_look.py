"""Every size, theme and language: nothing runs over, everything has a name, everything can be read."""

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.service.studio.conftest import painted, rewritten, settled

LOOKS = [(width, theme, language) for width in (320, 1000) for theme in ("light", "dark") for language in ("en", "zh")]

OVERFLOW = """() => [...document.querySelectorAll("body *")]
  .filter((e) => !e.closest("pre, .hidden, .skip, svg, .twin-body") && e.getClientRects().length)
  .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 30)}`)"""

SMALL = """() => [...document.querySelectorAll("button, input, summary, textarea")]
  .filter((e) => e.getClientRects().length)
  .map((e) => [e.textContent || e.id, e.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24)
  .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""

CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour, under) => {
    canvas.fillStyle = under;
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const luminance = (c) => c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    if (!e) return "white";
    const own = getComputedStyle(e).backgroundColor;
    return own === "rgba(0, 0, 0, 0)" ? ground(e.parentElement) : `rgb(${rgb(own, ground(e.parentElement)).join(",")})`;
  };
  const shown = (e) => (e ? getComputedStyle(e).opacity * shown(e.parentElement) : 1);
  const worst = [];
  for (const e of document.querySelectorAll("body *")) {
    const words = [...e.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!(words || e.matches("input[type=text], textarea")) || !e.getClientRects().length) continue;
    if (e.closest("svg, :disabled, .hidden, .skip") || shown(e) === 0) continue;
    const under = ground(e);
    const [ink, paper] = [rgb(getComputedStyle(e).color, under), rgb(under, "white")];
    const faded = ink.map((v, i) => paper[i] + shown(e) * (v - paper[i]));
    const pair = [faded, paper].map(luminance).sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio >= 4.5 || e.matches(".mark-space")) continue;
    worst.push(`${ratio.toFixed(2)} ${e.className} ${e.textContent.slice(0, 30)}`);
  }
  return worst;
}"""


@pytest.mark.parametrize(("width", "theme", "language"), LOOKS)
def test_every_look(open_page, width, theme, language):
    page = open_page(f"#v=1&lang={language}&T=1.4&on=Tpm", width=width, color_scheme=theme)
    page.locator("#share summary").click()
    assert page.locator("#share-prompt").is_visible()
    assert page.evaluate(SMALL) == []
    assert page.evaluate(OVERFLOW) == []
    page.keyboard.press("Escape")
    page.locator(".lane.chosen .token").nth(3).click()
    painted(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOW) == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate(CONTRAST) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 20, 24)"
    assert dark == (theme == "dark")
    assert page.evaluate("document.fonts.size") == 0  # no web fonts
    folder = os.environ.get("HEATBATH_SCREENSHOTS")
    if folder:
        page.keyboard.press("Escape")
        page.screenshot(path=Path(folder) / f"{width}-{theme}-{language}.png", full_page=True)


def test_warnings_and_long_words_do_not_run_over(open_page):
    for hash_ in ("T=5&on=T", "T=0&on=T", "on=Tk&k=1", "on=k"):
        page = open_page(f"#v=1&{hash_}&{'y' * 90}=&prompt=" + "x" * 90, width=320)
        assert page.evaluate(OVERFLOW) == []


def test_what_a_finger_presses_is_large_enough_for_it(open_page):
    page = open_page(width=390, has_touch=True, is_mobile=True)
    small = SMALL.replace("< 24", "< 36").replace('"button, input, summary', '"button, #knob, summary')
    assert page.evaluate(small) == []
    assert page.locator("#knob").bounding_box()["height"] == 44


SPILLED = """() => [...document.querySelectorAll("th > button, td, .tabs button, #code-copy, .remedies button, .chip")]
  .filter((e) => e.getClientRects().length)
  .filter((e) => {
    const [mine, room] = [e.getBoundingClientRect(), e.parentElement.getBoundingClientRect()];
    const words = document.createRange();
    words.selectNodeContents(e);
    const text = words.getBoundingClientRect();
    return Math.max(mine.right, text.right) > room.right + 0.5 || text.left < mine.left - 0.5 || mine.height > 80;
  })
  .map((e) => e.textContent)"""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_words_lie_on_others_in_a_narrow_window(open_page, tales, language):
    page = open_page(f"#v=1&T=3&lang={language}", url=tales.url, width=320)
    assert page.evaluate(SPILLED) == []


def test_a_place_is_shown_without_a_journey_to_who_asked_for_little_movement(open_page):
    for motion, behaviour in (("reduce", "instant"), ("no-preference", "smooth")):
        page = open_page(reduced_motion=motion)
        page.evaluate("Element.prototype.scrollIntoView = (how) => (window.went = how?.behavior ?? window.went)")
        page.locator(".lane.chosen .token").nth(2).click()
        page.locator("#inspector .quiet").click()
        expect(page.locator("#place")).to_contain_text("token 3")
        painted(page)
        assert page.evaluate("window.went") == behaviour


def test_everything_has_a_name(page):
    tree = page.locator("body").aria_snapshot()
    for role in ("button", "slider", "switch", "textbox", "img", "tab", "region", "log", "checkbox", "article"):
        assert not re.search(rf"^\s*- '?{role}( \[[^]]*\])*'?:?$", tree, re.MULTILINE), f"a {role} without a name"
    for name in ("Next-token probabilities.", "At T = 0.8 this next token has", "Draw 1 of this seed"):
        assert f'img "{name}' in tree
    assert tree.count("- table") >= 1
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map((e) => Number(e.tagName[1]))")
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_picture_has_a_table(page):
    for panel in ("#bars", "#curve"):
        page.locator(f"{panel} summary").click()
        expect(page.locator(f"{panel} thead th").first).to_be_visible()
        assert page.locator(f"{panel} tbody tr").count() > 10


def test_the_page_can_be_walked_through_by_keyboard(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the knob")).to_be_focused()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        if reached[-1] == "code-panel":
            break
    for part in ("hotter", "temperature", "curve-hand", "seed", "draw-again", "run", "tab-openai", "code-copy"):
        assert part in reached, part
    assert len(reached) < 60


def test_a_step_that_is_off_looks_off(page):
    looks = "e => [getComputedStyle(e).borderTopStyle, getComputedStyle(e.querySelector('.mini')).opacity]"
    assert page.locator("[data-step=top_k]").evaluate(looks) == ["dashed", "0.4"]
    assert page.locator("[data-step=top_p]").evaluate(looks) == ["solid", "1"]


PAPER = """() => [document.body, ...document.querySelectorAll(".panel, .card, .sentence, .numbers td")].flatMap((e) =>
  [getComputedStyle(e).color, getComputedStyle(e).backgroundColor])
  .map((colour) => (colour.startsWith("rgba(0, 0, 0, 0") ? "" : colour.match(/[0-9.]+/g).slice(0, 3).map(Number)))
  .filter((rgb) => rgb && !(Math.max(...rgb) < 110 || Math.min(...rgb) > 230))"""


@pytest.mark.parametrize("system", ["light", "dark"])
def test_paper_is_white_in_every_theme(open_page, system):
    page = open_page(color_scheme=system)
    for _ in ("auto", "light", "dark"):
        page.emulate_media(media="print", color_scheme=system)
        assert page.evaluate(PAPER) == []
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        track = "getComputedStyle(document.querySelector('[role=switch]:checked'), '::before').backgroundColor"
        assert page.evaluate(track) == "rgb(30, 28, 25)"  # not on its way there
        page.emulate_media(media="screen", color_scheme=system)
        page.locator("#theme").click()


def test_what_a_button_names_or_chooses_is_printed(page):
    page.emulate_media(media="print")
    for word in (
        "Entropy, bits",
        "Live choices (perplexity)",
        "temperature first",
        "under the model at T = 1",
        "OpenAI client",
    ):
        expect(page.get_by_text(word, exact=True).first).to_be_visible()
    sign = page.locator(".numbers th button").first.evaluate("e => getComputedStyle(e, '::after').content")
    assert sign == "none"  # nothing opens on paper
    for word in ("temperature last", "under the sampler", "llama.cpp", "Run again", "Show 50", "Show as a table"):
        expect(page.get_by_text(word, exact=True).first).to_be_hidden()
    page.emulate_media(media="screen")


def test_print(page):
    page.emulate_media(media="print")
    expect(page.locator("#run")).to_be_hidden()
    expect(page.locator("#printed")).to_contain_text("temperature(0.8) -> top_p(0.95) -> categorical() · seed 7")
    expect(page.locator(".lane.chosen .prose")).to_be_visible()
    assert page.pdf()[:4] == b"%PDF"
    page.emulate_media(media="screen")


def test_the_strip_stays_in_sight(page):
    page.locator("#code").scroll_into_view_if_needed()
    expect(page.locator("#knob")).to_be_in_viewport()
    with rewritten(page):
        page.get_by_role("button", name="Hotter").click()


def test_a_telephone_on_its_side_has_room_for_the_page(open_page):
    page = open_page(width=640, height=320)
    status = page.locator("#status")
    expect(status).to_have_text("Done.")
    expect(status).to_have_css("opacity", "0")  # it leaves when it was read
    assert "status: Done." in page.locator("body").aria_snapshot()
    page.locator("#code").scroll_into_view_if_needed()
    expect(page.locator("#knob")).not_to_be_in_viewport()


def test_the_status_line_stays_for_what_goes_on_and_what_went_wrong(open_page):
    page = open_page()
    page.clock.install()
    page.route("**/studio/generate", lambda route: None)
    status = page.locator("#status")
    page.locator("#run").click()
    expect(status).to_have_text("Writing three continuations …")
    page.clock.run_for(10_000)
    expect(status).to_have_css("opacity", "1")
    page.locator("#run").click()
    expect(status).to_have_text("Stopped.")
    expect(status).to_have_css("opacity", "1")
    page.clock.run_for(10_000)
    expect(status).to_have_css("opacity", "0")
    page.locator("#temperature").fill("cold")
    page.locator("#temperature").press("Enter")
    page.clock.run_for(10_000)
    expect(status).to_have_css("opacity", "1")
    page.unroute("**/studio/generate")


def test_without_a_profile_the_knob_follows_the_next_token(open_page, browser, studio):
    page = open_page()
    page.route(
        "**/studio/model",
        lambda route: route.fulfill(
            json={
                "name": "x",
                "vocabulary": 464,
                "context": 128,
                "example_prompts": ["The"],
                "languages": [],
                "profile": None,
            }
        ),
    )
    page.reload()
    expect(page.locator("#effect-unit")).to_have_text("live choices for this token")
    painted(page)
    shown = float(page.locator("#effect").inner_text())
    entropy = float(re.search(r"\(([\d.]+) if nothing", page.locator("#curve").inner_text())[1])
    assert shown == pytest.approx(2**entropy, rel=0.02)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [1280, 1000, 390, 320])
def test_nothing_below_moves_with_the_knob(open_page, tales, width, language):
    """Warnings and longer sentences come in places that are kept for them."""
    page = open_page(f"#v=1&T=0.8&lang={language}", url=tales.url, width=width)
    seen = {}
    for T in ("0.8", "0", "0.2", "0.5", "1", "1.5", "2", "3", "inf"):
        page.locator("#temperature").fill(T)
        page.locator("#temperature").press("Enter")
        painted(page)
        settled(page)
        top = "document.querySelector('#bars').getBoundingClientRect().top + scrollY"
        seen[T] = round(page.evaluate(top)), page.locator("#warnings > *").count()
    assert len({top for top, _ in seen.values()}) == 1, seen
    assert {count for _, count in seen.values()} == {0, 1}


TITLES = ("#streams-title", "#chain-title", "#draw-title", "#numbers-title")


@pytest.mark.parametrize(("width", "within"), [(1280, 1250), (390, 1800)])
def test_the_three_texts_come_soon(open_page, tales, width, within):
    page = open_page("#v=1&lang=en", url=tales.url, width=width)
    tops = {part: page.locator(part).bounding_box()["y"] for part in TITLES}
    assert tops["#streams-title"] < within
    assert min(tops, key=tops.get) == "#streams-title"


def test_the_knob_tells_what_is_left_behind_the_chain(open_page, tales):
    page = open_page("#v=1&T=3&on=Tkpm&order=mpkT&lang=en", url=tales.url)
    expect(page.locator("#effect")).to_have_text("1,039")
    expect(page.locator("#effect-here")).to_have_text("29 here, after the chain")
    expect(page.locator("#sentence")).to_contain_text("about 29 live choices here")
