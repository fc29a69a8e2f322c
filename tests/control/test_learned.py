from itertools import pairwise

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import learned, thompson
from heatbath.sampling import stack

NINE = np.linspace(0, 2, 9)


def taught(thermostat, count, curve, seed=0, reward=lambda r: r):
    rng, state = np.random.default_rng(seed), thermostat.init()
    for temperature in rng.choice(NINE, count):
        said = hb.Outcome(
            reward=reward(1.0 * (rng.random() < curve(temperature))), context={"temperature": temperature}
        )
        state = thermostat.learn(state, said)
    return state


def valley(temperature):
    return 0.8 - 0.4 * (temperature - 0.75) ** 2


def test_the_curve_lies_in_its_band_and_the_best_is_found():
    thermostat = thompson(0, 2, steps=9)
    found = learned(thermostat, taught(thermostat, 3000, valley))
    assert np.all((found.low <= valley(NINE)) & (valley(NINE) <= found.high))
    assert np.all((found.low < found.mean) & (found.mean < found.high))
    assert abs(found.best - 0.75) <= 0.25
    assert found.share.sum() == pytest.approx(1)
    assert found.confidence > 0.95
    assert str(found).startswith("Decided after 3000 rewards: T = ")


def test_a_wider_margin_is_surer_and_more_rewards_are_narrower():
    thermostat = thompson(0, 2, steps=9)
    early, late = (taught(thermostat, count, valley) for count in (100, 1600))
    sure = [learned(thermostat, early, margin=margin).sure for margin in (0.0, 0.05, 0.2, 1.0)]
    assert all(np.all(one <= other) for one, other in pairwise(sure))
    np.testing.assert_allclose(sure[0], learned(thermostat, early).share)
    width = [np.mean(found.high - found.low) for found in (learned(thermostat, each) for each in (early, late))]
    assert 1 / 6 < width[1] / width[0] < 1 / 2.5


def test_it_speaks_in_the_units_of_the_rewards():
    one, other = thompson(0, 2, steps=9), thompson(0, 2, steps=9, rewards=[-5, 15])
    first = learned(one, taught(one, 200, valley), margin=0.05)
    second = learned(other, taught(other, 200, valley, reward=lambda r: 20 * r - 5), margin=1.0)
    np.testing.assert_allclose(20 * first.mean - 5, second.mean, atol=1e-9)
    np.testing.assert_allclose(20 * first.low - 5, second.low, atol=1e-9)
    np.testing.assert_allclose(first.sure, second.sure)


def test_bands_cover_the_curve_as_often_as_they_say():
    """Curves as the prior has them: the level of the band is a probability over these."""
    rng, people = np.random.default_rng(2), 120
    thermostat = thompson(0, 2, steps=9, floor=1)
    middle, height = rng.uniform(0, 2, (people, 1)), rng.uniform(0.1, 0.4, (people, 1))
    curves = 0.4 + height * np.exp(-0.5 * ((NINE - middle) / 0.6) ** 2)
    state = stack([thompson(0, 2, steps=9, seed=seed).init() for seed in range(people)])
    for _ in range(250):
        place = rng.integers(0, 9, people)
        liked = (rng.random(people) < curves[np.arange(people), place]) * 1.0
        state = thermostat.learn(state, hb.Outcome(reward=liked, context={"temperature": NINE[place]}))
    found = learned(thermostat, state, level=0.9)
    covered = np.mean((found.low <= curves) & (curves <= found.high))
    assert 0.85 < covered < 0.98


@pytest.mark.parametrize("rough", [False, True])
def test_few_decisions_are_wrong_however_often_one_looks(rough):
    rng, people, margin = np.random.default_rng(7), 60, 0.1
    middle = rng.uniform(0, 2, (people, 1))
    curves = rng.uniform(0.2, 0.8, (people, 9)) if rough else 0.7 - 0.3 * (NINE - middle) ** 2
    curves, row = np.clip(curves, 0.05, 0.95), np.arange(people)
    thermostat = thompson(0, 2, steps=9)
    state = stack([thompson(0, 2, steps=9, seed=seed).init() for seed in range(people)])
    decided, wrong = np.zeros(people, bool), np.zeros(people, bool)
    for count in range(300):
        temperature, state = thermostat.step(state, hb.Seen())
        place = np.rint(temperature * 4 if isinstance(temperature, np.ndarray) else np.array(temperature) * 4).astype(
            int
        )
        liked = (rng.random(people) < curves[row, place]) * 1.0
        state = thermostat.learn(state, hb.Outcome(reward=liked, context={"temperature": temperature}))
        if count % 10 == 9:
            found = learned(thermostat, state, margin=margin, curves=400)
            new = (found.confidence >= 0.95) & ~decided
            loss = curves.max(axis=1) - curves[row, np.argmax(found.mean, axis=1)]
            wrong |= new & (loss > margin)
            decided |= new
    assert decided.mean() > 0.6
    assert wrong.sum() <= 0.15 * decided.sum()  # nominal 5 % of about 50: more than seven would be one in 300


def test_it_is_about_a_bandit_alone():
    with pytest.raises(hb.InputError, match="it learns no curve"):
        learned(hb.fixed(0.7), ())
    thermostat = thompson(0, 2)
    for wrong in ({"margin": -1}, {"level": 1.0}, {"curves": 10}, {"curves": 10**6}):
        with pytest.raises(hb.InputError) as refused:
            learned(thermostat, thermostat.init(), **wrong)
        assert refused.value.field in wrong
