"""The page on the gateway is true: its configurations load, and it names every header, field and row."""

import re
from pathlib import Path

import msgspec
import pytest

from heatbath.embedded.toy import ToyModel
from heatbath.service.gateway import config, metrics
from heatbath.service.gateway.live import Live
from heatbath.service.gateway.providers import PROVIDERS, STATES

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "gateway.rst").read_text(encoding="utf-8")
TOML = re.findall(r"^\.\. code-block:: toml\n\n((?:   .*\n|\n)+)", PAGE, re.MULTILINE)


@pytest.mark.parametrize("text", TOML)
def test_configurations_load(tmp_path, text):
    path = tmp_path / "heatbath.toml"
    path.write_text(re.sub(r"^   ", "", text, flags=re.MULTILINE))
    keys = {"OPENAI_API_KEY": "a", "DASHSCOPE_API_KEY": "b"}
    live = Live(config.load(path, keys), load_model=lambda name: (ToyModel(), None))
    assert live.tasks.find(None, "poet") == "poem"


def test_headers_states_and_metrics_are_told():
    source = "".join(path.read_text() for path in Path(config.__file__).parent.glob("*.py"))
    headers = set(re.findall(r'b"(heatbath-[a-z-]+)"', source))
    assert len(headers) == 9
    assert all(f"``{header}``" in PAGE for header in headers)
    assert all(f"``{state}``" in PAGE for state in STATES)
    names = set(re.findall(r"^# HELP (heatbath_\w+)", metrics.Metrics().text().decode(), re.MULTILINE))
    assert len(names) == 10
    assert names == set(re.findall(r"``(heatbath_\w+)``", PAGE))


def test_every_field_is_explained():
    for kind in config.TABLES.values():
        source = Path(config.__file__).read_text()
        body = source.split(f"class {kind.__name__}(Struct", 1)[1].split("\nclass ", 1)[0]
        for field in msgspec.structs.fields(kind):
            assert re.search(rf'^    {field.name}: .*\n    """', body, re.MULTILINE), f"{kind.__name__}.{field.name}"


def test_the_tables_are_made_from_the_program():
    assert ".. heatbath-providers::" in PAGE
    assert ".. heatbath-tables::" in PAGE
    assert len(PROVIDERS) >= 12
