"""Take the picture of the studio that README and the documentation show.

Starts the service on a free port of this machine, opens the page with the model that comes with heatbath, in English
and in the light theme, and saves what a reader sees first. Run it again whenever the page has changed::

    python scripts/studio_picture.py

Needs the extras `serve` and `test`, and Chromium (HEATBATH_CHROMIUM names another one).
"""

import argparse
import io
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from heatbath.embedded import load, load_profile
from heatbath.service.app import create_app
from heatbath.service.run import Server, address, listen

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "studio.png"
LARGEST = 150_000
"""Bytes. Whoever opens README or the first page waits for them."""
SETTINGS = "#v=1&seed=7&lang=en"
"""The usual settings; the seed is named, so that the same page gives the same picture."""
WIDTH, HEIGHT, SCALE = 1280, 1110, 1.5
COLOURS = 256


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="Take the picture of the studio.")
    parser.add_argument("path", nargs="?", type=Path, default=PICTURE, help="where to save it (docs/images/studio.png)")
    path = parser.parse_args().path
    with service() as url:
        picture = small(photograph(url))
    if len(picture) > LARGEST:
        raise SystemExit(f"the picture has {len(picture)} bytes, and {LARGEST} is the most: lower COLOURS or SCALE")
    path.write_bytes(picture)
    print(f"{path}: {len(picture)} bytes")


@contextmanager
def service() -> Iterator[str]:
    """The address of the service, for as long as the context lasts."""
    app = create_app(load(), profile=load_profile())
    with listen(port=0) as listening:
        server = Server(uvicorn.Config(app, log_level="warning"), app.state.engine)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield address(listening)
        finally:
            server.should_exit = True
            thread.join()


def photograph(url: str) -> bytes:
    """The page as it is when its continuations are written, as a PNG."""
    chromium = os.environ.get("HEATBATH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            device_scale_factor=SCALE,
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-US",
        )
        page.goto(f"{url}/{SETTINGS}")
        expect(page.locator("#status")).to_have_text(re.compile(r"^Done\."), timeout=60_000)
        expect(page.locator("#status")).to_have_css("opacity", "0")  # it covers nothing once it could be read
        picture = page.screenshot(animations="disabled")
        browser.close()
    return picture


def small(picture: bytes) -> bytes:
    """The same picture with few colours: the page is flat, and each pixel then takes a byte before compression."""
    out = io.BytesIO()
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main()
