"""``heatbath explain`` as a person uses it. What the numbers must be is computed by the core."""

import json
import math

import numpy as np
import pytest
from rich.cells import cell_len

from heatbath import core

SCORES = np.array([2.0, 1.0, 0.5, -1.0])
WORDS = ("explain", "2.0", "1.0", "0.5", "-1")


def document(ran):
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out, parse_constant=pytest.fail)


def test_negative_numbers_are_scores_wherever_they_stand(heatbath):
    for words in (["-1", "2", "-.5", "-1e2", "-inf"], ["-1,2", "-.5", "[-100, -Infinity]"]):
        made = document(heatbath("explain", "--json", *words))
        assert [option["logit"] for option in made["options"]] == [-1, 2, -0.5, -100, "-inf"]


def test_the_document_holds_what_the_core_computes(heatbath):
    made = document(heatbath(*WORDS, "-T", "0.7", "--json"))
    assert [option["name"] for option in made["options"]] == ["#1", "#2", "#3", "#4"]
    before, after = made["settings"]
    for setting, temperature in ((before, 1.0), (after, 0.7)):
        assert setting["temperature"] == temperature
        np.testing.assert_allclose(setting["probabilities"], core.softmax(SCORES, temperature=temperature))
        assert setting["entropy"] == pytest.approx(core.entropy(SCORES, temperature=temperature))
        assert setting["heat_capacity"] == pytest.approx(core.heat_capacity(SCORES, temperature=temperature))
        assert setting["kept"] == 4
    assert set(before) == {
        "label", "chain", "temperature", "entropy", "perplexity", "effective_choices", "top_probability",
        "heat_capacity", "kept", "probabilities",
    }  # fmt: skip


def test_targets_temperatures_and_chains_stand_side_by_side(heatbath):
    made = document(
        heatbath(*WORDS, "-T", "0.3", "--chain", "top_k(2)", "--entropy", "1.2", "--perplexity", "2", "--json")
    )
    cold, chained, by_entropy, by_perplexity = made["settings"][1:]
    assert cold["temperature"] == 0.3
    assert (chained["kept"], chained["chain"]) == (2, "top_k(2) -> categorical()")
    assert by_entropy["entropy"] == pytest.approx(1.2)
    assert by_perplexity["perplexity"] == pytest.approx(2)


def test_a_target_is_met_before_options_are_cut(heatbath):
    (_, made) = document(heatbath(*WORDS, "--entropy", "1.2", "--top-k", "2", "--json"))["settings"]
    assert core.entropy(SCORES, temperature=made["temperature"]) == pytest.approx(1.2)
    assert made["kept"] == 2


def test_without_a_wish_a_cold_and_a_hot_setting_are_compared(heatbath):
    made = document(heatbath(*WORDS, "--json"))
    assert [setting["temperature"] for setting in made["settings"]] == [1.0, 0.5, 2.0]


@pytest.mark.parametrize("text", ["[2.0, 1.0, 0.5, -1]", "2.0 1.0\n0.5 -1\n"])
def test_scores_come_from_standard_input_and_from_files(heatbath, tmp_path, text):
    path = tmp_path / "scores"
    path.write_text(text)
    wanted = document(heatbath(*WORDS, "--json"))
    assert document(heatbath("explain", "-", "--json", stdin=text)) == wanted
    assert document(heatbath("explain", str(path), "--json")) == wanted


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"\xff\xfe1\x00", "standard input: it is not UTF-8 text: byte 0 is 0xff"),
        (b"1 2 \xe9", "byte 4 is 0xe9"),
    ],
)
def test_standard_input_that_is_not_utf_8_is_refused(heatbath, sent, said):
    ran = heatbath("explain", "-", stdin=sent)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_byte_order_mark_on_standard_input_is_no_score(heatbath):
    made = document(heatbath("explain", "-", "--json", stdin=b"\xef\xbb\xbf1 2"))
    assert [option["logit"] for option in made["options"]] == [1, 2]


def test_a_setting_of_1_stands_in_the_place_of_the_model_as_it_is(heatbath):
    ran = heatbath("explain", "1", "2", "3", "--entropy", "0.5", "-T", "1", width=120)
    head = next(line for line in ran.out.splitlines() if "option" in line)
    assert head.count("T = 1 ") == 1, head
    assert "T = 1: #3 is drawn" in ran.out
    made = document(heatbath("explain", "1", "2", "3", "-T", "1", "--json"))
    assert len(made["settings"]) == 2, "for a program the first one is always the model as it is"


def test_the_page_shows_names_probabilities_measures_and_a_sentence(heatbath):
    ran = heatbath(*WORDS, "--names", "tea,coffee,milk,salt", "-T", "0.7")
    assert (ran.code, ran.err) == (0, "")
    before, after = core.softmax(SCORES), core.softmax(SCORES, temperature=0.7)
    row = next(line for line in ran.out.splitlines() if "coffee" in line)
    assert f"{100 * before[1]:.1f} %" in row
    assert f"{100 * after[1]:.1f} %" in row
    row = next(line for line in ran.out.splitlines() if "entropy, nats" in line)
    assert row.split()[2:] == [f"{core.entropy(SCORES):.3f}", f"{core.entropy(SCORES, temperature=0.7):.3f}"]
    assert f"tea is drawn {100 * after[0]:.1f} % of the time ({100 * before[0]:.1f} % at T = 1)" in " ".join(
        ran.out.split()
    )


