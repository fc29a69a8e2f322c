"""Draws made together are the draws made alone, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatbath import parse
from heatbath.sampling import Sampler
from heatbath.service.draws import Drawn, Wanted, draw

CHAINS = [
    "temperature(0.7)",
    "temperature(0)",
    "temperature(inf)",
    "temperature(1.3) -> top_k(5) -> top_p(0.9) -> min_p(0.01)",
    "top_p(0.8) -> temperature(2.0) -> greedy()",
    "temperature(linear(2.0, 0.5, 10))",
    "temperature(hold_entropy(1.0))",
    "temperature(hold_entropy(1.0, horizon=8)) -> min_p(0.05)",
    "temperature(by_confidence(0.3, 1.2))",
    "temperature(by_text([['after:row 1', 2.0]], 0.5))",
]


def sampler(text: str) -> Sampler:
    made = parse(text)
    assert isinstance(made, Sampler)
    return made


def wanted(*given, text: str = "row 1") -> Wanted:
    return Wanted(*given, text=lambda: text)


def rows(rng: np.random.Generator, count: int, options: int = 50) -> np.ndarray:
    scores = (rng.normal(size=(count, options)) * 3).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = -np.inf
    scores[:, 0] = 0
    return scores


@pytest.mark.parametrize("chain", CHAINS)
@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(2, 6), st.booleans())
def test_together_as_alone(chain, seed, count, reading):
    shared = sampler(chain)
    rng = np.random.default_rng(seed)
    together: list = [shared.init()] * count
    alone: list = [shared.init()] * count
    for step in range(3):
        scores = rows(rng, count)
        for row in range(step):  # streams of different ages share a call
            (drawn,) = draw([wanted(shared, together[row], row, False, scores[row])])
            assert isinstance(drawn, Drawn)
            alone[row] = together[row] = drawn.state
        made = draw([wanted(shared, together[row], 100 + row, reading, scores[row]) for row in range(count)])
        for row, drawn in enumerate(made):
            (single,) = draw([wanted(shared, alone[row], 100 + row, reading, scores[row])])
            assert isinstance(drawn, Drawn)
            assert isinstance(single, Drawn)
            assert (drawn.token, drawn.reading) == (single.token, single.reading)
            np.testing.assert_equal(np.asarray(_flat(drawn.state)), np.asarray(_flat(single.state)))
            together[row], alone[row] = drawn.state, single.state


@pytest.mark.parametrize("chain", CHAINS)
def test_draws_are_those_of_the_sampler(chain):
    shared = sampler(chain)
    rng = np.random.default_rng(5)
    state = mine = shared.init()
    for scores in rows(rng, 100):
        (drawn,) = draw([wanted(shared, mine, 5, True, scores)])
        choice, state, reading = shared.step(state, scores, seed=5, reading=True, context={"text": "row 1"})
        assert isinstance(drawn, Drawn)
        assert drawn.token == choice
        np.testing.assert_allclose(drawn.reading, reading, rtol=1e-5, atol=1e-5)
        mine = drawn.state


def _flat(state) -> list[float]:
    return [number for part in state for number in _flat(part)] if isinstance(state, list | tuple) else [float(state)]


def test_samplers_that_differ_are_kept_apart():
    cold, hot = sampler("temperature(0)"), sampler("greedy()")
    scores = np.array([0, 3, 1], dtype=np.float32)
    made = draw([wanted(one, one.init(), 0, False, scores) for one in (cold, hot, cold)])
    assert [drawn.token for drawn in made] == [1, 1, 1]


def test_one_that_fails_does_not_touch_the_others():
    shared = sampler("temperature(1.0)")
    good, bad = np.zeros(3, dtype=np.float32), np.full(3, np.nan, dtype=np.float32)
    made = draw([wanted(shared, shared.init(), 1, False, scores) for scores in (good, bad, good)])
    assert [type(one) is Drawn for one in made] == [True, False, True]
    assert isinstance(made[1], Exception)
    assert made[0].token == made[2].token == draw([wanted(shared, shared.init(), 1, False, good)])[0].token
