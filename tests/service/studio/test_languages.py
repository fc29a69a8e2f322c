import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from heatbath.service.studio.pages import read_files
from tests.service.studio.conftest import fields, settled

SCRIPTS = "\n".join(
    content.decode()
    for name, content in read_files().items()
    if name.endswith((".js", ".html")) and "i18n/" not in name
)
LOAD = """async (root) => {
  const [en, zh] = await Promise.all(["en", "zh"].map((code) => import(`${root}/i18n/${code}.js`)));
  return { en: en.default, zh: zh.default };
}"""
SAME = {
    "quoted",
    "code.transformers",
    "code.llama",
    "code.heatbath",
    "numbers.temperature",
    "curve.axis",
    "ended.length",
    "numbers.what",
}
SAME |= {f"{kind}.{step}" for kind in ("step", "help") for step in ("top_k", "top_p", "min_p")}


@pytest.fixture(scope="module")
def both(bench, static):
    return bench.evaluate(LOAD, static)


def test_both_languages_say_the_same_things(both):
    assert list(both["en"]) == list(both["zh"])
    for key, english in both["en"].items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", both["zh"][key])), key


def test_everything_is_translated(both):
    for key, chinese in both["zh"].items():
        if key not in SAME and chinese.strip():
            assert chinese != both["en"][key], key
            assert re.search(r"[\u4e00-\u9fff“⟨/]", chinese), key


def test_every_key_is_used_and_every_used_key_exists(both):
    written = set(re.findall(r'"([a-z]+(?:[._][a-z_]+)*)"', SCRIPTS))
    families = [
        re.compile(re.sub(r"\\\$\\\{.*?\\\}", r"[\\w]+", re.escape(found)))
        for found in re.findall(r"t\(`([^`]+)`", SCRIPTS)
    ]
    for key in both["en"]:
        assert key in written or any(family.fullmatch(key) for family in families), f"{key} is not used"
    for key in re.findall(r'\bt\("([^"]+)"|data-t(?:-label)?="([^"]+)"', SCRIPTS):
        assert (key[0] or key[1]) in both["en"]


@pytest.mark.parametrize(("term", "others"), [("工作台", "工作室"), ("截断", "剪除|截掉|剪掉")])
def test_one_thing_has_one_chinese_name(both, term, others):
    readme = Path(__file__).parents[3] / "README.zh-CN.md"
    for text in ("\n".join(both["zh"].values()), readme.read_text(encoding="utf-8")):
        assert term in text
        assert not re.search(others, text)


def test_the_language_can_be_changed_and_is_remembered(page):
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", name="The next token, before and after")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", name="下一个词元")).to_be_visible()
    expect(page.locator("#sentence")).to_contain_text("活跃选项")
    expect(page.locator(".lane.hotter h3")).to_have_text("较热")
    assert page.title().startswith("heatbath 工作台")
    assert fields(page)["lang"] == "zh"
    page.goto(page.url.split("#")[0])
    settled(page)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Three continuations")).to_be_visible()
    expect(page.locator(".lane-facts").first).to_contain_text("bits each")


def test_the_status_line_speaks_the_language_of_the_moment(page):
    status, switch = page.locator("#status"), page.locator("#language")
    expect(status).to_have_text("Done.")
    switch.click()
    expect(status).to_have_text("完成。")
    page.locator("#seed").fill("much")
    page.locator("#seed").press("Enter")
    expect(status).to_have_text("“much”不能作种子。请输入不小于 0 的整数。")
    switch.click()
    expect(status).to_have_text("“much” is no seed. Write a whole number from 0 upwards.")
    expect(status).to_have_class(re.compile("failed"))
    page.locator(".lane.chosen .token").nth(2).click()
    page.get_by_role("button", name="Show this place in the charts").click()
    expect(status).to_have_text(re.compile("^What may come at token 3 of the continuation “Chosen”"))
    switch.click()
    expect(status).to_have_text(re.compile("^“所选”续写中第 3 个词元处"))
    page.route("**/studio/generate", lambda route: None)  # an answer that does not come
    page.locator("#run").click()
    expect(status).to_have_text("正在写三段续写……")
    switch.click()
    expect(status).to_have_text("Writing three continuations …")
    page.locator("#run").click()
    page.unroute("**/studio/generate")


def test_the_browsers_language_is_the_first_guess(open_page):
    page = open_page(locale="zh-CN")
    expect(page.get_by_role("button", name="往下写")).to_be_visible()
    assert not re.search(r"[a-z]{3,} [a-z]{3,}", page.locator("main h2").all_inner_texts().__str__())


def test_the_link_comes_before_the_browser(open_page):
    page = open_page("#v=1&lang=en", locale="zh-CN")
    expect(page.get_by_role("button", name="Continue it")).to_be_visible()
