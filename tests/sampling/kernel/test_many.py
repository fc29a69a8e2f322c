import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

from heatbath.sampling.kernel import many, moments, nucleus, sweeps
from heatbath.sampling.kernel.batch import peaks_for
from heatbath.sampling.kernel.many import MANY
from heatbath.sampling.kernel.sweeps import OPTIONS, peak
from heatbath.sampling.mass import REACHED
from tests.sampling.kernel.called import called, workspace

best, edge, few_of, weighed_nucleus = called(many.best, many.edge, many.few_of, nucleus.weighed_nucleus)
quantile, rank, sample, by_passes = called(many.quantile, many.rank, many.sample, many.nucleus)
fill_tail, weigh, scale_of = called(sweeps.fill_tail, sweeps.weigh, moments.scale_of)


@numba.njit(**OPTIONS)
def look(x, tail, tops):
    return peak(x, tail, tops)


KINDS = {
    "language": lambda random, size: random.permutation(
        -1.3 * np.log(np.arange(1, size + 1)) + random.normal(0, 0.5, size)
    ),
    "sorted": lambda random, size: np.sort(random.normal(0, 3, size)),
    "few values": lambda random, size: random.integers(-3, 3, size).astype(float),
    "equal": lambda random, size: np.full(size, 0.25),
    "one far above": lambda random, size: np.where(np.arange(size) == size // 2, 50.0, random.normal(0, 1, size)),
    "masked by -1e30": lambda random, size: np.where(random.random(size) < 0.9, -1e30, random.normal(0, 2, size)),
    "half forbidden": lambda random, size: np.where(random.random(size) < 0.5, -np.inf, random.normal(0, 2, size)),
}


@pytest.fixture(params=KINDS)
def rows(request):
    def make(size, seed, kind=np.float32):
        return KINDS[request.param](np.random.default_rng(seed), size).astype(kind)

    return make


def by_sorting(v, m, target):
    """The smallest score with less than the target strictly above, the mass above it, and from it on."""
    scores = np.unique(v)[::-1]
    own = np.array([m[v == score].sum() for score in scores])
    above = np.concatenate([[0], own.cumsum()[:-1]])
    at = int((above < target).sum()) - 1
    return scores[at], above[at], above[at] + own[at]


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(sorted(KINDS)), st.integers(1, 3000), st.integers(0, 2**31), st.floats(0.0, 1.0), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_the_edge_is_that_of_a_sorted_list(kind, number, seed, part, ones, guessed):
    random = np.random.default_rng(seed)
    scores = KINDS[kind](random, number)
    scores = np.where(np.isfinite(scores), scores, -7.0)
    v, m, s, t = (np.full(-(-number // 64) * 64 + 64, np.nan) for _ in range(4))
    v[:number], m[:number] = scores, 1.0 if ones else random.integers(1, 9, number)
    whole = m[:number].sum()
    target = max(np.ceil(part * whole), 1.0)
    guesses = tuple(np.sort(random.choice(scores, 2))[::-1]) if guessed else (np.inf, np.inf)
    before = v.copy(), m.copy()
    found = edge(v, m, number, (scores.min(), scores.max()), guesses, whole, target, s, t)
    assert found == by_sorting(scores, m[:number], target)
    np.testing.assert_array_equal((v, m), before)


@pytest.mark.parametrize("target", [1.0, 7.5, 100.0, 1023.0, 5000.0])
def test_a_quantile_reaches_its_target_and_little_more(rows, target):
    x = rows(40_000, 5)
    w = np.empty(2 * len(x), np.float32)
    number, each = sample(x, np.float32(-3e38), np.float32(3e38), w)
    assert each == pytest.approx(len(x) / 1026, rel=0.01)
    ones = np.ones(number, np.float32)
    low = quantile(w, ones, number, target, 0.0)
    assert (w[:number] >= low).sum() >= min(target, number)
    assert (w[:number] > low).sum() < target
    near = quantile(w, ones, number, target, 3.0)
    assert min(target, number) <= (w[:number] >= near).sum()
    assert (w[:number] > near).sum() < target + 3.0


@pytest.mark.parametrize("size", [70, 1000, 32_768, 50_257])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_best_are_those_of_a_sorted_row(rows, size, kind):
    for k in (1, 2, 50, 1000, 3000, 5000, 20_000):
        x = rows(size, k, kind)
        tail, w, _, _, ids, base, q, v, m, *_ = workspace(size, kind)
        tops = peaks_for(size, kind)[1][0]
        fill_tail(x, tail)
        top = look(x, tail, tops)
        low = kind(-3.4028234663852886e38)
        finite = np.sort(x[x >= low])[::-1]
        kth, start, number = best(x, tail, tops, low, top, k, w, ids, base, v, m, q)
        if np.isnan(kth):
            continue  # the reference serves
        wanted = finite[min(k, len(finite)) - 1] if k <= len(finite) else low
        assert kth == wanted
        if number >= 0:
            assert ids[:number].tolist() == np.flatnonzero(x >= start).tolist()
            assert base[:number].tolist() == x[x >= start].tolist()
        else:
            assert number == MANY or k <= few_of(x) or k > len(finite)
        assert rank(x, tail, tops, low, top, k, ids, v) in (wanted, pytest.approx(np.nan, nan_ok=True))


@pytest.mark.parametrize("size", [5000, 32_768, 50_257, 131_072])
@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.95, 0.999])
def test_the_nucleus_and_its_sums(rows, size, p):
    for t in (0.3, 1.0, 2.0, 20.0):
        x = rows(size, size)
        tail, w, sums, over, ids, base, q, v, m, *_ = workspace(size, x.dtype)
        tops = peaks_for(size, x.dtype)[1][0]
        fill_tail(x, tail)
        top, low = float(look(x, tail, tops)), np.float32(-3.4e38)
        score, above, own, _, target, off, kept = weighed_nucleus(
            x, tail, tops, (low, np.float32(top), np.float32(np.inf)), top, 1 / t, p, w, sums, over, ids, base, q, v, m
        )
        scale, heavy = scale_of(top, 1 / t)
        true = np.where(x >= low, np.exp((x.astype(np.longdouble) - top) / np.longdouble(t)), 0) * heavy
        if np.isnan(score):
            continue  # as many options as there is room for tie: the reference serves
        missing = float(p * REACHED * true.sum() - true[x > score].sum())
        assert abs(missing - (target - above)) <= off
        assert own == pytest.approx(float(true[x == score].sum()), rel=1e-6)
        if target - above > off and above + own - target > off:
            assert true[x > score].sum() < p * true.sum() * REACHED <= true[x >= score].sum()
        if kept >= 0.0:
            blocks = np.append(np.where(x >= score, true, 0), np.zeros(-size % 64)).reshape(-1, 64).sum(1)
            wrong = over - blocks.astype(float)
            assert (abs(wrong) <= 1e-6 * sums).all()  # what is taken from a block leaves its rounding there
            assert abs(wrong.cumsum()).max() <= kept  # which is what the draw relies on
            total, doubt = weigh(x, tail, np.float32(score), np.float32(top), scale, w, sums)
            assert abs(over.sum() - total) <= kept + doubt


@pytest.mark.parametrize("size", [1, 63, 64, 255, 256, 257, 1000])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_peak_and_the_tops_and_any_nan(size, kind):
    random = np.random.default_rng(size)
    for _ in range(20):
        x = (random.normal(0, 1, size) - 5 * (random.random() < 0.5)).astype(kind)
        x[random.random(size) < 0.2] = -np.inf
        tail, tops = workspace(size, kind).tail, peaks_for(size, kind)[1][0]
        fill_tail(x, tail)
        assert look(x, tail, tops) == x.max()
        filled = np.append(x, np.full(-size % 64, -np.inf, kind)).reshape(-1, 64)
        assert tops.tolist() == filled.max(1).tolist()
        x[random.integers(size)] = np.copysign(np.nan, random.choice([-1, 1]))
        fill_tail(x, tail)
        assert np.isnan(look(x, tail, tops))


def test_the_search_in_passes_finds_it_too(rows):
    """What serves the rows in which a sample misled."""
    x = rows(20_000, 1)
    tail, w, sums, _, ids, base, _, _, m, *_ = workspace(len(x), x.dtype)
    tops = peaks_for(len(x), x.dtype)[1][0]
    fill_tail(x, tail)
    top, low = float(look(x, tail, tops)), np.float32(-3.4e38)
    scale, heavy = scale_of(top, 0.5)
    total, doubt = weigh(x, tail, low, np.float32(top), scale, w, sums)
    true = np.where(x >= low, np.exp((x.astype(np.longdouble) - top) / 2), 0)
    for p in (0.05, 0.6, 0.97):
        weighing = (top, 0.5, heavy, total, doubt)
        score, *_ = by_passes(x, tail, tops, w, (low, np.float32(top)), weighing, p * total, ids, base, m)
        if not np.isnan(score):
            assert true[x > score].sum() < p * true.sum() * (1 + 1e-6)
            assert p * true.sum() * (1 - 1e-6) <= true[x >= score].sum()
