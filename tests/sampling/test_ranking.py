"""In PyTorch no more options are ranked than a chain needs, and the same are kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import asking
from heatbath.sampling.mass import HEAD

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from torch.utils._python_dispatch import TorchDispatchMode

OPTIONS = 4 * HEAD


@pytest.fixture(autouse=True)
def plain_steps(monkeypatch):
    """What ranks are the plain steps; the compiled kernel is not asked."""
    monkeypatch.setattr(asking, "worthwhile", lambda _: False)


class Ranked(TorchDispatchMode):
    """How many options of a row were ranked, one number for every time."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name()
        if name in ("aten::sort", "aten::sort.stable", "aten::argsort"):
            self.found.append(args[0].shape[-1])
        elif name == "aten::topk":
            self.found.append(args[1])
        return func(*args, **(kwargs or {}))


def kept(sampler, scores, now=None):
    with Ranked() as ranked:
        if now is None:
            after = sampler.scores((), torch.as_tensor(scores)).scores
        else:
            with hb.core.checks(now=now):
                after = sampler.scores((), torch.as_tensor(scores)).scores
    return np.isfinite(after.numpy()), ranked.found


def compare(sampler, scores, now=None):
    """What was ranked, where the same is kept as in NumPy."""
    ours = np.isfinite(sampler.scores((), scores).scores)
    theirs, ranked = kept(sampler, scores, now)
    np.testing.assert_array_equal(theirs, ours)
    return ranked


def shaped(steepness, rows=3):
    random = np.random.default_rng(2)
    return np.array([random.permutation(-steepness * np.log(np.arange(1, OPTIONS + 1))) for _ in range(rows)])


@pytest.mark.parametrize("step", [hb.top_p(0.9), hb.top_p([0.1, 0.5, 0.9]), hb.typical(0.7)], ids=repr)
def test_the_head_is_enough_for_peaked_rows_and_the_rest_is_ranked_for_flat_ones(step):
    assert compare(hb.chain(step), shaped(2.0)) == [HEAD]
    assert compare(hb.chain(step), shaped(0.05)) in ([HEAD, OPTIONS], [HEAD])
    assert compare(hb.chain(hb.top_p(0.9)), shaped(0.05)) == [HEAD, OPTIONS]
    mixed = np.concatenate([shaped(2.0, 2), shaped(0.05, 1)])
    compare(hb.chain(step), mixed)


def test_where_nobody_looks_all_are_ranked_once():
    assert compare(hb.chain(hb.top_p(0.9)), shaped(2.0), now=False) == [OPTIONS]


def test_behind_top_k_only_those_are_ranked():
    k = hb.top_k([5, 40, 9])
    for chain in (
        hb.chain(k, hb.top_p(0.9)),
        hb.chain(hb.temperature(0.8), k, hb.temperature(1.2), hb.min_p(0.001), hb.top_p(0.9)),
    ):
        for now in (False, True):
            assert compare(chain, shaped(0.5), now) == [40, 40]
    changed = hb.chain(hb.top_k(5), hb.sampling.logit_bias({3: 1.0}), hb.top_p(0.9))  # which parts what ties
    assert compare(changed, shaped(0.5), now=False) == [5, OPTIONS]


@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=12, max_size=12), min_size=1, max_size=3),
    st.integers(1, 12),
    st.floats(0.01, 1.0),
    st.sampled_from([hb.top_p, hb.typical]),
)
def test_ties_behind_top_k_share_one_fate(rows, k, p, make):
    compare(hb.chain(hb.top_k(k), make(p)), np.array(rows, dtype=float), now=False)
    compare(hb.chain(hb.top_k(k), hb.temperature(0.5), make(p)), np.array(rows, dtype=float), now=False)
