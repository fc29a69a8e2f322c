"""One server for the whole room, one browser for each module, and a fresh page for each test."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from heatbath.control import Profile
from heatbath.embedded import load, load_profile
from tests.service.conftest import Server, run_server
from tests.service.studio.words import WordsModel

CHROMIUM = os.environ.get("HEATBATH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def words() -> WordsModel:
    return WordsModel()


@pytest.fixture(scope="session")
def studio(words: WordsModel) -> Iterator[Server]:
    """The whole service over the model of made-up words."""
    texts = ["", "Once", " kalo misu", " the reto and", " dil", ", venash"]
    rows = (words.start([words.tokenizer.encode(text)])[0] for text in texts)
    with run_server(words, profile=Profile.measure(rows, model=words.name)) as started:
        yield started


@pytest.fixture(scope="session")
def tales() -> Iterator[Server]:
    """The whole service over the model that comes with heatbath."""
    with run_server(load(), profile=load_profile()) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module: while it is there, Playwright keeps an event loop running in the main thread."""
    if not CHROMIUM:
        pytest.skip("no Chromium: install one, or set HEATBATH_CHROMIUM to its path")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def profiles(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A browser profile for each kind of reader, kept so that the page's files are fetched once."""
    made: dict[str, BrowserContext] = {}

    def profile(**options: Any) -> BrowserContext:
        options = {"locale": "en-US", "permissions": ["clipboard-read", "clipboard-write"], **options}
        key = repr(sorted(options.items()))
        if key not in made:
            made[key] = browser.new_context(**options)
        return made[key]

    yield profile
    for context in made.values():
        context.close()


@pytest.fixture
def open_page(profiles: Callable[..., BrowserContext], studio: Server) -> Iterator[Open]:
    """Opens the page; at the end, whatever the test did, nothing was complained about and no other host was asked."""
    complaints: list[str] = []
    pages = []

    def opened(
        hash_: str = "",
        *,
        url: str = studio.url,
        ready: Callable[[Page], None] = settled,
        width: int = 1000,
        height: int = 900,
        **options: Any,
    ) -> Page:
        page = profiles(**options).new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: request.url.startswith(url) or complaints.append(request.url))
        page.goto(f"{url}/{hash_}")
        ready(page)
        return page

    opened.complaints = complaints  # type: ignore[attr-defined]
    yield opened
    for page in pages:
        page.evaluate("localStorage.clear()")
        page.close()
    assert complaints == []


@pytest.fixture
def page(open_page: Open) -> Page:
    return open_page()


@pytest.fixture(scope="module")
def bench(browser: Browser, studio: Server) -> Iterator[Page]:
    """A page of the same origin that is only used to run the page's modules."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{studio.url}/")
    yield page
    context.close()


@pytest.fixture(scope="module")
def static(bench: Page) -> str:
    """The address under which the page's modules lie."""
    source = bench.locator("script[type=module]").get_attribute("src")
    return f"/{source}".removesuffix("/main.js")


def settled(page: Page) -> None:
    """Wait until the continuations are written."""
    expect(page.locator("#status")).to_have_text(re.compile(r"^(Done\.|完成。)$"), timeout=20_000)


@contextmanager
def rewritten(page: Page) -> Iterator[None]:
    """What happens inside makes the page write its continuations again."""
    with page.expect_response("**/studio/generate"):
        yield
    settled(page)


def painted(page: Page) -> None:
    """Wait until the last change is on the screen: the page paints once per frame."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def fields(page: Page) -> dict[str, str]:
    """The settings that the address holds, once it has been written."""
    expect(page.locator("html")).to_have_attribute("data-linked", "")
    return dict(pair.split("=", 1) for pair in page.evaluate("location.hash").removeprefix("#").split("&"))
