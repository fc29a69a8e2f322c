import numpy as np
import pytest

import heatbath as hb
from heatbath.control import population
from heatbath.control.answers import Ear


def people(count, answers, seed=0, mean=0.9, spread=0.3, width=0.25, noise=0.1):
    rng, histories = np.random.default_rng(seed), []
    for optimum in rng.normal(mean, spread, count):
        heard = [(t, optimum - t + noise * rng.logistic()) for t in rng.uniform(0.3, 1.6, answers)]
        words = [(t, "too cold" if off > width else "too hot" if off < -width else "fine") for t, off in heard]
        histories.append([hb.Outcome(context={"temperature": t, "verdict": word}) for t, word in words])
    return histories


def test_it_finds_the_population_that_spoke():
    found = population(people(120, 6))
    assert found.mean == pytest.approx(0.9, abs=0.08)
    assert found.spread == pytest.approx(0.3, abs=0.07)
    assert found.width == pytest.approx(0.25, abs=0.04)
    assert found.noise == pytest.approx(0.1, abs=0.03)
    assert (found.people, found.answers) == (120, 720)
    assert repr(found.thermostat()).startswith("from_feedback(")


def test_it_is_the_likeliest():
    """The likelihood again, by a sum over another grid; no neighbour has a higher one."""
    histories = people(15, 5, seed=3)
    found = population(histories)
    grid = np.linspace(0, 2, 2001)

    def log_likelihood(mean, spread, width, noise):
        prior = np.exp(-0.5 * ((grid - mean) / spread) ** 2)
        logs = [sum(Ear(width, noise).log_likelihood(one, grid) for one in person) for person in histories]
        return sum(np.log(np.exp(each) @ prior / prior.sum()) for each in logs)

    best = log_likelihood(*found[:4])
    assert best == pytest.approx(found.log_likelihood, abs=0.02)
    for place in range(4):
        for factor in (0.8, 1.25):
            other = list(found[:4])
            other[place] *= factor
            assert log_likelihood(*other) < best + 0.02


def test_people_who_said_nothing_do_not_count():
    histories = people(10, 3)
    quiet = [*histories, [], [hb.Outcome(context={"setting": 0.4})]]
    assert population(quiet) == population(histories)


@pytest.mark.parametrize("histories", [[], [[]], people(1, 5), [hb.Outcome(1)], "them", [["fine"]]])
def test_too_little_is_refused(histories):
    with pytest.raises(hb.InputError) as refused:
        population(histories)
    assert refused.value.field == "histories"
    assert refused.value.instead
