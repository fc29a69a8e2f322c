"""The room: one foreign library per file, none by itself, and each with its place in the docs."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "src" / "heatbath" / "integrations").glob("*.py"))
FOREIGN = {
    "transformers": {"transformers", "torch"},
    "transformers_batching": {"transformers", "torch"},
    "transformers_call": {"transformers", "torch"},
    "vllm": {"vllm"},
    "sglang": {"sglang"},
    "mlx_lm": {"mlx"},
}


def tree(file):
    return ast.parse(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_imports_one_foreign_library(file):
    imported = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
    assert imported - set(sys.stdlib_module_names) - {"heatbath", "numpy"} == FOREIGN.get(file.stem, set())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_name_has_its_place_in_the_docs(file):
    page = (ROOT / "docs" / "api" / "integrations.rst").read_text(encoding="utf-8")
    told = set(re.findall(rf":: heatbath\.integrations\.{file.stem}\.(\w+)", page))
    listed = [
        node.value
        for node in tree(file).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert told == {name for names in listed for name in ast.literal_eval(names)}


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_the_room_by_itself_imports_no_foreign_library():
    foreign = sorted(set.union(*FOREIGN.values()) | {"llama_cpp"})
    script = "import sys, heatbath.integrations.streams, heatbath.integrations.llama_cpp\n"
    assert run(f"{script}print(*(set({foreign}) & set(sys.modules)))").split() == []


@pytest.mark.parametrize(
    ("file", "library", "said"),
    [
        ("transformers", "transformers", "pip install 'heatbath[transformers]'"),
        ("transformers", "torch", "pip install 'heatbath[transformers]'"),
        ("vllm", "vllm", "pip install 'vllm>=0.33'"),
        ("sglang", "sglang", "pip install 'sglang>=0.5.23'"),
        ("mlx_lm", "mlx", "pip install 'heatbath[mlx]'"),
    ],
)
def test_a_missing_library_is_named_in_one_line(file, library, said):
    script = f"""
import sys
sys.modules[{library!r}] = None  # as if it were not installed
import heatbath
try:
    import heatbath.integrations.{file}
except heatbath.MissingExtraError as error:
    print(error)
"""
    (line,) = run(script).splitlines()
    assert line.startswith("connecting to ")
    assert line.endswith(said)
    extra = re.search(r"\[(\w+)\]", said)
    assert extra is None or f"\n{extra[1]} = [" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
