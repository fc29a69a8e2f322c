import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling import Applied, Moment, Step, row_of, stack
from heatbath.sampling.history import begin


def remember(window, shown):
    """A step that notes what it is shown of the past."""

    def apply(state, moment: Moment):
        shown.append((np.asarray(moment.history).tolist(), np.asarray(moment.drawn).tolist()))
        return Applied(moment.scores, state)

    return Step(apply=apply, looks_back=window)


def test_the_window_holds_the_latest_tokens_of_prompt_and_text():
    shown = []
    sampler = hb.chain(remember(3, shown), hb.greedy())
    state = sampler.init([7, 8])
    for best in (1, 0, 2):
        _, state, _ = sampler.step(state, np.eye(3)[best], seed=0)
    assert shown == [([-1, 7, 8], 0), ([7, 8, 1], 1), ([8, 1, 0], 2)]


def test_without_a_window_everything_is_kept_and_the_longest_window_serves_all_steps():
    shown = []
    sampler = hb.chain(remember(math.inf, shown), remember(1, []), hb.greedy())
    state = sampler.init([7, 8])
    for best in (1, 0):
        _, state, _ = sampler.step(state, np.eye(3)[best], seed=0)
    assert shown[-1] == ([7, 8, 1], 1)


def test_a_chain_that_does_not_look_back_keeps_nothing():
    assert hb.chain(hb.top_k(2)).init([1, 2, 3]) == (0, ((),))


def test_streams_of_different_length_share_a_call():
    shown = []
    sampler = hb.chain(remember(math.inf, shown), hb.greedy())
    together = stack([sampler.init([5]), sampler.init([6, 7, 8])])
    _, after, _ = sampler.step(together, np.eye(3)[:2], seed=0)
    assert shown == [([[-1, -1, 5], [6, 7, 8]], [0, 0])]
    assert row_of(sampler.init(), after, 0)[2].tolist() == [-1, -1, 5, 0]


def test_one_prompt_or_one_per_row():
    assert begin([[1], [2, 3]], 2).tolist() == [[-1, 1], [2, 3]]
    assert begin([1, 2, 3], 2).tolist() == [2, 3]
    shown = []
    sampler = hb.chain(remember(2, shown))
    sampler.step(sampler.init([4, 5]), np.zeros((2, 3)), seed=0)
    assert shown[0][0] == [[4, 5], [4, 5]]


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_the_history_follows_the_library(library):
    xp = pytest.importorskip(library)
    shown = []
    sampler = hb.chain(remember(2, shown), hb.greedy())
    state = sampler.init([4])
    for _ in range(2):
        _, state, _ = sampler.step(state, xp.asarray([0.0, 1.0]), seed=0)
    assert shown[-1][0] == [4, 1]
    assert type(state[2]).__module__.startswith(library.partition(".")[0])


@pytest.mark.parametrize("prompt", [[1.5], [-1], "text", [[1], ["a"]], 3])
def test_what_is_no_prompt_is_refused(prompt):
    with pytest.raises(hb.InputError, match=r"beginning a stream.*sequence of token ids"):
        hb.chain(remember(2, [])).init(prompt)


def test_a_history_of_other_rows_is_refused():
    sampler = hb.chain(remember(2, []))
    with pytest.raises(hb.InputError, match="history"):
        sampler.step(sampler.init([[1], [2]]), np.zeros((3, 4)), seed=0)
    with pytest.raises(hb.InputError, match="history"):
        sampler.step((0, ((),)), np.zeros(4), seed=0)
    with pytest.raises(hb.InputError, match="history"):
        hb.chain(hb.top_k(1)).step(sampler.init(), np.zeros(4), seed=0)
