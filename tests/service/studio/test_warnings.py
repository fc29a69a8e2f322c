import json
import math
import re

import pytest
from playwright.sync_api import expect

from tests.service.studio.conftest import painted, rewritten


def warning(page, kind):
    return page.locator(f"[data-warning={kind}]")


def take(page, kind, remedy):
    with rewritten(page):
        warning(page, kind).locator(f"[data-remedy='{remedy}']").click()
    painted(page)


def test_a_sensible_setting_has_none(page):
    expect(page.locator("#warnings > *")).to_have_count(0)


@pytest.mark.parametrize("T", ["0", "0.05"])
def test_too_cold(open_page, T):
    page = open_page(f"#v=1&T={T}&on=T")
    expect(warning(page, "low")).to_contain_text("The best token has")
    expect(warning(page, "low")).to_contain_text("above 99%; the model alone gives it")
    take(page, "low", "remedy.temperature")
    expect(warning(page, "low")).to_have_count(0)
    assert float(page.locator("#temperature").input_value()) <= 1
    expect(page.locator("#knob")).to_be_focused()


@pytest.mark.parametrize("T", ["0", "0.05", "0.3"])
@pytest.mark.parametrize("prompt", ["There was once a", "The wolf", "The princess opened the door and saw a"])
def test_one_click_leaves_the_cold(open_page, tales, T, prompt):
    page = open_page(f"#v=1&T={T}&on=Tp&prompt={prompt}", url=tales.url)
    cold = page.locator("#warnings :is(.low, .repeats)")
    painted(page)
    if cold.count():
        with rewritten(page):
            cold.locator("[data-remedy='remedy.temperature']").click()
        painted(page)
    expect(cold).to_have_count(0)
    assert float(page.locator("#temperature").input_value()) < 1


def test_the_remedy_for_the_cold_gives_the_model_four_live_choices(open_page):
    page = open_page("#v=1&T=0&on=T")
    take(page, "low", "remedy.temperature")
    assert float(page.locator("#effect").inner_text()) >= 4


def fake(page, ids, bits):
    """Answer the next request for continuations with these tokens, each as surprising as told."""
    token = {"text": " a", "bytes": "2061", "end": False, "rank": 1, "p": 0.5, "q": 0.5, "others": []}
    events = [{"lane": "chosen", "id": each, "before": bits * math.log(2), "after": 1.0, **token} for each in ids]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    page.route("**/studio/generate", lambda route: route.fulfill(body=body, content_type="text/event-stream"), times=1)


def test_it_repeats_itself(page):
    fake(page, [1, 2, 3, 4, 5, 6] * 5, bits=1)
    with rewritten(page):
        page.locator("#run").click()
    expect(warning(page, "repeats")).to_contain_text("77.8% of the four-token runs in the chosen continuation")
    take(page, "repeats", "remedy.temperature")
    expect(warning(page, "repeats")).to_have_count(0)
    assert 0.8 < float(page.locator("#temperature").input_value()) <= 1


def test_it_loses_the_thread(open_page):
    page = open_page("#v=1&T=1.1&on=Tp")
    fake(page, range(300, 330), bits=7.5)
    with rewritten(page):
        page.locator("#run").click()
    expect(warning(page, "strange")).to_contain_text("surprise the model by 7.5 bits each (above 6)")
    take(page, "strange", "remedy.temperature")
    expect(warning(page, "strange")).to_have_count(0)
    expect(page.locator("#temperature")).to_have_value("1")


@pytest.mark.parametrize("remedy", ["remedy.temperature", "remedy.min_p"])
def test_too_hot(open_page, remedy):
    page = open_page("#v=1&T=4&on=T")
    expect(warning(page, "high")).to_contain_text("of the draws here fall outside the model's own 50 best tokens")
    take(page, "high", remedy)
    expect(warning(page, "high")).to_have_count(0)
    if remedy == "remedy.min_p":
        expect(page.locator("#order-note")).to_contain_text("min_p(0.1) -> temperature(4) -> categorical()")


@pytest.mark.parametrize("chain", ["on=Tk&k=1&order=Tkpm", "on=Tk&k=1&order=kpmT", "on=Tp&p=0.01&order=pkmT"])
def test_without_effect(open_page, chain):
    page = open_page(f"#v=1&T=1.3&{chain}")
    expect(warning(page, "idle")).to_contain_text("keeps one token, so no temperature can change the choice")
    take(page, "idle", "remedy.off")
    expect(warning(page, "idle")).to_have_count(0)


