import csv
import io
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from playwright.sync_api import expect

import heatbath as hb
from tests.service.studio.conftest import fields, painted, rewritten, settled


def scores_after(words, prompt="There was once a"):
    return words.start([words.tokenizer.encode(prompt)])[0][0].astype(float)


def number(page, row, column="b"):
    painted(page)
    text = page.locator(f"[data-number={row}] {column}").first.inner_text()
    return float(text.replace(",", "").rstrip("%"))


def temperature(page):
    painted(page)
    return float(page.locator("#temperature").input_value())


def choose(page, T):
    page.locator("#temperature").fill(str(T))
    page.locator("#temperature").press("Enter")


def test_the_numbers_are_those_of_python(page, words):
    scores = scores_after(words)
    after = hb.parse("temperature(0.8) -> top_p(0.95)").scores((), scores).scores
    assert number(page, "entropy", "td") == pytest.approx(hb.entropy(scores) / np.log(2), abs=0.006)
    assert number(page, "entropy") == pytest.approx(hb.entropy(after) / np.log(2), abs=0.006)
    assert number(page, "choices") == pytest.approx(hb.perplexity(after), abs=0.06)
    assert number(page, "kept") == np.isfinite(after).sum()
    assert number(page, "top") == pytest.approx(100 * hb.softmax(after).max(), abs=0.06)
    assert number(page, "mass") == pytest.approx(100 * hb.softmax(scores)[np.isfinite(after)].sum(), abs=0.06)
    assert number(page, "nats") == pytest.approx(float(hb.entropy(after)), abs=1e-4)


def test_the_knob_by_keyboard(page):
    knob = page.get_by_role("slider", name="The knob")
    knob.focus()
    before = temperature(page)
    knob.press("ArrowRight")
    expect(page.locator("#temperature")).not_to_have_value(str(before))
    assert temperature(page) > before
    expect(knob).to_have_attribute(
        "aria-valuetext", re.compile(r"^temperature 0\.\d+, about [\d.]+ live choices, entropy")
    )
    knob.press("Home")
    expect(page.locator("#temperature")).to_have_value("0")
    expect(page.locator("#sentence")).to_contain_text("At T = 0 the best token")
    knob.press("End")
    expect(page.locator("#temperature")).to_have_value("inf")
    expect(page.locator("#sentence")).to_contain_text("At infinite T")
    with rewritten(page):
        knob.press("Backspace")
    expect(page.locator("#temperature")).to_have_value("1")


def test_the_knob_by_mouse_updates_at_once_and_writes_again_on_release(page):
    settled(page)
    knob = page.locator("#knob").bounding_box()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    old = page.locator(".lane.chosen .prose").inner_text()
    middle = knob["y"] + knob["height"] / 2
    page.mouse.move(knob["x"] + knob["width"] * 0.4, middle)
    page.mouse.down()
    for share in (0.5, 0.6, 0.7):
        page.mouse.move(knob["x"] + knob["width"] * share, middle)
    hot = temperature(page)
    painted(page)
    assert hot > 1
    expect(page.locator("#sentence")).to_contain_text(f"T = {hot:g} flattens the choice")
    assert not [url for url in asked if "generate" in url]
    expect(page.locator("#status")).to_have_text("Done.")
    assert page.locator(".lane.chosen .prose").inner_text() == old
    with rewritten(page):
        page.mouse.up()
    expect(page.locator(".lane.chosen .lane-temperature")).to_have_text(f"T = {hot:g}")


