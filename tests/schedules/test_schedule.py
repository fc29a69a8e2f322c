"""What holds for every schedule: kinds of counts, the text form, and values that are temperatures."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import heatbath as hb
from heatbath.made import MAKERS
from heatbath.schedules import Schedule, constant, cosine, cyclic, exponential, join, linear, logarithmic, step, warm_up

finite = st.floats(0, 1e6)
positive = st.floats(1e-6, 1e6)
temperatures = finite | st.just(math.inf) | st.integers(0, 5)
steps = st.integers(1, 10_000)


@st.composite
def pieces(draw, of):
    parts = draw(st.lists(of, min_size=1, max_size=4))
    lengths = draw(st.lists(st.integers(1, 50), min_size=len(parts) - 1, max_size=len(parts) - 1))
    return parts, np.cumsum(lengths, dtype=int).tolist()


ramps = (
    st.builds(linear, finite, finite, steps)
    | st.builds(cosine, finite, finite, steps=steps)
    | st.builds(exponential, positive, positive, steps)
    | st.builds(logarithmic, finite)
)
simple = ramps | st.builds(constant, temperatures) | pieces(temperatures).map(lambda p: step(*p))
schedules = st.recursive(
    simple,
    lambda inner: (
        pieces(inner | finite).map(lambda p: join(*p))
        | st.builds(cyclic, inner, steps)
        | st.builds(warm_up, finite, inner.filter(lambda schedule: schedule(0) < math.inf), steps)
    ),
    max_leaves=5,
)


def test_the_strategy_makes_every_schedule():
    assert set(MAKERS["schedule"]) == {
        *("constant", "linear", "cosine", "exponential", "logarithmic", "step", "join", "warm_up", "cyclic")
    }
    assert all(getattr(hb.schedules, name) is make for name, make in MAKERS["schedule"].items())


@given(schedules, st.lists(st.integers(0, 30_000), min_size=1, max_size=20))
@example(exponential(350060.3192249244, 1.0, 371), [94])  # where vector code and a lone power differ in the last bit
def test_one_count_and_an_array_of_counts_agree(schedule, counts):
    together = schedule(np.array(counts))
    assert together.dtype == np.float64
    assert together.tolist() == [schedule(count) for count in counts]
    assert np.all(together >= 0)  # False for NaN


@given(schedules, st.integers(0, 30_000))
def test_the_text_form_reads_back(schedule, count):
    read = hb.parse(repr(schedule))
    assert repr(read) == f"scheduled({schedule!r})"
    assert read.step(count, hb.Seen())[0] == schedule(count)


@pytest.mark.parametrize("schedule", [linear(1, 0, 2), constant(1), step([2, 1], [3]), join([1, 2], [5])])
def test_an_integer_gives_a_float(schedule):
    assert type(schedule(0)) is float
    assert type(schedule(np.int64(0))) is float


def test_counts_of_any_shape():
    schedule = linear(1.0, 0.0, 10)
    assert schedule([0, 5]).tolist() == [1.0, 0.5]
    assert schedule(np.array([[0, 5], [10, 15]])).tolist() == [[1.0, 0.5], [0.0, 0.0]]
    assert schedule(np.array(5)).shape == ()
    assert schedule(np.zeros((0,), dtype=int)).shape == (0,)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int16, np.uint64])
def test_small_integers_do_not_overflow(kind):
    counts = np.array([0, 3, 100], dtype=kind)
    for schedule in (
        linear(1.0, 0.0, 1000),
        join([constant(1), linear(2, 1, 500)], [50]),
        cyclic(linear(1, 0, 300), 300),
    ):
        assert schedule(counts).tolist() == schedule(counts.astype(int)).tolist()


EVERY_KIND = join(
    [
        linear(1.0, 0.5, 4),
        cosine(0.5, 2.0, 3),
        exponential(2.0, 0.1, 5),
        logarithmic(1.0),
        cyclic(step([1, 2], [2]), 3),
    ],
    [4, 7, 12, 20],
)
COUNTS = np.arange(30)


def test_torch_counts_give_torch_temperatures():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for kind in (torch.int64, torch.int32, torch.uint8):
        got = EVERY_KIND(torch.as_tensor(COUNTS).to(kind))
        assert isinstance(got, torch.Tensor)
        np.testing.assert_allclose(got.numpy(), EVERY_KIND(COUNTS), rtol=1e-6)


def test_jax_counts_give_jax_temperatures_also_while_traced():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    counts = jax.numpy.asarray(COUNTS)
    for function in (EVERY_KIND, jax.jit(EVERY_KIND.__call__)):
        got = function(counts)
        assert isinstance(got, jax.Array)
        np.testing.assert_allclose(np.asarray(got), EVERY_KIND(COUNTS), rtol=1e-6)


@pytest.mark.parametrize(
    ("count", "why"),
    [
        (-1, "never negative"),
        (np.int64(-1), "never negative"),
        (2**70, "below 2\\*\\*63"),
        ([3, -1], "never negative"),
        (np.array([0, -5]), "never negative"),
        (1.0, "whole number"),
        (True, "whole number"),
        (None, "whole number"),
        ("3", "whole number"),
        ([0.5], "whole number"),
        (np.array([1.0]), "whole number"),
        (np.array([True]), "whole number"),
        (np.array(["a"]), "whole number"),
        ([[1], [2, 3]], "whole number"),
    ],
)
def test_what_is_no_count_is_refused(count, why):
    with pytest.raises(hb.InputError, match=why) as refused:
        linear(1.0, 0.5, 10)(count)
    assert refused.value.field == "count"
    assert str(refused.value).startswith("asking linear(1.0, 0.5, 10) on count=")
    assert "count the decisions of the stream from 0" in str(refused.value)


def test_negative_counts_of_torch_are_refused():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(hb.InputError, match="never negative"):
        constant(1.0)(torch.tensor([1, -1]))


def test_a_function_of_ones_own():
    own = Schedule(lambda count: 1.0 / (1 + count))
    assert own(3) == 0.25
    assert own(np.array([0, 1])).tolist() == [1.0, 0.5]
    assert repr(own) == "<schedule <lambda>>"
    assert cyclic(own, 2)(3) == 0.5


def test_a_schedule_is_what_a_thermostat_and_a_chain_accept():
    schedule = cosine(1.2, 0.6, 100)
    assert repr(hb.scheduled(schedule)) == "scheduled(cosine(1.2, 0.6, 100))"
    assert repr(hb.chain(hb.temperature(schedule))) == "temperature(cosine(1.2, 0.6, 100)) -> categorical()"
