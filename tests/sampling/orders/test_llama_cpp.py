"""llama.cpp and what samples with it: published values, and its own chain of samplers on thousands of random rows."""

import numpy as np
import pytest

import heatbath as hb
from tests.sampling.llama import llama
from tests.sampling.orders.llama_chain import DEFAULT, chained, common, left_by
from tests.sampling.orders.rows import OPTIONS, Compared, drawn_from, random_rows, random_text
from tests.sampling.orders.settings import random_settings, rng

OFF = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "temperature": 1.0}
FOUR = [0.1, 0.2, 0.3, 0.4]
THREE_NINTHS = [0, 2 / 9, 3 / 9, 4 / 9]

# tests/test-sampling.cpp of llama.cpp: settings, probabilities in, probabilities out (here all of them renormalised)
PUBLISHED = [
    ({"temperature": 1.0}, FOUR, FOUR),
    ({"temperature": 0.0}, FOUR, [0, 0, 0, 1]),
    ({"temperature": 1.0, "dynatemp_range": 0.0}, FOUR, FOUR),
    ({"top_k": 1}, FOUR, [0, 0, 0, 1]),
    ({"top_k": 3}, FOUR, THREE_NINTHS),
    ({"top_k": 4}, FOUR, FOUR),
    ({"top_k": 0}, FOUR, FOUR),
    ({"top_p": 0.0}, FOUR, [0, 0, 0, 1]),
    ({"top_p": 0.7}, FOUR, [0, 0, 3 / 7, 4 / 7]),
    ({"top_p": 0.8}, FOUR, THREE_NINTHS),
    ({"top_p": 1.0}, FOUR, FOUR),
    ({"min_p": 0.0}, FOUR, FOUR),
    ({"min_p": 0.24}, FOUR, FOUR),
    ({"min_p": 0.26}, FOUR, THREE_NINTHS),
    ({"min_p": 0.49}, FOUR, THREE_NINTHS),
    ({"min_p": 0.51}, FOUR, [0, 0, 3 / 7, 4 / 7]),
    ({"min_p": 0.74}, FOUR, [0, 0, 3 / 7, 4 / 7]),
    ({"min_p": 0.76}, FOUR, [0, 0, 0, 1]),
    ({"min_p": 1.0}, FOUR, [0, 0, 0, 1]),
    ({"min_p": 1.05}, FOUR, [0, 0, 0, 1]),
    ({"xtc_probability": 0.99, "xtc_threshold": 0.09}, FOUR[::-1], [0, 0, 0, 1]),
    ({"xtc_probability": 0.99, "xtc_threshold": 0.19}, FOUR[::-1], [0, 0, 2 / 3, 1 / 3]),
    ({"xtc_probability": 0.99, "xtc_threshold": 0.29}, FOUR[::-1], [0, 3 / 6, 2 / 6, 1 / 6]),
    ({"xtc_probability": 0.99, "xtc_threshold": 0.39}, FOUR[::-1], FOUR[::-1]),
    ({"typical_p": 0.5}, [0.97, 0.01, 0.01, 0.01], [1, 0, 0, 0]),
    ({"typical_p": 0.5}, [0.4, 0.2, 0.2, 0.2], [0, 1 / 3, 1 / 3, 1 / 3]),
    ({"top_n_sigma": 1.0}, FOUR, [0, 0, 3 / 7, 4 / 7]),
    ({"top_n_sigma": 0.0}, FOUR, FOUR),
    ({"top_n_sigma": 3.0}, FOUR, FOUR),
]


@pytest.mark.parametrize(("settings", "row", "left"), PUBLISHED)
def test_the_published_values(settings, row, left):
    np.testing.assert_allclose(drawn_from(hb.orders.llama_cpp(**OFF | settings), np.log(row)), left, atol=1e-9)


