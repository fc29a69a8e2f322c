"""A configuration is right, or the error says where it is wrong; a provider's key shows nowhere."""

import pickle

import pytest

from heatbath.embedded.toy import ToyModel
from heatbath.errors import InputError
from heatbath.service.gateway.config import load
from heatbath.service.gateway.live import Live

GOOD = """
[upstreams.a]
url = "http://127.0.0.1:1/v1"
provider = "openai"
"""

GPT = "[routes.\"gpt-4.1\"]\nupstream = 'a'\n"


def made(path):
    return Live(load(path, {"KEY": "sk-very-secret"}), load_model=lambda name: (ToyModel(), None))


@pytest.mark.parametrize(
    ("text", "line", "place", "says"),
    [
        ("[upstreams.a", "", "", "it is no TOML"),
        ("[servers]\nmax_body = 1", "line 1", "[servers]", "did you mean server?"),
        ("[upstreams.a]\nurl = 'http://h/v1'\ntimeuot = 3", "line 3", "[upstreams.a] timeuot", "did you mean timeout?"),
        ("[upstreams.a]\nurl = 'http://h/v1'\ntimeout = 'x'", "line 3", "[upstreams.a] timeout", "Expected `float`"),
        ("[upstreams.a]\nurl = 'http://h/v1'\ntimeout = -3", "line 3", "[upstreams.a] timeout", "out of range"),
        ("[upstreams.a]\nurl = 'http://h/v1'\ntimeout = 0", "line 1", "[upstreams.a]", "lets nothing through"),
        ("[upstreams.a]\nurl = 'ftp://h'", "line 2", "[upstreams.a] url", "no address"),
        ("[upstreams.a]\nurl = 'http://user:pass@h'", "line 2", "[upstreams.a] url", "without a key"),
        ("[upstreams.a]\nprovider = 'openai'", "line 1", "[upstreams.a]", "embedded = true"),
        ("[upstreams.a]\nembedded = true\nurl = 'http://h'", "line 1", "[upstreams.a]", "or is embedded"),
        (
            "[upstreams.a]\nurl = 'http://h'\nprovider = 'opanai'",
            "line 3",
            "[upstreams.a] provider",
            "did you mean openai?",
        ),
        ("[upstreams.a]\nurl = 'http://h'\nkey = 'sk-very-secret'", "line 3", "[upstreams.a] key", "env:NAME"),
        ("[upstreams.a]\nurl = 'http://h'\nkey = 'env:NONE'", "line 3", "[upstreams.a] key", "has no NONE"),
        ("[upstreams.a]\nurl = 'http://h'\nkey = 'file:none'", "line 3", "[upstreams.a] key", "holds no key"),
        (GOOD + "[routes.m]\nupstream = 'b'", "line 6", '[routes."m"] upstream', "there are a"),
        (GOOD + '[routes."m"]\nupstream = "a"\nrange = [2, 0]', "line 7", '[routes."m"] range', "no range"),
        (GOOD + '[routes."m"]\nupstream = "a"\ntemperature = "maybe"', "line 7", '[routes."m"] temperature', "maybe"),
        (GOOD + "[[tasks]]\nname = 'a b'", "line 6", "[[tasks]] name", "header"),
        (GOOD + "[[tasks]]\nname = 'a'\n[[tasks]]\nname = 'a'", "line 8", "[[tasks]] name", "two tasks"),
        (GOOD + "[[tasks]]\nname = 'a'\npolicy = 'fixed(-1)'", "line 7", "[[tasks]] policy", "never negative"),
        (GOOD + "[[tasks]]\nname = 'a'\npolicy = 'warm'", "line 7", "[[tasks]] policy", "warm"),
        (
            GOOD + "[[tasks]]\nname = 'a'\npolicy = 'hold_entropy(1.0)'",
            "line 7",
            "[[tasks]] policy",
            "scores of every token",
        ),
        (GOOD + "[[tasks]]\nname = 'a'\npolicy = 'fixed(inf)'", "line 7", "[[tasks]] policy", "JSON cannot carry inf"),
        (GOOD + "[[tasks]]\nname = 'a'\npolicy = 'fixed([1, 2])'", "line 7", "[[tasks]] policy", "one temperature"),
        (
            GOOD + GPT + "[[tasks]]\nname = 'a'\nmodels = ['gpt-*']\npolicy = 'fixed(2.5)'",
            "line 10",
            "[[tasks]] policy",
            "takes [0, 2]",
        ),
        (GOOD + GPT + "policy = 'fixed(2.5)'", "line 7", '[routes."gpt-4.1"] policy', "[0, 2]"),
        (GOOD + "[keys.k]\nhash = 'secret'", "line 6", "[keys.k] hash", "heatbath key"),
        (
            GOOD + f"[keys.k]\nhash = 'sha256:{'0' * 32}:{'0' * 64}'\nscopes = ['all']",
            "line 7",
            "[keys.k] scopes",
            "all",
        ),
        (GOOD + "[experiments.poem]\ntask = 'poem'", "line 5", "[experiments.poem]", "nothing here runs it"),
        ("tasks = 3", "", "", "tasks are a list"),
        ("store = 3", "", "", "store is a table"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, line, place, says):
    path = tmp_path / "heatbath.toml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        made(path)
    message = str(refused.value)
    assert message.startswith(f"reading the configuration on {path}")
    assert line in message
    assert place in message
    assert says in message
    assert "secret" not in message.replace("'secret'", "")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "none.toml")


def test_keys_come_from_outside_and_show_nowhere(tmp_path):
    (tmp_path / "key.txt").write_text("sk-from-a-file\n")
    path = tmp_path / "heatbath.toml"
    path.write_text(
        "[upstreams.a]\nurl='http://h/v1'\nkey='env:KEY'\n[upstreams.b]\nurl='http://h/v1'\nkey='file:key.txt'"
    )
    config = load(path, {"KEY": "sk-very-secret"})
    assert config.secrets["a"].reveal() == "sk-very-secret"
    assert config.secrets["b"].reveal() == "sk-from-a-file"
    for shown in (repr(config), str(config), repr(config.secrets["a"]), str(config.secrets), f"{config.secrets['a']}"):
        assert "sk-" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(config.secrets["a"])
    path.write_text("[upstreams.a]\nurl='http://h/v1'\nkey='env:KEY'")
    with pytest.raises(InputError) as refused:
        load(path, {"KEY": "sk-with\r\nInjected: header"})
    assert "sk-with" not in str(refused.value)


def test_a_route_overrides_the_table(tmp_path):
    path = tmp_path / "heatbath.toml"
    path.write_text(
        GOOD + '[routes."m-*"]\nupstream = "a"\ntemperature = "ignored"\nrange = "[0, 1.5)"\ndefault = 0.3\nscale = 0.5'
    )
    route = made(path).routes.find("m-1")
    rule = route.rule("m-1", "unsaid")
    assert (rule.state, str(rule.range), rule.default, rule.effective(1.0)) == ("ignored", "[0, 1.5)", 0.3, 0.15)


def test_the_digest_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "heatbath.toml"
    path.write_text(GOOD)
    one = load(path).digest
    path.write_text(GOOD + "\n")
    assert load(path).digest != one
