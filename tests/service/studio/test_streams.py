import json
import re

import pytest
from playwright.sync_api import expect

import heatbath as hb
from tests.service.studio.conftest import fields, painted, rewritten, settled

NAMES = ("cooler", "chosen", "hotter")


def tokens(page, lane):
    return page.locator(f".lane.{lane} .token")


def text(page, lane):
    """What a lane says, without the marks that make white space visible."""
    return page.locator(f".lane.{lane} .prose").text_content().replace("↵", "").replace("␣", " ")


def temperature_of(page, lane):
    return float(page.locator(f".lane.{lane} .lane-temperature").inner_text().removeprefix("T = "))


def drawn(words, prompt, chain, seed, count=80):
    """What Python draws."""
    sampler, context = hb.parse(chain), words.tokenizer.encode(prompt)
    state, prompt = sampler.init(), len(context)
    for _ in range(count):
        token, state, _ = sampler.step(state, words.start([context])[0][0], seed=seed)
        context.append(int(token))
        if token in words.stop_tokens:
            break
    return context[prompt:]


def test_three_continuations_with_one_seed(page, words):
    T = [temperature_of(page, name) for name in NAMES]
    assert T[0] < T[1] == 0.8 < T[2]
    for name, value in zip(NAMES, T, strict=True):
        expected = drawn(words, "There was once a", f"temperature({value}) -> top_p(0.95)", 7)
        assert text(page, name) == words.tokenizer.decode(expected)
    expect(page.locator(".lane.chosen .lane-parts")).to_have_text("seed 7")
    expect(page.locator(".lane-facts").nth(1)).to_have_text(
        re.compile(r"^80 tokens · [\d.]+ bits each · [\d.]+% repeated")
    )


def test_the_lanes_stand_a_quarter_and_four_times_around_the_chosen(page, studio):
    model = json.loads(page.evaluate("async () => JSON.stringify(await (await fetch('studio/model')).json())"))
    profile = hb.Profile.from_json(json.dumps(model["profile"]))
    effect = [profile.effect(temperature_of(page, name)).perplexity for name in NAMES]
    assert effect[2] / effect[1] == pytest.approx(4, rel=0.02)
    assert effect[0] == pytest.approx(max(effect[1] / 4, 1), rel=0.02)


@pytest.mark.parametrize("lane", ["cooler", "hotter"])
def test_the_first_divergence_is_marked(page, lane):
    ids = {name: tokens(page, name).all_inner_texts() for name in (lane, "chosen")}
    first = next(i for i, (a, b) in enumerate(zip(ids[lane], ids["chosen"], strict=False)) if a != b)
    marked = page.locator(f".lane.{lane} .token.parts")
    expect(marked).to_have_count(1)
    expect(marked).to_have_text(ids[lane][first])
    expect(marked).to_have_attribute("aria-label", re.compile("here the texts part"))
    expect(page.locator(f".lane.{lane} .lane-parts")).to_have_text(f"parts from chosen at token {first + 1}")


def test_at_zero_cooler_is_the_same_as_chosen(page):
    with rewritten(page):
        page.locator("#temperature").fill("0")
        page.locator("#temperature").press("Enter")
    expect(page.locator(".lane.cooler .lane-parts")).to_have_text("the same as chosen so far")
    expect(page.locator(".lane.cooler .parts")).to_have_count(0)
    assert text(page, "cooler") == text(page, "chosen")


def test_tokens_are_coloured_by_surprisal_in_fixed_steps(page):
    labels = tokens(page, "hotter").evaluate_all(
        "all => all.map((span) => [span.getAttribute('aria-label'), span.className])"
    )
    for label, classes in labels:
        bits = float(re.search(r"surprisal ([\d.]+) bits", label)[1])
        step = sum(bits >= edge for edge in (1, 3, 6, 10))
        assert re.search(r"\bs(\d)\b", classes)[1] == str(step), label
    swatches = page.locator(".legend .token:not(.again)")
    expect(swatches).to_have_text([re.compile(edges) for edges in ("^0.1$", "^1.3$", "^3.6$", "^6.10$", "^> 10$")])
    look = "span => { const s = getComputedStyle(span); return s.backgroundColor + s.textDecorationThickness; }"
    assert len({swatch.evaluate(look) for swatch in swatches.all()}) == 5


