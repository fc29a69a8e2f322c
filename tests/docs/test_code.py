"""The code in README and pages runs, as it stands there."""

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import typer.main

import heatbath as hb
from heatbath.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.rst"))]
PAGES = [page for page in PAGES if not {"_build", "gallery"} & set(page.parts)]
VERBS = typer.main.get_command(app).commands


def blocks(language):
    """Every block of code in this language: (where, text)."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fenced = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        indented = re.findall(rf"^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
        found += [(page.name, re.sub(r"^   ", "", block, flags=re.MULTILINE)) for block in fenced + indented]
    return found


def lines():
    """Every command of the shell blocks, continued lines joined."""
    texts = ((page, re.sub(r"\\\n\s*", "", text)) for page, text in blocks("shell"))
    return [
        (page, line) for page, text in texts for line in re.sub(r"'[^']*'", _flat, text).splitlines() if line.strip()
    ]


def _flat(found):
    return found[0].replace("\n", " ")


def keeps(line):
    """Whether a command works on a store, in which the commands before it have left something."""
    return re.match(r"heatbath (experiment|store) ", line)


def ids(found):
    return [f"{page}-{number}" for number, (page, _) in enumerate(found)]


@pytest.mark.parametrize("page", [p for p in PAGES if ">>>" in p.read_text(encoding="utf-8")], ids=lambda p: p.name)
def test_examples_print_what_the_page_says(page):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=flags, encoding="utf-8")
    assert tried
    assert not failed


@pytest.mark.parametrize(("page", "code"), blocks("python"), ids=ids(blocks("python")))
def test_python_runs(page, code, request):
    if "127.0.0.1:8000" in code:
        code = code.replace("http://127.0.0.1:8000", request.getfixturevalue("service"))
    names = {}
    if "class Thermostat" in code:  # the contract, quoted
        names = {**vars(__import__("typing")), "Callable": __import__("collections.abc").abc.Callable}
        names |= vars(__import__("heatbath.types").types)
    exec(compile(code, page, "exec"), names)
    if "Thermostat" in names:
        assert names["Thermostat"]._fields == hb.Thermostat._fields[:3]
    if "answer" in names:
        assert names["answer"].choices


STORED = sorted({page for page, line in lines() if keeps(line)})


@pytest.mark.parametrize("page", STORED)
def test_commands_on_a_store_run_in_the_order_of_the_page(page, tmp_path):
    for line in [line for where, line in lines() if where == page and keeps(line)]:
        assert shell(line, cwd=tmp_path).stdout, line


LINES = [(page, line) for page, line in lines() if not keeps(line)]


@pytest.mark.parametrize(("page", "line"), LINES, ids=ids(LINES))
def test_shell_runs(page, line, request):
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), (
            f"there is no target {words[1]}"
        )
    elif words[0] == "curl":
        if not shutil.which("curl"):
            pytest.skip("curl is not installed")
        line = line.replace("http://127.0.0.1:8000", request.getfixturevalue("service"))
        answer = json.loads(shell(line).stdout)
        assert answer["choices"][0]["finish_reason"] in ("stop", "length"), answer
    elif "heatbath" in words and "serve" not in words:
        assert shell(line).stdout
    else:
        assert words[:2] in (["pip", "install"], ["heatbath", "serve"])
        extras = re.findall(r"\[(.*?)\]", line)
        assert all(f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text() for extra in extras)


def test_the_error_is_the_one_on_the_page(service):
    [(_, shown)] = blocks("json")
    request = urllib.request.Request(f"{service}/v1/completions", b'{"prompt": "", "top_p": 1.4}')
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert json.loads(refused.value.read()) == json.loads(shown)


def shell(line, cwd=None):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", line], env=environment, cwd=cwd, capture_output=True, text=True, check=True)


def literals():
    """Every chain that stands in a sentence."""
    texts = (page.read_text(encoding="utf-8") for page in PAGES if page.suffix == ".rst")
    quoted = (re.findall(r"``((?:[^`\n]|\n(?!\n))+)``", text) for text in texts)
    return sorted({" ".join(literal.split()) for found in quoted for literal in found if " -> " in literal})


@pytest.mark.parametrize("chain", literals())
def test_every_chain_that_is_named_parses(chain):
    hb.parse(chain.replace("(T)", "(1.5)"))


def test_there_is_something_to_run():
    assert len(blocks("python")) >= 4
    assert len(lines()) >= 14
    assert len(literals()) >= 2
