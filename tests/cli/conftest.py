"""The program, run in this process or in its own."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from heatbath.cli import run


class Ran(NamedTuple):
    """What a run left behind."""

    code: int
    out: str
    err: str


Program = Callable[..., Ran]


@pytest.fixture
def heatbath(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """Run the program in this process: ``heatbath("explain", "1", "2", width=60, terminal=True, stdin="...")``."""

    def call(
        *arguments: str, width: int = 100, terminal: bool = False, stdin: str | bytes = "", **environment: str
    ) -> Ran:
        with monkeypatch.context() as patch:
            for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
                patch.delenv(name, raising=False)
            patch.setenv("COLUMNS", str(width))
            patch.setenv("TERM", "xterm-256color")
            if terminal:
                patch.setenv("FORCE_COLOR", "1")
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(
                "sys.stdin", io.TextIOWrapper(io.BytesIO(stdin if isinstance(stdin, bytes) else stdin.encode()))
            )
            capsys.readouterr()
            code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return call


@pytest.fixture
def process() -> Program:
    """Run the real program in a process of its own."""

    def call(*arguments: str, stdin: str = "", **environment: str) -> Ran:
        plain = {
            name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
        }
        done = subprocess.run(
            [sys.executable, "-m", "heatbath", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**plain, **environment},
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return call
