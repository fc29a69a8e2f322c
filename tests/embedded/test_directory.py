"""A directory that lacks something is refused, and the message says what and what to do."""

import json
from pathlib import Path

import pytest

from heatbath.embedded import load
from heatbath.embedded.directory import read_directory
from heatbath.errors import ModelError
from tests.embedded import foreign


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return foreign.write(tmp_path)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"loading a model on .*nowhere: there is no such directory; write the path of a"
    ):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "model.onnx",
            "it holds none of model.onnx, onnx/model.onnx, .*; export the model with its cache: optimum-cli",
        ),
        ("tokenizer.json", "it holds no tokenizer.json; copy the file from the model's repository, or save a fast"),
        ("config.json", "it holds no config.json; copy the file from the model's repository"),
    ],
)
def test_a_file_that_is_not_there(directory: Path, name: str, why: str) -> None:
    (directory / name).unlink()
    with pytest.raises(ModelError, match=f"loading a model on .*: {why}"):
        load(directory)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("config.json", "{", "config.json is not JSON .*; copy the file"),
        ("config.json", "[]", "config.json does not hold a JSON object; copy the file"),
        ("generation_config.json", "nonsense", "generation_config.json is not JSON"),
        ("config.json", "{}", 'does not say how many tokens a text may have .*; add "max_position_embeddings"'),
    ],
)
def test_a_file_that_cannot_be_used(directory: Path, name: str, content: str, why: str) -> None:
    (directory / name).write_text(content)
    with pytest.raises(ModelError, match=f"loading a model on .*: .*{why}"):
        load(directory)


def test_prompts_that_suit_the_model(directory: Path) -> None:
    assert read_directory(directory).example_prompts == ()
    (directory / "config.json").write_text(json.dumps({"n_ctx": 12, "example_prompts": ["def f(", "class "]}))
    assert read_directory(directory).example_prompts == ("def f(", "class ")
    assert load(directory).example_prompts == ("def f(", "class ")  # type: ignore[attr-defined]


def test_the_language_part_of_a_model_of_several_kinds_of_data(directory: Path) -> None:
    (directory / "generation_config.json").unlink()
    (directory / "config.json").write_text(
        json.dumps({"text_config": {"max_position_embeddings": 12, "eos_token_id": 5}})
    )
    found = read_directory(directory)
    assert (found.context, found.start_token, found.stop_tokens) == (12, 5, {5})
