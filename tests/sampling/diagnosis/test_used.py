import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from heatbath.core import heat_capacity, log_softmax, softmax
from heatbath.sampling.diagnosis.used import Drawn, quantile, used_temperature
from tests.sampling.diagnosis.worlds import at_most, world, write

TRIALS = 300


def drawn(rows, temperature, rng):
    below = softmax(rows, temperature).cumsum(axis=-1)
    return Drawn(rows, np.minimum((below <= rng.random((len(rows), 1))).sum(axis=-1), rows.shape[-1] - 1))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_estimate_has_the_largest_likelihood(temperature):
    rng = np.random.default_rng(3)
    each = drawn(3 * rng.normal(size=(80, 30)), temperature, rng)

    def loss(u):
        return -np.take_along_axis(log_softmax(each.scores, math.exp(u)), each.choice[:, None], axis=-1).sum()

    best = math.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded", options={"xatol": 1e-9}).x)
    assert used_temperature([each], 0.95).value == pytest.approx(best, rel=1e-5)
    halves = [Drawn(each.scores[:30], each.choice[:30]), Drawn(each.scores[30:], each.choice[30:])]
    assert used_temperature(halves, 0.95).value == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("temperature", [0.15, 0.5, 1.0, 2.0])
def test_the_interval_covers_as_often_as_it_says(temperature):
    rng = np.random.default_rng(11)
    rows = 3 * rng.normal(size=(100, 40))
    estimates = [used_temperature([drawn(rows, temperature, rng)], 0.9) for _ in range(TRIALS)]
    missed = sum(not each.low <= temperature <= each.high for each in estimates)
    assert at_most(missed, TRIALS, 0.1)
    assert missed > TRIALS * 0.1 / 4, "an interval that is far too wide says nothing"
    wrong = sum(not each.low <= 1.5 * temperature <= each.high for each in estimates)
    assert not at_most(wrong, TRIALS, 0.1), "the control: half as hot again must be noticed"


def test_the_interval_covers_in_texts_whose_tokens_depend_on_each_other():
    rng, scores = np.random.default_rng(5), world(60, 3.0)
    missed = 0
    for _ in range(TRIALS):
        rows, tokens = write(scores, 0.7, 60, rng)
        each = used_temperature([Drawn(rows, np.array(tokens))], 0.9)
        missed += not each.low <= 0.7 <= each.high
    assert at_most(missed, TRIALS, 0.1)


def test_the_width_is_that_of_the_heat_capacity():
    rng = np.random.default_rng(0)
    each = drawn(3 * rng.normal(size=(4000, 30)), 0.8, rng)
    found = used_temperature([each], 0.95)
    error = 1 / math.sqrt(heat_capacity(each.scores, found.value).sum())
    assert math.log(found.high / found.low) == pytest.approx(2 * quantile(0.95) * error, rel=0.02)


def test_the_best_options_alone_say_0_and_how_hot_it_may_have_been():
    rows = np.tile([3.0, 0.0], (100, 1))
    found = used_temperature([Drawn(rows, np.zeros(100, int))], 0.95)
    assert (found.value, found.low) == (0.0, 0.0)
    never = softmax([3.0, 0.0], found.high)[0] ** 100
    assert 0.005 < never < 0.05, "at the upper end 100 best options in a row are rare, and not unheard of"


def test_the_worst_options_say_infinity():
    rows = np.tile([3.0, 0.0], (100, 1))
    assert used_temperature([Drawn(rows, np.ones(100, int))], 0.95) == (math.inf, math.inf, math.inf)
    even = used_temperature([Drawn(rows, np.arange(100) % 2)], 0.95)
    assert even.value == math.inf
    assert 3 < even.low < 30


def test_equal_or_single_options_say_nothing():
    assert used_temperature([Drawn(np.zeros((5, 3)), np.zeros(5, int))], 0.95) is None
    assert used_temperature([Drawn(np.array([[1.0, -np.inf]]), np.zeros(1, int))], 0.95) is None
    assert used_temperature([], 0.95) is None


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scores_of_any_unit_are_read(scale):
    rng = np.random.default_rng(2)
    each = drawn(3 * rng.normal(size=(80, 30)), 0.5, rng)
    plain = used_temperature([each], 0.95)
    scaled = used_temperature([Drawn(each.scores * scale, each.choice)], 0.95)
    assert np.array(scaled) / scale == pytest.approx(np.array(plain), rel=1e-3)


def test_float32_serves_as_well():
    rng = np.random.default_rng(2)
    each = drawn(3 * rng.normal(size=(80, 3000)), 0.5, rng)
    narrow = used_temperature([Drawn(each.scores.astype(np.float32), each.choice)], 0.95)
    assert narrow == pytest.approx(used_temperature([each], 0.95), rel=1e-4)


def test_forbidden_options_do_not_count():
    rng = np.random.default_rng(4)
    each = drawn(3 * rng.normal(size=(80, 30)), 0.5, rng)
    wider = np.concatenate([each.scores, np.full((80, 5), -np.inf)], axis=1)
    assert used_temperature([Drawn(wider, each.choice)], 0.95) == pytest.approx(used_temperature([each], 0.95))


def test_a_truncated_draw_is_estimated_without_bias_from_what_was_left():
    rng = np.random.default_rng(9)
    rows = 2 * rng.normal(size=(4000, 40))
    left = np.where(rows >= np.sort(rows, axis=-1)[:, -8:-7], rows, -np.inf)
    each = drawn(left, 1.2, rng)
    right, wrong = used_temperature([each], 0.99), used_temperature([Drawn(rows, each.choice)], 0.99)
    assert right.low < 1.2 < right.high
    assert wrong.high < 1.2


def test_tensors_of_pytorch_serve_as_well():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    each = drawn(3 * rng.normal(size=(80, 30)), 0.5, rng)
    given = Drawn(torch.tensor(each.scores), torch.tensor(each.choice))
    assert used_temperature([given], 0.95) == pytest.approx(used_temperature([each], 0.95), rel=1e-6)
