import json
import re

import httpx
import pytest

from heatbath.service.studio.pages import STATIC, options_module, read_files, version_of
from heatbath.spec import OPTIONS

FILES = read_files()


@pytest.fixture(scope="module")
def web(studio):
    with httpx.Client(base_url=studio.url) as client:
        yield client


def test_the_page_allows_nothing_but_itself(web):
    answer = web.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_every_file_of_the_page_is_served_and_may_be_kept(web):
    page = web.get("/").text
    version = re.search(r"studio/static/(\w+)/main\.js", page)[1]
    kinds = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
    for name in FILES:
        if name == "index.html":
            continue
        answer = web.get(f"/studio/static/{version}/{name}")
        assert answer.content == FILES[name]
        assert answer.headers["content-type"] == kinds[f".{name.rsplit('.')[-1]}"]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        if name.endswith(".js"):
            assert f'<link rel="modulepreload" href="studio/static/{version}/{name}">' in page
    assert "{{" not in page


def test_another_version_is_not_kept(web):
    assert web.get("/studio/static/older/main.js").headers["cache-control"] == "no-cache"
    assert web.get("/favicon.ico").content == FILES["icon.svg"]


@pytest.mark.parametrize("name", ["index.html", "missing.js", "../pages.py", "..%2fpages.py", "%2e%2e/pages.py"])
def test_nothing_else_is_served(web, name):
    answer = web.get(f"/studio/static/any/{name}")
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_the_version_names_the_files():
    files = {"a.js": b"1", "b.js": b"2"}
    assert version_of(files) == version_of(dict(files))
    assert len({version_of(files), version_of({"a.js": b"12", "b.js": b""}), version_of({"a.js": b"1"})}) == 3


def test_the_options_are_those_of_the_one_table():
    text = options_module().decode()
    rows = json.loads(re.search(r"OPTIONS = (.*);", text)[1])
    assert rows["top_p"] == {"whole": False, "low": 0, "high": 1, "aboveLow": True}
    assert rows["temperature"] == {"whole": False, "low": 0, "high": None, "aboveLow": False}
    assert rows["top_k"] == {"whole": True, "low": 1, "high": None, "aboveLow": False}
    assert set(rows) == {name for name, option in OPTIONS.items() if option.kind is not str}


def test_no_file_names_another_host():
    own = re.compile(r"https?://(www\.w3\.org/2000/svg|127\.0\.0\.1:8080/completion)")
    for name, content in FILES.items():
        assert not re.search(r"https?://|//cdn", own.sub("", content.decode())), name


def test_nothing_stands_inline_that_the_policy_would_block():
    page = FILES["index.html"].decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    for name, content in FILES.items():
        if name.endswith(".js"):
            assert not re.search(
                r"innerHTML|insertAdjacentHTML|\beval\(|new Function|setAttribute\(\"style", content.decode()
            ), name


def test_files_are_small_enough_to_hold_one_concept():
    for path in STATIC.rglob("*"):
        if path.suffix in (".js", ".css", ".html"):
            assert len(path.read_text().splitlines()) <= 400, path.name
