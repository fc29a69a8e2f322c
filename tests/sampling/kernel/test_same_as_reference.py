"""The kernel and the reference keep the same options and draw the same."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import heatbath as hb
from heatbath.sampling import asking, serving
from heatbath.sampling.step import Moment
from tests.sampling.numbers import given_numbers

pytest.importorskip("numba")

from heatbath.sampling.kernel.ops import GIVE_UP, OPS

UNIFORMS = [0.0, *np.random.default_rng(8).random(15).tolist(), 1 - 2**-40]
"""None where equal weights change hands, which the last bit of a weight decides; and as near to 1 as sums in another
order allow."""

NUMBERS = {
    "temperature": [0.0, 0.01, 0.3, 0.8, 1.0, 1.5, 2.0, 10.0, 1e4, np.inf, 1e-6, 1e-300, 1e300],
    "top_k": [1, 2, 5, 50, 300, 3000, 10**9],
    "top_p": [1e-9, 0.1, 0.5, 0.75, 0.9, 0.95, 0.999, 1.0],
    "min_p": [0.0, 0.001, 0.05, 0.5, 1.0],
}
OTHERS = {
    "typical": [(1e-9,), (0.1,), (0.5,), (0.9,), (0.95,), (0.999,), (1.0,)],
    "top_n_sigma": [(0.1,), (1.0,), (2.5,), (1.0, True), (300.0,)],
    "epsilon": [(1e-300,), (1e-5,), (3e-4,), (0.02,), (0.5,)],
    "eta": [(1e-5,), (1e-3,), (0.05,), (0.9,)],
    "top_a": [(1e-6,), (0.1,), (0.3,), (1.0,)],
    "p_less": [(), (True,)],
    "mirostat_v2": [(0.1,), (2.0,), (5.0,), (1e30,)],
    "xtc": [(0.1, 1.0), (0.01, 1.0), (0.4, 0.5), (0.001, 1.0), (0.01, 1.0, [0])],
    "smoothing": [(0.3,), (0.01, 3.0), (2.0, 1.5)],
    "adaptive_p": [(0.3,), (0.0,), (1.0,)],
    "tail_free": [(0.5,), (0.95,), (1.0,)],
    "top_h": [(0.1,), (0.4,), (0.9,), (1.0,)],
    "min_k": [(3.0,), (0.0,), (200.0,)],
}


def of(name):
    return getattr(hb, name, None) or getattr(hb.sampling, name)


def made(name, *given):
    return (
        of(name)(normalised=given[0])
        if name == "p_less" and given
        else (of(name)(given[0], sample=given[1]) if name == "top_n_sigma" and len(given) > 1 else of(name)(*given))
    )


CHOICES = {name: [(number,) for number in numbers] for name, numbers in NUMBERS.items()} | OTHERS
STEPS = st.sampled_from(sorted(CHOICES)).flatmap(
    lambda name: st.sampled_from(CHOICES[name]).map(lambda given: made(name, *given))
)


@st.composite
def rows(draw):
    """Rows of every kind: ties, equal scores, forbidden options, a language model's shape, large and tiny spreads."""
    size = draw(st.sampled_from([1, 2, 3, 5, 30, 63, 64, 65, 200, 1000, 5000, 40_000]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    row = {
        "spread": lambda: random.normal(0, 10.0 ** random.uniform(-6, 4), size),
        "few values": lambda: random.integers(-3, 3, size).astype(float),
        "equal": lambda: np.full(size, random.normal()),
        "language": lambda: random.permutation(-1.3 * np.log(np.arange(1, size + 1)) + random.normal(0, 0.5, size)),
        "far from 0": lambda: random.exponential(1, size) + 1000,
    }[draw(st.sampled_from(["spread", "few values", "equal", "language", "far from 0"]))]()
    forbidden = random.random(size) < draw(st.sampled_from([0, 0.5, 0.99]))
    forbidden[random.integers(size)] = False
    return np.where(forbidden, -np.inf, row).astype(draw(st.sampled_from([np.float32, np.float64])))


def by_kernel(row, steps, uniforms, seed=7):
    asked = asking.rows(steps, [step.init() for step in steps], row, seed, 0)
    ops = asking._asked(asked.ops, 1)
    nothing, none = np.zeros(len(ops.codes) + 1, bool), np.zeros((1, 3))
    return [int(serving.serve("DRAW_AT", asked, ops, np.array([u]), nothing, none)[0]) for u in uniforms]


def by_reference(row, steps, uniforms, seed=7):
    sampler = hb.chain(*steps)
    after = sampler.scores(sampler.init(), row.astype(np.float64), seed=seed).scores
    return [int(hb.categorical().pick(after[None], given_numbers(np.array([u])))[0]) for u in uniforms]


@st.composite
def rows_of_few(draw):
    """Rows in which a few options stand far above the others, or are the only ones that are allowed."""
    size, few = draw(st.sampled_from([64, 3000])), draw(st.integers(1, 8))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    row = {
        "allowed": lambda: np.full(size, -np.inf),
        "above": lambda: -95 + random.normal(size=size),
        "far above": lambda: np.full(size, -3e4),
    }[draw(st.sampled_from(["allowed", "above", "far above"]))]()
    row[random.choice(size, few, replace=False)] = {
        "apart": lambda: random.normal(size=few),
        "close": lambda: random.normal(size=few) * 1e-3,
        "tied": lambda: np.round(random.normal(size=few)),
    }[draw(st.sampled_from(["apart", "close", "tied"]))]()
    return row.astype(draw(st.sampled_from([np.float32, np.float64])))


EXTREMES = st.sampled_from([hb.temperature(t) for t in (1e-6, 1e-5, 0.003, 1e3, np.inf)] + [hb.sampling.smoothing(1.3)])


@settings(deadline=None, max_examples=300)
@given(rows_of_few(), EXTREMES, STEPS, st.lists(STEPS, max_size=2))
def test_few_options_at_extreme_temperatures_draw_what_the_reference_draws(row, first, second, more):
    drawn = by_kernel(row, [first, second, *more], UNIFORMS)
    if GIVE_UP not in drawn:
        assert drawn == by_reference(row, [first, second, *more], UNIFORMS)


def test_xtc_leaves_what_ties_behind_an_infinite_temperature():
    row = np.full(5000, -np.inf, np.float32)
    row[[10, 20, 30]] = 1, 2, 3
    steps = [hb.temperature(np.inf), hb.sampling.xtc(0.2, 1.0)]
    assert by_kernel(row, steps, [0.1, 0.5, 0.9]) == by_reference(row, steps, [0.1, 0.5, 0.9]) == [10, 20, 30]


@pytest.mark.parametrize("first", [hb.temperature(1e-6), hb.sampling.smoothing(1.32, 1.76)], ids=str)
def test_p_less_counts_options_without_weight(first):
    row = np.random.default_rng(0).normal(-95, 1, 5000)
    row[[7, 9]] = -1.3976138, -2.1848257
    steps = [first, hb.sampling.p_less(normalised=True)]
    assert by_kernel(row, steps, UNIFORMS) == by_reference(row, steps, UNIFORMS) == [7] * len(UNIFORMS)


@settings(deadline=None, max_examples=300)
@given(rows(), st.lists(STEPS, max_size=5))
def test_every_chain_on_every_row_draws_what_the_reference_draws(row, steps):
    drawn = by_kernel(row, steps, UNIFORMS)
    if GIVE_UP not in drawn:  # the reference then serves
        assert drawn == by_reference(row, steps, UNIFORMS)


@settings(deadline=None, max_examples=100)
@given(rows(), STEPS)
def test_every_step_on_every_row_draws_what_the_reference_draws(row, step):
    drawn = by_kernel(row, [step], UNIFORMS)
    if GIVE_UP not in drawn:
        assert drawn == by_reference(row, [step], UNIFORMS)


def test_every_step_that_the_kernel_knows_has_examples():
    names = {step.op(step.init(), NO_MOMENT).name for name in CHOICES for step in [made(name, *CHOICES[name][0])]}
    assert names | {"sample_sigma", "p_less_normalised", "more"} == set(OPS)


NO_MOMENT = Moment(None, chance=SimpleNamespace(part=1))


VOCABULARY = [
    [hb.temperature(0.8), hb.top_k(50), hb.top_p(0.95), hb.min_p(0.05)],
    [hb.temperature(0.8), hb.top_p(0.95)],
    [hb.temperature(2.0), hb.top_p(0.95)],
    [hb.temperature(2.0), hb.top_p(0.5)],
    [hb.temperature(2.0), hb.min_p(0.001)],
    [hb.top_k(1000), hb.temperature(3.0)],
    [hb.top_k(5000)],
    [hb.temperature(2.0)],
    [hb.temperature(2.0), hb.top_p(0.1)],
    [hb.temperature(2.0), hb.top_p(0.95), hb.top_p(0.95)],
    [hb.typical(0.2)],
    [hb.typical(0.95)],
    [hb.temperature(2.0), hb.typical(0.5)],
    [hb.temperature(2.0), hb.typical(0.95), hb.temperature(0.5), hb.top_p(0.9)],
    [hb.top_n_sigma(1.0), hb.temperature(2.0)],
    [hb.temperature(2.0), hb.top_n_sigma(3.0, sample=True)],
    [hb.temperature(1.5), hb.sampling.epsilon(3e-4)],
    [hb.temperature(1.5), hb.sampling.eta(1e-3)],
    [hb.temperature(2.0), hb.sampling.top_a(0.1)],
    [hb.temperature(2.0), hb.sampling.p_less()],
    [hb.temperature(1.5), hb.sampling.mirostat_v2(3.5)],
    [hb.sampling.xtc(0.02, 1.0), hb.temperature(1.5)],
    [hb.temperature(2.0), hb.sampling.xtc(1e-5, 1.0), hb.top_p(0.95)],
    [hb.sampling.smoothing(0.3), hb.min_p(0.01)],
    [hb.min_p(0.001), hb.sampling.adaptive_p(0.3)],
    [hb.sampling.top_h(0.4)],
    [hb.sampling.min_k()],
    [hb.top_k(500), hb.sampling.tail_free(0.95)],
]


@pytest.mark.parametrize("size", [32_000, 50_257, 131_072])
@pytest.mark.parametrize("steps", VOCABULARY, ids=str)
def test_a_vocabulary_is_never_handed_back(size, steps):
    random = np.random.default_rng(size)
    row = random.permutation(-1.3 * np.log(np.arange(1, size + 1)) + random.normal(0, 0.5, size)).astype(np.float32)
    uniforms = random.random(12).tolist()
    assert by_kernel(row, steps, uniforms) == by_reference(row, steps, uniforms)


@st.composite
def long_rows(draw):
    """Rows long enough for samples to guide: as a language model's, in order, with ties, masks and a lone favourite."""
    size = draw(st.sampled_from([8192, 32_768, 50_257]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    language = -1.3 * np.log(np.arange(1, size + 1)) + random.normal(0, 0.5, size)
    row = {
        "language": lambda: random.permutation(language),
        "in order": lambda: language,
        "rounded": lambda: random.permutation(language).round(draw(st.sampled_from([0, 1, 2]))),
        "masked": lambda: np.where(random.random(size) < 0.7, -1e30, random.permutation(language)),
        "favourite": lambda: np.where(np.arange(size) == size // 3, 30.0, random.normal(0, 1, size)),
        "nearly equal": lambda: 5.0 + 1e-5 * random.integers(0, 9, size),
        "huge": lambda: 3e5 * random.normal(0, 1, size),
    }[draw(st.sampled_from(["language", "in order", "rounded", "masked", "favourite", "nearly equal", "huge"]))]()
    forbidden = random.random(size) < draw(st.sampled_from([0, 0, 0.5]))
    forbidden[random.integers(size)] = False
    return np.where(forbidden, -np.inf, row).astype(draw(st.sampled_from([np.float32, np.float64])))


MANY = st.sampled_from(
    [
        [hb.temperature(2.0), hb.top_p(0.95)],
        [hb.temperature(2.0), hb.top_p(0.5)],
        [hb.temperature(1e4), hb.top_p(0.999)],
        [hb.top_p(0.9), hb.temperature(3.0)],
        [hb.temperature(3.0), hb.top_p(0.9), hb.top_p(0.9)],
        [hb.temperature(2.0), hb.top_p(0.97), hb.min_p(0.001)],
        [hb.top_k(1000), hb.temperature(2.0)],
        [hb.temperature(1.5), hb.top_k(3000), hb.top_p(0.9)],
        [hb.temperature(2.0), hb.top_k(5000)],
        [hb.top_k(20_000), hb.temperature(5.0), hb.top_p(0.8)],
        [hb.temperature(2.0), hb.min_p(0.0001)],
        [hb.temperature(1.7)],
        [hb.temperature(2.0), hb.typical(0.9), hb.top_p(0.95)],
        [hb.temperature(2.0), hb.typical(0.9), hb.top_k(3000), hb.temperature(0.7)],
        [hb.temperature(2.0), hb.typical(0.5), hb.top_p(0.9), hb.top_p(0.9), hb.top_k(1000)],
        [hb.temperature(2.0), hb.sampling.xtc(1e-5, 1.0), hb.top_p(0.95), hb.sampling.eta(1e-4)],
        [hb.temperature(2.0), hb.sampling.xtc(1e-5, 1.0), hb.top_k(3000), hb.typical(0.9)],
        [hb.temperature(2.0), hb.top_p(0.95), hb.sampling.epsilon(1e-5)],
    ]
)


@settings(deadline=None, max_examples=60)
@given(long_rows(), MANY, st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3))
def test_long_rows_of_which_much_is_kept(row, steps, uniforms):
    drawn = by_kernel(row, steps, uniforms)
    if GIVE_UP not in drawn:
        assert drawn == by_reference(row, steps, uniforms)


@pytest.mark.parametrize("steps", [[], [hb.top_p(0.7)], [hb.min_p(0.5)], [hb.top_k(3000)]], ids=str)
@pytest.mark.parametrize("t", [np.inf, 1e300, 1e38, 1e36, 1e30, 1e4])
def test_what_is_forbidden_stays_so_however_hot_it_is(t, steps):
    random = np.random.default_rng(3)
    row = random.normal(0, 3, 20_000).astype(np.float32)
    row[random.random(len(row)) < 0.5] = -np.inf
    uniforms = random.random(20).tolist()
    chain = [hb.temperature(t), *steps]
    drawn = by_kernel(row, chain, uniforms)
    if GIVE_UP not in drawn:
        assert drawn == by_reference(row, chain, uniforms)


@pytest.mark.parametrize("p", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("off", [-1e-6, -1e-11, -1e-13, 0.0, 1e-13, 1e-11, 1e-6])
def test_a_mass_that_is_hardly_reached(p, off):
    """The options that are not forbidden weigh the same but for a millionth, so p is reached by a whole number."""
    row = np.full(8192, -np.inf, np.float32)
    row[::2] = np.arange(4096) * np.float32(2.0**-40)  # no two are equal
    steps = [hb.top_p(p * (1 + off))]
    uniforms = [0.0, 0.5, 1 - 2**-53]
    assert by_kernel(row, steps, uniforms) == by_reference(row, steps, uniforms)


@pytest.fixture
def always(monkeypatch):
    """Rows of any size go to the kernel."""
    monkeypatch.setattr(asking, "LEAST", 1)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "bfloat16"])
def test_samplers_use_it_for_numpy_and_torch(kind, monkeypatch):
    torch = pytest.importorskip("torch")
    served = []
    draw = asking.draw
    monkeypatch.setattr(asking, "draw", lambda *asked: served.append(asked) or draw(*asked))
    scores = torch.randn(5, 300, dtype=torch.float32, generator=torch.Generator().manual_seed(1)).to(
        getattr(torch, kind)
    )
    sampler = hb.chain(hb.temperature([0.5, 1, 2, 0, np.inf]), hb.top_k([5, 9, 300, 2, 7]), hb.top_p(0.9))
    quick = sampler.step(sampler.init(), scores, seed=[3, 1, 4, 1, 5])
    assert served
    assert isinstance(quick.choice, torch.Tensor)
    slow = sampler.step(sampler.init(), scores.to(torch.float64), seed=[3, 1, 4, 1, 5], reading=True)
    assert quick.choice.tolist() == slow.choice.tolist()
    assert quick.state == slow.state
    if kind != "bfloat16":
        again = sampler.step(sampler.init(), scores.numpy(), seed=[3, 1, 4, 1, 5])
        assert again.choice.tolist() == quick.choice.tolist()


@pytest.mark.usefixtures("always")
def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr(serving, "WORTH_A_THREAD", 1)
    scores = np.random.default_rng(0).normal(0, 3, (33, 500)).astype(np.float32)
    sampler = hb.chain(hb.temperature(1.5), hb.top_p(0.9))
    before = serving.threads()
    try:
        drawn = []
        for number in (1, 2, 5):
            hb.sampling.threads(number)
            drawn.append(sampler.step((), scores, seed=9).choice.tolist())
    finally:
        hb.sampling.threads(before)
    assert drawn[0] == drawn[1] == drawn[2]
    assert drawn[0] == [int(sampler.step((), row, seed=9 + i).choice) for i, row in enumerate(scores)]


@pytest.mark.usefixtures("always")
def test_threads_that_come_too_late_are_not_waited_for(monkeypatch):
    monkeypatch.setattr(serving, "WORTH_A_THREAD", 1)
    scores = np.random.default_rng(0).normal(0, 3, (4, 500)).astype(np.float32)
    sampler = hb.chain(hb.temperature(1.5), hb.top_p(0.9))
    before, free = serving.threads(), threading.Event()
    try:
        hb.sampling.threads(1)
        alone = sampler.step((), scores, seed=9).choice.tolist()
        hb.sampling.threads(2)
        busy = serving._pool(1).submit(free.wait, 60)
        assert sampler.step((), scores, seed=9).choice.tolist() == alone
        assert not busy.done()
    finally:
        free.set()
        hb.sampling.threads(before)


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "two"])
def test_no_number_of_threads(number):
    with pytest.raises(hb.InputError, match="whole number >= 1"):
        hb.sampling.threads(number)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    ("bad", "why"), [(np.nan, "NaN"), (-np.nan, "NaN"), (np.inf, r"\+inf"), (None, "every score is -inf")]
)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_that_cannot_be_drawn_from_are_refused_by_name(bad, why, kind):
    scores = np.zeros((3, 100), kind)
    scores[1, 70] = 0 if bad is None else np.copysign(bad, -1) if str(bad) == "nan" else bad
    if bad is None:
        scores[1] = -np.inf
    where = "" if bad is None else ", position 70"
    with pytest.raises(hb.InputError, match=f"row 1 of logits{where}: .*{why}"):
        hb.chain(hb.top_k(3)).step((), scores, seed=0)


@pytest.mark.usefixtures("always")
def test_schedules_and_streams_go_on_as_by_the_reference():
    sampler = hb.chain(hb.temperature(hb.schedules.linear(2.0, 0.1, 6)), hb.min_p(0.02))
    scores = np.random.default_rng(2).normal(0, 2, (8, 4, 200)).astype(np.float32)
    quick = slow = sampler.init()
    for at in scores:
        one, quick, _ = sampler.step(quick, at, seed=5)
        other, slow, _ = sampler.step(slow, at, seed=5, reading=True)
        assert one.tolist() == other.tolist()
        assert quick == slow


@pytest.mark.usefixtures("always")
def test_a_thermostat_that_learns_is_told_of_every_draw():
    told = []

    def learn(state, outcome):
        told.append(int(outcome.choice))
        return state

    blind = hb.Thermostat(init=tuple, step=lambda state, seen: (0.7, state), learn=learn, looks=False)
    choice, _, _ = hb.chain(hb.temperature(blind)).step((), np.zeros(5000, np.float32), seed=0)
    assert told == [int(choice)]
