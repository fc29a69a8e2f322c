"""What does one move of the studio's knob cost in the browser? Script and layout against a frame of 16.7 ms.

A real Chromium drags the knob over its whole range, one `input` event per frame: over the shipped model, and over a
made-up one with 151,936 tokens. Script is the page's own work, from the event to the end of the frame's callbacks;
layout is what the browser then needs to lay the page out; total is from the event until after the frame's work, with
the painting. Medians, and the 95th percentile.

    python benchmarks/studio.py [--quick]
"""

import argparse
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import uvicorn

from heatbath.control import Profile
from heatbath.embedded import load, load_profile
from heatbath.service.app import create_app
from heatbath.service.run import Server, address, listen

FRAME = 1000 / 60
LARGE = 151_936
SIZES = ((1280, 900), (390, 900), (1280, 4000))
"""Of the window, in pixels: what is below it waits for the end of a drag, and the last shows the whole page."""
CHROMIUM = os.environ.get("HEATBATH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
DRAG = """async (places) => {
  const knob = document.getElementById("knob");
  const frame = () => new Promise(requestAnimationFrame);
  const after = () => new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(0);
  });
  const took = [];
  for (const place of places) {
    await frame();
    await after();
    const begun = performance.now();
    let opened = 0;
    requestAnimationFrame(() => (opened = performance.now())); // before the page's own callback of this frame
    knob.value = place;
    knob.dispatchEvent(new Event("input", { bubbles: true }));
    const handled = performance.now();
    await frame();
    const painted = performance.now();
    document.body.offsetHeight; // lays out now, and not later
    const laid = performance.now();
    await after();
    await after();
    const idle = performance.now();
    took.push([handled - begun + painted - opened, laid - painted, idle - begun]);
  }
  knob.dispatchEvent(new Event("change", { bubbles: true }));
  return took;
}"""


class Bytes:
    """Every token is a letter, or a number as large as its id."""

    longest = 8

    def encode(self, text: str) -> list[int]:
        return [97 + byte % 26 for byte in text.encode()]

    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(map(self.token_bytes, ids)).decode()

    def token_bytes(self, token: int) -> bytes:
        return bytes([token]) if token < 128 else f" {token}".encode()


class Lengths(NamedTuple):
    lengths: tuple[int, ...]

    def rows(self, keep: Sequence[int]) -> "Lengths":
        return Lengths(tuple(self.lengths[row] for row in keep))

    def join(self, other: "Lengths") -> "Lengths":
        return Lengths(self.lengths + other.lengths)


class LargeModel:
    """Scores shaped like a large model's, -1.3 ln(rank) + N(0, 0.5), the same after every text."""

    name, vocabulary, context = "large", LARGE, 512
    stop_tokens: frozenset[int] = frozenset()
    example_prompts = ("a",)

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        scores = -1.3 * np.log(np.arange(1, LARGE + 1)) + random.normal(0, 0.5, LARGE)
        self.scores = random.permutation(scores).astype(np.float32)
        self.tokenizer = Bytes()

    def start(self, prompts: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.float32], Lengths]:
        return np.stack([self.scores] * len(prompts)), Lengths(tuple(map(len, prompts)))

    def step(self, cache: Lengths, tokens: Sequence[int]) -> tuple[npt.NDArray[np.float32], Lengths]:
        return np.stack([self.scores] * len(tokens)), Lengths(tuple(length + 1 for length in cache.lengths))


@contextmanager
def served(model: Any, profile: Profile) -> Iterator[str]:
    """The whole service in a thread, on a free port of this machine."""
    app = create_app(model, profile=profile)
    with listen(port=0) as listening:
        server = Server(uvicorn.Config(app, log_level="warning"), app.state.engine)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield address(listening)
        finally:
            server.should_exit = True
            thread.join()


def drag(browser: Any, url: str, size: tuple[int, int], order: str, moves: int) -> npt.NDArray[np.float64]:
    """Milliseconds of script, layout and the whole, for each move."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"{url}/#v=1&on=Tp&order={order}&lang=en")
    page.locator("#status", has_text="Done.").wait_for(state="attached", timeout=60_000)
    places = np.linspace(0, 240, moves).round().tolist()
    page.evaluate(DRAG, places[::3])  # until everything is compiled
    took = np.array(page.evaluate(DRAG, places))
    page.close()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer moves, one width")
    quick = parser.parse_args().quick
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit("benchmarks/studio.py needs playwright: pip install 'heatbath[test]'")
    if not CHROMIUM:
        sys.exit("benchmarks/studio.py needs a Chromium: install one, or set HEATBATH_CHROMIUM to its path")
    large = LargeModel()
    models = {
        "shipped": (load(), load_profile()),
        "large": (large, Profile.measure([large.scores[None] * scale for scale in (0.8, 1, 1.3)], model="large")),
    }
    print(f"{'':34} {'script':>14} {'layout':>14} {'total':>14}   ms, median (95th percentile)")
    claims = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for name, (model, profile) in models.items():
            with served(model, profile) as url:
                for size in SIZES[:1] if quick else SIZES:
                    for order in ("Tkpm",) if quick else ("Tkpm", "kpmT"):
                        took = drag(browser, url, size, order, 40 if quick else 160)
                        middle, late = np.median(took, axis=0), np.quantile(took, 0.95, axis=0)
                        cells = "".join(f" {a:6.1f} ({b:5.1f})" for a, b in zip(middle, late, strict=True))
                        print(f"{name:8} {model.vocabulary:7} {size[0]:5} x {size[1]:4} {order:5} {cells}", flush=True)
                        if (size, order) == (SIZES[0], "Tkpm"):
                            claims.append((name, float(np.median(took[:, 0] + took[:, 1]))))
        browser.close()
    for name, cost in claims:
        verdict = "PASS" if cost <= FRAME else "FAIL"
        print(f"claim studio.script-and-layout-ms-{name} {cost:.1f} <={FRAME:.1f} {verdict}")


if __name__ == "__main__":
    main()