def test_a_pipe_gets_text_without_codes_and_a_terminal_gets_colour(heatbath):
    assert "\x1b" not in heatbath(*WORDS).out
    assert "\x1b[38;" in heatbath(*WORDS, terminal=True).out
    assert "\x1b[38;" not in heatbath(*WORDS, terminal=True, NO_COLOR="1").out


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("settings", [1, 3, 7])
def test_nothing_is_wider_than_the_terminal(heatbath, width, settings):
    temperatures = [word for i in range(settings) for word in ("-T", str(0.5 + i))]
    ran = heatbath(*WORDS, *temperatures, width=width)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= width
    assert ran.out.count("top probability") >= (2 if settings == 7 and width <= 80 else 1)


def test_long_and_wide_names_leave_room_for_the_numbers(heatbath):
    names = f"{'a' * 200},{'雪' * 100},b,c"
    ran = heatbath(*WORDS, "-T", "0.5", "--names", names, width=80)
    assert max(map(cell_len, ran.out.splitlines())) <= 80
    row = next(line for line in ran.out.splitlines() if line.startswith(" 雪"))
    assert f"{100 * core.softmax(SCORES)[1]:.1f} %" in row


def test_many_options_share_a_last_row_that_adds_up(heatbath):
    scores = np.linspace(3, 0, 1000)
    made = heatbath("explain", "-", "-T", "1", "--rows", "5", stdin=json.dumps(scores.tolist()))
    row = next(line for line in made.out.splitlines() if "995 others" in line)
    assert f"{100 * core.softmax(scores)[5:].sum():.1f} %" in row


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["2", "2", "1", "-T", "0"], "#1 is always drawn, the first of 2 tied for the best"),
        (["2", "1", "-T", "0"], "#1 is always drawn; nothing is left to chance"),
        (["2", "1", "-inf", "-T", "inf"], "each of 2 options is drawn equally often"),
        (
            ["2", "1", "0", "-T", "0.5"],
            "The choice is sharper, by its perplexity as open as one among 1.6 equal options (2.3 at T = 1).",
        ),
        (["2", "1", "-T", "2"], "more open"),
        (["1", "1", "-T", "2"], "neither sharper nor more open"),
        (["2", "1", "0", "--chain", "top_k(2)"], "Cut: 1 of 3 options"),
        (["5"], "#1 is always drawn"),
    ],
)
def test_the_sentence_says_what_happens(heatbath, words, said):
    assert said in " ".join(heatbath("explain", *words).out.split())


def test_bars_are_in_proportion_and_the_longest_fills_its_column(heatbath):
    ran = heatbath("explain", "1", "0", "-T", "1e9", width=80)
    rows = [line for line in ran.out.splitlines() if line.startswith(" #") and "%" in line]
    bars = [[len(word) for word in row.split() if word[0] in "█▏▎▍▌▋▊▉"] for row in rows[:2]]
    (longest, half), (shorter, same) = bars
    p = core.softmax(np.array([1.0, 0.0]))
    assert abs(shorter - longest * p[1] / p[0]) <= 1
    assert abs(half - longest * 0.5 / p[0]) <= 1
    assert half == same
    assert longest >= 15


def test_bars_of_several_tables_have_one_scale_and_nothing_is_cut_short(heatbath):
    ran = heatbath(*WORDS, "-T", "0.1", "-T", "inf", "-T", "1.5", "-T", "2", "--rows", "1", width=60)
    assert ran.out.count("top probability") > 1
    assert "…" not in ran.out
    rows = [line for line in ran.out.splitlines() if line.startswith(" #1")]
    bars = [len(word) for row in rows for word in row.split() if word[0] in "█▏▎▍▌▋▊▉"]
    wanted = [core.top_probability(SCORES, temperature=each) for each in (1.0, 0.1, np.inf, 1.5, 2.0)]
    assert bars == [math.ceil(round(8 * max(bars) * float(p)) / 8) for p in wanted]
    assert all("█" not in line for line in ran.out.splitlines() if "3 others" in line)


