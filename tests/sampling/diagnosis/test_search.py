import math

import pytest

from heatbath.sampling.diagnosis.search import crossing


@pytest.mark.parametrize("start", [1e-3, 0.9, 50.0])
@pytest.mark.parametrize("factor", [0.5, 1.25])
@pytest.mark.parametrize("goal", [-2.0, 0.0, 3.0])
def test_the_crossing_is_found_from_any_start(start, factor, goal):
    t = crossing(math.log, goal, start, factor, precise=1e-9)
    assert math.log(t) == pytest.approx(goal, abs=1e-8)


def test_jumps_and_infinities_are_closed_in():
    def jump(t):
        return -math.inf if t < 0.3 else 1.0

    assert crossing(jump, 0.0, 1.0, 0.5) == pytest.approx(0.3, rel=1e-3)


def test_few_evaluations_are_enough():
    seen = []

    def curve(t):
        seen.append(t)
        return math.log(t) ** 3 + math.log(t)

    crossing(curve, 5.0, 1.0, 1.25)
    assert len(seen) < 25
