"""The door lists exactly what is public, and opening it brings in no framework."""

import inspect
import subprocess
import sys
import types

import pytest

import heatbath as hb

ROOMS = {"control", "orders", "sampling", "schedules", "stats"}


def test_the_door_lists_exactly_what_is_public():
    public = {
        name
        for name, thing in inspect.getmembers(hb)
        if name not in {"TYPE_CHECKING", "Any"}
        and not name.startswith("_")
        and (not isinstance(thing, types.ModuleType) or name in ROOMS)
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


def test_importing_heatbath_leaves_for_later_what_a_draw_never_needs():
    script = "import sys, heatbath; print(*sorted(m for m in sys.modules if m.startswith('heatbath.')))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert "heatbath.sampling.chain" in loaded
    assert not loaded & {"heatbath.sampling.orders", "heatbath.sampling.diagnosis", "heatbath.stats"}


@pytest.mark.parametrize(
    "written", ["hb.orders", "hb.stats", "hb.sampling.orders", "hb.sampling.diagnose", "hb.sampling.Wanted"]
)
def test_what_is_left_for_later_is_there_when_asked_for(written):
    room, _, name = written.rpartition(".")
    script = f"import heatbath as hb; assert {name!r} in dir({room}); print({written}.__name__)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip().endswith(name)


def test_a_name_that_is_nowhere_is_an_attribute_error():
    for room in (hb, hb.sampling):
        with pytest.raises(AttributeError, match="no attribute 'warmth'"):
            getattr(room, "warmth")  # noqa: B009  (a plain attribute is a useless expression)