def test_without_effect_up_to_a_temperature(open_page):
    page = open_page("#v=1&T=0.9&on=Tp&p=0.2&order=Tkpm")
    expect(warning(page, "settled")).to_contain_text("keeps one token here at every T below")
    take(page, "settled", "remedy.off")
    expect(warning(page, "settled")).to_have_count(0)


def test_temperature_is_off(open_page):
    page = open_page("#v=1&T=1.7&on=k&k=20")
    expect(warning(page, "off")).to_contain_text("the model chooses as at T = 1")
    expect(page.locator(".lane-temperature")).to_have_text(["T = 1"] * 3)
    take(page, "off", "remedy.on")
    expect(warning(page, "off")).to_have_count(0)
    expect(page.get_by_role("switch", name="temperature")).to_be_checked()


def test_the_text_of_an_older_setting_warns_of_nothing(open_page):
    page = open_page("#v=1&T=0&on=T")
    page.route("**/studio/generate", lambda route: None)
    page.locator("#temperature").fill("0.9")
    page.locator("#temperature").press("Enter")
    expect(page.locator("#warnings > *")).to_have_count(0)
    page.locator("#run").click()
    expect(page.locator("#run")).to_have_text("Run again")
    page.unroute("**/studio/generate")


DEFAULT = "#v=1&T={T}&k=40&p=0.95&m=0.05&on=Tp&order=Tkpm&seed=7&by=before&lang=en"


def test_the_cold_that_is_meant_to_repeat_warns(open_page, tales):
    """The text stays below the limit of repeats; the profile knows better."""
    page = open_page(DEFAULT.format(T=0.2), url=tales.url)
    expect(warning(page, "few")).to_contain_text("has 1.3 live choices per token on average (below 2;")
    expect(warning(page, "few")).to_contain_text("(below 2; at T = 1 it has 9.9)")
    thumb, hatched = (page.locator(part).bounding_box() for part in ("#knob", "#zones rect.zone-low"))
    share = float(page.locator("#knob").input_value()) / 240
    assert thumb["x"] + 14 + share * (thumb["width"] - 28) < hatched["x"] + hatched["width"]
    take(page, "few", "remedy.temperature")
    expect(page.locator("#warnings > *")).to_have_count(0)
    assert 0.7 <= float(page.locator("#temperature").input_value()) < 1


@pytest.mark.parametrize("T", [0.7, 0.8, 1])
def test_a_usual_temperature_does_not_warn(open_page, tales, T):
    page = open_page(DEFAULT.format(T=T), url=tales.url)
    expect(page.locator("#warnings > *")).to_have_count(0)


def test_one_token_tells_nothing_of_texts(open_page):
    """Without a profile only what is seen warns."""
    page = open_page("#v=1&T=0.25&on=T")
    expect(warning(page, "few")).to_have_count(1)
    about = page.evaluate("async () => (await fetch('studio/model')).json()")
    page.route("**/studio/model", lambda route: route.fulfill(json={**about, "profile": None}))
    page.reload()
    expect(page.locator("#effect-unit")).to_have_text("live choices for this token")
    expect(warning(page, "few")).to_have_count(0)
    page.unroute("**/studio/model")


def test_what_was_written_before_is_underlined_in_every_lane(open_page, tales):
    page = open_page(DEFAULT.format(T=0.8), url=tales.url)
    cooler = page.locator(".lane.cooler")
    expect(cooler.locator(".loops")).to_have_text("It goes round in circles.")
    share = float(re.search(r"([\d.]+)% repeated", cooler.locator(".lane-facts").inner_text())[1]) / 100
    assert share > 0.25
    again = cooler.locator(".token.again")
    assert again.count() >= share * 77
    assert "written before" in again.first.get_attribute("aria-label")
    ids = cooler.locator(".token").all_inner_texts()
    marked = cooler.locator(".token").evaluate_all("all => all.map((e) => e.classList.contains('again'))")
    runs = [tuple(ids[i : i + 4]) for i in range(len(ids) - 3)]
    expected = {i + k for i, run in enumerate(runs) if run in runs[:i] for k in range(4)}
    assert {i for i, found in enumerate(marked) if found} == expected
    expect(page.locator(".lane.hotter .loops")).to_have_count(0)
