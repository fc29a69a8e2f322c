"""What is refused is said why, in the reader's language; and what the page still shows is marked as such."""

# ruff: noqa: RUF001  Chinese has punctuation of its own

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import httpx
import pytest
from playwright.sync_api import expect

from heatbath.service import run
from tests.service.studio.conftest import fields, painted, settled
from tests.service.studio.words import WordsModel

LONG = " kalo" * 200  # more than the model's context of 128
CHARTS = ("#bars", "#numbers", "#curve", ".landing-frame", "#streams", ".prompt-tokens", ".sentence", ".mini")
FAILED = {"en": "That did not work: ", "zh": "没有成功："}
WHY = {
    "unreachable": {
        "en": "the server does not answer. Is heatbath serve still running?",
        "zh": "服务器没有回应；heatbath serve 还在运行吗？",
    },
    "context_length_exceeded": {
        "en": "the text leaves no room for an answer in the model's context. Shorten it.",
        "zh": "文本太长，模型的上下文里没有留给续写的位置。请缩短。",
    },
    "rate_limit_exceeded": {
        "en": "too many texts are waiting. Try again in a moment.",
        "zh": "排队的请求太多，请稍后再试。",
    },
    "shutting_down": {"en": "the server is stopping.", "zh": "服务器正在停止。"},
}
STILL = {"en": "Still showing: “There was once a”.", "zh": "仍在显示：“There was once a”。"}
HUGE = {
    "en": "“1e400” is too large a number. For infinity, write inf.",
    "zh": "“1e400”这个数太大了。要表示无穷大，请写 inf。",
}
BOTH = pytest.mark.parametrize("language", ["en", "zh"])


def told(code, language):
    return FAILED[language] + WHY[code][language]


def ask(page, prompt):
    page.locator("#prompt").fill(prompt)
    page.locator("#prompt").press("Enter")


def told_in_both(page, code, language):
    """The status line says it, and goes on saying it in the other language when that is chosen."""
    for spoken in (language, {"en": "zh", "zh": "en"}[language]):
        expect(page.locator("#status")).to_have_text(told(code, spoken))
        page.locator("#language").click()


def forgive(page, complaints, words):
    """The browser itself tells its console of a request that failed; of this one it should."""
    painted(page)
    assert words in complaints.pop()


class Line:
    """A line to a server that can be cut. While ``halting``, it carries the first event of an answer and no more."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.halting = False
        self.ends: list[socket.socket] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Nothing passes any more, and nobody answers."""
        for end in (self.listening, *self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self.listening.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.port))
                self.ends += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                event, end, _ = data.partition(b"\n\n")
                if self.halting and end:
                    target.sendall(event + end)
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def line(studio) -> Iterator[Line]:
    laid = Line(studio.port)
    yield laid
    laid.cut()


