import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import heatbath as hb
from heatbath.core.philox import philox
from heatbath.sampling.random import Chance, as_seeds, branch, uniforms

# The known answers published with the generator (Random123, kat_vectors, philox4x32 with 10 rounds).
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, expected):
    words = philox(tuple(np.array([w], np.uint64) for w in counter), tuple(np.array([w], np.uint64) for w in key))
    assert [int(word[0]) for word in words] == expected


def as_u64(values):
    return np.array(values, dtype=np.uint64)


@pytest.mark.parametrize("axis", ["seed", "position", "draw"])
def test_uniforms_are_uniform_along_every_axis(axis):
    n = 20_000
    count, one = np.arange(n, dtype=np.uint64), np.ones(n, dtype=np.uint64)
    if axis == "draw":
        sample = np.array([uniforms(one[:1], one[:1], draw)[0] for draw in range(2000)])
    else:
        sample = uniforms(count, one) if axis == "seed" else uniforms(one, count)
    assert stats.kstest(sample, "uniform").pvalue > 1e-3
    neighbours = np.corrcoef(sample[:-1], sample[1:])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(len(sample))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8), st.integers(0, 2**64 - 1))
def test_a_row_does_not_depend_on_its_batch(seeds, position):
    together = uniforms(as_u64(seeds), as_u64([position] * len(seeds)))
    alone = [uniforms(as_u64([seed]), as_u64([position]))[0] for seed in seeds]
    assert together.tolist() == alone
    assert np.all((together >= 0) & (together < 1))


def test_one_seed_counts_up_over_the_rows():
    assert as_seeds(5, 3).tolist() == [5, 6, 7]
    assert as_seeds(2**64 - 1, 2).tolist() == [2**64 - 1, 0]
    assert as_seeds(-1, 1).tolist() == [2**64 - 1]
    assert as_seeds(np.array([3, 9]), 2).tolist() == [3, 9]
    assert as_seeds(np.array(7), 2).tolist() == [7, 8]
    assert as_seeds(np.int32(7), 1).tolist() == [7]
    assert as_seeds(range(2), 2).tolist() == [0, 1]


@pytest.mark.parametrize(
    "seed",
    [1.5, "7", None, True, [1, 2.5], 2**64, -(2**63) - 1, [True], np.ones((2, 2), int), {1: 2, 3: 4}, np.float64(1)],
)
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(hb.InputError, match="a seed is an integer") as caught:
        as_seeds(seed, 2)
    assert caught.value.field == "seed"


def test_the_number_of_seeds_must_be_the_number_of_rows():
    with pytest.raises(hb.InputError, match="3 seeds for 2 rows"):
        as_seeds([1, 2, 3], 2)
    with pytest.raises(hb.InputError, match="there is 1 seed for 2 rows"):
        as_seeds([1], 2)


def test_gumbel_noise_has_its_distribution_and_keeps_its_tail_in_any_type():
    rows = np.zeros((2, 20_000))
    noise = Chance(as_u64([1, 2]), as_u64([0, 0]), rows).gumbels()
    assert stats.kstest(noise.ravel(), "gumbel_r").pvalue > 1e-3
    assert stats.kstest(noise.ravel() * 1.05, "gumbel_r").pvalue < 1e-6
    single = Chance(as_u64([1, 2]), as_u64([0, 0]), rows.astype(np.float32)).gumbels()
    assert np.array_equal(single, noise.astype(np.float32))  # not made of numbers that were cut to 24 bits


def test_gumbel_noise_is_finite_at_the_ends_of_the_unit_interval():
    class Ends(Chance):
        def _each(self):
            return np.array([[0.0, 2.0**-53, 1 - 2.0**-53]])

    low, lowest, high = Ends(as_u64([0]), as_u64([0]), np.zeros((1, 3))).gumbels()[0]
    assert (low, lowest) == pytest.approx((54 * np.log(2), 53 * np.log(2)))
    assert high == pytest.approx(-np.log(53 * np.log(2)))


def test_branches_are_streams_of_their_own():
    seeds = np.repeat(as_u64([0, 1, 2**64 - 1]), 2000)
    numbers = np.tile(np.arange(2000, dtype=np.uint64), 3)
    found = np.concatenate([branch(seeds, numbers, draw) for draw in (1, 2)])
    assert len(set(found.tolist())) == len(found)
    assert stats.kstest(uniforms(found, np.zeros_like(found)), "uniform").pvalue > 1e-3
    assert stats.kstest(found / 2.0**64, "uniform").pvalue > 1e-3
    assert branch(seeds[:1], 5, 1) == found[5]
    assert branch(seeds[:1], 2**33, 1) != branch(seeds[:1], 0, 1)  # the whole of a number counts


def as_int64(torch, values):
    return torch.from_numpy(np.asarray(values, dtype=np.uint64).view(np.int64).copy())


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_answers_in_signed_integers(counter, key, expected):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    words = philox(tuple(as_int64(torch, [w]) for w in counter), tuple(as_int64(torch, [w]) for w in key))
    assert [int(word[0]) for word in words] == expected


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8), st.integers(0, 2**64 - 1), st.integers(0, 9))
def test_tensors_get_the_same_bits(seeds, position, part):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    positions, like = [position] * len(seeds), np.zeros((len(seeds), 5))
    ours = Chance(as_u64(seeds), as_u64(positions), like, part)
    theirs = Chance(as_int64(torch, seeds), as_int64(torch, positions), torch.from_numpy(like), part)
    assert theirs.one().tolist() == ours.one().tolist()
    assert theirs.each().tolist() == ours.each().tolist()
    np.testing.assert_allclose(theirs.gumbels(), ours.gumbels(), rtol=1e-14, atol=1e-15)
    single = theirs._replace(like=torch.zeros(len(seeds), 5, dtype=torch.float32))
    assert single.one().tolist() == ours._replace(like=like.astype(np.float32)).one().tolist()


def test_in_float32_u_is_a_multiple_of_its_precision_and_never_1():
    near_one = np.array([1 - 2.0**-53, 0.1, 2.0**-25, 0.5])
    like = np.zeros((4, 3), np.float32)
    numbers = Chance(as_u64([1] * 4), as_u64([0] * 4), like)._like(near_one)
    assert numbers.dtype == np.float32
    assert numbers.tolist() == [1 - 2.0**-24, np.floor(0.1 * 2**24) / 2**24, 0.0, 0.5]
    drawn = Chance(as_u64(range(999)), as_u64([0] * 999), np.zeros((999, 3), np.float32)).one()
    exact = uniforms(as_u64(range(999)), as_u64([0] * 999))
    assert (drawn == np.floor(exact * 2**24) / 2**24).all()
