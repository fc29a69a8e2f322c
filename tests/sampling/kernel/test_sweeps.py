import numpy as np
import pytest

pytest.importorskip("numba")

from heatbath.sampling.kernel import sweeps
from heatbath.sampling.kernel.bits import BLOCK
from heatbath.sampling.kernel.weights import LOG2E
from tests.sampling.kernel.called import called, workspace

above, fill_tail, gather = called(sweeps.above, sweeps.fill_tail, sweeps.gather)
weigh, weigh_again, weigh_exactly = called(sweeps.weigh, sweeps.weigh_again, sweeps.weigh_exactly)


def language(size, seed, kind=np.float32):
    random = np.random.default_rng(seed)
    row = random.permutation(-1.3 * np.log(np.arange(1, size + 1)) + random.normal(0, 0.5, size))
    row[random.random(size) < 0.1] = -np.inf
    return row.astype(kind)


def weighed(row, t, low):
    tail, w, sums, _, ids, base, *_ = workspace(len(row), row.dtype)
    tops = np.empty(len(sums), row.dtype)
    fill_tail(row, tail)
    top, c = float(row.max()), LOG2E / t
    high, k = float(np.float32(c)), np.floor(top * c + 0.5)
    kind = row.dtype.type
    total, doubt = weigh(row, tail, kind(low), kind(top), (high, c - high, k, (k - 125) / c), w, sums)
    true = np.exp2(row.astype(np.longdouble) * np.longdouble(c) - k) * (row >= low)
    return total, doubt, true, (tail, tops, w, sums, ids, base, top)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 1000, 50_257, 131_072])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sums_are_as_good_as_their_doubt_says(size, kind):
    worst = 0.0
    for seed in range(20):
        row = language(size, seed, kind) if size > 1 else np.array([0.3 + seed], kind)
        t = (0.3, 0.8, 1.0, 2.0, 30.0)[seed % 5]
        total, doubt, true, (tail, _, w, sums, _, _, top) = weighed(row, t, -12.0)
        worst = max(worst, abs(float(total - true.sum())) / doubt)
        c = kind(top - 1.0)
        one, two = above(row, tail, w, c, kind(-5.0))
        worst = max(worst, abs(float(one - true[row >= c].sum())) / doubt)
        worst = max(worst, abs(float(two - true[row >= -5.0].sum())) / doubt)
        less, _ = weigh_again(row, tail, kind(-5.0), kind(top), w, sums)
        assert less == pytest.approx(two, rel=1e-6)
        exactly = weigh_exactly(row, tail, kind(-5.0), kind(top), top, 1 / t, sums)
        mine = np.exp((row.astype(np.longdouble) - top) / np.longdouble(t)) * (row >= -5.0)
        assert exactly == pytest.approx(float(mine.sum()), rel=1e-13)
    assert worst < 0.7


@pytest.mark.parametrize("size", [1, 64, 100, 4097])
def test_gathering_finds_the_band_in_order_and_says_when_there_is_no_room(size):
    row = language(size, 3) if size > 1 else np.zeros(1, np.float32)
    tail, _, sums, _, ids, base, *_ = workspace(size, row.dtype)
    tops = np.empty(len(sums), row.dtype)
    fill_tail(row, tail)
    tops[:] = np.inf
    low, high = np.float32(-9.0), np.float32(-2.0)
    number = gather(row, tail, tops, low, high, ids, base)
    inside = np.flatnonzero((row >= low) & (row <= high))
    assert ids[:number].tolist() == inside.tolist()
    assert base[:number].tolist() == row[inside].astype(float).tolist()
    if number > 1:
        assert gather(row, tail, tops, low, high, ids[: number - 1], base) == -1


def test_blocks_are_as_wide_as_a_mask():
    assert BLOCK == 64
