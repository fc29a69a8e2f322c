"""``torch.compile`` takes a whole step as one graph, and it draws the same."""

import pytest

import heatbath as hb
from tests.sampling.test_libraries import rows

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")
def test_a_compiled_step_draws_the_same_tokens():
    # The backend "eager" runs what was traced as it is: the compiler of C++ behind the default one takes minutes.
    sampler = hb.chain(hb.temperature(0.8), hb.top_k(20), hb.top_p(0.95), hb.min_p(0.02))
    scores, seeds = torch.as_tensor(rows("float32")), torch.arange(32)

    def step(logits, position):
        return sampler.step((position, ((),) * 4), logits, seed=seeds)[:2]

    traced = torch.compile(step, fullgraph=True, backend="eager")
    bad = scores.clone()
    bad[5, 3] = torch.nan
    for position in range(3):
        at = torch.tensor(position)
        choice, state = traced(scores, at)
        assert choice.tolist() == sampler.step((position, ((),) * 4), scores, seed=seeds).choice.tolist()
        assert state[0] == position + 1
        assert traced(bad, at)[0].tolist() == [-1 if row == 5 else token for row, token in enumerate(choice.tolist())]
