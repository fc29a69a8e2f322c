import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.control.measuring import GRID, measure

SAMPLES = [2 * np.random.default_rng(seed).normal(size=(n, 12)) for seed, n in enumerate((3, 1, 7, 20))]


def test_the_grid_reaches_both_ends():
    assert GRID[0] == 0
    assert GRID[-1] == math.inf
    assert 1.0 in GRID
    places = [t / (1 + t) for t in GRID[:-1]]
    np.testing.assert_allclose(np.diff(places), 1 / 96)


def test_the_means_are_over_positions():
    measured = measure(iter(SAMPLES))
    rows = np.concatenate(SAMPLES)
    assert measured.positions == 31
    assert measured.samples == 4
    for i in (0, 20, 48, 90, 96):
        nats = hb.entropy(rows, GRID[i])
        assert measured.entropy.mean[i] == pytest.approx(nats.mean(), abs=1e-12)
        assert measured.relative_entropy.mean[i] == pytest.approx((nats / math.log(12)).mean(), abs=1e-12)
        assert measured.top_probability.mean[i] == pytest.approx(hb.top_probability(rows, GRID[i]).mean())


def test_independent_rows_have_the_usual_standard_error():
    rows = np.concatenate(SAMPLES)
    measured = measure(rows)
    nats = hb.entropy(rows)
    assert measured.samples == 31
    assert measured.entropy.error[48] == pytest.approx(nats.std(ddof=1) / math.sqrt(31))


def test_samples_of_different_sizes_have_the_error_of_a_ratio():
    measured = measure(SAMPLES)
    sums, sizes = np.array([[hb.entropy(sample).sum(), len(sample)] for sample in SAMPLES]).T
    off = sums - sizes * sums.sum() / sizes.sum()
    assert measured.entropy.error[48] == pytest.approx(math.sqrt(4 / 3 * (off**2).sum()) / sizes.sum())


def test_the_standard_error_covers_samples_whose_positions_resemble_each_other():
    """Prompts differ in how open they are; the error must be that of 30 prompts, not of 30 x 10 positions."""
    rng = np.random.default_rng(1)

    def prompts():
        scale = np.exp(0.7 * rng.normal(size=(30, 1, 1)))
        return scale * rng.normal(size=(30, 10, 12))

    at = 48
    runs = [measure(prompts()) for _ in range(60)]
    means, errors = (np.array([getattr(run.entropy, part)[at] for run in runs]) for part in ("mean", "error"))
    assert errors.mean() == pytest.approx(means.std(ddof=1), rel=0.25)
    naive = measure(prompts().reshape(-1, 12)).entropy.error[at]
    assert naive < 0.6 * means.std(ddof=1)  # rows taken for independent: far too sure


def test_forbidden_options_count_for_nothing():
    masked = [np.concatenate([s, np.full((len(s), 5), -np.inf)], axis=1) for s in SAMPLES]
    for plain, other in zip(measure(SAMPLES)[2:], measure(masked)[2:], strict=True):
        np.testing.assert_allclose(plain.mean, other.mean, rtol=1e-12)


def test_a_row_with_one_option_has_no_share_of_entropy():
    measured = measure([np.array([[1.0, -np.inf], [0.0, 0.0]]), np.array([2.0, 1.0])])
    assert measured.relative_entropy.mean[-1] == pytest.approx(2 / 3)
    assert measured.entropy.mean[-1] == pytest.approx(math.log(2) * 2 / 3)


def test_float32_curves_never_fall_back():
    jax = pytest.importorskip("jax", reason="jax, which computes in float32 alone, is not installed")
    rows = np.random.default_rng(2).normal(size=(2, 8, 3000)).astype(np.float32) * 1e-3
    measured = measure(jax.numpy.asarray(sample) for sample in rows)
    assert np.all(np.diff(measured.entropy.mean) >= 0)
    assert np.all(np.diff(measured.top_probability.mean) <= 0)


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_other_libraries_give_the_same(library):
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    samples = np.random.default_rng(3).normal(size=(3, 4, 12)).astype(np.float32)
    measured = measure(module.asarray(sample) for sample in samples)
    np.testing.assert_allclose(measured.entropy.mean, measure(samples).entropy.mean, rtol=1e-5, atol=1e-6)
    assert type(measured.entropy.mean[3]) is float


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([], "there are no scores"),
        (SAMPLES[:1], "there is one sample, and a standard error needs two"),
        (3.0, "arrays of scores were expected"),
        (None, "arrays of scores were expected"),
        ([[1.0, math.nan], [1.0, 2.0]], "NaN"),
        ([1.0, 2.0], "not a row"),
        (np.zeros((2, 2, 2, 2)), "shape"),
    ],
)
def test_bad_samples_are_refused(samples, why):
    with pytest.raises(hb.InputError, match=why) as refused:
        hb.Profile.measure(samples, model="toy")
    assert refused.value.doing == "measuring a profile"


@pytest.mark.parametrize("options", [7, 2048])
def test_float32_scores_are_measured_in_float64(options):
    measured = measure(np.random.default_rng(3).normal(size=(3, 2, options)).astype(np.float32))
    assert measured.relative_entropy.mean[-1] == 1
    assert measured.entropy.mean[-1] == pytest.approx(math.log(options), rel=1e-14)
    assert measured.top_probability.mean[-1] == pytest.approx(1 / options, rel=1e-14)
