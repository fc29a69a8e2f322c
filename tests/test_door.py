"""The door lists exactly what is public, and opening it brings in no framework."""

import inspect
import subprocess
import sys
import types

import pytest

import heatbath as hb

ROOMS = {"control", "orders", "sampling", "schedules"}


def test_the_door_lists_exactly_what_is_public():
    public = {
        name
        for name, thing in vars(hb).items()
        if not name.startswith("_") and (not isinstance(thing, types.ModuleType) or name in ROOMS)
    }
    assert sorted(public) == hb.__all__


@pytest.mark.parametrize("name", sorted(set(hb.__all__) - ROOMS))
def test_every_public_name_is_documented(name):
    thing = getattr(hb, name)
    said = inspect.getdoc(thing)
    assert said, f"{name} has no docstring"
    if inspect.isfunction(thing) and not name.endswith("Error"):
        assert ">>>" in said, f"{name} has no runnable example"


def test_importing_heatbath_imports_no_framework():
    heavy = "torch jax transformers starlette uvicorn aiohttp msgspec onnxruntime tokenizers scipy rich typer"
    script = f"import sys, heatbath; print(*sorted(set({heavy.split()!r}) & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
