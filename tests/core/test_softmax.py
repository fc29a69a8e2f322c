"""Probabilities: limits, invariances, types, gradients."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from heatbath.core import log_softmax, softmax

Z = [2.0, 1.0, -inf, 2.0, 0.0]

rows = hnp.arrays(np.float64, st.integers(1, 8), elements=st.floats(-100, 100, width=32))
temperatures = st.sampled_from([0, inf, 1]) | st.floats(1e-3, 1e3)


def test_t_zero_is_uniform_over_the_tied_maxima(library):
    assert np.asarray(softmax(library.array(Z), 0)).tolist() == [0.5, 0, 0, 0.5, 0]
    assert np.asarray(log_softmax(library.array(Z), 0)) == pytest.approx([np.log(0.5), -inf, -inf, np.log(0.5), -inf])


def test_t_inf_is_uniform_over_what_is_not_forbidden(library):
    assert np.asarray(softmax(library.array(Z), inf)).tolist() == [0.25, 0.25, 0, 0.25, 0.25]
    assert np.asarray(log_softmax(library.array(Z), inf))[2] == -inf


def test_one_t_per_row(library):
    z = library.array([Z, Z, Z, Z])
    together = np.asarray(softmax(z, library.array([0, 0.5, 3.0, inf])))
    apart = [np.asarray(softmax(library.array(Z), t)) for t in (0, 0.5, 3.0, inf)]
    assert together == pytest.approx(np.stack(apart), rel=1e-6)
    assert np.asarray(softmax(z, [0, 0.5, 3.0, inf])) == pytest.approx(together, rel=1e-6)  # a list
    assert np.asarray(softmax(z, np.array([0, 0.5, 3.0, inf]))) == pytest.approx(together, rel=1e-6)  # of NumPy


def test_one_row_at_several_temperatures():
    assert softmax(np.array(Z)[None, :], [0.5, 2.0]).shape == (2, 5)


def test_leading_axes_and_a_column_of_temperatures():
    z = np.random.default_rng(0).normal(size=(3, 4, 5))
    t = np.random.default_rng(1).uniform(0.1, 3, (3, 4))
    assert softmax(z, t)[2, 1] == pytest.approx(softmax(z[2, 1], t[2, 1]))


@pytest.mark.parametrize("t", [1, 1.0, np.float32(1), np.int64(1)])
def test_every_kind_of_number_is_a_temperature(library, t):
    assert np.asarray(softmax(library.array([1.0, 0.0]), t))[0] == pytest.approx(0.7310585786)


def test_integers_are_scores(library):
    assert np.asarray(softmax(library.array([2, 1, 0]), 0.5)) == pytest.approx(softmax([2.0, 1.0, 0.0], 0.5), rel=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_type_and_library_stay(library, dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="bfloat16 outside PyTorch comes with ml_dtypes")
    if library.name == "torch":
        z = library.array([2.0, 1.0, 0.0]).to(getattr(library.module, dtype))
    else:
        z = library.array([2.0, 1.0, 0.0]).astype(getattr(ml_dtypes, dtype, dtype))
    for t in (1, 0.5, np.array(0.5)):
        p = softmax(z, t)
        assert library.is_mine(p)
        assert p.dtype == z.dtype
    assert library.is_mine(log_softmax(z, 0.5))


def test_half_precision_is_rounded_once(torch):
    z = torch.linspace(-8, 8, 300).to(torch.bfloat16)
    expected = torch.softmax(z.double() / 0.3, -1)
    assert torch.equal(softmax(z, 0.3), expected.to(torch.bfloat16))


@given(rows, temperatures)
def test_probabilities_sum_to_one_and_keep_the_order(z, t):
    p = softmax(z, t)
    assert p.sum() == pytest.approx(1)
    assert (np.diff(p[np.argsort(z, kind="stable")]) >= 0).all()
    with np.errstate(divide="ignore"):
        assert np.exp(log_softmax(z, t)) == pytest.approx(p, rel=1e-10, abs=1e-300)


@given(rows, temperatures, st.integers(-1000, 1000))
def test_a_shift_changes_nothing(z, t, shift):
    moved = np.round(z) + shift  # exact, so that T = 0 finds the same ties
    assert softmax(moved, t) == pytest.approx(softmax(np.round(z), t), rel=1e-12)


@given(rows, temperatures, st.randoms(use_true_random=False))
def test_a_permutation_permutes(z, t, random):
    order = list(range(len(z)))
    random.shuffle(order)
    assert softmax(z[order], t) == pytest.approx(softmax(z, t)[order], rel=1e-12)


@given(rows, st.floats(1e-3, 1e3))
def test_scaling_scores_and_t_together_changes_nothing(z, t):
    assert softmax(4 * z, 4 * t) == pytest.approx(softmax(z, t), rel=1e-12, abs=1e-300)


def test_forbidden_options_get_nothing_at_any_t(library):
    for t in (0, 1e-30, 1, 1e30, inf):
        assert float(softmax(library.array(Z), t)[2]) == 0


def test_extreme_numbers_raise_no_warning():
    assert softmax([1e308, -1e308, 0.0], 1e-300).tolist() == [1, 0, 0]
    assert softmax([1e-320, 0.0], 5e-324).tolist() == [1, 0]


@pytest.mark.parametrize("f", [softmax, log_softmax])
def test_torch_gradients_are_the_finite_differences(torch, f):
    torch.manual_seed(3)
    z = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    t = torch.tensor([0.3, 1.0, 4.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(f, (z, t))
    assert torch.autograd.gradgradcheck(f, (z, t))
    assert torch.autograd.gradcheck(lambda z: f(z, 0.7), (z,))
    assert torch.autograd.gradcheck(f, (z, t[0].detach().requires_grad_()))


def test_nothing_moves_at_t_zero_ties_included(torch):
    z = torch.tensor(Z, dtype=torch.float64, requires_grad=True)
    t = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    softmax(z, t)[0].backward()
    assert not z.grad.any()
    assert not t.grad.any()


def test_jax_gradients_agree_with_torch(jax, torch):
    z, t = [[1.0, -inf, 0.5], [0.2, 0.1, 3.0]], [0.5, 2.0]

    def loss(z, t):
        return (softmax(z, t) ** 3).sum()

    tz, tt = (torch.tensor(x, requires_grad=True) for x in (z, t))
    loss(tz, tt).backward()
    for transform in (lambda f: f, jax.jit):
        dz, dt = transform(jax.grad(loss, argnums=(0, 1)))(jax.numpy.asarray(z), jax.numpy.asarray(t))
        assert np.asarray(dz) == pytest.approx(tz.grad.numpy(), rel=1e-4, abs=1e-7)
        assert np.asarray(dt) == pytest.approx(tt.grad.numpy(), rel=1e-4, abs=1e-7)


def test_vmap_and_functional_gradients(jax, torch):
    z = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    t = np.array([0.5, 1.0, 2.0], dtype=np.float32)
    expected = softmax(z, t)
    assert np.asarray(jax.vmap(softmax)(z, t)) == pytest.approx(expected, rel=1e-5)
    assert torch.func.vmap(softmax)(torch.from_numpy(z), torch.from_numpy(t)).numpy() == pytest.approx(
        expected, rel=1e-5
    )
    per_row = torch.func.vmap(torch.func.grad(lambda z, t: softmax(z, t)[0]))
    assert per_row(torch.from_numpy(z), torch.from_numpy(t)).shape == (3, 5)


@pytest.mark.parametrize("t", [inf, [inf]])
def test_t_inf_levels_any_spread(library, t):
    with library.holding("float64"):
        for f, half in ((softmax, 0.5), (log_softmax, np.log(0.5))):
            probabilities = np.asarray(f(library.array([[1e308, -1e308, -inf]], "float64"), t))
            assert probabilities.tolist() == [[half, half, f([0.0, -inf])[1]]]


@pytest.mark.parametrize("f", [softmax, log_softmax])
@pytest.mark.parametrize("t", [-1.0, float("nan")])
def test_what_is_no_temperature_gives_nan_where_it_cannot_be_checked(jax, f, t):
    assert np.isnan(jax.jit(f)(np.float32([2.0, 1.0, 0.0]), t)).all()


@pytest.mark.parametrize(
    ("row", "t"), [(np.float16([65504, -65504]), 0.5), (np.float32([2.0, -1.0]), 1e-40)], ids=["half", "single"]
)
def test_what_is_beyond_the_type_becomes_its_limit_without_a_warning(row, t):
    assert log_softmax(row, t).tolist() == [0.0, -inf]
