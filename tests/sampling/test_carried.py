import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling.carried import begin, carried, learner


def test_a_number_is_carried_for_all_rows_or_each():
    rows = np.zeros((3, 5))
    assert begin(np.array(2)) == 2.0
    assert begin(np.array([1, 2, 3])) == [1.0, 2.0, 3.0]
    assert carried(2.0, rows).shape == ()
    assert carried([1.0, 2.0, 3.0], rows).tolist() == [1, 2, 3]


def test_what_is_learned_is_one_number_per_row_and_plain():
    learn = learner("a step", lambda outcome: outcome.surprisal, lambda number, news: number + news)
    assert learn(1.0, hb.Outcome(surprisal=np.float64(0.5))) == 1.5
    assert learn(1.0, hb.Outcome(surprisal=0.5)) == 1.5
    assert learn(1.0, hb.Outcome(surprisal=np.array([1.0, 2.0]))) == [2.0, 3.0]
    assert learn([1.0, 5.0], hb.Outcome(surprisal=np.array([1.0, 2.0]))) == [2.0, 7.0]
    assert learn([1.0, 5.0], hb.Outcome(reward=3.0)) == [1.0, 5.0]


@pytest.mark.parametrize("state", ["warm", [1.0, 2.0, 3.0], None, [[1.0], [2.0, 3.0]], True])
def test_what_is_no_such_state_is_refused(state):
    sampler = hb.chain(hb.sampling.mirostat_v2(1.0))
    with pytest.raises(hb.InputError) as caught:
        sampler.step((0, (state,)), np.zeros((2, 3)), seed=0)
    assert caught.value.field == "state"
    assert caught.value.instead