FIVE = [0.2] * 5
AGAIN = {"repeat_penalty": 50.0}
ADDED = {"frequency_penalty": 5.0, "presence_penalty": 5.0}
DRY = {"dry_multiplier": 1.0, "dry_base": 1.1}
PUBLISHED_WITH_A_TEXT = [
    (AGAIN, FIVE, [0], [0, 0.25, 0.25, 0.25, 0.25]),
    (AGAIN, FIVE, [0, 1, 2], [0, 0, 0, 0.5, 0.5]),
    (AGAIN, FIVE, [0, 1, 2, 0, 0], [0, 0, 0, 0.5, 0.5]),
    (ADDED, FIVE, [0], [0.000011, 0.249997, 0.249997, 0.249997, 0.249997]),
    (ADDED, FIVE, [0, 1, 2], [0.000023, 0.000023, 0.000023, 0.499966, 0.499966]),
    (ADDED, FIVE, [0, 1, 2, 0, 0], [0.0, 0.000023, 0.000023, 0.499977, 0.499977]),
    (DRY | {"dry_penalty_last_n": 4}, [0.25] * 4, [0, 1], [0.25] * 4),
    (DRY | {"dry_penalty_last_n": 5}, [0.25] * 4, [0, 1, 2, 0, 1], [0.296923, 0.296923, 0.109232, 0.296923]),
    (DRY | {"dry_penalty_last_n": 6, "dry_sequence_breakers": [[3]]}, FIVE, [0, 1, 3, 4, 0, 1], FIVE),
    (
        DRY | {"dry_multiplier": 2.0, "dry_penalty_last_n": 5},
        FIVE,
        [0, 1, 2, 0, 1],
        [0.241818, 0.241818, 0.032727, 0.241818, 0.241818],
    ),
    (DRY | {"dry_allowed_length": 4, "dry_penalty_last_n": 7}, FIVE, [0, 1, 2, 3, 4, 0, 1], FIVE),
]


@pytest.mark.parametrize(("settings", "row", "text", "left"), PUBLISHED_WITH_A_TEXT)
def test_the_published_values_behind_a_text(settings, row, text, left):
    found = drawn_from(hb.orders.llama_cpp(**OFF | settings), np.log(row), text)
    np.testing.assert_allclose(found, left, atol=1e-6)


@pytest.mark.parametrize(
    "names", ["k", "p", "m", "kp", "km", "pk", "pm", "mk", "mp", "kpm", "kmp", "pkm", "pmk", "mkp", "mpk"]
)
def test_the_published_sizes_of_queues(names):
    """Of 10 000 options with the logits ln(id), so that every cut leaves the ids from some id on."""
    options, k, p, m = 10000, 100, 0.8, 0.1
    first, last = 1, options - 1  # ln 0 is forbidden
    for name in names:
        if name == "k":
            first = max(first, last - k + 1)
        elif name == "p":
            masses = np.cumsum(np.arange(last, first - 1, -1))
            first = last - int(np.argmax(masses >= p * masses[-1]))
        else:
            first = max(first, int(np.ceil(m * last)))
    order = {"k": "top_k", "p": "top_p", "m": "min_p"}
    sampler = hb.orders.llama_cpp(**OFF | {"top_k": k, "top_p": p, "min_p": m, "samplers": [order[n] for n in names]})
    with np.errstate(divide="ignore"):
        left = np.flatnonzero(drawn_from(sampler, np.log(np.arange(options))))
    assert (left[0], left[-1], len(left)) == (first, last, last - first + 1)