def test_the_surprisal_can_be_the_samplers(page):
    facts = page.locator(".lane.hotter .lane-facts")
    before = facts.inner_text()
    page.get_by_role("button", name="under the sampler").click()
    painted(page)
    assert facts.inner_text() != before
    expect(page.get_by_role("button", name="under the sampler")).to_have_attribute("aria-pressed", "true")
    assert fields(page)["by"] == "after"
    page.get_by_role("button", name="under the model at T = 1").click()
    expect(facts).to_have_text(before)


def test_stop_and_run_again(open_page):
    page = open_page()
    whole = text(page, "chosen")
    page.route("**/studio/generate", lambda route: None)  # an answer that does not come
    page.locator("#run").click()
    expect(page.locator("#run")).to_have_text("Stop")
    expect(page.locator("#status")).to_have_text("Writing three continuations …")
    page.locator("#run").click()
    expect(page.locator("#status")).to_have_text("Stopped.")
    expect(page.locator("#run")).to_have_text("Run again")
    page.unroute("**/studio/generate")
    with rewritten(page):
        page.locator("#run").click()
    assert text(page, "chosen") == whole


def test_an_error_in_the_stream_is_told(open_page):
    page = open_page()
    body = 'data: {"error": {"message": "the model failed"}}\n\n'
    page.route("**/studio/generate", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
    page.locator("#run").click()
    expect(page.locator("#status")).to_have_text("That did not work: the model failed")


def test_a_server_that_is_gone_is_told(open_page):
    page = open_page()
    page.route("**/studio/generate", lambda route: route.abort())
    page.locator("#run").click()
    said = "That did not work: the server does not answer. Is heatbath serve still running?"
    expect(page.locator("#status")).to_have_text(said)
    assert "net::ERR_FAILED" in open_page.complaints.pop()


def test_a_text_stays_until_the_next_one_comes(open_page):
    page = open_page("#v=1&T=0.8&lang=en")
    whole = text(page, "chosen")
    page.route("**/studio/generate", lambda route: route.abort())
    page.locator("#temperature").fill("1.5")
    page.locator("#temperature").press("Enter")
    expect(page.locator("#status")).to_have_class("status failed")
    assert text(page, "chosen") == whole
    assert temperature_of(page, "chosen") == 0.8  # which is what it was written with
    for _ in range(2):
        page.locator("#language").click()
        assert temperature_of(page, "chosen") == 0.8
    assert "net::ERR_FAILED" in open_page.complaints.pop()
    page.unroute("**/studio/generate")
    with rewritten(page):
        page.locator("#run").click()
    assert temperature_of(page, "chosen") == 1.5
    page.route("**/studio/generate", lambda route: route.abort())
    page.locator("#prompt").fill("The wolf")
    page.locator("#prompt").press("Enter")
    expect(page.locator("#status")).to_have_class("status failed")
    expect(tokens(page, "chosen")).to_have_count(0)  # it went on from another prompt
    assert "net::ERR_FAILED" in open_page.complaints.pop()


def test_one_tab_stop_per_lane_and_arrows_between_tokens(page):
    for name in NAMES:
        stops = page.locator(f".lane.{name} [tabindex='0']")
        expect(stops).to_have_count(1)
    first = tokens(page, "chosen").first
    first.focus()
    expect(page.locator("#inspector")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(tokens(page, "chosen").nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(tokens(page, "chosen").last).to_be_focused()
    page.keyboard.press("Home")
    expect(first).to_be_focused()
    page.keyboard.press("Tab")
    expect(tokens(page, "hotter").first).to_be_focused()
    expect(page.locator(".lane.chosen [tabindex='0']")).to_have_count(1)


def test_the_inspector_tells_the_numbers(page, words):
    token = tokens(page, "chosen").nth(2)
    token.hover()
    panel = page.get_by_role("dialog", name=re.compile("Alternatives to"))
    expect(panel).to_be_visible()
    ids = drawn(words, "There was once a", "temperature(0.8) -> top_p(0.95)", 7, 3)
    context = words.tokenizer.encode("There was once a") + ids[:2]
    scores = words.start([context])[0][0].astype(float)
    p = hb.softmax(scores)[ids[2]]
    rank = int((scores > scores[ids[2]]).sum()) + 1
    expect(panel.locator("dd").first).to_have_text(str(rank))
    assert float(panel.locator("dd").nth(1).inner_text().split("%")[0]) == pytest.approx(100 * p, rel=0.06)
    expect(panel.locator(".alternative")).to_have_count(8)
    expect(panel).to_contain_text(f"id {ids[2]} · bytes {words.tokenizer.token_bytes(ids[2]).hex()}")
    page.mouse.move(5, 5)
    expect(panel).to_be_hidden()


def test_continue_from_an_alternative_by_mouse(page, words):
    old = tokens(page, "chosen").all_inner_texts()
    others = {name: text(page, name) for name in ("cooler", "hotter")}
    tokens(page, "chosen").nth(4).click()
    taken = page.locator("#inspector .alternative:not(.taken)").first
    word = taken.locator(".alternative-label").inner_text().strip("␣")
    with rewritten(page):
        taken.click()
    now = tokens(page, "chosen").all_inner_texts()
    assert now[:4] == old[:4]
    assert now[4] == word != old[4]
    expect(page.locator(".lane.chosen .picked")).to_have_text(word)
    assert {name: text(page, name) for name in ("cooler", "hotter")} == others
    ids = drawn(words, "There was once a", "temperature(0.8) -> top_p(0.95)", 7, 4)
    prefix = words.tokenizer.decode(words.tokenizer.encode("There was once a") + ids)
    rest = drawn(words, f"{prefix} {word}", "temperature(0.8) -> top_p(0.95)", 7, 75)
    assert text(page, "chosen").endswith(words.tokenizer.decode(rest))


def test_continue_from_an_alternative_by_keyboard(page):
    tokens(page, "hotter").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#inspector .alternative").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#inspector .alternative").nth(1)).to_be_focused()
    word = page.locator("#inspector .alternative").nth(1).locator(".alternative-label").inner_text().strip("␣")
    with rewritten(page):
        page.keyboard.press("Enter")
    expect(page.locator("#inspector")).to_be_hidden()
    expect(tokens(page, "hotter").nth(1)).to_have_text(word)
    tokens(page, "chosen").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#inspector")).to_be_hidden()
    expect(tokens(page, "chosen").first).to_be_focused()


def test_a_place_can_be_shown_in_the_charts(page, words):
    ids = drawn(words, "There was once a", "temperature(0.8) -> top_p(0.95)", 7, 6)
    tokens(page, "chosen").nth(5).click()
    page.get_by_role("button", name="Show this place in the charts").click()
    expect(page.locator("#place")).to_contain_text("at token 6 of the continuation “Chosen”")
    word = words.tokenizer.decode(ids[5:6]).strip()
    expect(page.locator(".verdict")).to_contain_text("Draw 6 of this seed: u = ")
    expect(page.locator(".verdict")).to_contain_text(f"lands on “{word}”")
    with rewritten(page):
        page.get_by_role("button", name="Continue it").click()
    expect(page.locator("#place")).to_have_text("What may come right after your prompt.")


def test_a_character_in_three_tokens_becomes_whole(open_page, words):
    """The model gives the first byte of 雪 a chance everywhere, and then must write the rest."""
    chain = "temperature(1.2) -> top_k(30)"
    said = {seed: words.tokenizer.decode(drawn(words, "There was once a", chain, seed)) for seed in range(20)}
    seed = next(seed for seed, text in said.items() if "雪" in text)
    page = open_page(f"#v=1&T=1.2&on=Tk&k=30&seed={seed}")
    assert text(page, "chosen") == said[seed]
    snow = page.locator(".lane.chosen .token.partial")
    assert snow.all_inner_texts()[:3] == ["", "", "雪"]
    snow.first.hover()
    expect(page.locator("#inspector")).to_contain_text("bytes e9")


def test_streams_are_quiet_and_the_status_speaks(page):
    for name in NAMES:
        log = page.locator(f".lane.{name} .prose")
        expect(log).to_have_attribute("role", "log")
        expect(log).to_have_attribute("aria-live", "off")
    expect(page.get_by_role("status")).to_have_count(1)


def test_who_asked_for_little_movement_gets_the_same_text(open_page):
    page = open_page(reduced_motion="reduce")
    calm = text(page, "chosen")
    assert calm == text(open_page(), "chosen")
    settled(page)
