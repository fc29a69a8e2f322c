"""The verdicts, on texts of models whose probabilities are known; error rates are simulated."""

import math

import numpy as np
import pytest

import heatbath as hb
from heatbath.core import entropy, heat_capacity, softmax, top_probability
from heatbath.sampling import Written, diagnose
from heatbath.sampling.diagnosis.limits import CERTAIN, EXCESS, FEWEST, FROZEN, OUTSIDE, REPEATS, TAIL
from heatbath.sampling.diagnosis.repeats import repeats
from tests.sampling.diagnosis.worlds import at_most, top, world, write

TRIALS, LENGTH, LEVEL = 200, 240, 0.99
WORLD = world(200, 4.0, seed=1)
"""Its mean entropy at T = 1 is 1.6 nats, that of a small language model."""
BIASED = ("too low", "too high", "not as asked")


def judged(drawn_at, trials, *, scores=WORLD, seed=0, length=LENGTH, **settings):
    rng = np.random.default_rng(seed)
    return [diagnose(*write(scores, drawn_at, length, rng), wanted={}, **settings) for _ in range(trials)]


def test_at_1_false_alarms_are_as_rare_as_the_level_says():
    found = judged(1.0, TRIALS, temperature=1.0)
    for name in ("loops", "frozen", "tail", "surprise", "temperature"):
        alarms = sum(each.verdict(name).outcome in BIASED for each in found)
        assert at_most(alarms, TRIALS, 1 - LEVEL), name
    assert sum(each.outcome == "fine" for each in found) > 0.9 * TRIALS, "and it says so"


def test_among_few_options_repetition_by_chance_is_no_loop():
    found = judged(1.0, 60, scores=world(6, 2.0))
    alarms = sum(each.verdict("loops").outcome == "too low" for each in found)
    assert at_most(alarms, 60, 1 - LEVEL)
    assert np.mean([each.verdict("loops").value for each in found]) > REPEATS, "although they repeat more than allowed"
    beyond = [each.verdict("loops").why for each in found if each.verdict("loops").low > REPEATS]
    assert len(beyond) > 10
    assert all("T is not to blame" in why for why in beyond)


@pytest.mark.parametrize(("temperature", "outcome"), [(0.3, "too low"), (2.0, "too high")])
@pytest.mark.parametrize("asked", [True, False])
def test_far_from_1_the_power_is_high(temperature, outcome, asked):
    found = judged(temperature, 60, **({"temperature": temperature} if asked else {}))
    assert sum(each.outcome == outcome for each in found) >= 50


def test_a_place_that_is_open_by_nature_is_not_held_against_the_temperature():
    rows = np.random.default_rng(0).normal(size=(100, 5000))
    found = diagnose(rows, temperature=1.0).verdict("tail")
    assert found.value > OUTSIDE
    assert (found.outcome, found.threshold) == ("fine", pytest.approx(found.value + 0.2))


def test_a_temperature_that_was_ignored_is_noticed():
    found = judged(1.0, 40, temperature=0.6)
    outcomes = [each.verdict("temperature") for each in found]
    assert sum(each.outcome == "not as asked" for each in outcomes) >= 38
    assert "it was ignored" in outcomes[0].why
    assert all(each.outcome == "too high" for each in judged(2.5, 10, temperature=0.1)), "and what was used is judged"
    kept = judged(0.6, TRIALS, temperature=0.6, seed=1)
    assert at_most(sum(each.verdict("temperature").outcome != "fine" for each in kept), TRIALS, 1 - LEVEL)


def test_the_numbers_are_those_of_the_core():
    rows, tokens = write(WORLD, 1.5, 100, np.random.default_rng(4))
    found = diagnose(rows, tokens, temperature=1.5)
    p = softmax(rows)
    chosen = p[np.arange(100), tokens]
    assert found.surprisal == pytest.approx(-np.log(chosen).mean())
    assert found.entropy == pytest.approx((entropy(rows).mean(),) * 2)
    assert found.verdict("tail").value == pytest.approx((chosen < TAIL).mean())
    own = np.where(p < TAIL, p, 0).sum(axis=-1).mean()
    assert found.verdict("tail").threshold == pytest.approx(max(OUTSIDE, own + 0.2))
    assert found.verdict("surprise").value == pytest.approx(found.surprisal - found.entropy[0])
    assert found.verdict("surprise").threshold == EXCESS
    opened = top_probability(rows) <= CERTAIN
    assert found.verdict("frozen").value == pytest.approx((top_probability(rows, 1.5)[opened] > CERTAIN).mean())
    assert found.verdict("frozen").threshold == FROZEN
    assert found.verdict("loops").value == repeats(tokens).share
    assert found.sensitivity.temperature == 1.5
    assert found.sensitivity.entropy == pytest.approx(entropy(rows, 1.5).mean())
    assert found.sensitivity.heat_capacity == pytest.approx(heat_capacity(rows, 1.5).mean())


