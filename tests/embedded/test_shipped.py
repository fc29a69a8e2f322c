"""What ships: its size, its record, and what temperature does to its text."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from heatbath.embedded import load_profile
from heatbath.types import Model
from tests.embedded import oracle
from tests.embedded.conftest import Write

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHIPPED = ROOT / "src" / "heatbath" / "embedded"
WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
PROMPTS = ["Once upon a time", "There was once a king", "The king said", "The wolf", "There was once a", "One day"] * 4
TOKENS = 150


@pytest.fixture(scope="module")
def known() -> frozenset[str]:
    """Every word of the training text."""
    return frozenset((HERE / "words.txt").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def samples(write: Write) -> dict[float, list[list[str]]]:
    """Words of 24 continuations at each temperature, without the last, which may be cut short."""
    return {
        temperature: [
            [word.lower() for word in WORD.findall(text)][:-1]
            for text in write(PROMPTS, temperature=temperature, tokens=TOKENS, seed=11)
        ]
        for temperature in (0.2, 0.7, 1.6)
    }


def windows(words: list[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]


def repeated(words: list[str]) -> float:
    """The share of three-word windows that stood in the text before."""
    seen = windows(words, 3)
    return 1 - len(set(seen)) / max(len(seen), 1)


def unknown(words: list[str], known: frozenset[str]) -> float:
    """The share of words that no training text has."""
    return sum(word not in known for word in words) / max(len(words), 1)


def mean_and_error(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def clearly_above(high: list[float], low: list[float]) -> bool:
    """Whether the first mean is above the second by three standard errors."""
    (a, error_a), (b, error_b) = mean_and_error(high), mean_and_error(low)
    return a - b > 3 * math.hypot(error_a, error_b)


def test_weights_and_tokenizer_stay_under_eight_megabytes() -> None:
    files = [path for path in SHIPPED.rglob("*") if path.is_file() and path.suffix in {".onnx", ".json"}]
    assert {path.name for path in files} >= {"model.onnx", "tokenizer.json", "config.json", "profile.json"}
    assert sum(path.stat().st_size for path in files) < 8e6


def test_the_graph_says_nothing_of_the_machine_that_made_it() -> None:
    content = (SHIPPED / "weights" / "model.onnx").read_bytes()
    assert not re.search(rb"/(home|root|tmp|usr|work)/|\.py\b|torch|pytorch", content)


def test_the_teachers_notice_travels_along() -> None:
    notice = (SHIPPED / "NOTICE").read_text(encoding="utf-8")
    assert "Copyright (c) 2023 Andrej" in notice
    assert "Permission is hereby granted, free of charge" in notice


def test_cold_text_runs_in_circles(samples: dict[float, list[list[str]]]) -> None:
    cold, usual, hot = ([repeated(words) for words in samples[t]] for t in (0.2, 0.7, 1.6))
    assert clearly_above(cold, usual)
    assert clearly_above(usual, hot)
    assert np.mean(cold) > 2 * np.mean(usual)


def test_hot_text_is_full_of_words_that_are_none(samples: dict[float, list[list[str]]], known: frozenset[str]) -> None:
    hot, usual, cold = ([unknown(words, known) for words in samples[t]] for t in (1.6, 0.7, 0.2))
    assert clearly_above(hot, usual)
    assert np.mean(hot) > 0.1
    assert np.mean(usual) < 0.05
    assert np.mean(cold) < 0.02


def test_text_at_seven_tenths_is_made_of_sentences(write: Write) -> None:
    for text in write(PROMPTS, temperature=0.7, tokens=TOKENS, seed=12):
        sentences = re.findall(r"[^.!?]+[.!?]", text)
        assert sentences or len(text.split()) < 40, text  # few sentences of a tale are longer


def test_no_ten_words_in_a_row_are_copied_from_the_tales(samples: dict[float, list[list[str]]], data: Path) -> None:
    from training.data import grimm, jacobs, words

    tales = {window for tale in grimm() + jacobs() for window in windows(words(tale.text), 10)}
    assert tuple(words(grimm()[0].text)[5:15]) in tales
    copied = {t: [w for text in texts for w in windows(text, 10) if w in tales] for t, texts in samples.items()}
    assert copied == {t: [] for t in samples}


def test_the_recorded_loss_of_held_out_tales_is_measured_again(model: Model, data: Path) -> None:
    from training.data import split_tales

    record = json.loads((ROOT / "training" / "results.json").read_text())["first_windows_of_held_out_grimm"]
    _, held_out = split_tales()
    length = record["tokens_each"]
    texts = [model.tokenizer.encode(tale.text)[:length] for tale in held_out["grimm"]]
    texts = [text for text in texts if len(text) == length]
    assert len(texts) == record["texts"]
    scores, cache = model.start([text[:1] for text in texts])
    nats = 0.0
    for i in range(1, length):
        wanted = [text[i] for text in texts]
        shifted = scores.astype(np.float64) - scores.max(-1, keepdims=True)
        nats += float((np.log(np.exp(shifted).sum(-1)) - shifted[np.arange(len(texts)), wanted]).sum())
        if i + 1 < length:
            scores, cache = model.step(cache, wanted)
    assert nats / (len(texts) * (length - 1)) == pytest.approx(record["nats_per_token"], abs=1e-4)


def test_the_record_is_of_this_model_and_names_every_text() -> None:
    record = json.loads((ROOT / "training" / "results.json").read_text())
    stored = oracle.weights(SHIPPED / "weights" / "model.onnx")
    learned = [name for name in stored if name in {"embedding", "norm"} or name[0].isdigit()]
    assert record["parameters"] == sum(stored[name].size for name in learned)
    assert set(record["bits_per_byte"]) == {"grimm", "jacobs", "stories T=0.7", "stories T=0.9"}
    assert record["bits_per_byte"]["grimm"] < 1.55  # of 8 bits


def test_the_profile_is_that_of_the_model(model: Model) -> None:
    profile = load_profile()
    assert profile is not None
    assert profile.model == model.name
    assert profile.samples >= 16
    assert profile.entropy.mean[-1] == pytest.approx(math.log(model.vocabulary))
    assert 0.5 < profile.effect(1.0).entropy < 4


def test_the_exact_limits_of_its_profile_are_reached() -> None:
    profile = load_profile()
    assert profile is not None
    for effect in ({"entropy": math.log(2048)}, {"perplexity": 2048}, {"relative_entropy": 1.0}):
        assert profile.temperature_for(**effect) == math.inf
    assert profile.effect(math.inf).perplexity == pytest.approx(2048, rel=1e-12)
