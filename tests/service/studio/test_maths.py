"""The page's arithmetic against Python's, on shared vectors."""

import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.control import Profile
from heatbath.sampling.random import uniforms

INF = math.inf
RANDOM = np.random.default_rng(20)
LOGITS = {
    "normal": RANDOM.normal(-4, 2.2, 3000).astype(np.float32),
    "ties": np.array([1, 3, 3, 2, 2, 2, 0, 3, -1], dtype=np.float32),
    "forbidden": np.array([-INF, 2, 1, -INF, 1.5, 2, -INF], dtype=np.float32),
    "one": np.array([-INF, -7.25, -INF], dtype=np.float32),
    "wide": np.array([1e4, -1e4, 9.99e3, 0, 1e4], dtype=np.float32),
    "equal": np.full(40, -3.5, dtype=np.float32),
    "exact": np.log([0.4, 0.3, 0.2, 0.1]),  # the steps below hit these sums and ratios, but for rounding
    "exact, too": np.log([0.5, 0.25, 0.15, 0.1]) + 3.3,
}
STEPS = {
    "heat first": [("temperature", 0.7), ("top_k", 40), ("top_p", 0.95), ("min_p", 0.05)],
    "heat last": [("top_k", 40), ("top_p", 0.95), ("min_p", 0.05), ("temperature", 1.8)],
    "p before k": [("min_p", 0.02), ("top_p", 0.7), ("top_k", 3), ("temperature", 0.9)],
    "zero": [("temperature", 0.0), ("top_p", 0.5)],
    "zero last": [("top_k", 2), ("temperature", 0.0)],
    "infinite": [("temperature", INF), ("top_k", 2), ("top_p", 0.3)],
    "infinite last": [("top_k", 2), ("temperature", INF)],
    "tiny": [("temperature", 1e-310), ("top_k", 5)],
    "huge": [("temperature", 1e9)],
    "all open": [("top_k", 10**6), ("top_p", 1.0), ("min_p", 0.0), ("temperature", 1.0)],
    "none": [],
    "exact p": [("top_p", 0.7)],
    "exact, too": [("top_p", 0.75), ("min_p", 0.5)],
    "exact ratio": [("min_p", 0.25)],
    "exact third": [("top_p", 0.9), ("min_p", 0.2)],
}
RUN = """async ([root, logits, steps, seed]) => {
  const maths = await import(`${root}/maths.js`);
  const { uniform } = await import(`${root}/random.js`);
  const ranked = maths.rankScores(Float64Array.from(logits, Number));
  const named = steps.map(([name, value]) => ({ name, value: Number(value) }));
  const result = maths.applyChain(ranked, named, { heads: 4 });
  const u = uniform(seed);
  const drawn = maths.drawAt(ranked, result, u);
  return {
    ids: [...ranked.ids], own: [...ranked.own.p], p: [...result.p], kept: result.kept, entropy: result.entropy,
    ownEntropy: ranked.own.entropy, mass: ranked.mass[result.kept], u, drawn: drawn.id, from: drawn.from, to: drawn.to,
    trail: result.trail.map(({ before, after, head }) => [before, after, ...head]),
  };
}"""


def text(value):
    return "Infinity" if value == INF else "-Infinity" if value == -INF else float(value)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("logits", LOGITS)
