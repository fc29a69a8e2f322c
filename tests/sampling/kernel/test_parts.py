import numpy as np
import pytest

pytest.importorskip("numba")

from heatbath.sampling.kernel import few
from heatbath.sampling.kernel.batch import COUNTS, DRAW, DRAW_AT, part
from heatbath.sampling.kernel.ops import MIN_P, NAMES, TEMPERATURE, TOP_K, TOP_P
from tests.sampling.kernel.called import called

(sort,) = called(few.sort)


def test_only_plain_chains_are_drawn_by_the_plain_part():
    nothing, all_of_them = np.zeros(9, bool), part(COUNTS, np.array([TEMPERATURE]), np.zeros(2, bool))
    for op in range(len(NAMES)):
        plain = op in (TEMPERATURE, TOP_K, TOP_P, MIN_P)
        for what in (DRAW, DRAW_AT):
            assert (part(what, np.array([TEMPERATURE, op]), nothing) is not all_of_them) == plain
    assert part(DRAW, np.array([TEMPERATURE]), np.array([False, True])) is all_of_them


def test_python_is_told_that_it_cannot_call_the_rest():
    with pytest.raises(TypeError, match="largest can be called by compiled code alone"):
        few.largest(np.zeros(3), 3)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 12, 13, 700, 5000])
def test_the_first_numbers_are_sorted(number):
    v = np.random.default_rng(number).integers(0, max(number, 4) // 2, number + 3).astype(float)
    wanted = [*np.sort(v[:number]), *v[number:]]
    sort(v, number)
    assert v.tolist() == wanted
