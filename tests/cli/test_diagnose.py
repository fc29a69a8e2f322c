"""``heatbath diagnose`` as a person uses it."""

import io
import json

import numpy as np
import pytest
from rich.cells import cell_len

import heatbath as hb
from heatbath.core import softmax
from heatbath.sampling import diagnose

SMALL = ("-n", "2", "--max-tokens", "60", "--seed", "3")


def document(ran):
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out, parse_constant=pytest.fail)["cases"]


def saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture(scope="module")
def drawn():
    logits = 3 * np.random.default_rng(0).normal(size=(120, 50))
    return logits, hb.chain(hb.temperature(2.0)).step((), logits, seed=7).choice


def test_a_cold_text_is_told_with_its_loop_and_a_remedy(heatbath):
    ran = heatbath("diagnose", "Once upon a time", "-T", "0.2", "--seed", "0")
    assert (ran.code, ran.err) == (0, "")
    out = " ".join(ran.out.split())
    assert "T is too low T = 0.2" in out
    assert "▼ too low repeated runs" in out
    assert "2 times: " in out
    for remedy in ("temperature(loop_guard(0.2))", "dry(0.8) -> temperature(0.2)"):
        hb.parse(remedy)
        assert any(line.split(maxsplit=1)[1:] == [remedy] for line in map(str.rstrip, ran.out.splitlines()) if line), (
            remedy
        )
    assert "what it had written before underlined" in out
    assert "T by the profile" in heatbath("diagnose", "The", *SMALL).out


def test_a_hot_text_is_told_and_coloured_by_surprise(heatbath):
    ran = heatbath("diagnose", "Once upon a time", "-T", "1.8", "-n", "3", "--seed", "0", terminal=True)
    assert "T is too high" in ran.out
    plain = heatbath("diagnose", "Once upon a time", "-T", "1.8", "-n", "3", "--seed", "0").out
    assert "against tail and surprise try temperature(1) or min_p(0.1)" in " ".join(plain.split())
    assert "min_p(0.1) -> temperature(1.8)" in ran.out
    assert "bits of surprise at T = 1" in ran.out
    assert "\x1b[" in ran.out
    assert "\x1b[38;" not in heatbath("diagnose", "A", *SMALL, terminal=True, NO_COLOR="1").out


def test_the_document_holds_every_number_and_every_text(heatbath):
    cold, hot = document(heatbath("diagnose", "The king", "-T", "0.3", "--chain", "top_k(5)", *SMALL, "--json"))
    assert (cold["name"], cold["chain"]) == ("T = 0.3", "temperature(0.3) -> categorical()")
    assert (hot["name"], hot["chain"]) == ("top_k(5)", "top_k(5) -> categorical()")
    assert [verdict["name"] for verdict in cold["verdicts"]] == ["loops", "frozen", "tail", "surprise", "temperature"]
    assert cold["verdicts"][4]["threshold"] == 0.3
    assert cold["sensitivity"]["temperature"] == 0.3
    assert len(cold["texts"]) == 2
    assert all(text["text"] for text in cold["texts"])
    assert hot["verdicts"][4]["outcome"] == "fine", "what top_k has cut is masked"
    assert set(cold["effects"][0]) >= {"measure", "value", "temperature", "entropy", "middle_half"}
    assert document(heatbath("diagnose", "The king", "-T", "0.3", *SMALL, "--json"))[0] == cold, "a seed is a seed"


def test_a_temperature_that_moves_is_estimated(heatbath):
    [case] = document(heatbath("diagnose", "The king", "-T", "hold_entropy(1.0)", *SMALL, "--json"))
    assert case["verdicts"][4]["threshold"] is None
    assert case["used"]["low"] < case["used"]["value"]


def test_a_thermostat_is_shown_the_text_so_far(heatbath):
    by_text = "by_text([['after:a', 0.0]], 3.0)"
    [case] = document(heatbath("diagnose", "The king", "--chain", by_text, *SMALL, "--json"))
    assert case["verdicts"][0]["name"] == "loops"
    refused = heatbath("diagnose", "The king", "--chain", "by_rule([['a', 0.5]], 0.7)", *SMALL)
    assert refused.code == 2
    assert "the text so far is all that is known here" in refused.err


def test_targets_are_looked_up(heatbath):
    made = document(heatbath("diagnose", "The king", *SMALL, "--entropy", "1.5", "--top-probability", "0.6", "--json"))
    effects = made[0]["effects"]
    assert {each["measure"]: each["value"] for each in effects} == {"entropy": 1.5, "top_probability": 0.6}
    assert next(each for each in effects if each["measure"] == "entropy")["entropy"] == pytest.approx(1.5, rel=2e-3)


def test_the_toy_at_0_and_at_infinity_is_judged(heatbath):
    for temperature in ("0", "inf"):
        [case] = document(heatbath("diagnose", " sun", "--model", "toy", "-T", temperature, *SMALL, "--json"))
        assert case["verdicts"][4]["outcome"] == "fine"
        assert case["used"]["value" if temperature == "0" else "high"] == (0 if temperature == "0" else "inf")
        ran = heatbath("diagnose", " sun", "--model", "toy", "-T", temperature, *SMALL)
        assert (ran.code, ran.err) == (0, "")