def test_what_is_out_of_sight_waits_until_the_hand_rests_or_lets_go(page):
    settled(page)
    caption, entropy = page.locator("#curve .fine").last, page.locator("[data-number=entropy] b")
    old = entropy.inner_text()
    moved = page.evaluate(
        """async (place) => {
          const knob = document.getElementById("knob");
          const frame = () => new Promise(requestAnimationFrame);
          const shown = [];
          for (const each of [40, 80, 120, place]) {
            knob.value = each;
            knob.dispatchEvent(new Event("input", { bubbles: true }));
            await frame();
            await frame();
            shown.push(document.querySelector("[data-number=entropy] b").textContent);
          }
          return shown;
        }""",
        200,
    )
    assert moved == [old] * 4
    assert page.locator("#sentence").inner_text().startswith(f"T = {temperature(page):g} ")
    expect(entropy).not_to_have_text(old)  # though the knob is still held
    with rewritten(page):
        page.locator("#knob").dispatch_event("change")
    assert caption.inner_text().startswith(f"At T = {temperature(page):g} ")
    page.locator("#numbers").scroll_into_view_if_needed()
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    shown = entropy.inner_text()
    page.evaluate(
        "() => { const knob = document.getElementById('knob'); knob.value = 90;"
        " knob.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    painted(page)
    assert entropy.inner_text() != shown  # in sight, it follows at once
    with rewritten(page):
        page.locator("#knob").dispatch_event("change")


def test_a_knob_that_comes_back_to_its_place_is_let_go_all_the_same(page):
    """The browser tells of no change then."""
    page.locator("#temperature").fill("0.801")
    with rewritten(page):
        page.locator("#temperature").press("Enter")
    knob = page.locator("#knob").bounding_box()
    thumb = 14 + (knob["width"] - 28) * int(page.locator("#knob").input_value()) / 240
    middle = knob["y"] + knob["height"] / 2
    page.mouse.move(knob["x"] + thumb, middle)
    page.mouse.down()
    page.mouse.move(knob["x"] + thumb + 60, middle)
    painted(page)
    page.mouse.move(knob["x"] + thumb, middle)
    with rewritten(page):
        page.mouse.up()
    expect(page.locator(".lane.chosen .lane-temperature")).to_have_text(f"T = {temperature(page):g}")


def test_a_finger_on_the_curve_that_goes_on_to_scroll_has_let_go(page):
    hand = page.locator("#curve .curve-hand")
    hand.scroll_into_view_if_needed()
    box = hand.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 50)
    page.mouse.down()
    painted(page)
    T = temperature(page)
    assert T > 1
    with rewritten(page):
        hand.dispatch_event("pointercancel")
    expect(page.locator(".lane.chosen .lane-temperature")).to_have_text(f"T = {T:g}")
    page.mouse.up()
    settled(page)


def test_plus_and_minus(page):
    page.get_by_role("button", name="Hotter").click()
    warmer = temperature(page)
    assert warmer > 0.8
    for _ in range(2):
        page.get_by_role("button", name="Cooler").click()
    assert temperature(page) < 0.8
    choose(page, 0)
    page.get_by_role("button", name="Hotter").click()
    assert temperature(page) > 0
    choose(page, "inf")
    page.get_by_role("button", name="Cooler").click()
    expect(page.locator("#temperature")).not_to_have_value("inf")


def test_a_temperature_can_be_typed(page):
    for written, read in (("0", "0"), ("2.75", "2.75"), ("inf", "inf"), ("1,5", "1.5"), ("∞", "inf")):
        with rewritten(page):
            choose(page, written)
        expect(page.locator("#temperature")).to_have_value(read)
        expect(page.locator(".lane.chosen .lane-temperature")).to_have_text(f"T = {'∞' if read == 'inf' else read}")
        assert fields(page)["T"] == read


def test_what_is_no_temperature_is_refused_in_words(page):
    no_number = "is no temperature. Write a number from 0 upwards, or inf."
    for written, why in (
        *((written, no_number) for written in ("-1", "warm", "", "nan", "-1e400")),
        ("1e400", "is too large a number. For infinity, write inf."),
    ):
        choose(page, written)
        said = f"“{written}” {why}"
        expect(page.locator("#status")).to_have_text(said)
        expect(page.locator("#temperature")).to_have_attribute("aria-invalid", "true")
        assert fields(page)["T"] == "0.8"


