"""Does one position of the knob have one effect on different models? Against the same raw T.

A profile of each model is measured on texts that continue some prompts. It turns a position of the knob, an effect,
into a T. At that T the model continues *other* prompts with other seeds, and what comes is measured: the effect itself,
and the text in units that do not depend on the tokenizer. Each knob goes through as many places as the raw T: at place
k it asks every model for the mean over the models of the effect of the k-th T. What is compared is the spread across
the models, the root of the mean variance. Two profiles: one of texts at T = 1, as the one that ships, and one of texts
that are written anew at each T.

    python benchmarks/knob.py [--quick | --keep]

`--quick` needs nothing but heatbath: the shipped model and two n-gram models that are counted on the spot. The full run
has seven models, and needs the texts and the trained networks (`training/README.md`); `--keep` stores what the gallery
draws.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and PyTorch make their threads

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from knobs import results
from knobs.units import EFFECTS, KNOBS, Known
from knobs.writing import WINDOW, Extent, Subject, profile_each, profile_once, write

from heatbath.embedded import load
from heatbath.embedded.ngram import NGramModel

ROOT = Path(__file__).resolve().parents[1]
FULL = Extent(24, 240, (0.4, 0.6, 0.8, 1.0, 1.2), (0.2, 0.35, 0.5, 0.65, 0.8, 1.0, 1.25, 1.6, 2.2, 3.0))
QUICK = Extent(16, 120, (0.6, 0.9, 1.2), (0.4, 0.7, 1.0, 1.5, 2.5))
PROFILES = {"at T = 1": profile_once, "at each T": profile_each}
RAW = ("temperature", "at T = 1")
SETTINGS = [RAW, *((knob, profile) for profile in PROFILES for knob in KNOBS if knob != "temperature")]
RESAMPLES = 1000
TARGETS = {  # knob, profile, effect: the largest share of the spread at the same raw T
    **{(knob, "at T = 1", knob): 0.33 for knob in KNOBS if knob != "temperature"},
    **{(knob, "at T = 1", text): 1.0 for knob in ("entropy", "per_byte") for text in ("repeated", "judged")},
}
NOT_QUICK = ("repeated",)  # so few and short texts hardly repeat themselves


def full() -> tuple[Sequence[Subject], NGramModel]:
    """Seven models, and their judge."""
    sys.path.append(str(ROOT))
    from knobs.zoo import judge, subjects

    return subjects(), judge()


def quick() -> tuple[Sequence[Subject], NGramModel]:
    """The shipped model, and two n-gram models of the manual that comes with Python."""
    from pydoc_data.topics import topics

    text = "\n".join(topics.values())
    lines = [line.strip()[:32].rpartition(" ")[0] for line in text[2**18 :].splitlines() if len(line) > 60]
    heroes = ("king", "wolf", "poor man", "princess", "fox", "miller", "giant", "witch")
    tales = [
        opening.format(hero)
        for hero in heroes
        for opening in ("There was once a {}", "The {} said", "One day the {}", "Then the {}")
    ]
    counted = [
        NGramModel(text[: 2**size], order=order, name=f"manual-{order}-bytes") for size, order in ((15, 3), (18, 6))
    ]
    shipped = json.loads((ROOT / "training" / "results.json").read_text())
    subjects = [Subject(load(), "transformer", "tales", shipped["parameters"], tales)]
    subjects += [Subject(model, "n-gram", "manual", model.size, list(dict.fromkeys(lines))) for model in counted]
    return subjects, NGramModel(text[2**18 :], order=5)


def measure(subjects: Sequence[Subject], judge: NGramModel, extent: Extent) -> results.Results:
    """Everything."""
    known: list[dict[str, Known]] = []
    for subject in subjects:
        prompts = subject.prompts[: extent.texts]
        known.append({name: profile(subject.model, prompts, extent, judge) for name, profile in PROFILES.items()})
        print(f"profiled {subject.model.name}", file=sys.stderr, flush=True)
    rng = np.random.default_rng(0)
    runs: list[results.Run] = []
    measured: dict[tuple[str, str], dict[str, np.ndarray]] = {}  # (1 + resamples, places, models)
    for knob, profile in SETTINGS:
        values = {effect: np.empty((1 + RESAMPLES, len(extent.temperatures), len(subjects))) for effect in EFFECTS}
        for place, raw in enumerate(extent.temperatures):
            position = float(np.mean([KNOBS[knob].position(own[profile], raw) for own in known]))
            for number, (subject, own) in enumerate(zip(subjects, known, strict=True)):
                temperature = float(f"{KNOBS[knob].temperature(own[profile], position):.3g}")
                prompts = subject.prompts[extent.texts : 2 * extent.texts]
                sums = write(subject.model, prompts, temperature, 10_000 + 100 * place, extent.bytes, judge).sums
                several = _resampled(sums, rng)
                found = {name: effect(several, own["at T = 1"]) for name, effect in EFFECTS.items()}
                for name, effects in found.items():
                    values[name][:, place, number] = effects
                effects = {name: (float(effects[0]), float(effects[1:].std())) for name, effects in found.items()}
                runs.append(results.Run(knob, profile, place, position, subject.model.name, temperature, effects))
        measured[knob, profile] = values
        print(f"measured {knob}, profile {profile}", file=sys.stderr, flush=True)
    spreads = [
        _spread(setting, effect, measured[setting][effect], measured[RAW][effect])
        for setting in SETTINGS
        for effect in EFFECTS
    ]
    told = [
        results.Subject(s.model.name, s.kind, s.text, s.model.vocabulary, s.numbers, one.token_bytes, one.nats(1.0))
        for s, one in zip(subjects, (own["at T = 1"] for own in known), strict=True)
    ]
    return results.Results(
        results.COMMAND, extent.texts, extent.bytes, WINDOW, extent.temperatures, told, runs, spreads
    )


def _resampled(sums: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sums of all texts; then those of as many texts drawn from them, again and again."""
    weights = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=RESAMPLES)
    return np.concatenate((sums.sum(0)[None], weights @ sums))


