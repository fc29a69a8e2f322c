"""Every package and module has a floor, and a forbidden import is noticed."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def rooms_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [room.strip().removeprefix("heatbath.") for floor in contracts[0]["layers"] for room in floor.split("|")]


def test_every_room_has_a_floor():
    package = ROOT / "src" / "heatbath"
    found = {p.stem for p in package.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert found - {"__init__", "__main__"} == set(rooms_of_the_contract())


def test_the_floors_hold():
    linter = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
