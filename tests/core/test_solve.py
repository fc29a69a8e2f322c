"""Solving for T: it is the inverse of the measures, at the ends too, and says what it cannot reach."""

from math import inf, log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from heatbath.core import entropy, heat_capacity, perplexity, solve, temperature_for, top_probability
from heatbath.errors import InputError, TargetError

EFFECTS = {
    "entropy": entropy,
    "perplexity": perplexity,
    "top_probability": top_probability,
    "relative_entropy": lambda z, t: entropy(z, t) / np.log((np.asarray(z) > -inf).sum(-1)),
}
Z = [3.0, 1.0, 0.5, -2.0, -inf]  # a range of 0 to ln 4
TIED = [1.0, 1.0, 0.0]  # ln 2 to ln 3


@st.composite
def rows(draw):
    """Rows of two to a thousand options, of all scales, with gaps of all scales, ties and forbidden options."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([2, 3, 5, 50, 1000]))
    row = rng.normal(size=size) * 10.0 ** rng.uniform(-3, 4)
    kind = draw(st.sampled_from(["normal", "ties", "gaps of all scales", "tiny", "forbidden"]))
    if kind == "ties":
        row = np.round(3 * row / np.abs(row).max())
    elif kind == "gaps of all scales":
        row = 10 ** rng.uniform(-12, 4, size)
    elif kind == "tiny":
        row = 10 ** rng.uniform(-300, -290, size)
    elif kind == "forbidden":
        row[: size // 2] = -inf
    return row


def target(row, share):
    """The entropy at this share of the row's range."""
    ties, options = (row == row.max()).sum(), (row > -inf).sum()
    return log(ties) + share * log(options / ties)


def passes(row, nats):
    """How often the solver passes over the row."""
    count, curve = 0, solve._Curve.__call__

    def counted(self, u):
        nonlocal count
        count += 1
        return curve(self, u)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solve._Curve, "__call__", counted)
        temperature_for(row, entropy=nats)
    return count


shares = (
    st.floats(0.01, 0.99) | st.floats(-14, -2).map(lambda x: 10.0**x) | st.floats(-9, -2).map(lambda x: 1 - 10.0**x)
)


@given(rows(), shares)
def test_the_effect_at_the_solution_is_the_target(row, share):
    assume((row > -inf).sum() > (row == row.max()).sum())
    nats = target(row, share)
    t = temperature_for(row, entropy=nats)
    assert entropy(row, t) == pytest.approx(nats, rel=1e-12)
    t = temperature_for(row, top_probability=np.exp(-nats))
    assert top_probability(row, t) == pytest.approx(np.exp(-nats), rel=1e-12)


@given(rows(), shares)
def test_few_steps_are_enough(row, share):
    """The worst rows there are: the bound of 200 is far away."""
    assume((row > -inf).sum() > (row == row.max()).sum())
    assert passes(row, target(row, share)) <= 60


@pytest.mark.parametrize("size", [2, 50, 2000])
@pytest.mark.parametrize("few", [0, 20])
def test_rows_as_they_come_take_about_seven(size, few):
    """Normal rows of all scales, and a head above a bulk, with targets all over the range."""
    rng, counts = np.random.default_rng(3), []
    for _ in range(100):
        row = 10 ** rng.uniform(-1, 2) * rng.normal(size=size)
        head = rng.integers(0, few + 1)
        row[:head] += rng.gamma(4, 3)
        counts.append(passes(row, rng.uniform(0.001, 0.999) * log(size)))
    assert max(counts) <= 15
    assert np.mean(counts) <= 7


@given(rows(), st.floats(-2, 2))
def test_duality_with_the_measures(row, power):
    """temperature_for(effect(z, T)) == T wherever the effect determines T."""
    t = 10.0**power * max(np.ptp(row[row > -inf]), 1e-300)
    nats = entropy(row, t)
    capacity = heat_capacity(row, t)
    assume(capacity > 1e-4)  # where C is small, many T have one entropy
    error = 1e-13 / capacity
    for name, effect in EFFECTS.items():
        assert temperature_for(row, **{name: effect(row, t)}) == pytest.approx(t, rel=max(100 * error, 1e-12)), name
    assert nats == pytest.approx(entropy(row, temperature_for(row, entropy=nats)), rel=1e-13)


