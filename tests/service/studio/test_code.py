"""The ready code runs, and gives the numbers that the page shows."""

import io
import json
import re
import shlex
from contextlib import redirect_stdout

import numpy as np
import pytest
from playwright.sync_api import expect

import heatbath as hb
from tests.service.studio.conftest import painted

SETTINGS = {
    "usual": ("T=0.8&k=40&p=0.95&on=Tp", "temperature(0.8) -> top_p(0.95)"),
    "all": ("T=1.5&k=12&p=0.9&m=0.05&on=Tkpm&order=Tkpm", "temperature(1.5) -> top_k(12) -> top_p(0.9) -> min_p(0.05)"),
    "last": ("T=2&k=12&p=0.9&on=Tkp&order=kpmT", "top_k(12) -> top_p(0.9) -> temperature(2)"),
    "zero": ("T=0&k=12&on=Tk", "temperature(0) -> top_k(12)"),
    "huge": ("T=1e22&k=12&on=Tk&order=kpmT", "top_k(12) -> temperature(1e+22)"),
    "infinite": ("T=inf&k=5&on=Tk&order=kpmT", "top_k(5) -> temperature(inf)"),
    "off": ("T=1.7&on=", ""),
}
PROMPT = "There was once a"
TEXTS = """async ([root, hash, model, origin, prompt]) => {
  const { initial, stepsOf } = await import(`${root}/settings.js`);
  const { fromHash } = await import(`${root}/url.js`);
  const { CODE } = await import(`${root}/code.js`);
  const { settings } = fromHash(hash, initial());
  const about = { steps: stepsOf(settings), seed: settings.seed, prompt, model, origin };
  return Object.fromEntries(Object.entries(CODE).map(([name, write]) => [name, write(about)]));
}"""


@pytest.fixture
def code(bench, static, studio):
    def texts(setting, prompt=PROMPT):
        return bench.evaluate(TEXTS, [static, f"#v=1&{SETTINGS[setting][0]}", "words", studio.url, prompt])

    return texts


def run(text):
    """What a program prints, and the names it leaves."""
    names = {}
    with redirect_stdout(io.StringIO()) as said:
        exec(compile(text, "ready code", "exec"), names)
    return said.getvalue(), names


def sampler_of(setting):
    return hb.parse(SETTINGS[setting][1]) if SETTINGS[setting][1] else hb.chain()


@pytest.mark.parametrize("setting", SETTINGS)
def test_heatbath(code, setting):
    said, names = run(code(setting)["heatbath"])
    sampler = sampler_of(setting)
    token, _, reading = sampler.step(sampler.init(), names["logits"], seed=7, reading=True)
    assert said == f"{token} {reading}\n"
    assert str(names["sampler"]) == str(sampler)


@pytest.mark.parametrize("setting", SETTINGS)
def test_openai(code, words, setting):
    said, _ = run(code(setting)["openai"])
    sampler, context = sampler_of(setting), words.tokenizer.encode(PROMPT)
    state, length = sampler.init(), len(context)
    for _ in range(80):
        token, state, _ = sampler.step(state, words.start([context])[0][0], seed=7)
        context.append(int(token))
    assert said == words.tokenizer.decode(context[length:]) + "\n"


@pytest.mark.parametrize("setting", SETTINGS)
def test_transformers_is_python(code, setting):
    """Also where transformers is not installed."""
    compile(code(setting)["transformers"], "ready code", "exec")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A GPT-2 of a few thousand parameters, saved as transformers saves models."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=60,
        n_positions=128,
        n_embd=16,
        n_layer=1,
        n_head=2,
        eos_token_id=0,
        initializer_range=0.9,
    )
    folder = tmp_path_factory.mktemp("tiny")
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    vocabulary = {"<end>": 0, "<other>": 1} | {f"w{i}": i for i in range(2, 60)}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<other>"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>").save_pretrained(folder)
    return folder


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("setting", SETTINGS)
def test_transformers_draws_from_the_same_distribution(code, tiny, setting):
    text = code(setting, "w5 w9")["transformers"]
    assert 'name = "gpt2"' in text
    text = text.replace('"gpt2"', repr(str(tiny))).replace("tokens[0]", "tokens.sequences[0]")
    text = text.replace("max_new_tokens=80,", "max_new_tokens=1, output_scores=True, return_dict_in_generate=True,")
    _, names = run(text)
    import torch

    with torch.no_grad():
        logits = names["model"](**names["inputs"]).logits[0, -1].double().numpy()
    after = sampler_of(setting).scores((), logits).scores
    if SETTINGS[setting][0].startswith("T=0&"):
        assert names["tokens"].sequences[0, -1] == after.argmax()
        return
    scores = names["tokens"].scores[0][0].double().numpy()
    np.testing.assert_allclose(hb.softmax(scores), hb.softmax(after), atol=2e-6)


@pytest.mark.parametrize("setting", SETTINGS)
def test_llama_cpp(code, setting):
    text = code(setting, 'It\'s "so"\n')["llama"]
    words = shlex.split(text, comments=True)
    assert words[:4] == ["curl", "http://127.0.0.1:8080/completion", "-H", "Content-Type: application/json"]
    assert words[4] == "-d"
    body = json.loads(words[5])
    assert body["prompt"] == 'It\'s "so"\n'
    assert (body["n_predict"], body["seed"]) == (80, 7)
    steps = re.findall(r"(\w+)\(([^)]+)\)", SETTINGS[setting][1])
    assert body["samplers"] == [name for name, _ in steps]
    for name, value in steps:
        assert body[name] == (1e9 if value == "inf" else float(value))
    assert set(body) == {"prompt", "n_predict", "seed", "samplers"} | set(body["samplers"])


def test_the_tabs_and_their_copy_button(page):
    for tab in ("transformers", "llama.cpp", "heatbath", "OpenAI client"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        page.locator("#code-copy").click()
        expect(page.locator("#status")).to_have_text("The code is copied.")
        shown = page.locator("#code code").inner_text()
        assert page.evaluate("navigator.clipboard.readText()") == shown
        assert "0.8" in shown


def test_the_tabs_by_keyboard_and_the_code_follows_the_settings(page):
    page.get_by_role("tab", name="OpenAI client").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="heatbath")).to_be_focused()
    painted(page)
    expect(page.locator("#code code")).to_contain_text("hb.chain(hb.temperature(0.8), hb.top_p(0.95))")
    page.get_by_role("button", name="temperature last").click()
    expect(page.locator("#code code")).to_contain_text("hb.chain(hb.top_p(0.95), hb.temperature(0.8))")
    expect(page.get_by_role("tabpanel")).to_have_attribute("aria-labelledby", "tab-heatbath")
