"""Which library an array belongs to, and that none is imported before it is brought."""

import subprocess
import sys

import numpy as np
import pytest

from heatbath.core import namespace, softmax
from heatbath.core.arrays import iterate
from heatbath.errors import InputError


def test_numbers_lists_and_numpy_are_numpy():
    assert namespace(1.0, [2.0], np.zeros(3), np.float32(1)) is np


def test_numpy_follows_the_other_library(torch, jax):
    assert "torch" in namespace(np.zeros(3), torch.zeros(3)).__name__
    assert isinstance(softmax([1.0, 0.0], torch.tensor(0.5)), torch.Tensor)
    assert isinstance(softmax(np.array([1.0, 0.0]), jax.numpy.asarray(0.5)), jax.Array)
    gradient = jax.grad(lambda t: softmax(np.array([1.0, 0.0]), t)[0])(0.5)
    assert float(gradient) < 0


def test_two_libraries_do_not_mix(torch, jax):
    with pytest.raises(InputError, match="do not mix; convert all of them to one library"):
        softmax(torch.zeros(3), jax.numpy.asarray(1.0))


@pytest.mark.parametrize("most", [3, 100])
def test_iterate_stops_when_told_and_at_its_bound(library, jax, most):
    xp = namespace(library.array([0.0]))

    def run(start):
        return iterate(xp, lambda x: xp.all(x < 10), lambda x: x + 1, start, most)

    assert float(run(library.array([0.0]))[0]) == min(most, 10)
    if library.name == "jax":
        assert float(jax.jit(run)(library.array([0.0]))[0]) == min(most, 10)


def test_the_core_imports_numpy_and_array_api_compat_only():
    """In a fresh interpreter, with the files of the room loaded by themselves."""
    program = """
import sys
import heatbath.core
tops = {name.partition(".")[0] for name in sys.modules}
print(sorted(tops & {"torch", "jax", "cupy", "scipy", "numba", "pandas", "transformers", "starlette", "matplotlib"}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
