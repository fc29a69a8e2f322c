import numpy as np
import pytest

numba = pytest.importorskip("numba")

from heatbath.sampling import asking
from heatbath.sampling.kernel import few, maps
from heatbath.sampling.kernel.batch import COUNTS, DRAW, DRAW_AT, SCORES, part, serve_any, serve_plainly
from heatbath.sampling.kernel.ops import NAMES, OPS, TEMPERATURE
from tests.sampling.kernel.called import called

(sort,) = called(few.sort)


def test_only_plain_chains_are_drawn_by_the_plain_part():
    for what in (DRAW, DRAW_AT, SCORES):
        assert part(what, True) is serve_plainly
        assert part(what, False) is serve_any
    assert part(COUNTS, True) is serve_any


@pytest.mark.parametrize("name", NAMES)
def test_the_steps_say_whether_they_are_plain(name):
    codes, plain = asking._codes(("temperature", name))
    assert codes.tolist() == [TEMPERATURE, OPS[name]]
    assert plain == (name in ("temperature", "top_k", "top_p", "min_p"))


def test_maps_round_as_the_reference_does_whatever_freedoms_the_caller_has():
    one_map = maps.jit_to_the_bit(lambda q: q / 49.0)
    eager = numba.njit(fastmath=True)(lambda q: one_map(q) + 1.0)
    assert [eager(q) for q in range(200)] == [q / 49.0 + 1.0 for q in range(200)]


def test_python_is_told_that_it_cannot_call_the_rest():
    with pytest.raises(TypeError, match="largest can be called by compiled code alone"):
        few.largest(np.zeros(3), 3)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 12, 13, 700, 5000])
def test_the_first_numbers_are_sorted(number):
    v = np.random.default_rng(number).integers(0, max(number, 4) // 2, number + 3).astype(float)
    wanted = [*np.sort(v[:number]), *v[number:]]
    sort(v, number)
    assert v.tolist() == wanted