def test_arrays_in_files_and_on_standard_input(heatbath, tmp_path, drawn):
    logits, tokens = drawn
    path = tmp_path / "scores.npz"
    path.write_bytes(saved(logits=logits, tokens=tokens))
    same = diagnose(logits, tokens, temperature=2.0)
    [case] = document(heatbath("diagnose", "--file", str(path), "-T", "2", "--json"))
    assert case["name"] == "scores.npz, T = 2"
    assert case["chain"] is None
    for verdict, known in zip(case["verdicts"], same.verdicts, strict=True):
        assert verdict["outcome"] == known.outcome
        assert verdict["value"] == pytest.approx(known.value)
    [piped] = document(heatbath("diagnose", "--file", "-", "-T", "2", "--json", stdin=path.read_bytes()))
    assert piped["verdicts"] == case["verdicts"]
    alone = io.BytesIO()
    np.save(alone, logits)
    ran = heatbath("diagnose", "--file", "-", stdin=alone.getvalue())
    assert ran.code == 0
    assert "no verdict" in ran.out
    assert "T here" in ran.out
    assert "seed" not in ran.out


def test_saved_answers_and_plain_text(heatbath, tmp_path, drawn):
    logits, tokens = drawn
    logs = np.log(softmax(logits))
    content = [
        {
            "token": f"<{token}>",
            "logprob": float(row[token]),
            "top_logprobs": [{"token": f"<{i}>", "logprob": float(row[i])} for i in np.argsort(-row)[:8]],
        }
        for row, token in zip(logs, tokens.tolist(), strict=True)
    ]
    answer = {"choices": [{"message": {"content": ""}, "logprobs": {"content": content}}]}
    path = tmp_path / "answers.jsonl"
    path.write_text(f"{json.dumps(answer)}\n{json.dumps(answer)}\n")
    [case] = document(heatbath("diagnose", "--file", str(path), "-T", "2", "--raw", "--vocabulary", "50", "--json"))
    assert len(case["texts"]) == 2
    assert case["outcome"] == "too high"
    assert case["entropy"][0] < case["entropy"][1]
    [case] = document(heatbath("diagnose", "--file", str(path), "--tempered", "--json"))
    assert case["verdicts"][3]["outcome"] == "no verdict"
    ran = heatbath("diagnose", "--file", "-", stdin="so " + "the king said no. " * 20)
    assert ran.code == 0
    assert "too low" in ran.out
    assert "20 times: the king said no." in ran.out
    short = heatbath("diagnose", "--file", "-", stdin="the king said no. " * 4).out
    assert "no verdict" in short
    assert "4 times: the king said no." in short
    assert "30 times: 国王说不" in heatbath("diagnose", "--file", "-", stdin="从前" + "国王说不" * 30).out


def test_an_answer_of_the_service_at_1_8_is_too_high_and_never_fine(heatbath, tmp_path):
    testing = pytest.importorskip("starlette.testclient", reason="the extra heatbath[serve] is not installed")
    from heatbath.embedded import load
    from heatbath.service.app import create_app

    asked = {"prompt": "Once upon a time", "temperature": 1.8, "n": 3, "logprobs": 3, "max_tokens": 60, "seed": 1}
    with testing.TestClient(create_app(load(None)), base_url="http://127.0.0.1") as client:
        answer = client.post("/v1/completions", json=asked).json()
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer))
    for words in ((), ("-T", "1.8")):
        ran = heatbath("diagnose", "--file", str(path), *words)
        assert "T is too high" in ran.out
        assert "answered by heatbath itself: the log-probabilities are those before the temperature" in ran.out
    assert "answered by" not in heatbath("diagnose", "--file", str(path), "--raw").out
    del answer["system_fingerprint"], answer["heatbath"]
    path.write_text(json.dumps(answer))
    said = " ".join(heatbath("diagnose", "--file", str(path), "-T", "1.8").out.split())
    assert "no verdict answer.json, T = 1.8" in said
    assert "tail: the log-probabilities may be those before or after" in said
    assert "add --raw (before) or --tempered (after)" in said
    assert "tempered=" not in said


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("temperature", ["0.2", "1.8"])
def test_nothing_is_wider_than_the_terminal(heatbath, width, temperature):
    ran = heatbath("diagnose", "Once", "-T", temperature, *SMALL, width=width)
    assert ran.code == 0
    assert max(map(cell_len, ran.out.splitlines())) <= width


def test_ascii_is_enough(process):
    ran = process("diagnose", "Once", "-T", "1.8", *SMALL, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.code == 0
    assert ran.out.isascii()
    assert "?" not in ran.out.split("text 1 of")[0].replace("? no verdict", "")
    assert "^ T is too high" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "diagnosing: there is nothing to judge; write for example heatbath diagnose"),
        (("A", "--file", "x"), "there are both a prompt and a file"),
        (("--file", "nowhere"), "'nowhere': it is no file that can be read (No such file or directory)"),
        (
            ("--file", "x", "--seed", "1", "-n", "2"),
            "--file with --seed, --n: nothing is written where a file is judged",
        ),
        (("--file", "x", "-T", "1", "-T", "2"), "a file was written at one temperature"),
        (("--file", "x", "-T", "hold_entropy(1)"), "a file was written at one temperature"),
        (("A", "--raw"), "they are about a file, and there is none"),
        (("A", "-T", "-1"), "--temperature must be >= 0"),
        (("A", "-n", "0"), "n must be in [1, 128]"),
        (("A", "--entropy", "x"), "setting --entropy"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(heatbath, words, said):
    ran = heatbath("diagnose", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