def test_arrows_in_the_box_and_on_the_curve(page):
    page.locator("#temperature").press("ArrowUp")
    expect(page.locator("#temperature")).to_have_value("0.85")
    hand = page.get_by_role("slider", name="Temperature, set on the curve")
    hand.focus()
    hand.press("ArrowRight")
    assert temperature(page) > 0.85
    hand.press("End")
    expect(page.locator("#temperature")).to_have_value("inf")
    hand.press("Home")
    expect(page.locator("#temperature")).to_have_value("0")


def test_a_click_on_the_curve(page):
    hand = page.locator(".curve-hand")
    with rewritten(page):
        hand.click(position={"x": 34 + (hand.bounding_box()["width"] - 48) * 2 / 3, "y": 60})
    assert temperature(page) == pytest.approx(2, abs=0.1)


def order(page):
    return page.locator("#chain > li").evaluate_all("cards => cards.map((card) => card.dataset.step)")


def test_cards_switch_on_and_off(page):
    top_k = page.get_by_role("switch", name="top-k")
    expect(top_k).not_to_be_checked()
    top_k.focus()
    top_k.press("Space")
    expect(page.locator("[data-step=top_k] .card-effect")).to_contain_text("→ 40 tokens")
    expect(page.locator("#order-note")).to_contain_text("temperature(0.8) -> top_k(40) -> top_p(0.95) -> categorical()")
    page.get_by_role("switch", name="top-p").click()
    expect(page.locator("[data-step=top_p] .card-effect")).to_have_text("off")
    assert number(page, "kept") == 40
    assert fields(page)["on"] == "Tk"


def test_cards_take_values(page):
    box = page.get_by_role("textbox", name="top-k, value")
    box.fill("5")
    box.press("Enter")
    expect(page.get_by_role("switch", name="top-k")).to_be_checked()
    assert number(page, "kept") <= 5
    slider = page.get_by_role("slider", name="min-p, value")
    slider.focus()
    slider.press("Home")
    slider.press("ArrowRight")
    expect(page.get_by_role("textbox", name="min-p, value")).to_have_value("0.01")
    for name, wrong in (("top-k", "0"), ("top-k", "2.5"), ("top-p", "0"), ("top-p", "1.01"), ("min-p", "-0.1")):
        box = page.get_by_role("textbox", name=f"{name}, value")
        box.fill(wrong)
        box.press("Enter")
        expect(page.locator("#status")).to_contain_text(f"“{wrong}” cannot be")
        expect(box).to_have_attribute("aria-invalid", "true")


def test_the_order_changes_by_keyboard_and_keeps_the_focus(page, words):
    later = page.get_by_role("button", name="Move temperature later")
    later.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
        painted(page)
    assert order(page) == ["top_k", "top_p", "min_p", "temperature"]
    expect(page.locator("#order-note")).to_contain_text("llama.cpp works in this order")
    expect(page.get_by_role("button", name="Move temperature earlier")).to_be_focused()
    expect(later).to_be_disabled()
    after = hb.parse("top_p(0.95) -> temperature(0.8)").scores((), scores_after(words)).scores
    assert number(page, "kept") == np.isfinite(after).sum()
    assert fields(page)["order"] == "kpmT"


def test_the_order_changes_by_drag(page):
    page.locator("[data-step=min_p] .card-help").drag_to(page.locator("[data-step=temperature] .card-help"))
    painted(page)
    assert order(page) == ["min_p", "temperature", "top_k", "top_p"]
    expect(page.locator("#order-note")).to_contain_text("An order of your own")


def test_orders_of_the_engines(page):
    page.get_by_role("button", name="temperature last").click()
    painted(page)
    assert order(page) == ["top_k", "top_p", "min_p", "temperature"]
    expect(page.get_by_role("button", name="temperature last")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="temperature first").click()
    painted(page)
    assert order(page) == ["temperature", "top_k", "top_p", "min_p"]
    expect(page.locator("#order-note")).to_contain_text("transformers works in this order")