def _spread(setting: tuple[str, str], effect: str, values: np.ndarray, raw: np.ndarray) -> results.Spread:
    over = _apart(values) / _apart(raw)
    fewer = [
        float(_apart(np.delete(values[0], model, -1)) / _apart(np.delete(raw[0], model, -1)))
        for model in range(values.shape[-1])
    ]
    low, high = np.quantile(over[1:], (0.025, 0.975))
    return results.Spread(
        *setting, effect, float(_apart(values[0])), float(over[0]), (float(low), float(high)), (min(fewer), max(fewer))
    )


def _apart(values: np.ndarray) -> np.ndarray:
    """The root of the mean variance across models, which are the last axis, over places."""
    return np.sqrt(values.var(-1, ddof=1).mean(-1))


def among(found: results.Results, text: str) -> dict[tuple[str, str], dict[str, float]]:
    """The spread across the models of one text, by setting and effect."""
    names = [subject.name for subject in found.subjects if subject.text == text]
    effects = {(run.knob, run.profile, run.place, run.model): run.effects for run in found.runs}
    places = range(len(found.temperatures))
    return {
        setting: {
            effect: float(_apart(np.array([[effects[*setting, p, m][effect][0] for m in names] for p in places])))
            for effect in EFFECTS
        }
        for setting in SETTINGS
    }


def show(found: results.Results) -> None:
    """The tables."""
    for subject in found.subjects:
        print(
            f"{subject.name}: {subject.kind}, {subject.numbers:,} numbers, {subject.vocabulary} tokens of "
            f"{subject.token_bytes:.2f} bytes, {subject.entropy:.2f} nats at T = 1"
        )
    by_setting = {(s.knob, s.profile, s.effect): s for s in found.spreads}
    print("\nspread across models over that at the same raw T (95 % of resampled texts; with one model left out)")
    print(f"{'knob':<12}{'profile':<12}" + "".join(f"{effect:>30}" for effect in EFFECTS))
    for knob, profile in SETTINGS:
        cells = [by_setting[knob, profile, effect] for effect in EFFECTS]
        if (knob, profile) == RAW:
            texts = [f"{cell.spread:.3g}" for cell in cells]
        else:
            texts = [
                f"{c.over_raw:.2f} ({c.interval[0]:.2f}-{c.interval[1]:.2f}; "
                f"{c.without_one[0]:.2f}-{c.without_one[1]:.2f})"
                for c in cells
            ]
        print(f"{knob:<12}{profile:<12}" + "".join(f"{text:>30}" for text in texts))
    for text in sorted({subject.text for subject in found.subjects}):
        count = sum(subject.text == text for subject in found.subjects)
        if count > 2:
            print(f"\nspread across the {count} models of {text} alone, in the unit of the effect")
            for (knob, profile), effects in among(found, text).items():
                print(f"{knob:<12}{profile:<12}" + "".join(f"{effects[effect]:>10.3g}" for effect in EFFECTS))
    print()
    for knob, profile in SETTINGS[1:]:
        runs = [run for run in found.runs if (run.knob, run.profile) == (knob, profile)]
        off = [run.effects[knob][0] / run.position - 1 for run in runs]
        by_place = [
            np.mean([o for o, r in zip(off, runs, strict=True) if r.place == p]) for p in range(len(found.temperatures))
        ]
        print(
            f"asked and met, {knob}, profile {profile}: {np.sqrt(np.mean(np.square(off))):.1%} off, by place "
            + " ".join(f"{value:+.1%}" for value in by_place)
        )


def claims(found: results.Results, left_out: Sequence[str] = ()) -> bool:
    """One line a claim; whether all hold."""
    held = True
    for spread in found.spreads:
        target = TARGETS.get((spread.knob, spread.profile, spread.effect))
        if target is not None and spread.effect not in left_out:
            good = spread.over_raw <= target
            held &= good
            name = f"knob.{spread.knob}.{spread.effect}-over-raw-T"
            print(f"claim {name} {spread.over_raw:.2f} <={target} {'PASS' if good else 'FAIL'}")
    return held


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three models that need nothing else; under a minute")
    parser.add_argument("--keep", action="store_true", help=f"store what was measured in {results.FILE.name}")
    chosen = parser.parse_args()
    found = measure(*(quick() if chosen.quick else full()), QUICK if chosen.quick else FULL)
    if chosen.keep and not chosen.quick:
        results.keep(found)
    show(found)
    print()
    return int(not claims(found, NOT_QUICK if chosen.quick else ()))


if __name__ == "__main__":
    sys.exit(main())
