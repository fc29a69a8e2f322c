"""What is not installed is named, with what to install; and the door loads it only when a model is wanted."""

import subprocess
import sys

import pytest

CHECK = """
import sys
sys.modules[{name!r}] = None  # as if it were not installed
import heatbath.embedded
assert "onnxruntime" not in {{name for name, module in sys.modules.items() if module}}
try:
    heatbath.embedded.load()
except heatbath.MissingExtraError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["onnxruntime", "tokenizers"])
def test_a_missing_library_is_named_in_one_line(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", CHECK.format(name=name)], capture_output=True, text=True, check=True)
    assert done.stdout == (f"loading a model: the library {name} is not installed; pip install 'heatbath[serve]'\n")