def test_the_bars_show_what_is_cut_and_what_is_left(page, words):
    scores = scores_after(words)
    kept = int(np.isfinite(hb.parse("temperature(0.8) -> top_p(0.95)").scores((), scores).scores).sum())
    rows = page.locator(".bar")
    assert rows.count() == 11
    expect(page.locator(".cut-line")).to_have_text(f"cut further down by top-p: {kept} tokens are kept")
    expect(rows.last).to_contain_text(f"all {np.isfinite(scores).sum() - 10} other tokens")
    rest = np.sort(hb.softmax(scores))[::-1][10:].sum()
    assert float(rows.last.locator(".was").inner_text().rstrip("%")) == pytest.approx(100 * rest, rel=0.05)
    page.get_by_role("button", name="Show 50").click()
    expect(rows).to_have_count(51)
    expect(page.locator(".bar.cut")).to_have_count(51 - kept)
    expect(page.locator(".cut-line")).to_have_text("cut below this line by top-p")
    order = "cut => [...cut.parentElement.querySelectorAll('.bar, .cut-line')].indexOf(cut)"
    assert page.locator(".cut-line").evaluate(order) == kept
    page.get_by_role("button", name="Show 10").click()
    expect(rows).to_have_count(11)
    page.locator("#bars summary").click()
    lines = page.locator("#bars tbody tr")
    expect(lines).to_have_count(11)
    best = words.tokenizer.decode([int(scores.argmax())]).strip()
    expect(lines.first).to_contain_text(best)
    choose(page, 3)
    page.get_by_role("switch", name="top-p").click()
    expect(page.locator(".bar.cut")).to_have_count(0)


def test_the_bars_before_hold_still_while_the_knob_moves(page):
    """What T cannot change does not move, and the scale says what a length is worth."""
    hollow = "all => all.map((bar) => bar.getBoundingClientRect().width)"
    seen = []
    for T in ("0", "0.2", "3", "inf"):
        page.locator("#temperature").fill(T)
        with rewritten(page):
            page.locator("#temperature").press("Enter")
        seen.append(page.locator(".bar .hollow").evaluate_all(hollow))
    assert all(widths == seen[0] for widths in seen)
    end = float(page.locator(".tick-2").inner_text().rstrip("%"))
    track = page.locator(".bar-track").nth(1).bounding_box()["width"]
    best = float(page.locator(".bar .was").first.inner_text().rstrip("%"))
    assert seen[0][0] / track == pytest.approx(best / end, rel=0.02)


def saved(page, card):
    """The table of a card, saved: header and rows."""
    page.locator(f"#{card} summary").click()
    with page.expect_download() as download:
        page.locator(f"#{card}").get_by_role("button", name="Save as CSV").click()
    page.locator(f"#{card} summary").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return download.value.suggested_filename, header, rows


def test_the_numbers_behind_a_picture_can_be_saved(page, words):
    scores = scores_after(words)
    name, header, rows = saved(page, "bars")
    assert (name, header) == ("next-token.csv", ["Rank", "Token", "Before", "After"])
    ranked = np.argsort(-scores, kind="stable")[:10]
    assert [row[1] for row in rows[:-1]] == [words.tokenizer.decode([int(token)]) for token in ranked]
    np.testing.assert_allclose([float(row[2]) for row in rows[:-1]], hb.softmax(scores)[ranked], rtol=1e-9)
    for column in (2, 3):
        assert sum(float(row[column]) for row in rows) == pytest.approx(1, abs=1e-9)
    name, header, rows = saved(page, "curve")
    assert (name, header) == ("entropy-against-temperature.csv", ["T", "nothing cut", "behind the chain"])
    for T, free, _ in rows:
        assert float(free) == pytest.approx(float(hb.entropy(scores, float(T))) / np.log(2), abs=1e-9)


