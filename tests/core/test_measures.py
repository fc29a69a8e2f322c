"""Measures: limits, laws, gradients that stay finite."""

from itertools import pairwise
from math import e, inf, log

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from heatbath.core import (
    effective_choices,
    entropy,
    free_energy,
    heat_capacity,
    log_softmax,
    perplexity,
    softmax,
    top_probability,
)
from heatbath.errors import InputError

MEASURES = [entropy, perplexity, top_probability, effective_choices, free_energy, heat_capacity]
Z = [2.0, 1.0, -inf, 2.0, 0.0]  # two tied maxima, four options, one forbidden

rows = hnp.arrays(np.float64, st.integers(1, 8), elements=st.floats(-100, 100, width=32))
temperatures = st.sampled_from([0, inf, 1]) | st.floats(1e-3, 1e3)


@pytest.mark.parametrize(
    ("measure", "cold", "hot"),
    [
        (entropy, log(2), log(4)),
        (perplexity, 2, 4),
        (top_probability, 1 / 2, 1 / 4),
        (effective_choices, 2, 4),
        (free_energy, -2, -inf),
        (heat_capacity, 0, 0),
    ],
)
def test_limits(library, measure, cold, hot):
    z = library.array(Z)
    assert float(measure(z, 0)) == pytest.approx(cold, rel=1e-6)
    assert float(measure(z, inf)) == pytest.approx(hot, rel=1e-6)
    both = measure(library.array([Z, Z]), library.array([0.0, inf]))
    assert np.asarray(both) == pytest.approx([cold, hot], rel=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_limits_are_what_the_neighbourhood_tends_to(measure):
    assert measure(Z, 1e-3) == pytest.approx(measure(Z, 0), rel=1e-3, abs=1e-6)
    if measure is not free_energy:  # which falls without bound, as fast as this
        assert measure(Z, 1e5) == pytest.approx(measure(Z, inf), rel=1e-3, abs=1e-6)
    else:
        assert measure(Z, 1e5) == pytest.approx(-1e5 * log(4) - 5 / 4, rel=1e-9)


def test_numbers_at_the_ends_are_exact():
    assert perplexity([3.0, 3.0, 1.0], 0) == 2
    assert perplexity(np.zeros(7), 2.0) == 7
    assert entropy([5.0], 3.0) == 0
    assert top_probability([1.0, 1.0, 1.0, 1.0]) == 0.25


def test_a_single_option_has_its_own_score_as_free_energy(library):
    for t in (0, 1, 1e3, inf):
        assert float(free_energy(library.array([-inf, 4.0]), t)) == -4


@given(rows, temperatures)
def test_definitions(z, t):
    p, log_p = softmax(z, t), log_softmax(z, t)
    terms = p * np.where(p > 0, log_p, 0)
    assert entropy(z, t) == pytest.approx(-terms.sum(), rel=1e-9, abs=1e-12)
    assert perplexity(z, t) == pytest.approx(np.exp(entropy(z, t)), rel=1e-12)
    assert top_probability(z, t) == pytest.approx(p.max(), rel=1e-12)
    assert effective_choices(z, t) == pytest.approx(1 / (p**2).sum(), rel=1e-9)
    if 0 < t < inf:
        assert free_energy(z, t) == pytest.approx(-(p * z).sum() - t * entropy(z, t), rel=1e-9, abs=1e-9)
        spread = (p * (z - (p * z).sum()) ** 2).sum() / t**2
        assert heat_capacity(z, t) == pytest.approx(spread, rel=1e-6, abs=1e-9)


@given(rows, st.tuples(temperatures, temperatures))
def test_entropy_never_falls_as_t_rises(z, pair):
    cold, hot = sorted(pair)
    assert entropy(z, cold) <= entropy(z, hot) * (1 + 1e-14) + 1e-300
    assert top_probability(z, cold) >= top_probability(z, hot) * (1 - 1e-14)


@given(rows, st.floats(0.01, 100))
def test_heat_capacity_is_the_slope_of_entropy_over_ln_t(z, t):
    step = 1e-5
    slope = (entropy(z, t * np.exp(step)) - entropy(z, t * np.exp(-step))) / (2 * step)
    assert heat_capacity(z, t) == pytest.approx(slope, rel=1e-5, abs=1e-8)


@given(rows, temperatures)
def test_hill_numbers_fall_with_the_order(z, t):
    orders = [0, 0.5, 0.95, 1, 1.05, 2, 10, inf]
    numbers = [float(effective_choices(z, t, order=a)) for a in orders]
    assert all(a >= b * (1 - 1e-12) for a, b in pairwise(numbers))
    assert numbers[3] == pytest.approx(perplexity(z, t))
    assert numbers[-1] == pytest.approx(1 / top_probability(z, t))


@given(rows, st.floats(0.1, 10))
def test_hill_numbers_join_perplexity_smoothly(z, t):
    for order in (1 - 1e-9, 1 + 1e-9):
        assert effective_choices(z, t, order=order) == pytest.approx(perplexity(z, t), rel=1e-8)
    for edge in (0.9, 1.1):  # where one formula hands over to the other
        below, above = (effective_choices(z, t, order=edge + d) for d in (-1e-9, 1e-9))
        assert below == pytest.approx(above, rel=1e-7)


@pytest.mark.parametrize("order", [-1, float("nan"), None, True, "2", [1, 2]])
def test_what_is_no_order(order):
    with pytest.raises(InputError, match=r"order must be one number from 0 to inf, not .*write for example order=2"):
        effective_choices([1.0, 0.0], order=order)


@pytest.mark.parametrize("measure", [entropy, free_energy])
def test_measures_are_float32_but_for_float64(library, measure):
    assert str(measure(library.array([2.0, 1.0], dtype="float16"), 0.5).dtype).endswith("float32")
    assert str(measure(library.array([2.0, 1.0], dtype="float32"), 0.5).dtype).endswith("float32")
    assert library.is_mine(measure(library.array([[2.0, 1.0]]), 0.5))
    assert measure(library.array(np.zeros((2, 3, 4))), 0.5).shape == (2, 3)
    with library.holding("float64"):
        assert str(measure(library.array([2.0, 1.0], dtype="float64"), 0.5).dtype).endswith("float64")


@pytest.mark.parametrize("measure", MEASURES)
def test_torch_gradients_are_the_finite_differences(torch, measure):
    torch.manual_seed(3)
    z = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    t = torch.tensor([0.3, 1.0, 4.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(measure, (z, t))
    assert torch.autograd.gradgradcheck(measure, (z, t))
    assert torch.autograd.gradcheck(lambda z: measure(z, 0.7), (z,))


@pytest.mark.parametrize("measure", [*MEASURES, softmax])
@pytest.mark.parametrize("t", [0.0, 0.5, 1.0, inf])
def test_torch_gradients_stay_finite_at_forbidden_options_ties_and_limits(torch, measure, t):
    z = torch.tensor([Z, Z], dtype=torch.float64, requires_grad=True)
    t = torch.tensor([t, 1.0], dtype=torch.float64, requires_grad=True)
    first = torch.autograd.grad(measure(z, t)[..., 0:1].sum(), (z, t), create_graph=True)
    second = torch.autograd.grad(sum((g**2).sum() for g in first), (z, t))
    assert all(g.isfinite().all() for g in (*first, *second))
    assert not first[0][:, 2].any()


@pytest.mark.parametrize("measure", MEASURES)
def test_jax_gradients_agree_with_torch(jax, torch, measure):
    z = np.array([Z] * 4, dtype=np.float32)
    t = np.array([0.0, 0.5, 1.0, inf], dtype=np.float32)
    tz, tt = (torch.tensor(x, requires_grad=True) for x in (z, t))
    measure(tz, tt).sum().backward()
    dz, dt = jax.jit(jax.grad(lambda z, t: measure(z, t).sum(), argnums=(0, 1)))(z, t)
    assert np.asarray(dz) == pytest.approx(tz.grad.numpy(), rel=1e-4, abs=1e-6)
    assert np.asarray(dt) == pytest.approx(tt.grad.numpy(), rel=1e-4, abs=1e-6)


def test_gradients_of_free_energy_are_minus_the_probabilities(torch):
    for t in (0.0, 0.7, 1.0):
        z = torch.tensor(Z, dtype=torch.float64, requires_grad=True)
        free_energy(z, torch.tensor(t, dtype=torch.float64)).backward()
        assert z.grad.tolist() == pytest.approx((-softmax(z, t)).tolist())


def test_perplexity_in_e():
    p = 1 / e  # of one option, by construction
    z = [log(p / (1 - p)), 0.0]
    assert softmax(z)[0] == pytest.approx(p)
    assert entropy(z) == pytest.approx(-p * log(p) - (1 - p) * log(1 - p))


@settings(max_examples=30)
@given(rows, temperatures)
def test_a_batch_is_its_rows(z, t):
    assume(len(z) > 1)
    batch = np.stack([z, z[::-1], 2 * z])
    for measure in MEASURES:
        assert measure(batch, t).tolist() == pytest.approx([float(measure(row, t)) for row in batch], rel=1e-12)


@pytest.mark.parametrize("order", [10**400, 10**5000], ids=["large", "larger"])
def test_an_order_that_no_float_holds(order):
    with pytest.raises(InputError, match="order is too large") as error:
        effective_choices([1.0, 2.0], order=order)
    assert error.value.field == "order"


@pytest.mark.parametrize("row", [[2.0, 1.0, 0.0], [2.0, 1.0, -inf], [2.0, -inf, -inf]])
def test_gradients_of_free_energy_at_t_inf_are_their_limits(torch, jax, row):
    options = sum(score > -inf for score in row)
    expected = [-1 / options if score > -inf else 0.0 for score in row]
    z, t = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (row, inf))
    dz, dt = torch.autograd.grad(free_energy(z, t), (z, t))
    assert dz.tolist() == pytest.approx(expected)
    assert float(dt) == pytest.approx(-log(options))
    assert torch.autograd.grad(free_energy(z, inf), z)[0].tolist() == pytest.approx(expected)
    dz, dt = jax.jit(jax.grad(free_energy, argnums=(0, 1)))(np.float32(row), np.float32(inf))
    assert dz.tolist() == pytest.approx(expected)
    assert float(dt) == pytest.approx(-log(options))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("t", [-1.0, float("nan")])
def test_what_is_no_temperature_gives_nan_where_it_cannot_be_checked(jax, measure, t):
    assert np.isnan(jax.jit(measure)(np.float32([2.0, 1.0, -inf]), t))


def test_what_is_beyond_the_type_becomes_its_limit_without_a_warning():
    assert free_energy(np.float32([2.0, 1.0]), 1e300) == -inf
