import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.service.studio.watch import watched

CHAINS = st.sampled_from(
    [
        hb.chain(),
        hb.chain(hb.greedy()),
        hb.chain(hb.temperature(0.0)),
        hb.chain(hb.temperature(0.7), hb.top_k(5), hb.top_p(0.9)),
        hb.chain(hb.min_p(0.1), hb.temperature(1.8)),
        hb.chain(hb.temperature(float("inf")), hb.top_k(3)),
        hb.parse("temperature(hold_entropy(1.0, horizon=8)) -> min_p(0.02)"),
    ]
)


@given(CHAINS, st.integers(0, 2**32), st.booleans())
def test_watching_changes_no_draw(sampler, seed, batched):
    scores = np.random.default_rng(seed).normal(size=(6, 40)).astype(np.float32)
    looked_at, seen = watched(sampler)
    mine, theirs = sampler.init(), looked_at.init()
    for row in scores:
        asked = {"logits": row[None], "seed": [seed]} if batched else {"logits": row, "seed": seed}
        choice, mine, _ = sampler.step(mine, **asked)
        other, theirs, _ = looked_at.step(theirs, **asked)
        assert int(np.squeeze(choice)) == int(np.squeeze(other)) == seen.popleft().drawn.token


def test_what_is_seen():
    sampler = hb.chain(hb.temperature(0.5), hb.top_k(2))
    scores = np.log([0.1, 0.4, 0.2, 0.3, 0.0], where=[True] * 4 + [False], out=np.full(5, -np.inf))
    looked_at, queue = watched(sampler, others=3)
    token, _, _ = looked_at.step(looked_at.init(), scores, seed=7)
    seen = queue.popleft()
    after = {1: 16 / 25, 3: 9 / 25, 2: 0.0, 0: 0.0}
    assert [option.token for option in seen.others] == [1, 3, 2]
    for option in (seen.drawn, *seen.others):
        assert option.rank == [1, 3, 2, 0].index(option.token) + 1
        np.testing.assert_allclose(option.before, np.exp(scores[option.token]), rtol=1e-12)
        np.testing.assert_allclose(option.after, after[option.token], rtol=1e-12)
    assert seen.drawn.token == token
    np.testing.assert_allclose(seen.surprisal, -scores[token], rtol=1e-12)
    np.testing.assert_allclose(seen.surprisal_after, -np.log(after[int(token)]), rtol=1e-12)


def test_forbidden_options_are_not_shown():
    looked_at, queue = watched(hb.chain(), others=8)
    looked_at.step(looked_at.init(), np.array([0.0, -np.inf, 1.0]), seed=1)
    assert [option.token for option in queue.popleft().others] == [2, 0]