def test_the_draw_is_pythons(page, words):
    scores = scores_after(words)
    sampler = hb.parse("temperature(0.8) -> top_p(0.95)")
    for seed in (7, 8):
        token = int(sampler.step(sampler.init(), scores, seed=seed).choice)
        expect(page.locator(".verdict")).to_contain_text(f"lands on “{words.tokenizer.decode([token]).strip()}”")
        first = page.locator(".lane.chosen .token").first
        expect(first).to_have_text(words.tokenizer.decode([token]).strip())
        with rewritten(page):
            page.get_by_role("button", name="Next seed").click()
    page.locator("#seed").fill("12345678901234567890")
    page.locator("#seed").press("Enter")
    expect(page.locator("#status")).to_contain_text("is no seed")


def test_a_token_from_the_tail_is_named_when_it_is_drawn(page, words):
    choose(page, "inf")
    page.get_by_role("switch", name="top-p").click()
    settled(page)
    expect(page.locator(".verdict")).not_to_contain_text("…")


def test_the_prompt(page, words):
    page.get_by_role("textbox", name="Prompt").fill(" kalo misu")
    page.get_by_role("textbox", name="Prompt").press("Enter")
    settled(page)
    expect(page.locator(".prompt-tokens .token")).to_have_text(["kalo", "misu"])
    best = words.tokenizer.decode([int(scores_after(words, " kalo misu").argmax())]).strip()
    expect(page.locator(".bar-label").first).to_have_text(f"␣{best}")
    page.get_by_role("button", name="Once upon a time").click()
    settled(page)
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("Once upon a time")
    expect(page.get_by_role("button", name="Once upon a time")).to_have_attribute("aria-pressed", "true")


