"""What the benchmark of the knob measures with, and what it has stored."""

import importlib
import math
from pathlib import Path

import numpy as np
import pytest

import heatbath as hb
from benchmarks.knobs import results
from benchmarks.knobs.units import BYTES, EFFECTS, ENTROPY, JUDGED, KNOBS, REPEATED, SUMS, TOKENS, TOP, WINDOWS, Known
from benchmarks.knobs.writing import WINDOW, Extent, Subject, profile_each, profile_once, write
from heatbath.embedded import load
from heatbath.embedded.ngram import NGramModel
from heatbath.embedded.toy import STOP, ToyModel

TEXT = "the cat sat on the mat and the dog sat on the log. " * 4 + "a bird sang. some cats ran to the old red barn. "
MODEL = NGramModel(TEXT, order=4)
EXTENT = Extent(6, 40, (0.5, 1.0), (0.5, 1.0, 2.0))
PROMPTS = ["the ", "a ", "some c", "dog", "on the old", "sat"]


@pytest.fixture(scope="module")
def known():
    return {make: make(MODEL, PROMPTS, EXTENT, MODEL) for make in (profile_once, profile_each)}


@pytest.mark.parametrize("make", [profile_once, profile_each])
@pytest.mark.parametrize("name", KNOBS)
def test_a_position_leads_back_to_its_temperature(known, name, make):
    for temperature in (0.3, 0.7, 1.0, 1.7):
        position = KNOBS[name].position(known[make], temperature)
        assert KNOBS[name].temperature(known[make], position) == pytest.approx(temperature, abs=1e-6)


def test_positions_by_hand():
    grid = (0.0, 1.0, math.inf)
    curve = hb.control.Curve
    none = (0.0,) * 3
    profile = hb.Profile("m", 9, 3, grid, curve((0, 2, 4), none), curve((0, 0.5, 1), none), curve((1, 0.6, 0.1), none))
    known = Known(vocabulary=55, token_bytes=4.0, profile=profile)
    at = {name: knob.position(known, 1.0) for name, knob in KNOBS.items()}
    assert at == {"temperature": 1, "entropy": 2, "share": 0.5, "top": 0.6, "ratio": 1, "per_byte": 0.5}


def test_sums_of_a_text_are_those_of_its_scores():
    written = write(MODEL, PROMPTS, 0.7, 3, 40, MODEL)
    assert written.sums.shape == (len(PROMPTS), len(SUMS))
    for sums, rows, text, prompt in zip(written.sums, written.rows, written.texts, PROMPTS, strict=True):
        assert len(rows) == sums[TOKENS] == sums[BYTES] == len(text) == 40
        assert sums[ENTROPY] == pytest.approx(hb.entropy(rows, 0.7).sum(), rel=1e-6)
        assert sums[TOP] == pytest.approx(hb.top_probability(rows, 0.7).sum(), rel=1e-6)
        log_p = hb.log_softmax(rows)
        assert sums[JUDGED] == pytest.approx(-log_p[np.arange(40), list(text)].sum(), rel=1e-5), prompt
        assert sums[WINDOWS] == 40 - WINDOW + 1


def test_a_text_that_goes_in_circles_repeats_itself():
    loop = NGramModel("abc" * 50, order=4)
    (sums,) = write(loop, ["abc"], 0.0, 0, 60, loop).sums
    assert sums[REPEATED] == sums[WINDOWS] - 3  # three windows, again and again


def test_a_text_ends_at_a_stop_token_and_at_the_end_of_the_context():
    judge = NGramModel("sun rain", order=2)
    written = write(ToyModel(stop=30), [" sun"] * 20, 1.0, 0, 1000, judge)
    assert written.sums[:, TOKENS].max() > 1
    assert all(rows[-1][STOP] > -math.inf for rows in written.rows)
    assert len({len(text) for text in written.texts}) > 1
    (sums,) = write(ToyModel(stop=0, context=12), [" sun"], 1.0, 0, 1000, judge).sums
    assert sums[TOKENS] == 11


def test_a_profile_of_texts_at_each_temperature_says_what_those_texts_had(known):
    each = known[profile_each].profile
    for place, temperature in enumerate(EXTENT.grid):
        total = write(MODEL, PROMPTS, temperature, 5000 + 100 * place, EXTENT.bytes, MODEL).sums.sum(0)
        assert each.effect(temperature).entropy == pytest.approx(total[ENTROPY] / total[TOKENS])
        assert each.effect(temperature).top_probability == pytest.approx(total[TOP] / total[TOKENS])