def test_logits_alone_are_judged_by_what_the_temperature_would_draw():
    rows = WORLD[:80]
    p, hot = softmax(rows), softmax(rows, 2.0)
    found = diagnose(rows, temperature=2.0)
    assert found.verdict("tail").value == pytest.approx(np.where(p < TAIL, hot, 0).sum(axis=-1).mean())
    excess = (-(hot * np.log(p)).sum(axis=-1) - entropy(rows)).mean()
    assert found.verdict("surprise").value == pytest.approx(excess)
    assert found.verdict("loops").outcome == found.verdict("temperature").outcome == "no verdict"
    assert diagnose(rows, temperature=0.05).outcome == "too low"
    alone = diagnose(rows)
    assert alone.outcome == "no verdict"
    assert alone.sensitivity.temperature == 1.0
    assert alone.effects


def test_a_remedy_parses_and_helps():
    cold, hot = judged(0.2, 10, temperature=0.2), judged(2.5, 10, temperature=2.5)
    remedies = {r for each in cold + hot for verdict in each.verdicts for r in verdict.remedies}
    assert {"temperature(1)", "min_p(0.1) -> temperature(2.5)", "temperature(loop_guard(0.2))"} <= remedies
    assert "dry(0.8) -> temperature(0.2)" in remedies
    for remedy in remedies:
        hb.parse(remedy)
    rows, _ = write(WORLD, 1.0, 400, np.random.default_rng(1))
    frozen = diagnose(rows, temperature=0.05).verdict("frozen")
    [remedy] = frozen.remedies
    warmer = float(remedy.removeprefix("temperature(").rstrip(")"))
    opened = rows[top_probability(rows) <= CERTAIN]
    assert (top_probability(opened, warmer) > CERTAIN).mean() == pytest.approx(FROZEN / 2, abs=0.03)
    assert diagnose(rows, temperature=warmer).verdict("frozen").outcome == "fine"


def test_at_0_there_is_no_guard_to_propose_and_at_infinity_no_cut():
    rows, tokens = write(WORLD, 0.0, 200, np.random.default_rng(1))
    found = diagnose(rows, tokens)
    assert found.used.value == 0
    assert found.outcome == "too low"
    remedies = found.verdict("loops").remedies
    assert "dry(0.8) -> temperature(0)" in remedies
    assert not any("guard" in remedy for remedy in remedies)
    rows = 6 * np.random.default_rng(0).normal(size=(100, 40))
    worst = diagnose(rows, rows.argmin(axis=-1))
    assert worst.used.value == math.inf
    assert worst.verdict("surprise").remedies == ("temperature(1)",)


def test_too_little_evidence_is_an_outcome_of_its_own():
    rows, tokens = write(WORLD, 0.1, FEWEST - 1, np.random.default_rng(0))
    found = diagnose(rows, tokens)
    for name in ("loops", "frozen", "tail", "surprise"):
        verdict = found.verdict(name)
        assert (verdict.outcome, verdict.value) == ("no verdict", None), name
        assert "needed" in verdict.why
    assert found.outcome == "no verdict"
    near = [each.verdict("surprise") for each in judged(1.5, 20)]
    assert any(each.outcome == "no verdict" and each.low < each.threshold < each.high for each in near)


