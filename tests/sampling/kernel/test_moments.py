import numpy as np
import pytest

pytest.importorskip("numba")

from heatbath.sampling.kernel import moments as sums
from heatbath.sampling.kernel.sweeps import fill_tail as fill
from tests.sampling.kernel.called import called, workspace

heat, moments, moments_exactly = called(sums.heat, sums.moments, sums.moments_exactly)
largest_from, smallest_from, spread = called(sums.largest_from, sums.smallest_from, sums.spread)
scale_of, warmth, fill_tail = called(sums.scale_of, sums.warmth, fill)


def rows(seed, size, kind):
    """Rows of a language model's shape, and such whose weights lie near together, where errors do not cancel."""
    random = np.random.default_rng(seed)
    language = random.permutation(-1.3 * np.log(np.arange(1, size + 1)) + random.normal(0, 0.5, size))
    row = (language, random.normal(0, 1e-4, size), np.full(size, 0.3), random.normal(0, 1, size))[seed % 4]
    row[random.random(size) < 0.1] = -np.inf
    row[0] = max(row.max(), -0.5)
    return row.astype(kind)


@pytest.mark.parametrize("size", [1, 64, 100, 5000, 50_257])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sums_are_as_good_as_their_doubts_say(size, kind):
    for seed in range(20):
        row, per, low = rows(seed, size, kind), (1.0, 0.4, 1.7, 3.0, 1e-3)[seed % 5], (-1e30, -12.0)[seed % 2]
        work, top = workspace(size, kind), float(row.max())
        fill_tail(row, work.tail)
        scale, heavy = scale_of(top, per)
        sums, doubts = moments(row, work.tail, low, top, top, per, scale, work.w, work.sums)
        e = (row.astype(np.longdouble) - top) * np.longdouble(per)
        e = e[row >= low]
        w = np.exp(e)
        true = [float(part) for part in (w.sum(), (w * e).sum(), (w * e * e).sum(), (w * w).sum())]
        scales = heavy, heavy, heavy, heavy * heavy
        off = [abs(part / unit - right) * unit for part, right, unit in zip(sums, true, scales, strict=True)]
        assert off[0] <= 0.7 * doubts[0]
        assert off[1] <= 0.7 * doubts[1] + 1e-15
        assert off[3] <= 0.7 * doubts[2]
        np.testing.assert_allclose(sums[2] / heavy, true[2], rtol=2e-6, atol=1e-15)
        tops = np.append(row, np.full(-size % 64, -np.inf, kind)).reshape(-1, 64).max(axis=1)
        # What the product of the top and per loses in float32 is put back for all options at once: a share of 1e-14.
        warm = heat(row, work.tail, tops, low, top, True, top, per, scale)
        np.testing.assert_allclose(warm, sums[:3], rtol=2e-6, atol=1e-14 * sums[0])
        cool = warmth(row, work.tail, tops, low, top, True, top, per, scale)
        np.testing.assert_allclose(cool, (*sums[:2], len(e)), rtol=2e-6, atol=1e-14 * sums[0])
        kinds = row.dtype.type
        exactly = moments_exactly(row, work.tail, kinds(low), kinds(top), top, per, work.sums)
        np.testing.assert_allclose(exactly, true, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("size", [64, 100, 5000])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_deviations_and_ends_of_a_band(size, kind):
    row = rows(4, size, kind)
    work, tops = workspace(size, kind), np.full(-(-size // 64), np.inf, kind)
    fill_tail(row, work.tail)
    low, high = kind(-6.0), kind(-1.0)
    inside = row[(row >= low) & (row <= high)].astype(np.float64)
    number, squares = spread(row, work.tail, low, high, -3.0)
    assert number == len(inside)
    assert squares == pytest.approx(((inside - inside.mean()) ** 2).sum(), rel=1e-11)
    assert smallest_from(row, work.tail, tops, low, high) == inside.min()
    assert largest_from(row, work.tail, tops, low, high) == inside.max()
    blocks = np.append(row, np.full(-size % 64, -np.inf)).reshape(-1, 64)
    assert tops.tolist() == np.where((blocks >= low) & (blocks <= high), blocks, low).max(axis=1).tolist()
    assert np.isnan(smallest_from(row, work.tail, tops, kind(50), kind(60)))