class Held(WordsModel):
    """Takes steps only while its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def step(self, cache, tokens):
        assert self.gate.wait(30)
        return super().step(cache, tokens)

    @contextmanager
    def closed(self) -> Iterator[None]:
        self.gate.clear()
        try:
            yield
        finally:
            self.gate.set()


@BOTH
def test_what_is_still_shown_is_marked_until_a_prompt_is_read(open_page, language):
    page = open_page(f"#v=1&lang={language}")
    box, why, shown = page.locator("#prompt"), page.locator("#prompt-refused"), page.locator("#place")
    usual = shown.inner_text()

    def dimmed():
        return [float(page.locator(part).first.evaluate("part => getComputedStyle(part).opacity")) for part in CHARTS]

    assert dimmed() == [1] * len(CHARTS)
    ask(page, LONG)
    expect(box).to_have_attribute("aria-invalid", "true")
    assert why.get_attribute("id") in box.get_attribute("aria-describedby").split()
    expect(why).to_contain_text(told("context_length_exceeded", language))
    expect(why).to_contain_text(STILL[language])
    expect(shown).to_have_text(STILL[language])
    expect(page.locator("body")).to_have_class("stale")
    assert dimmed() == [0.5] * len(CHARTS)
    expect(box).to_have_value(LONG)  # to be shortened
    assert "prompt" not in fields(page)
    forgive(page, open_page.complaints, "400")
    ask(page, "The wolf")
    settled(page)
    expect(box).to_have_attribute("aria-invalid", "false")
    expect(why).to_be_hidden()
    expect(shown).to_have_text(usual)
    expect(page.locator("body")).not_to_have_class("stale")
    assert dimmed() == [1] * len(CHARTS)


@BOTH
def test_a_text_too_long_is_told(open_page, language):
    page = open_page(f"#v=1&lang={language}")
    ask(page, LONG)
    told_in_both(page, "context_length_exceeded", language)
    expect(page.locator("#prompt-refused")).to_contain_text(told("context_length_exceeded", language))
    forgive(page, open_page.complaints, "400")


def test_a_first_prompt_that_is_refused_leaves_a_page_that_can_be_used(open_page):
    """There is nothing to show yet: what would show it or set it is not there, and the rest works."""

    def refused(page):
        expect(page.locator("#prompt-refused")).to_have_text(told("context_length_exceeded", "en"))

    page = open_page(f"#v=1&lang=en&prompt={LONG}", ready=refused)
    for part in ("#run", "#knob", "#temperature", "#bars"):
        expect(page.locator(part)).to_be_hidden()
    page.get_by_role("button", name="Theme: ◐ Auto. Press to change.").click()
    expect(page.locator("#theme")).to_have_text("○ Light")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#prompt-refused")).to_have_text(told("context_length_exceeded", "zh"))
    expect(page.get_by_role("button", name="English")).to_be_visible()
    forgive(page, open_page.complaints, "400")
    ask(page, "The wolf")
    settled(page)
    for part in ("#run", "#knob", "#temperature", "#bars"):
        expect(page.locator(part)).to_be_visible()


@BOTH
def test_a_server_that_is_gone_is_told(open_page, line, language):
    page = open_page(f"#v=1&lang={language}", url=line.url)
    line.cut()
    ask(page, "The wolf")
    expect(page.locator("#prompt-refused")).to_have_text(
        re.compile(re.escape(told("unreachable", language)) + " ?" + STILL[language])
    )
    expect(page.locator("#prompt")).to_have_attribute("aria-invalid", "false")  # the prompt is not at fault
    told_in_both(page, "unreachable", language)
    forgive(page, open_page.complaints, "net::ERR_CONNECTION_REFUSED")


def test_a_server_that_comes_late_is_asked_again(open_page):
    page = open_page()
    page.clock.install()
    page.route("**/studio/model", lambda route: route.abort())
    page.reload()
    expect(page.locator("#status")).to_have_text(told("unreachable", "en"))
    ask(page, "The wolf")  # which is not lost
    expect(page.locator("#prompt-refused")).to_have_text(told("unreachable", "en"))
    for _ in range(2):
        forgive(page, open_page.complaints, "net::ERR_FAILED")
    page.unroute("**/studio/model")
    page.clock.run_for(2000)
    settled(page)
    expect(page.locator("#prompt")).to_have_value("The wolf")
    expect(page.locator("#prompt-refused")).to_be_hidden()


def test_line_breaks_of_what_is_still_shown_are_marks(open_page):
    page = open_page("#v=1&lang=en&prompt=The%0Awolf")
    ask(page, LONG)
    expect(page.locator("#place")).to_have_text("Still showing: “The↵wolf”.")
    forgive(page, open_page.complaints, "400")


@BOTH
def test_a_server_that_goes_in_the_middle_of_a_text_is_told(open_page, line, language):
    page = open_page(f"#v=1&lang={language}", url=line.url)
    line.halting = True
    page.locator("#run").click()
    expect(page.locator(".lane .prose .token")).to_have_count(1)
    line.cut()
    told_in_both(page, "unreachable", language)
    expect(page.locator(".lane .prose .token")).to_have_count(1)  # what came stays
    expect(page.locator("#run")).to_have_class("primary")
    forgive(page, open_page.complaints, "net::ERR_INCOMPLETE_CHUNKED_ENCODING")


@BOTH
def test_a_server_that_is_busy_is_told(open_page, running, eventually, language):
    model = Held()
    with running(model, max_rows=1, max_waiting=1) as server:
        page = open_page(f"#v=1&lang={language}", url=server.url)
        with model.closed(), closing(socket.create_connection(("127.0.0.1", server.port))) as other:
            body = b'{"prompt": "", "n": 3, "max_tokens": 80}'
            head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            other.sendall(head.encode() + body)
            eventually(lambda: server.engine.waiting == 2)
            page.locator("#run").click()
            told_in_both(page, "rate_limit_exceeded", language)
            ask(page, "The wolf")
            expect(page.locator("#prompt-refused")).to_contain_text(told("rate_limit_exceeded", language))
            expect(page.locator("#prompt")).to_have_attribute("aria-invalid", "false")
        eventually(lambda: httpx.get(f"{server.url}/healthz").json()["waiting"] == 0)
        ask(page, "The wolf")  # the advice holds
        settled(page)
    for _ in range(2):
        forgive(page, open_page.complaints, "429")


@BOTH
def test_a_server_that_stops_is_told(open_page, running, language, monkeypatch):
    monkeypatch.setattr(run, "PATIENCE", 0.1)
    model = Held()
    with ExitStack() as stack:
        server = stack.enter_context(running(model))
        page = open_page(f"#v=1&lang={language}", url=server.url)
        with model.closed():
            page.locator("#run").click()
            expect(page.locator(".lane .prose .token")).to_have_count(3)  # the first of each text needs no step
            stopping = threading.Thread(target=stack.pop_all().close)
            stopping.start()
            told_in_both(page, "shutting_down", language)
        stopping.join()


@BOTH
@pytest.mark.parametrize("box", ["#temperature", "[data-step=temperature] .card-value"])
def test_a_number_that_no_computer_holds_is_not_taken_for_infinity(open_page, box, language):
    page = open_page(f"#v=1&lang={language}")
    box = page.locator(box)
    box.fill("1e400")
    box.press("Enter")
    expect(page.locator("#status")).to_have_text(HUGE[language])
    expect(page.locator("#status")).to_have_class(re.compile("failed"))
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_value("1e400")  # to be corrected
    assert fields(page)["T"] == "0.8"
    box.fill("inf")
    box.press("Enter")
    expect(box).to_have_attribute("aria-invalid", "false")
    settled(page)
    assert fields(page)["T"] == "inf"


@pytest.mark.parametrize("step", ["top-k", "top-p", "min-p"])
def test_where_infinity_cannot_be_had_it_is_not_advised(page, step):
    box = page.get_by_role("textbox", name=f"{step}, value")
    for text in ("1e400", "1e300"):
        box.fill(text)
        box.press("Enter")
        expect(page.locator("#status")).to_contain_text(f"“{text}” cannot be")
        expect(page.locator("#status")).not_to_contain_text("inf")
        expect(box).to_have_attribute("aria-invalid", "true")