def test_the_theme(page):
    root = page.locator("html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    button = page.get_by_role("button", name=re.compile("Theme"))
    button.click()
    expect(root).to_have_attribute("data-theme", "light")
    button.click()
    expect(root).to_have_attribute("data-theme", "dark")
    assert page.evaluate(paper) != light
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    button.click()
    expect(root).to_have_attribute("data-theme", "auto")
    settled(page)


def test_what_is_being_written_is_left_alone(page):
    """While texts stream in, the page is painted again and again; what is in a box is the writer's until taken."""
    asked = []

    def hold(route):
        asked.append(route)

    page.route("**/studio/generate", hold)  # the texts come once something is written
    for box in (page.locator("#seed"), page.get_by_role("textbox", name="top-k, value"), page.locator("#temperature")):
        page.locator("#run").click()
        expect(page.locator("#status")).to_have_text("Writing three continuations …")
        box.fill("0.12")
        asked.pop().continue_()
        expect(page.locator("#status")).to_have_text("Done.")
        expect(box).to_have_value("0.12")
        box.press("Escape")
    page.unroute("**/studio/generate")
    page.locator("#prompt").fill("w5 w6")
    page.get_by_role("textbox", name="top-k, value").focus()
    expect(page.locator("#prompt")).to_have_value("w5 w6")


def test_no_scores_are_divided_by_0_or_by_infinity(page):
    said = page.locator("[data-step=temperature] .card-effect")
    choose(page, 0)
    expect(said).to_have_text("takes the best alone")
    choose(page, "inf")
    expect(said).to_have_text("makes all scores equal")


def test_the_smallest_and_the_largest_temperatures_are_told_as_what_they_are(page):
    for T in ("1e-12", "1e+300"):
        choose(page, T)
        painted(page)
        expect(page.locator("#temperature")).to_have_value(T)
        expect(page.locator("#sentence")).to_contain_text("Only " if T == "1e-12" else f"T = {T} flattens")
        expect(page.locator("#knob")).to_have_attribute("aria-valuetext", re.compile(f"^temperature {re.escape(T)},"))
        expect(page.locator("#curve > .fine").last).to_contain_text(f"At T = {T}")
        expect(page.locator("[data-step=temperature] .card-effect")).to_have_text(f"divides all scores by {T}")
        expect(page.locator(".lane.chosen .lane-temperature")).to_have_text(f"T = {T}")
        expect(page.get_by_role("textbox", name="temperature, value")).to_have_value(T)
        expect(page.locator("#order-note")).to_contain_text(f"temperature({T}) -> top_p(0.95)")
        expect(page.locator("#code pre")).to_contain_text(f"temperature={T},")
        assert unquote(fields(page)["T"]) == T
        settled(page)


def test_one_choice_is_told_in_the_singular(page):
    choose(page, 0)
    expect(page.locator("#effect")).to_have_text("1")
    expect(page.locator("#effect-unit")).to_have_text("live choice per token, on average")
    expect(page.locator("#knob")).to_have_attribute("aria-valuetext", re.compile("about 1 live choice, entropy"))
    page.get_by_role("switch", name="top-p").click()
    choose(page, 0.05)
    expect(page.locator("#sentence")).to_contain_text("sharpens the choice: about 1 live choice here")


def test_every_number_explains_itself_to_the_keyboard(page):
    buttons = page.locator("#numbers th button")
    expect(buttons).to_have_count(6)
    for button in buttons.all():
        expect(button).to_have_attribute("aria-expanded", "false")
        help_ = page.locator(f"#{button.get_attribute('aria-controls')}")
        expect(help_).to_be_hidden()
        button.press("Enter")
        expect(button).to_have_attribute("aria-expanded", "true")
        expect(help_).to_be_visible()
        assert len(help_.inner_text()) > 20
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#explains-nats")).to_contain_text("0.693 奈特")
    buttons.first.press("Space")
    expect(page.locator("#explains-entropy")).to_be_hidden()


def test_what_the_model_forbids_is_not_counted(open_page, running, toy):
    with running(toy) as server:
        page = open_page("#v=1&T=1&on=Tp&p=0.9", url=server.url)
        expect(page.locator("#prompt")).to_have_value(" sun")
        expect(page.locator("#examples .chip")).to_have_text([prompt.strip() for prompt in toy.example_prompts])
        before, after = re.search(
            r"(\d+) → (\d+)", page.locator("[data-step=top_p] .card-effect").inner_text()
        ).groups()
        cut = int(before) - int(after)
        assert (int(before), cut > 0) == (6, True)
        expect(page.locator("#sentence")).to_contain_text(f"{cut} of {before} tokens are cut")
        expect(page.locator("#bars .bars")).to_have_attribute("aria-label", re.compile(f"{after} of {before} tokens"))
        expect(page.locator(".bar.others")).to_be_hidden()
        expect(page.get_by_role("button", name="Show 50")).to_be_hidden()
        expect(page.locator("[data-number=kept]")).to_contain_text(f"{after} of {before}")


@pytest.mark.parametrize(("box", "typed", "taken"), [("#temperature", "１．２", "1.2"), ("#seed", "１２", "12")])  # noqa: RUF001
def test_full_width_digits_are_read(page, box, typed, taken):
    page.locator(box).fill(typed)
    with rewritten(page):
        page.locator(box).press("Enter")
    expect(page.locator(box)).to_have_value(taken)


@pytest.mark.parametrize("prompt", ["你好，世界", "🦊🦊"])  # noqa: RUF001
def test_a_prompt_that_the_model_cannot_read_is_told(open_page, tales, prompt):
    page = open_page("#v=1&lang=en", url=tales.url)
    expect(page.locator(".unread")).to_have_text("")
    expect(page.locator("#prompt-language")).to_have_text("")
    page.locator("#prompt").fill(prompt)
    with rewritten(page):
        page.locator("#prompt").press("Enter")
    expect(page.locator(".unread")).to_contain_text("reads them byte by byte")
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".unread")).to_contain_text("只能逐字节读入")
    expect(page.locator("#prompt-language")).to_have_text("这个模型只学过英语，请用英语写提示词。")  # noqa: RUF001


def test_the_small_curves_have_a_scale(page):
    expect(page.locator(".lane.hotter .spark-scale")).to_have_text("16 bits0")