@pytest.fixture
def knob(monkeypatch):
    """The script."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # which it sets itself, and is taken back after the test
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("knob")


def test_models_that_are_the_same_are_not_apart_and_others_are(knob):
    other = NGramModel(TEXT[::-1], order=3, name="other")
    twin = NGramModel(TEXT, order=4, name="twin")
    third = NGramModel(TEXT, order=2, name="third")
    texts = [("one", MODEL), ("one", twin), ("two", other), ("two", third)]
    prompts = [*PROMPTS, "cat ", "log", "the mat", "red", "barn", "bird "]
    subjects = [Subject(model, "n-gram", text, model.size, prompts) for text, model in texts]
    found = knob.measure(subjects, MODEL, Extent(6, 80, (0.2, 0.7), (0.2, 0.7, 1.0, 2.0)))
    means = [{name: mean for name, (mean, _) in run.effects.items()} for run in found.runs]
    assert means[::4] == means[1::4]
    assert means[::4] != means[2::4]
    assert {value for effects in knob.among(found, "one").values() for value in effects.values()} == {0}
    assert all(effects["entropy"] > 0 for effects in knob.among(found, "two").values())
    for spread in found.spreads:
        assert spread.over_raw == 1 or (spread.knob, spread.profile) != knob.RAW
        assert spread.without_one[0] <= spread.over_raw <= spread.without_one[1]
        assert spread.interval[0] < spread.interval[1] or (spread.knob, spread.profile) == knob.RAW


def test_a_claim_that_misses_its_target_fails(knob, capsys):
    stored = results.read()
    assert not knob.claims(stored)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(knob.TARGETS)
    for line in lines:
        _, _, measured, target, verdict = line.split()
        assert verdict == ("PASS" if float(measured) <= float(target.removeprefix("<=")) else "FAIL")


@pytest.fixture(scope="module")
def stored():
    return results.read()


def test_what_is_stored_is_complete(stored):
    models = {subject.name for subject in stored.subjects}
    assert len(models) == len(stored.subjects) >= 6
    assert len({subject.vocabulary for subject in stored.subjects}) >= 5
    settings = {(run.knob, run.profile) for run in stored.runs}
    assert {knob for knob, _ in settings} == set(KNOBS)
    assert len(stored.runs) == len(settings) * len(stored.temperatures) * len(models)
    assert len({(run.knob, run.profile, run.place, run.model) for run in stored.runs}) == len(stored.runs)
    assert {(s.knob, s.profile, s.effect) for s in stored.spreads} == {(*s, e) for s in settings for e in EFFECTS}


def test_every_run_is_one_that_can_be(stored):
    for run in stored.runs:
        assert run.model in {subject.name for subject in stored.subjects}
        assert 0 < run.temperature < 20
        assert set(run.effects) == set(EFFECTS)
        assert all(mean >= 0 and 0 <= error < math.inf for mean, error in run.effects.values())
        if run.knob == "temperature":
            assert run.temperature == run.position == stored.temperatures[run.place]


def test_the_spreads_are_those_of_the_runs(stored):
    places, models = range(len(stored.temperatures)), [subject.name for subject in stored.subjects]
    found = {(run.knob, run.profile, run.place, run.model): run.effects for run in stored.runs}
    for s in stored.spreads:
        means = [[found[s.knob, s.profile, place, model][s.effect][0] for model in models] for place in places]
        assert s.spread == pytest.approx(np.sqrt(np.var(means, axis=1, ddof=1).mean()), rel=0.02, abs=2e-4)
        assert s.interval[0] <= s.interval[1]
        assert s.without_one[0] <= s.over_raw * 1.001
        assert s.without_one[1] >= s.over_raw * 0.999


@pytest.mark.parametrize("name", ["heatbath-tales", "tales-bytes-counted"])
def test_a_stored_run_is_measured_again(stored, name, data):
    """Rounding differs between processors, and a draw may turn out otherwise: hence the standard error."""
    from training.knob.texts import tales

    told = tales()
    model = load() if name == "heatbath-tales" else NGramModel(told.train, order=6)
    run = next(r for r in stored.runs if (r.knob, r.profile, r.place, r.model) == ("entropy", "at T = 1", 1, name))
    prompts = told.prompts[stored.texts : 2 * stored.texts]
    total = write(model, prompts, run.temperature, 10_000 + 100 * run.place, stored.bytes, MODEL).sums.sum(0)
    mean, error = run.effects["entropy"]
    assert total[ENTROPY] / total[TOKENS] == pytest.approx(mean, abs=error)


def test_storing_and_reading_are_inverse(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FILE", tmp_path / "again.json")
    results.keep(stored)
    assert results.read() == stored


def test_the_command_that_is_named_exists(stored):
    script, flag = stored.command.split()[1:]
    root = Path(__file__).parents[2]
    assert flag in (root / script).read_text(encoding="utf-8")
