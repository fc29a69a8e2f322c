import pytest
from playwright.sync_api import expect

from tests.service.studio.conftest import fields, painted, rewritten, settled

ODD = {
    "T": "1.37",
    "k": "12",
    "p": "0.61",
    "m": "0.031",
    "on": "Tkm",
    "order": "mTpk",
    "seed": "98765",
    "by": "after",
}
ROUND = """async ([root, hash]) => {
  const { initial } = await import(`${root}/settings.js`);
  const { fromHash, toHash } = await import(`${root}/url.js`);
  const { settings, language } = fromHash(hash, initial());
  const again = toHash(settings, { language: language ?? "en", withPrompt: hash.includes("prompt=") });
  return [again, JSON.stringify(fromHash(again, initial()).settings) === JSON.stringify(settings)];
}"""
USUAL = "#v=1&T=0.8&k=40&p=0.95&m=0.05&on=Tp&order=Tkpm&seed=7&by=before&lang=en"


def hash_of(**changes):
    return "#v=1&" + "&".join(f"{name}={value}" for name, value in changes.items())


@pytest.mark.parametrize(
    "changes",
    [ODD, {**ODD, "T": "inf", "on": ""}, {**ODD, "T": "0", "prompt": "Ein+%26+%E7%8B%BC%23%0A"}, {**ODD, "lang": "zh"}],
)
def test_what_the_address_says_comes_back(bench, static, changes):
    again, same = bench.evaluate(ROUND, [static, hash_of(**changes)])
    assert same
    for name, value in changes.items():
        assert f"&{name}={value}" in f"{again}&"


REFUSED = """async ([root, hash]) => {
  const { initial } = await import(`${root}/settings.js`);
  const { fromHash, toHash } = await import(`${root}/url.js`);
  const { settings, language, refused } = fromHash(hash, initial());
  return [toHash(settings, { language: language ?? "en" }), refused.map(({ name }) => name)];
}"""


@pytest.mark.parametrize(
    ("hash_", "refused"),
    [
        ("", []),
        ("#", []),
        ("#v=1", []),
        ("#v=2&T=3", ["version"]),
        ("#T=3", ["unversioned"]),
        ("#v=1&T=-1&k=0&p=1.5&m=2", ["T", "k", "p", "m"]),
        ("#v=1&T=warm&k=2.5&p=0&m=nan", ["T", "k", "p", "m"]),
        ("#v=1&T=", ["T"]),
        ("#v=1&T=0x10&k=0b11&seed=0o7", ["T", "k", "seed"]),
        ("#v=1&order=TkpT&on=Tx&seed=-1&by=them&lang=xx", ["order", "on", "seed", "by", "language"]),
        ("#v=1&seed=1e400&order=Tkp&colour=red&__proto__=1", ["seed", "order", "unknown", "unknown"]),
        ("#v=1&prompt=%E0%A4%A", ["prompt"]),
    ],
)
def test_what_means_nothing_leaves_the_usual_and_is_told(bench, static, hash_, refused):
    assert bench.evaluate(REFUSED, [static, hash_]) == [USUAL, refused]


def test_a_bad_link_is_told_in_words_until_it_is_closed(open_page):
    page = open_page("#v=1&T=-5&k=abc&p=7&m=-1&on=zzz&order=TTTT&seed=xx&by=them&lang=fr&colour=red&prompt=%E0%A4%A")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("Not everything in this link could be read.")
    expect(notice.locator("li")).to_have_text(
        [
            "T = -5 is no temperature; 0.8 is shown instead.",
            "k = abc is no number of tokens for top-k; 40 is shown instead.",
            "p = 7 is no share for top-p; 0.95 is shown instead.",
            "m = -1 is no share for min-p; 0.05 is shown instead.",
            "on = zzz names a step that does not exist; Tp are on instead.",
            "order = TTTT is no order of the four steps T, k, p and m; Tkpm is shown instead.",
            "seed = xx is no seed; 7 is shown instead.",
            "by = them is neither “before” nor “after”; before is shown instead.",
            "lang = fr is no language of this page (en, zh).",
            "“colour” means nothing here.",
            "The prompt is damaged, so another is shown instead.",
        ]
    )
    page.get_by_role("button", name="中文").click()
    expect(notice.locator("li").first).to_have_text("T = -5 不是温度，改用 0.8。")  # noqa: RUF001
    notice.get_by_role("button", name="关闭").click()
    expect(notice).to_have_count(0)