def test_one_text_of_several_is_looked_for():
    rng = np.random.default_rng(0)
    fresh = [Written(tokens=rng.integers(0, 5000, 200).tolist()) for _ in range(7)]
    loop = Written(tokens=rng.integers(0, 5000, 50).tolist() + [1, 2, 3, 4, 5] * 30)
    assert diagnose(texts=fresh).verdict("loops").outcome == "fine"
    found = diagnose(texts=[*fresh, loop])
    assert found.verdict("loops").outcome == "too low"
    assert found.repeated[-1].passage == (1, 2, 3, 4, 5)
    assert found.repeated[-1].times == 30
    alone = diagnose(texts=[loop]).verdict("loops")
    assert alone.low > found.verdict("loops").low, "looking at more texts, each must show more"


def test_words_alone_tell_loops_and_nothing_else():
    found = diagnose(text="Once upon a time " + "the king said no " * 20)
    assert found.verdict("loops").outcome == "too low"
    assert found.repeated[0].passage == ("the", "king", "said", "no")
    assert {each.outcome for each in found.verdicts[1:]} == {"no verdict"}
    assert (found.used, found.surprisal, found.entropy, found.sensitivity, found.effects) == (
        None,
        None,
        None,
        None,
        (),
    )
    assert diagnose(text="").outcome == "no verdict"
    assert diagnose(text="国王说不" * 30).verdict("loops").outcome == "too low"


def test_what_repeats_in_a_text_too_short_for_a_verdict_is_named():
    found = diagnose(text="so " + "the king said no. " * 8)
    verdict = found.verdict("loops")
    assert (verdict.outcome, verdict.value) == ("no verdict", None)
    assert verdict.why == (
        "a passage of length 4 stands 8 times in one text; a text of 32 runs is needed, and the longest has 30"
    )
    assert diagnose(text="so the king said no").verdict("loops").why.startswith("a text of 32 runs is needed")


def test_at_1_and_above_a_loop_is_not_blamed_on_the_temperature():
    verdict = diagnose(text="the king said no " * 30, temperature=1.2).verdict("loops")
    assert verdict.outcome == "no verdict"
    assert verdict.remedies == ("dry(0.8) -> temperature(1.2)",)


def interface(temperature, length=LENGTH, seed=0, count=5):
    rows, tokens = write(WORLD, temperature, length, np.random.default_rng(seed))
    tops = top(rows, count)
    logs = np.log(softmax(rows))[np.arange(length), tokens].tolist()
    return rows, {"tokens": tokens, "logprobs": logs, "top_logprobs": tops}


def test_from_the_best_log_probabilities_the_bounds_hold_what_the_logits_say():
    for temperature in (0.3, 1.0, 2.0):
        rows, given = interface(temperature)
        whole = diagnose(rows, given["tokens"])
        found = diagnose(**given, tempered=False, options=200)
        assert found.surprisal == pytest.approx(whole.surprisal)
        assert found.entropy[0] <= whole.entropy[0] <= found.entropy[1]
        assert found.used.low < temperature < found.used.high
        assert found.verdict("tail").value == pytest.approx(whole.verdict("tail").value)
        assert found.verdict("tail").threshold >= whole.verdict("tail").threshold - 1e-9
        mine, theirs = found.verdict("surprise"), whole.verdict("surprise")
        assert mine.low <= theirs.low
        assert theirs.high <= mine.high
        assert found.verdict("frozen").outcome == "no verdict"


def test_without_the_size_of_the_vocabulary_the_surprisal_stands_alone():
    _, given = interface(1.0)
    found = diagnose(**given, tempered=False)
    assert found.entropy[1] == math.inf
    assert found.verdict("surprise").threshold == pytest.approx(6 * math.log(2))
    assert diagnose(logprobs=[-5.0] * 100, tempered=False).verdict("surprise").outcome == "too high"
    assert diagnose(logprobs=[-2.0] * 100, tempered=False).verdict("surprise").outcome == "fine"
    assert diagnose(logprobs=[-8.0] * 100, tempered=False).verdict("tail").outcome == "too high"


def test_log_probabilities_too_low_to_tell_count_in_the_tail_alone():
    logprobs = [-2.0] * 60 + [-9999.0] * 60
    found = diagnose(logprobs=logprobs, tempered=False)
    assert found.verdict("tail").outcome == "too high"
    assert found.verdict("surprise").value == pytest.approx(2.0)
    assert diagnose(logprobs=[-2.0] * 60 + [None] * 60, tempered=False).verdict("tail").value == 0


