import json

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling import row_of, stack


def test_streams_of_different_ages_share_a_call():
    sampler = hb.chain(hb.temperature(hb.schedules.linear(2.0, 0.5, 10)), hb.temperature(hb.hold_entropy(1.0, 8)))
    rows = np.random.default_rng(0).normal(0, 3, (4, 30))
    states = []
    for age in range(4):
        state = sampler.init()
        for _ in range(age):
            _, state, _ = sampler.step(state, rows[age], seed=age)
        states.append(state)
    together = sampler.step(json.loads(json.dumps(stack(states))), rows, seed=range(4))
    for row, state in enumerate(states):
        alone = sampler.step(state, rows[row], seed=row)
        assert together.choice[row] == alone.choice
        ours = row_of(sampler.init(), together.state, row)
        np.testing.assert_allclose(np.hstack(np.array(flat(ours))), np.hstack(np.array(flat(alone.state))), rtol=1e-12)


def flat(state):
    return [leaf for part in state for leaf in flat(part)] if isinstance(state, list | tuple) else [state]


def test_arrays_get_one_axis_more():
    states = [(np.arange(3), 1), (np.arange(3) + 5, 2)]
    together = stack(states)
    assert together[0].tolist() == [[0, 1, 2], [5, 6, 7]]
    assert together[1] == [1, 2]
    assert row_of(states[0], together, 1)[0].tolist() == [5, 6, 7]


def test_one_number_for_all_rows_is_the_number_of_each():
    assert row_of((0, ()), (7, ()), 3) == (7, ())


@pytest.mark.parametrize(
    "states", [[], [(0, ()), (0, (1,))], [0, (1,)], [(1,), 0], [np.zeros(2), np.zeros(3)]], ids=repr
)
def test_what_is_not_alike_is_refused(states):
    with pytest.raises(hb.InputError, match="joining the states"):
        stack(states)


def test_a_state_that_grew_is_refused():
    with pytest.raises(hb.InputError, match="not nested like that of a stream"):
        row_of((0,), ([1, 2], [3, 4]), 0)
