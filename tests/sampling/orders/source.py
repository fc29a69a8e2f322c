"""Functions of engines, taken out of the source of their packages without importing those, which would want a GPU."""

import ast
import importlib.util
from pathlib import Path

import pytest


def functions(package, file, *names, **given):
    """Functions of a file of an installed package, by name; methods are named ``Class.method``.

    ``given`` are the other names that they use.
    """
    spec = importlib.util.find_spec(package)
    if spec is None:
        pytest.skip(f"{package} is not installed")
    tree = ast.parse((Path(spec.submodule_search_locations[0]) / file).read_text(encoding="utf-8"))
    found = dict(given)
    for name in names:
        body = tree.body
        for part in name.split("."):
            node = next(each for each in body if getattr(each, "name", None) == part)
            body = node.body
        node.decorator_list = []
        module = ast.Module([ast.ImportFrom("__future__", [ast.alias("annotations")], 0), node], type_ignores=[])
        exec(compile(ast.fix_missing_locations(module), file, "exec"), found)
    return [found[name.rpartition(".")[2]] for name in names]