def test_whether_log_probabilities_are_tempered_is_asked_or_found_out():
    _, raw = interface(0.5)
    rows, tokens = write(WORLD, 0.5, LENGTH, np.random.default_rng(0))
    tempered = {"tokens": tokens, "top_logprobs": top(rows / 0.5, 5)}
    found = diagnose(**raw, temperature=0.5)
    assert found.verdict("temperature").outcome == "fine", "they exclude 1, so that they are those before T"
    assert found.verdict("tail").outcome == "fine"
    unclear = diagnose(**tempered, temperature=0.5)
    assert unclear.verdict("temperature").outcome == "no verdict"
    assert "or T was ignored" in unclear.verdict("temperature").why
    assert unclear.verdict("tail").outcome == "no verdict"
    assert "tempered=False" in unclear.verdict("surprise").why
    assert unclear.surprisal is None
    said = diagnose(**tempered, temperature=0.5, tempered=True)
    assert said.used is None
    assert "agree with draws at any T" in said.verdict("temperature").why
    assert diagnose(**tempered, temperature=0.5, tempered=False).verdict("temperature").outcome == "not as asked"
    near = diagnose(**interface(0.95)[1], temperature=0.95).verdict("temperature")
    assert (near.outcome, "or those before it, and T is as asked" in near.why) == ("no verdict", True)
    assert diagnose(**interface(1.0)[1], temperature=1).verdict("tail").outcome == "fine", "at 1 they are the same"


def test_what_a_truncation_left_is_a_mask():
    rng = np.random.default_rng(6)
    rows = 2.5 * rng.normal(size=(400, 50))
    sampler = hb.chain(hb.temperature(1.3), hb.top_k(5))
    mask = sampler.scores((), rows).scores > -np.inf
    tokens = sampler.step((), rows, seed=3).choice
    assert diagnose(rows, tokens, mask=mask, temperature=1.3).verdict("temperature").outcome == "fine"
    without = diagnose(rows, tokens, temperature=1.3).verdict("temperature")
    assert without.outcome == "not as asked"
    assert "a cut that is not masked" in without.why


def test_the_words_say_what_the_records_say():
    found = judged(0.3, 1)[0]
    lines = str(found).splitlines()
    assert lines[0] == "T is too low"
    assert len(lines) == 6
    assert "loops: too low: " in lines[1]
    assert "; try temperature(loop_guard(0.3" in lines[1]
    with pytest.raises(hb.InputError, match="there is no verdict 'warm'"):
        found.verdict("warm")


def test_tensors_of_pytorch_are_judged_alike():
    torch = pytest.importorskip("torch")
    rows, tokens = write(WORLD, 1.5, 60, np.random.default_rng(4))
    found = diagnose(torch.tensor(rows), torch.tensor(tokens))
    same = diagnose(rows, tokens)
    for mine, theirs in zip(found.verdicts, same.verdicts, strict=True):
        assert mine[:3] == theirs[:3]
        assert mine.value == pytest.approx(theirs.value, rel=1e-6)


def test_nothing_is_fine_while_one_side_is_not_measured():
    words = " ".join(f"word{i}" for i in range(200))
    found = diagnose(text=words)
    assert (found.outcome, found.verdict("loops").outcome) == ("no verdict", "fine"), "it may still be too hot"
    surprising = diagnose(logprobs=[-1.0] * 100, tempered=False)
    assert (surprising.outcome, surprising.verdict("tail").outcome) == ("no verdict", "fine"), (
        "it may still be too cold"
    )
    both = diagnose(tokens=list(range(100)), logprobs=[-1.0] * 100, tempered=False)
    assert both.outcome == "fine"
    assert diagnose(text="no " * 100).outcome == "too low", "one side is enough for what is wrong"


def test_texts_may_say_whether_their_log_probabilities_are_tempered():
    raw = Written(tokens=list(range(100)), logprobs=[-8.0] * 100, tempered=False)
    assert diagnose(texts=[raw, Written(text="more")]).outcome == "too high"
    assert diagnose(texts=[raw, raw._replace(tempered=None)]).outcome == "no verdict", "they do not agree"
    assert diagnose(texts=[raw], tempered=True).outcome == "no verdict", "what is said last holds"
    with pytest.raises(hb.InputError, match="tempered is True, False or None"):
        diagnose(texts=[raw._replace(tempered="no")])