@pytest.mark.parametrize(("hash_", "said"), [("#v=9&T=0.3", "It is of version “9”"), ("#T=nan", "names no version")])
def test_a_link_of_another_version_is_told(open_page, hash_, said):
    page = open_page(hash_)
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.locator("#temperature")).to_have_value("0.8")
    with rewritten(page):
        page.evaluate("location.hash = '#v=1&T=0.9'")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_place_in_the_page_is_no_link(open_page):
    page = open_page("#v=1&T=1.3")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skip to the knob
    expect(page.locator("#knob")).to_be_focused()
    page.wait_for_url("**#v=1&T=1.3&*")
    expect(page.locator("#temperature")).to_have_value("1.3")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_long_prompt_is_not_cut(bench, static):
    long = "a" * 5000
    assert f"prompt={long}" in bench.evaluate(ROUND, [static, f"#v=1&prompt={long}"])[0]


def test_a_link_shows_what_its_sender_saw(open_page):
    sender = open_page(hash_of(**ODD, lang="zh"))
    expect(sender.locator("#temperature")).to_have_value("1.37")
    assert sender.locator("#chain > li").evaluate_all("cards => cards.map((card) => card.dataset.step)") == [
        "min_p",
        "temperature",
        "top_p",
        "top_k",
    ]
    assert {**fields(sender)} == {"v": "1", **ODD, "lang": "zh"}
    receiver = open_page(sender.evaluate("location.hash"))
    for part in ("#sentence", "#numbers", ".verdict", "#order-note", ".lane.chosen .prose", ".lane.hotter .lane-facts"):
        assert receiver.locator(part).inner_text() == sender.locator(part).inner_text()


def test_the_address_follows_without_filling_the_history(page):
    length = page.evaluate("history.length")
    page.get_by_role("button", name="Hotter").click()
    page.get_by_role("switch", name="min-p").click()
    now = fields(page)
    assert now["on"] == "Tpm"
    assert float(now["T"]) > 0.8
    assert page.evaluate("history.length") == length
    assert "prompt" not in now


def test_the_prompt_goes_into_a_link_only_on_request(page):
    page.get_by_role("textbox", name="Prompt").fill("The wolf & I")
    with rewritten(page):
        page.get_by_role("button", name="Continue it").click()
    page.get_by_text("Share", exact=True).click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#status")).to_have_text("The link is copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "wolf" not in link
    assert link.startswith(page.url.split("#")[0])
    page.get_by_text("Share", exact=True).click()
    page.get_by_label("Put my prompt into the link too").check()
    page.get_by_role("button", name="Copy link").click()
    painted(page)
    link = page.evaluate("navigator.clipboard.readText()")
    assert "prompt=The+wolf+%26+I" in link
    page.goto("about:blank")
    page.goto(link)
    settled(page)
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("The wolf & I")
    assert "prompt=The+wolf+%26+I" in page.url


def test_another_address_in_the_same_window(page):
    with rewritten(page):
        page.evaluate("hash => { location.hash = hash; }", hash_of(**ODD, lang="zh", prompt=" kalo"))
    expect(page.locator("#temperature")).to_have_value("1.37")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator(".prompt-tokens .token")).to_have_text(["kalo"])


def test_the_share_sheet_closes(page):
    share = page.locator("#share")
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(20, 400)):
        page.get_by_text("Share", exact=True).click()
        expect(share).to_have_attribute("open", "")
        close()
        expect(share).not_to_have_attribute("open", "")
