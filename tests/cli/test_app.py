"""The program as a whole: help, version, exit codes, pipes, start-up."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import heatbath as package

VERBS = ("serve", "sample", "explain", "diagnose", "experiment", "store")
DEEPER = (
    *(f"experiment {verb}" for verb in ("plan", "list", "show", "watch", "start", "stop", "promote", "rollback")),
    *(f"store {verb}" for verb in ("migrate", "retain", "export")),
)


def test_version(heatbath):
    assert heatbath("--version") == (0, f"heatbath {package.__version__}\n", "")


@pytest.mark.parametrize("width", [60, 120])
def test_help_names_the_verbs_the_exit_codes_and_completion(heatbath, width):
    ran = heatbath("--help", width=width)
    assert ran.code == 0
    for word in (*VERBS, "--version", "--install-completion", "Exit codes"):
        assert word in ran.out


@pytest.mark.parametrize("verb", [*VERBS[:4], *DEEPER])
def test_every_verb_has_help_with_examples(heatbath, verb):
    ran = heatbath(*verb.split(), "--help", width=120)
    assert ran.code == 0
    assert f"heatbath {verb}" in ran.out.split("Examples")[1]


@pytest.mark.parametrize("words", [[], *(verb.split() for verb in (*VERBS, *DEEPER))])
def test_a_switch_takes_no_value(heatbath, words):
    text = heatbath(*words, "--help", width=120).out
    assert "--help" in text
    assert not re.search(r"--\S+ +<?bool", text.lower())


def test_every_option_of_the_table_is_a_flag(heatbath):
    from heatbath.cli.table import flag_of
    from heatbath.spec import OPTIONS

    text = heatbath("sample", "--help", width=200).out
    assert [name for name in OPTIONS if flag_of(name) not in text] == []


@pytest.mark.parametrize(
    "words", [["frobnicate"], ["--frobnicate"], ["serve", "--frobnicate"], ["store", "frobnicate"]]
)
def test_unknown_words_are_one_line_and_exit_code_2(heatbath, words):
    ran = heatbath(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("heatbath")
    assert words[-1] in ran.err
    assert "--help" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_exit_codes_of_the_documents_are_those_of_the_program():
    from heatbath import cli

    path = Path(__file__).parents[2] / "docs" / "cli.rst"
    rows = re.findall(r"\* - (\d+)\n     - (.+(?:\n {7}.+)*)", path.read_text(encoding="utf-8"))
    assert [code for code, _ in rows] == ["0", "1", "2", "130"]
    said = " ".join(cli.__doc__.split())
    assert [code for code, meaning in rows if f"{code} {' '.join(meaning.split())}" not in said] == []


def test_no_words_at_all_ask_for_help(heatbath):
    assert heatbath() == heatbath("--help")


def test_a_closed_output_is_no_error():
    script = f"exec {sys.executable} -m heatbath sample '' --model toy >&-"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_input_holds_nothing():
    script = f"exec {sys.executable} -m heatbath explain - <&-"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["explain", "1", "2"], ["sample", "", "--model", "toy"], ["--help"]])
def test_a_full_disk_is_one_line(words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "heatbath", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_python_m_heatbath_is_the_program(process):
    assert process("--version") == (0, f"heatbath {package.__version__}\n", "")
    ran = process("explain", "1", "2", "-T", "-1")
    assert ran.code == 2
    assert ran.err.startswith("heatbath explain: ")


def test_help_starts_without_the_libraries_that_run_models_and_serve():
    forbidden = ("onnxruntime", "tokenizers", "starlette", "uvicorn", "aiohttp", "torch", "jax", "matplotlib", "plotly")
    code = (
        "import sys\nfrom heatbath.cli import run\n"
        "assert run(['--help']) == 0 and run(['explain', '1', '2']) == 0\n"
        f"print([name for name in {forbidden} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")


@pytest.mark.parametrize(
    "words",
    [
        ["explain", *map(str, range(3000)), "--rows", "3000"],
        ["sample", "", "--model", "toy", "--json"],
        ["explain", "1", "2", "--json"],
        ["--help"],
    ],
)
def test_a_reader_that_goes_away_is_no_error(words):
    """As with ``| head``: the pipe is closed before the program writes to it."""
    reading, writing = os.pipe()
    os.close(reading)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "heatbath", *words],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=buffered,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 1


def test_control_c_is_quiet():
    """While the program waits for its scores."""
    started = subprocess.Popen(
        [sys.executable, "-m", "heatbath", "explain", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_until_reading(started.pid)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=30)
    finally:
        started.kill()
    assert (started.returncode, out, err) == (130, b"", b"")


def _wait_until_reading(pid: int) -> None:
    for _ in range(600):
        if "pipe" in Path(f"/proc/{pid}/wchan").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the program never came to read its standard input")


def test_a_terminal_gets_live_coloured_columns():
    """A real pseudo-terminal, 100 columns wide."""
    parent, child = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    words = ["sample", " rain", "--model", "toy", "-T", "0.2", "-T", "9", "--seed", "1", "--max-tokens", "30"]
    started = subprocess.Popen(
        [sys.executable, "-m", "heatbath", *words], stdin=child, stdout=child, stderr=child, env=environment
    )
    os.close(child)
    seen = b""
    try:
        while chunk := _read(parent):
            seen += chunk
        code = started.wait(timeout=30)
    finally:
        started.kill()
        os.close(parent)
    text = seen.decode()
    assert code == 0
    assert "\x1b[38;" in text
    assert any("T = 0.2" in line and "T = 9" in line for line in text.splitlines())
    assert text.rindex("\x1b[?25h") > text.index("\x1b[?25l")  # the cursor comes back


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""


def test_output_that_cannot_say_a_character_still_comes(process):
    ran = process("explain", "2", "1", "--names", "雪,rain", "-T", "0.5", PYTHONIOENCODING="ascii")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.isascii()
    assert "? is drawn" in ran.out


def test_completion_can_be_shown(process):
    ran = process("--show-completion", "bash")
    assert ran.code == 0
    assert "heatbath" in ran.out