@pytest.mark.parametrize("name", EFFECTS)
def test_every_library_solves_rows_together(library, name):
    z = np.array([[2.0, 1.0, 0.0, -inf], [0.0, 0.3, 1.0, 2.0], [5.0, 4.0, 3.0, 1.0]], dtype=np.float32)
    targets = EFFECTS[name](z, np.array([0.5, 1.0, 7.0]))
    t = temperature_for(library.array(z), **{name: library.array(targets)})
    assert library.is_mine(t)
    assert str(t.dtype).endswith("float32")
    assert np.asarray(t) == pytest.approx([0.5, 1.0, 7.0], rel=1e-4)
    again = temperature_for(library.array(z), **{name: targets.tolist()})
    assert np.asarray(again) == pytest.approx(np.asarray(t), rel=1e-4)


@pytest.mark.parametrize(
    ("row", "name", "cold", "hot"),
    [
        (Z, "entropy", 0, log(4)),
        (Z, "perplexity", 1, 4),
        (Z, "top_probability", 1, 1 / 4),
        (Z, "relative_entropy", 0, 1),
        (TIED, "entropy", log(2), log(3)),
        (TIED, "perplexity", 2, 3),
        (TIED, "top_probability", 1 / 2, 1 / 3),
        (TIED, "relative_entropy", log(2) / log(3), 1),
    ],
)
def test_the_ends_are_zero_and_inf(library, row, name, cold, hot):
    assert np.asarray(temperature_for(library.array([row, row]), **{name: [cold, hot]})).tolist() == [0, inf]


def test_the_ends_as_the_measures_give_them(library):
    z = library.array([Z, [*TIED, -inf, -inf]], dtype="float32")
    for name in ("entropy", "perplexity", "top_probability"):
        assert np.asarray(temperature_for(z, **{name: EFFECTS[name](z, 0)})).tolist() == [0, 0]
        assert np.asarray(temperature_for(z, **{name: EFFECTS[name](z, inf)})).tolist() == [inf, inf]


def test_ends_that_a_float32_rounded_outward_are_reached():
    for size in range(3, 200):
        row = np.arange(size, dtype=np.float32)
        assert temperature_for(row, entropy=float(entropy(row, inf))) > 100 * size
        row[:-1] = 0  # many ties, once it is turned round
        assert temperature_for(-row, entropy=float(entropy(-row, 0))) < size


def test_rows_of_equal_scores_have_any_temperature(library):
    assert float(temperature_for(library.array([4.0, 4.0, -inf]), entropy=log(2))) == 1
    assert float(temperature_for(library.array([4.0, -inf]), relative_entropy=0.7)) == 1
    assert float(temperature_for(library.array([4.0]), top_probability=1)) == 1
    with pytest.raises(TargetError, match=r"scores are all equal, so that every temperature gives 0.69315"):
        temperature_for(library.array([4.0, 4.0]), entropy=0.5)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"entropy": 1.4}, r"^entropy=1.4: .* 4 are not forbidden; ask for 0 \(T = 0\) to 1.3862 \(T = inf\)$"),
        ({"entropy": -0.1}, r"ask for 0 \(T = 0\)"),
        ({"perplexity": 5}, r"perplexity=5: .*ask for 1 \(T = 0\) to 4 \(T = inf\)$"),
        ({"perplexity": 0.5}, r"perplexity=0.5"),
        ({"perplexity": -2}, r"perplexity=-2"),
        ({"top_probability": 0}, r"ask for 0.25 \(T = inf\) to 1 \(T = 0\)$"),
        ({"top_probability": 1.5}, r"top_probability=1.5"),
        ({"relative_entropy": 1.1}, r"ask for 0 \(T = 0\) to 1 \(T = inf\)$"),
        ({"entropy": inf}, r"entropy=inf"),
    ],
)
def test_targets_out_of_reach(library, asked, message):
    with pytest.raises(TargetError, match=message):
        temperature_for(library.array(Z), **asked)


@pytest.mark.parametrize("share", [7, -3, 1.01, -1e-3])
def test_a_share_of_nothing_is_still_a_share(library, share):
    assert float(temperature_for(library.array([1.0]), relative_entropy=0.5)) == 1
    for row, wanted in (([1.0], share), ([[1.0, -inf], [1.0, 2.0]], [share, 0.5])):
        with pytest.raises(TargetError, match="relative_entropy="):
            temperature_for(library.array(row), relative_entropy=wanted)


