import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from heatbath import core
from heatbath.cli.distribution import Column, at, entropy_curve, reference, solved
from heatbath.cli.flags import settings
from heatbath.errors import InputError, TargetError

SCORES = np.array([2.0, 1.0, 0.5, -1.0, -np.inf])
some_scores = arrays(np.float64, st.integers(2, 9), elements=st.floats(-20, 20))


def column(scores: np.ndarray, *temperatures: str, chain: str = "") -> Column:
    (setting,) = settings(temperatures, [chain] if chain else [])
    return at(scores, setting)


@given(some_scores, st.floats(0.05, 50))
def test_a_temperature_alone_agrees_with_the_core(scores: np.ndarray, temperature: float) -> None:
    made = column(scores, repr(temperature))
    np.testing.assert_allclose(made.probabilities, core.softmax(scores, temperature=temperature), atol=1e-12)
    for name in ("entropy", "perplexity", "effective_choices", "top_probability", "heat_capacity"):
        expected = float(getattr(core, name)(scores, temperature=temperature))
        assert getattr(made, name) == pytest.approx(expected, rel=1e-9, abs=1e-9), name
    assert made.kept == scores.size
    assert made.temperature == temperature


def test_the_reference_is_the_model_as_it_is() -> None:
    made = reference(SCORES)
    assert made.chain == "temperature(1.0) -> categorical()"
    np.testing.assert_allclose(made.probabilities, core.softmax(SCORES), atol=1e-12)
    assert made.kept == 4


def test_what_is_cut_has_no_probability_and_the_rest_share_it() -> None:
    made = column(SCORES, chain="top_k(2) -> temperature(0.5)")
    assert made.kept == 2
    assert made.temperature == 0.5
    np.testing.assert_allclose(made.probabilities, [*core.softmax(SCORES[:2], temperature=0.5), 0, 0, 0])


def test_greedy_and_zero_leave_one_option() -> None:
    tied = np.array([1.0, 3.0, 3.0])
    for made in (column(tied, "0"), column(tied, chain="greedy()")):
        assert made.probabilities.tolist() == [0.0, 1.0, 0.0]
        assert (made.kept, made.entropy, made.heat_capacity) == (1, 0.0, 0.0)


def test_an_infinite_temperature_is_uniform_over_what_is_not_forbidden() -> None:
    assert column(SCORES, "inf").probabilities.tolist() == [0.25, 0.25, 0.25, 0.25, 0.0]


@pytest.mark.parametrize("name", ["entropy", "perplexity", "top_probability", "relative_entropy"])
def test_a_solved_temperature_has_the_effect(name: str) -> None:
    wanted = {"entropy": "0.9", "perplexity": "2.5", "top_probability": "0.75", "relative_entropy": "0.5"}[name]
    made = column(SCORES, repr(solved(SCORES, name, wanted)))
    measured = made.entropy / np.log(4) if name == "relative_entropy" else getattr(made, name)
    assert measured == pytest.approx(float(wanted), abs=1e-8)


def test_targets_out_of_reach_and_texts_are_refused() -> None:
    with pytest.raises(TargetError):
        solved(SCORES, "entropy", "5")
    with pytest.raises(InputError, match="a number is expected"):
        solved(SCORES, "top_probability", "much")


@pytest.mark.parametrize("scores", [[], [np.nan, 1.0], [np.inf, 1.0], [-np.inf, -np.inf]])
def test_scores_that_cannot_be_used_are_refused(scores: list[float]) -> None:
    with pytest.raises(InputError):
        reference(np.array(scores))


def test_the_curve_rises_from_the_limit_at_zero() -> None:
    temperatures, entropies = entropy_curve(np.array([1.0, 3.0, 3.0]), 4.0)
    assert entropies[0] == pytest.approx(np.log(2))
    assert temperatures[-1] == 4.0
    assert (np.diff(entropies) >= 0).all()
