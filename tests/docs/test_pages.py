"""README in two languages, the map, the links, the gallery, and words that have no place here."""

import ast
import os
import re
import shutil
import struct
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "heatbath"
PROSE = sorted(
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*")]
    if page.suffix in (".md", ".rst", ".py", ".css") and not {"_build", "gallery"} & set(page.parts)
)
CHROMIUM = os.environ.get("HEATBATH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def readmes():
    return [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]


def test_the_languages_have_the_same_code(readmes):
    english, chinese = (re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL) for text in readmes)
    assert len(english) >= 6
    assert english == chinese


def test_the_languages_have_the_same_outline(readmes):
    english, chinese = (
        re.findall(r"^(#+) (.*)$", re.sub(r"(?ms)^```.*?^```$", "", text), re.MULTILINE) for text in readmes
    )
    assert [level for level, _ in english] == [level for level, _ in chinese]
    assert all(re.search(r"[\u4e00-\u9fff]", title) for _, title in chinese if title != "heatbath")


def test_the_languages_have_the_same_links_and_paragraphs(readmes):
    (there, *english), (back, *chinese) = (re.findall(r"\]\((.*?)\)", text) for text in readmes)
    assert (there, back) == ("README.zh-CN.md", "README.md")
    assert english == chinese
    english, chinese = (len(re.split(r"\n\n+", text.strip())) for text in readmes)
    assert english == chinese


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((.*?)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_map_has_the_floors_of_the_contract():
    table = re.findall(r"^\| (\d) \| `(\w+)` \|", (ROOT / "MAP.md").read_text(encoding="utf-8"), re.MULTILINE)
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    layers = [{room.strip().removeprefix("heatbath.") for room in layer.split("|")} for layer in contract["layers"]]
    floors = {number: {room for floor, room in table if int(floor) == number} for number in range(len(layers))}
    assert [floors[number] for number in reversed(range(len(layers)))] == layers
    assert len(table) == sum(map(len, layers))


def test_the_map_leads_to_files_that_exist():
    text = (ROOT / "MAP.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+(?:\.\w+|/))`", text.split("## To add")[1])) | {"service/studio/static"}
    nearby = {"pieces.py"}  # named after their neighbours
    missing = {n for n in named - nearby if not n.startswith("docs/examples/plot_")
               and not any((folder / n).exists() for folder in (ROOT, SOURCE))}  # fmt: skip
    assert not missing
    assert len(named) > 15


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PROSE for name in re.findall(r"`make (\w+)`", page.read_text(encoding="utf-8"))}
    assert {"check", "docs", "bench"} <= named <= targets


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_no_words_that_have_no_place_here(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:work|tmp|root|home)/", text), "a path of one machine"
    assert not re.search(r"shields\.io", text), "a host that this page does not need"
    assert not re.search("[\U0001f000-\U0001faff]", text), "an emoji"
    assert "TODO" not in text


def test_the_first_page_shows_the_studio_and_leaves_the_contents_to_the_side():
    text = (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
    assert ".. image:: images/studio.png\n" in text
    assert text.count(".. toctree::") == text.count(".. toctree::\n   :hidden:\n") > 0
    assert text.count("\n* ") <= 4


def test_the_picture_of_the_studio_is_quickly_there():
    data = (ROOT / "docs" / "images" / "studio.png").read_bytes()
    assert len(data) < 150_000
    width, height = struct.unpack(">II", data[16:24])
    assert (width >= 1100, height >= 800) == (True, True), "it is too small to read"


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium: install one, or set HEATBATH_CHROMIUM to its path")
def test_the_picture_of_the_studio_can_be_taken_again(tmp_path):
    path = tmp_path / "studio.png"
    script = ROOT / "scripts" / "studio_picture.py"
    subprocess.run([sys.executable, str(script), str(path)], check=True, timeout=300)
    taken, kept = (each.read_bytes() for each in (path, ROOT / "docs" / "images" / "studio.png"))
    assert len(taken) < 150_000
    assert taken[16:24] == kept[16:24], "the picture was not taken by this script: run it"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_examples_are_executed_and_end_in_a_picture(example):
    assert re.fullmatch(r"plot_\d\d_\w+", example.stem), "only files named plot_... are executed"
    tree = ast.parse(example.read_text(encoding="utf-8"))
    assert re.match(r"\n.+\n=+\n", ast.get_docstring(tree, clean=False)), "a title opens the page"
    assert ast.unparse(tree.body[-1]) == "plt.show()"


def test_examples_are_numbered_and_the_site_stops_at_a_broken_one():
    assert [int(example.stem.split("_")[1]) for example in EXAMPLES] == list(range(1, len(EXAMPLES) + 1))
    assert '"abort_on_example_error": True' in (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