def test_its_own_chain_keeps_and_draws_from_the_same():
    llama()
    random, compared, refused = rng(2), Compared(), 0
    engine = hb.orders.ENGINES["llama.cpp"]
    for _ in range(150):
        settings = random_settings(engine, random, 0.35, {"adaptive_p", "mirostat"})
        if settings.get("top_n_sigma", 0) > 0:  # the difference called "n-sigma first"
            settings = {name: value for name, value in settings.items() if name not in ("typical_p", "dynatemp_range")}
        if random.random() < 0.3:
            settings["samplers"] = random.permutation(DEFAULT).tolist()
        try:
            sampler = hb.orders.llama_cpp(**settings)
        except hb.InputError:  # penalties behind a temperature and a cut between
            refused += 1
            continue
        given, text = engine.read(settings), random_text(random, 90)
        for row in random_rows(random, 20):
            compared.add(sampler, row, text, left_by(common(given, OPTIONS), row, text))
    assert compared.different == [], compared
    assert compared.rows == 20 * (150 - refused) > 2500


def test_its_own_dry_lowers_the_same_by_as_much():
    llama()
    random, compared, lowered = rng(8), Compared(), 0
    engine = hb.orders.ENGINES["llama.cpp"]
    for _ in range(300):
        settings = OFF | {
            "dry_multiplier": float(random.choice([0.3, 0.8, 2.0])),
            "dry_base": float(random.choice([1.0, 1.2, 1.75])),
            "dry_allowed_length": int(random.choice([1, 2, 3, 5])),
            "dry_penalty_last_n": int(random.choice([-1, 5, 20, 64])),
        }
        text = random_text(random, int(random.integers(0, 40)), OPTIONS // 4)
        for _ in range(random.integers(1, 4)):  # a passage comes again, whole or not
            begin = int(random.integers(0, len(text) + 1))
            text = text + text[begin : begin + int(random.integers(1, 12))]
        sampler, given = hb.orders.llama_cpp(**settings), engine.read(settings)
        row = random_rows(random, 1)[0]
        theirs = left_by(common(given, OPTIONS), row, text)
        lowered += bool(np.abs(theirs - hb.softmax(row)).max() > 1e-3)
        compared.add(sampler, row, text, theirs)
    assert (compared.rows, compared.different) == (300, []), compared
    assert lowered > 100


@pytest.mark.parametrize("name", ["Ollama", "llama-cpp-python"])
def test_the_programs_that_use_it_keep_and_draw_from_the_same(name):
    lib = llama()
    random, compared = rng(6), Compared()
    engine = hb.orders.ENGINES[name]
    for _ in range(75):
        settings = random_settings(engine, random, 0.5, {"mirostat", "logit_bias"})
        given = engine.read(settings)
        window = given.get("repeat_last_n", given.get("last_n_tokens_size"))
        text = random_text(random, 90)
        sampler = getattr(hb.orders, engine.function)(**settings)
        for row in random_rows(random, 20):
            penalties = (given[f"{each}_penalty"] for each in ("repeat", "frequency", "presence"))
            chain = chained(
                lib.llama_sampler_init_penalties(OPTIONS, window, *penalties),
                lib.llama_sampler_init_top_k(given["top_k"]),
                lib.llama_sampler_init_typical(given["typical_p"], 1),
                lib.llama_sampler_init_top_p(given["top_p"], 1),
                lib.llama_sampler_init_min_p(given["min_p"], 1),
                lib.llama_sampler_init_temp(given["temperature"]),
            )
            heard = text if name == "Ollama" else []  # llama-cpp-python tells its penalties of no prompt
            compared.add(sampler, row, text, left_by(chain, row, heard))
    assert (compared.rows, compared.different) == (1500, []), compared


@pytest.mark.parametrize("temperature", [0.0, -0.5])
def test_at_zero_and_below_the_chain_still_acts(temperature):
    llama()
    settings = {"temperature": temperature, "typical_p": 0.5, "top_p": 1.0}
    row = np.log(np.array([0.4, 0.21, 0.2, 0.19], np.float32))
    theirs = left_by(common(hb.orders.ENGINES["llama.cpp"].read(settings), 4), row)
    assert theirs.tolist() == drawn_from(hb.orders.llama_cpp(**settings), row).tolist() == [0, 1, 0, 0]