def test_zero_is_not_said_to_cut(heatbath):
    assert "Cut:" not in heatbath("explain", "3", "2", "1", "-T", "0").out
    assert "Cut: 2 of 3" in heatbath("explain", "3", "2", "1", "--chain", "top_k(1)").out


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("width", [20, 30, 35, 36, 38, 40])
def test_in_a_narrow_terminal_every_number_is_still_there(process, width, plain):
    scores, settings = np.array([2.0, 1.0, 0.5, -1.0]), (1.0, 0.5, 2.0)
    encoding = {"PYTHONIOENCODING": "ascii" if plain else "utf-8", "PYTHONUTF8": "0"}
    ran = process(*WORDS, "--names", "tea,coffee,milk,salt", "--rows", "3", COLUMNS=str(width), **encoding)
    assert ran.code == 0
    for temperature in settings:
        shares = core.softmax(scores, temperature=temperature)
        for number in (
            *(f"{100 * share:.1f} %" for share in shares),
            f"{core.entropy(scores, temperature=temperature):.3f}",
            f"{core.perplexity(scores, temperature=temperature):.2f}",
            f"{core.effective_choices(scores, temperature=temperature):.2f}",
            f"{core.heat_capacity(scores, temperature=temperature):.3f}",
        ):
            assert number in ran.out, (width, temperature, number)
    assert max(map(cell_len, ran.out.splitlines())) <= width


@pytest.mark.parametrize("width", [5, 15, 25])
def test_a_terminal_too_narrow_to_show_much_does_no_harm(heatbath, width):
    assert heatbath(*WORDS, width=width).code == 0


MISTAKES = {
    "no scores": ([], "Missing argument"),
    "an empty list": (["[]"], "nothing to choose from"),
    "a word": (["2", "x"], "neither a number nor a file"),
    "NaN": (["2", "nan"], "NaN"),
    "infinity": (["2", "inf"], "+inf"),
    "all forbidden": (["-inf", "-inf"], "every score is -inf"),
    "a missing file": (["scores.json"], "'scores.json'"),
    "bad JSON": (["[1, 2"], "line 1, column 6"),
    "a T that no double holds": (["1", "2", "-T", "1e400"], "'1e400': it is too large for a double; write inf"),
    "a p that no double holds": (["1", "2", "--top-p", "1e400"], "too large for a double"),
    "a negative T": (["1", "2", "-T", "-1"], "--temperature -1"),
    "NaN for T": (["1", "2", "-T", "nan"], "--temperature nan"),
    "a word for T": (
        ["1", "2", "-T", "hot"],
        "setting -T, at character 0: 'hot' is no number, thermostat or schedule; write a number such as 0.7, or a "
        "thermostat such as hold_entropy(2.0)\n  hot\n",
    ),
    "a comma for a point": (
        ["1", "2", "-T", "0,7"],
        "setting -T, at character 1: a number is written with a point; write 0.7\n  0,7\n",
    ),
    "a word for T that begins a name": (
        ["1", "2", "-T", "warm"],
        "setting -T, at character 0: 'warm' is no number, thermostat or schedule; did you mean warm_up?\n",
    ),
    "a chain for T": (["1", "2", "-T", "top_k(3)"], "top_k is a step"),
    "a bad p": (["1", "2", "--top-p", "1.4"], "--top-p must be in (0, 1]"),
    "a negative k": (
        ["1", "2", "--top-k", "-3"],
        "setting --top-k -3: --top-k must be >= 1; write for example --top-k 40; leave --top-k out or write 0 or -1 to",
    ),
    "a word for k": (["1", "2", "--top-k", "few"], "a number is expected"),
    "a bad chain": (
        ["1", "2", "-T", "1", "--chain", "topp(0.9)"],
        "setting --chain, at character 0: nothing is called 'topp'; did you mean top_p?\n",
    ),
    "an unreachable target": (["1", "2", "--entropy", "5"], "--entropy 5"),
    "a negative target": (["1", "2", "--entropy", "-1"], "--entropy"),
    "a word for a target": (["1", "2", "--perplexity", "two"], "--perplexity 'two'"),
    "too few names": (["1", "2", "--names", "a"], "the number of scores is 2, that of names 1"),
    "a blank name": (["1", "2", "--names", "a,"], "--names 'a,': name 2 is blank"),
    "nothing on standard input": (["-"], "standard input: there is nothing to choose from: it holds no number; write"),
    "a score that no double holds": (["1e400", "1"], "'1e400': it is too large for a double; write 1.7e308 at most"),
    "a thermostat that reads": (
        ["2", "1", "--chain", "by_text([['indentation', 0.8]], 0.6)"],
        "the context has no text; here are scores alone; give a thermostat that looks at nothing else",
    ),
    "an unknown option": (["1", "2", "--frobnicate"], "--frobnicate"),
    "no rows": (["1", "2", "--rows", "0"], "--rows"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_on_standard_error(heatbath, mistake):
    words, said = MISTAKES[mistake]
    ran = heatbath("explain", *words)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("heatbath explain: ")
    assert said in ran.err
    lines = ran.err.splitlines()
    assert len(lines) == 1 or lines[2].strip() == "^"  # a caret under the text that does not parse


def test_a_single_option_has_no_entropy_at_any_temperature(heatbath):
    made = document(heatbath("explain", "5", "-T", "3", "--json"))
    assert all(setting["entropy"] == 0 for setting in made["settings"])
    assert math.isclose(made["settings"][1]["probabilities"][0], 1)