def test_the_row_out_of_reach_is_named(library):
    z = library.array([[3.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    with pytest.raises(TargetError, match=r"^entropy=0.5 of row 1: .*2 options tie .*ask for 0.69315 .* to 1.0986 "):
        temperature_for(z, entropy=0.5)
    with pytest.raises(TargetError, match=r"^perplexity=4 of row \(0, 1\)"):
        temperature_for(z[None], perplexity=[[2, 4]])


def test_what_the_message_says_can_be_typed():
    row = np.arange(7.0)
    with pytest.raises(TargetError, match=r"to 1\.9459 ") as error:
        temperature_for(row, entropy=2)
    assert temperature_for(row, entropy=1.9459) > 0
    assert error.value.field == "entropy"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "no effect was given .*give exactly one of entropy, perplexity, top_probability, relative_entropy"),
        ({"entropy": 1, "perplexity": 2}, "entropy and perplexity cannot both hold"),
        ({"entropy": "1"}, "entropy='1': a target is a real number"),
        ({"entropy": True}, "a target is a real number"),
        ({"entropy": [[1], [1, 2]]}, "a target is a real number"),
        ({"entropy": 1j}, "a target is a real number"),
        ({"entropy": float("nan")}, "NaN is no target"),
        ({"entropy": [1.0, 0.5]}, "entropy is one number, or one number per row"),
    ],
)
def test_what_is_no_target(asked, message):
    with pytest.raises(InputError, match=message):
        temperature_for(Z, **asked)


@pytest.mark.parametrize("name", EFFECTS)
def test_torch_gradients_are_the_finite_differences(torch, name):
    torch.manual_seed(1)
    z = torch.randn(2, 4, dtype=torch.float64)
    targets = torch.as_tensor(EFFECTS[name](z.numpy(), np.array([0.6, 1.7])))
    inputs = (z.requires_grad_(), targets.requires_grad_())
    assert torch.autograd.gradcheck(lambda z, target: temperature_for(z, **{name: target}), inputs)
    assert torch.autograd.gradgradcheck(lambda z, target: temperature_for(z, **{name: target}), inputs)


def test_gradients_stay_finite_at_the_ends_and_at_forbidden_options(torch):
    z = torch.tensor([Z, Z, Z, [2.0] * 5], dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([0.0, 0.7, log(4), log(5)], dtype=torch.float64, requires_grad=True)
    t = temperature_for(z, entropy=targets)
    assert t[0] == 0
    assert t[2] == inf
    assert t[3] == 1
    t[t.isfinite()].sum().backward()
    assert z.grad.isfinite().all()
    assert targets.grad.isfinite().all()
    assert z.grad[1, 0] != 0


def test_jax_compiles_differentiates_and_maps(jax):
    z = np.array([Z, [1.0, 0.0, 0.2, 0.3, -5.0]], dtype=np.float32)
    solved = jax.jit(lambda z, h: temperature_for(z, entropy=h))(z, 0.8)
    assert np.asarray(entropy(z, np.asarray(solved))) == pytest.approx([0.8, 0.8], rel=1e-5)
    # dT/dh = T / C
    slope = jax.jit(jax.grad(lambda h: temperature_for(z[0], entropy=h)))(0.8)
    t = temperature_for(z[0], entropy=0.8)
    assert float(slope) == pytest.approx(float(t / heat_capacity(z[0], t)), rel=1e-4)
    mapped = jax.vmap(lambda row: temperature_for(row, entropy=0.8))(z)
    assert np.asarray(mapped) == pytest.approx(np.asarray(solved), rel=1e-5)


def test_a_target_out_of_reach_is_nan_where_no_error_can_be_raised(jax):
    assert np.isnan(jax.jit(lambda z: temperature_for(z, entropy=9.0))(np.array(Z)))


def test_torch_vmap(torch):
    z = torch.tensor([Z, [1.0, 0.0, 0.2, 0.3, -5.0]], dtype=torch.float64)
    mapped = torch.func.vmap(lambda row: temperature_for(row, entropy=0.8))(z)
    assert mapped.tolist() == pytest.approx(temperature_for(z, entropy=0.8).tolist())