def test_a_chain_does_the_same_in_the_page(bench, static, logits, steps):
    scores, chain = LOGITS[logits].astype(np.float64), STEPS[steps]
    mine = bench.evaluate(RUN, [static, [text(x) for x in scores], [(n, text(v)) for n, v in chain], 7])
    sampler = hb.chain(*(getattr(hb, name)(value) for name, value in chain))
    with np.errstate(over="ignore"):  # T = 1e-310 sends everything but the best to -inf, as it should
        after = sampler.scores((), scores).scores
    ids = np.array(mine["ids"])
    assert sorted(ids) == list(range(len(scores)))
    own = np.zeros(len(scores))
    own[ids[: len(mine["own"])]] = mine["own"]
    np.testing.assert_allclose(own, hb.softmax(scores), rtol=1e-9, atol=1e-300)
    p = np.zeros(len(scores))
    p[ids[: mine["kept"]]] = mine["p"]
    assert set(np.flatnonzero(after > -INF)) == set(ids[: mine["kept"]])
    np.testing.assert_allclose(p, hb.softmax(after), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(mine["entropy"], hb.entropy(after), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mine["ownEntropy"], hb.entropy(scores), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mine["mass"], hb.softmax(scores)[ids[: mine["kept"]]].sum(), rtol=1e-9)
    token, _, reading = sampler.step(sampler.init(), scores, seed=7, reading=True)
    assert mine["drawn"] == token
    assert mine["kept"] == reading.kept
    assert mine["from"] <= mine["u"] < mine["to"]
    np.testing.assert_allclose(mine["to"] - mine["from"], math.exp(-reading.surprisal_after), rtol=1e-6)
    so_far = scores
    for (name, value), (before, left, *head) in zip(chain, mine["trail"], strict=True):
        assert before == (so_far > -INF).sum()
        np.testing.assert_allclose(head, np.sort(hb.softmax(so_far))[::-1][: len(head)], rtol=1e-9, atol=1e-300)
        with np.errstate(over="ignore"):
            so_far = hb.chain(getattr(hb, name)(value)).scores((), so_far).scores
        assert left == (so_far > -INF).sum()


def test_draws_agree_on_many_seeds(bench, static):
    scores = LOGITS["normal"].astype(np.float64)
    sampler = hb.parse("temperature(1.3) -> top_p(0.9)")
    seeds = [0, 1, 2, 7, 2**31, 2**32 + 5, 2**53 - 1, *range(100, 200)]
    mine = bench.evaluate(
        """async ([root, logits, seeds]) => {
          const maths = await import(`${root}/maths.js`);
          const { uniform } = await import(`${root}/random.js`);
          const ranked = maths.rankScores(Float64Array.from(logits));
          const result = maths.applyChain(ranked, [{ name: "temperature", value: 1.3 }, { name: "top_p", value: 0.9 }]);
          return seeds.map((seed) => maths.drawAt(ranked, result, uniform(seed)).id);
        }""",
        [static, scores.tolist(), seeds],
    )
    assert mine == [int(sampler.step(sampler.init(), scores, seed=seed).choice) for seed in seeds]
    assert len(set(mine)) > 50


def test_the_random_numbers_are_the_same(bench, static):
    seeds, positions = [0, 1, 7, 2**53 - 1, 123456789], [0, 1, 2, 77, 2**33]
    pairs = [(seed, position) for seed in seeds for position in positions]
    mine = bench.evaluate(
        "async ([root, pairs]) => { const { uniform } = await import(`${root}/random.js`); "
        "return pairs.map(([seed, position]) => uniform(seed, position)); }",
        [static, pairs],
    )
    theirs = uniforms(
        np.array([s for s, _ in pairs], dtype=np.uint64), np.array([p for _, p in pairs], dtype=np.uint64)
    )
    assert mine == theirs.tolist()


def test_the_curve_and_the_solver(bench, static):
    scores = LOGITS["normal"].astype(np.float64)
    mine = bench.evaluate(
        """async ([root, logits]) => {
          const maths = await import(`${root}/maths.js`);
          const ranked = maths.rankScores(Float64Array.from(logits));
          const free = [{ name: "temperature", value: 1 }];
          const entropy = (T) => maths.applyChain(ranked, maths.atTemperature(free, T)).entropy;
          return { curve: maths.entropyCurve(ranked, free, 9).map(({ T, entropy }) => [String(T), entropy]),
                   solved: maths.solveAxis(entropy, 2.5) };
        }""",
        [static, scores.tolist()],
    )
    temperatures = [float(T) for T, _ in mine["curve"]]
    np.testing.assert_allclose(temperatures, [0, 1 / 7, 1 / 3, 0.6, 1, 5 / 3, 3, 7, INF], rtol=1e-12)
    expected = [hb.entropy(scores, temperature=T) for T in temperatures]
    np.testing.assert_allclose([entropy for _, entropy in mine["curve"]], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mine["solved"], hb.temperature_for(scores, entropy=2.5), rtol=1e-6)


def test_the_knob_reads_the_profile_as_python_does(bench, static):
    profile = Profile.measure(3 * np.random.default_rng(3).normal(size=(20, 10, 50)), model="random")
    wanted = [0.0, 0.2, 0.75, 1.0, 1.7, 30.0, INF]
    mine = bench.evaluate(
        """async ([root, temperatures, entropies, wanted]) => {
          const { profileScale } = await import(`${root}/effect.js`);
          const scale = profileScale(temperatures.map(Number), entropies);
          const at = wanted.map((T) => scale.entropyAt(Number(T)));
          return { at, back: at.map((entropy) => String(scale.temperatureAt(entropy))) };
        }""",
        [static, [text(T) for T in profile.temperatures], list(profile.entropy.mean), [text(T) for T in wanted]],
    )
    np.testing.assert_allclose(mine["at"], [profile.effect(T).entropy for T in wanted], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose([float(T) for T in mine["back"]], wanted, rtol=5e-3)


def test_a_column_of_probabilities_has_even_decimals(bench, static):
    shown = bench.evaluate(
        """async ([root, values]) => values.map((await import(`${root}/i18n.js`)).evenPercent)""",
        [static, [0, 1e-9, 0.004, 0.007, 0.04, 0.1, 0.352, 1]],
    )
    assert shown == ["0%", "< 0.001%", "0.40%", "0.70%", "4.0%", "10.0%", "35.2%", "100%"]


def test_no_probability_is_shown_as_a_certainty_that_it_is_not(bench, static):
    shown = bench.evaluate(
        """async ([root, values]) => values.map((await import(`${root}/i18n.js`)).percent)""",
        [static, [0, 1e-9, 0.00012, 0.0094, 0.041, 0.352, 0.99994, 1]],
    )
    assert shown == ["0%", "< 0.001%", "0.012%", "0.94%", "4.1%", "35.2%", "> 99.9%", "100%"]


def test_surprisal_steps_repetition_and_parting(bench, static):
    mine = bench.evaluate(
        """async (root) => {
          const { stepOf, mean, repeated, parting } = await import(`${root}/surprise.js`);
          const ids = (list) => list.map((id) => ({ id }));
          const loop = ids(Array.from({ length: 24 }, (_, i) => i % 6));
          return {
            steps: [0, 0.99, 1, 2.99, 3, 6, 10, 40].map((bits) => stepOf(bits * Math.LN2)),
            mean: mean([{ before: 1 }, { before: 4 }, { before: Infinity }], "before"),
            loop: repeated(loop), straight: repeated(ids([...Array(24).keys()])), short: repeated(ids([1, 1, 1, 1, 1])),
            parts: [parting(ids([1, 2, 3]), ids([1, 2, 4, 5])), parting(ids([1]), ids([1, 2])), parting([], [])],
          };
        }""",
        static,
    )
    assert mine["steps"] == [0, 0, 1, 1, 2, 3, 4, 4]
    assert mine["mean"] == 2.5
    assert (mine["loop"], mine["straight"], mine["short"]) == (15 / 21, 0, 0)
    assert mine["parts"] == [2, None, None]
