"""Rows that are rarely seen: huge scores that tie, foreign byte orders, views; and what only looks like a row."""

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling import adaptive_p, asking, mirostat_v2, top_h

pytest.importorskip("numba")
LEARNING = {"mirostat_v2": mirostat_v2(3.0), "adaptive_p": adaptive_p(0.5), "top_h": top_h(0.5)}


def stream(step, rows, monkeypatch, *, compiled):
    with monkeypatch.context() as patch:
        patch.setattr(asking, "worthwhile", lambda _: compiled)
        sampler = hb.chain(step)
        state, drawn = sampler.init(), []
        for row in rows:
            choice, state, _ = sampler.step(state, row, seed=3)
            drawn.append(int(choice))
    return drawn, state[1][0]


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("height", [1e8, 1e16, 1e20, 1e30])
def test_a_tie_of_huge_scores_surprises_as_any_other(name, height, monkeypatch):
    after = np.random.default_rng(1).normal(0, 2, 5000).astype(np.float32)
    rows = [np.full(5000, height, np.float32)] * 2 + [after] * 6
    (ours, state), (theirs, other) = (stream(LEARNING[name], rows, monkeypatch, compiled=c) for c in (True, False))
    assert ours == theirs
    np.testing.assert_allclose(state, other, rtol=1e-12)


@pytest.mark.parametrize("options", [50, 5000])
@pytest.mark.parametrize("kind", [">f4", ">f8", ">f2"])
def test_the_order_of_bytes_is_no_matter(kind, options):
    row, sampler = np.random.default_rng(2).normal(0, 2, options).astype("f2"), hb.chain(hb.temperature(0.7))
    drawn = {int(sampler.step((), row.astype(each), seed=5)[0]) for each in (kind, kind.replace(">", "<"))}
    assert len(drawn) == 1


@pytest.mark.parametrize("options", [50, 5000])
def test_a_negative_view_is_drawn_from_as_its_copy(options):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    view, sampler = torch._neg_view(torch.randn(3, options, generator=torch.manual_seed(1))), hb.chain(hb.top_k(4))
    assert torch.equal(*(sampler.step((), each, seed=1)[0] for each in (view, view.clone())))


@pytest.mark.parametrize("options", [50, 5000])
@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda torch, n: torch.zeros(n).to_sparse(), r"sparse.*to_dense"),
        (lambda torch, n: torch.zeros(3, n).to_sparse_csr(), r"sparse.*to_dense"),
        (lambda torch, n: torch.zeros(n).to(torch.float8_e4m3fn), "write tensor.to"),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_what_only_looks_like_a_row_is_refused(made, why, options):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    with pytest.raises(hb.InputError, match=why):
        hb.chain(hb.temperature(1)).step((), made(torch, options), seed=1)


def test_a_temperature_of_half_precision_is_a_number():
    assert hb.chain(hb.temperature(np.float16(0.5))).step((), np.zeros(50), seed=1)[0] >= 0
