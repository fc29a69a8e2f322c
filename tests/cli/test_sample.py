"""``heatbath sample`` as a person uses it, on the toy model."""

import json

import pytest

TOY = ("--model", "toy")
THREE = ("-T", "0.2", "-T", "1", "-T", "3")


def document(ran):
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out, parse_constant=pytest.fail)


def test_the_document_tells_every_token(heatbath):
    made = document(heatbath("sample", " rain", *TOY, *THREE, "--seed", "4", "--max-tokens", "12", "--json"))
    assert set(made) == {"model", "prompt", "texts"}
    assert (made["model"], made["prompt"]) == ("toy", " rain")
    assert [text["setting"] for text in made["texts"]] == ["T = 0.2", "T = 1", "T = 3"]
    for text in made["texts"]:
        assert set(text) == {
            "setting", "chain", "seed", "text", "finish_reason", "end", "mean_surprisal", "differs_at", "tokens"
        }  # fmt: skip
        assert text["seed"] == 4
        assert "".join(token["text"] for token in text["tokens"]) == text["text"]
        assert set(text["tokens"][0]) == {
            "id", "text", "temperature", "entropy_before", "entropy_after", "kept", "surprisal", "surprisal_after"
        }  # fmt: skip
    first, *others = made["texts"]
    assert first["differs_at"] is None
    for text in others:
        same = [a["id"] == b["id"] for a, b in zip(first["tokens"], text["tokens"], strict=False)]
        assert text["differs_at"] == (same.index(False) if False in same else None)


def test_a_seed_repeats_a_run_and_a_fresh_one_is_told(heatbath):
    fresh = document(heatbath("sample", "", *TOY, "-T", "1", "--json"))
    seed = str(fresh["texts"][0]["seed"])
    assert document(heatbath("sample", "", *TOY, "-T", "1", "--json", "--seed", seed)) == fresh
    assert f"--seed {seed}" in heatbath("sample", "", *TOY, "-T", "1", "--seed", seed).out


def test_fresh_seeds_differ(heatbath):
    seeds = {document(heatbath("sample", "", *TOY, "--json", "-T", "1"))["texts"][0]["seed"] for _ in range(5)}
    assert len(seeds) > 1


def test_several_answers_take_the_seeds_that_follow(heatbath):
    made = document(heatbath("sample", "", *TOY, "-T", "1", "-T", "2", "-n", "2", "--seed", "7", "--json"))
    assert [text["seed"] for text in made["texts"]] == [7, 8, 7, 8]
    assert made["texts"][1]["differs_at"] is None


def test_the_prompt_may_come_from_standard_input(heatbath):
    made = document(heatbath("sample", "-", *TOY, "--json", stdin=" rain\n"))
    assert made["prompt"] == " rain"


def test_without_a_wish_three_temperatures_are_compared(heatbath):
    made = document(heatbath("sample", "", *TOY, "--json"))
    assert [text["setting"] for text in made["texts"]] == ["T = 0.2", "T = 0.8", "T = 1.6"]


def test_a_stop_text_and_a_chain_act(heatbath):
    made = document(heatbath("sample", "", *TOY, "--chain", "greedy()", "--stop", " sun sun", "--json"))
    (text,) = made["texts"]
    assert (text["text"], text["finish_reason"], text["tokens"], text["mean_surprisal"]) == ("", "stop", [], None)


def test_a_pipe_gets_the_texts_one_below_the_other_without_codes(heatbath):
    ran = heatbath("sample", " rain", *TOY, *THREE, "--seed", "4")
    assert "\x1b" not in ran.out
    assert [line for line in ran.out.splitlines() if line.startswith("T = ")] == ["T = 0.2", "T = 1", "T = 3"]
    made = document(heatbath("sample", " rain", *TOY, *THREE, "--seed", "4", "--json"))
    assert f" rain{made['texts'][0]['text']}" in ran.out


def test_a_wide_terminal_shows_columns_and_a_narrow_one_a_stack(heatbath):
    wide = heatbath("sample", " rain", *TOY, *THREE, width=120, terminal=True).out
    heads = [line for line in wide.splitlines() if "T = 0.2" in line]
    assert "T = 3" in heads[0]
    narrow = heatbath("sample", " rain", *TOY, *THREE, width=60, terminal=True).out
    heads = [line for line in narrow.splitlines() if "T = 0.2" in line]
    assert "T = 3" not in heads[0]


def test_surprise_is_coloured_on_a_terminal_unless_no_colour_is_wanted(heatbath):
    words = ("sample", "", *TOY, "-T", "9", "--seed", "1")
    assert "\x1b[4;38;" in heatbath(*words, terminal=True).out
    assert "38;" not in heatbath(*words, terminal=True, NO_COLOR="1").out


def test_a_full_context_is_told_as_over_http_and_in_words(heatbath):
    words = ("sample", " sun" * 250, *TOY, "--chain", "greedy()", "--max-tokens", "50")
    (text,) = document(heatbath(*words, "--json"))["texts"]
    assert (len(text["tokens"]), text["finish_reason"], text["end"]) == (6, "length", "context")
    assert "6 tokens, cut by the context" in heatbath(*words).out


MISTAKES = {
    "no prompt": ([], "Missing argument"),
    "no tokens": (["a", "--max-tokens", "0"], "--max-tokens must be >= 1"),
    "a seed that is no number": (["a", "--seed", "lucky"], "--seed 'lucky'"),
    "a broken seed": (["a", "--seed", "1.5"], "a whole number is expected"),
    "too many answers": (["a", "-n", "1000"], "--n must be in [1, 128]"),
    "a chain that decides": (["a", "--chain", "top_p(0.4)", "--top-k", "3"], "already decides --top-k"),
    "a chain that does not parse": (["a", "--chain", "temperature(0.7) ->"], "\n  temperature(0.7) ->\n"),
    "a word for T": (
        ["a", "-T", "hot"],
        "setting -T, at character 0: 'hot' is no number, thermostat or schedule; write",
    ),
    "a long prompt": ([" sun" * 300], "shorten it"),
    "a prompt that is no text": (["a\udcff"], "character 1 is no character"),
    "a stop that is everywhere": (
        ["a", "--stop", ""],
        "--stop '': an empty text would end every answer at once; write",
    ),
    "a thermostat that needs a grammar": (
        ["a", "--chain", "by_rule([['a', 0.5]], 0.7)"],
        "the context has no rule; the text so far is all that is known here",
    ),
    "a flag without its value": (["a", "-T"], "-T"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_on_standard_error(heatbath, mistake):
    words, said = MISTAKES[mistake]
    ran = heatbath("sample", *words, *([] if words[-1:] == ["-T"] else TOY))
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("heatbath sample: ")
    assert said in ran.err
    lines = ran.err.splitlines()
    assert len(lines) == 1 or lines[2].strip() == "^"


@pytest.mark.parametrize("verb", ["sample", "serve", "diagnose"])
@pytest.mark.parametrize("there", [False, True])
def test_a_model_that_cannot_be_loaded_is_a_mistake_that_names_the_folder(heatbath, tmp_path, verb, there):
    folder = tmp_path / "no-such-folder"
    if there:
        folder.mkdir()
    ran = heatbath(verb, *(["--port", "0"] if verb == "serve" else ["a"]), "--model", str(folder))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"heatbath {verb}: ")
    assert str(folder) in ran.err
    assert ("holds none of model.onnx" if there else "there is no such directory") in ran.err
    assert len(ran.err.splitlines()) == 1
