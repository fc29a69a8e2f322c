"""What a model's directory holds: the graph, the tokenizer, and the facts that the two do not say."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from heatbath.errors import ModelError

EXPORT = "optimum-cli export onnx --task text-generation-with-past --model NAME DIR"
AGAIN = "copy the file from the model's repository"
GRAPHS = ("model.onnx", "onnx/model.onnx", "decoder_model_merged.onnx", "onnx/decoder_model_merged.onnx")
CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length", "model_max_length")


class Directory(NamedTuple):
    """The files of a model, and what its configuration says."""

    graph: Path
    tokenizer: Path
    context: int
    """The longest text, in tokens."""
    start_token: int | None
    """The token before every text, if the model has one."""
    stop_tokens: frozenset[int]
    """Tokens that end a text."""
    example_prompts: tuple[str, ...]
    """Beginnings that suit what the model was trained on, where its configuration names some."""
    languages: tuple[str, ...]
    """The languages of its training texts, as `en`, where its configuration names some."""


def read_directory(path: Path) -> Directory:
    """Find the files of a model as the Hugging Face hub lays them out.

    Arguments:
        path: a directory with `config.json`, `tokenizer.json` and one of :data:`GRAPHS`; `generation_config.json`,
            where there is one, has the last word on tokens that start and end a text.

    Raises:
        ModelError: the directory or one of its files is missing, or the configuration does not say how long a text may
            be.
    """
    if not path.is_dir():
        raise _error(path, "there is no such directory", "write the path of a directory that holds an ONNX model")
    graph = next((path / name for name in GRAPHS if (path / name).is_file()), None)
    if graph is None:
        raise _error(
            path,
            f"it holds none of {', '.join(GRAPHS)}",
            f"export the model with its cache: {EXPORT}",
        )
    tokenizer = path / "tokenizer.json"
    if not tokenizer.is_file():
        raise _error(
            path,
            "it holds no tokenizer.json",
            "copy the file from the model's repository, or save a fast tokenizer there",
        )
    config = _read(path, "config.json")
    if config is None:
        raise _error(path, "it holds no config.json", AGAIN)
    config |= config.pop("text_config", {})  # models of several kinds of data keep the language part here
    context = next((config[key] for key in CONTEXT_KEYS if isinstance(config.get(key), int)), None)
    if context is None:
        raise _error(
            path,
            f"config.json does not say how many tokens a text may have (none of {', '.join(CONTEXT_KEYS)})",
            'add "max_position_embeddings" to config.json',
        )
    config |= {
        name: value for name, value in (_read(path, "generation_config.json") or {}).items() if value is not None
    }
    stop = _ids(config.get("eos_token_id"))
    start = (_ids(config.get("bos_token_id")) or stop)[:1]
    examples, languages = (_texts(config.get(key)) for key in ("example_prompts", "languages"))
    return Directory(graph, tokenizer, context, start[0] if start else None, frozenset(stop), examples, languages)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _ids(value: Any) -> list[int]:
    return [] if value is None else [value] if isinstance(value, int) else list(value)


def _read(path: Path, name: str) -> dict[str, Any] | None:
    try:
        content = json.loads((path / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _error(path, f"{name} is not JSON ({error})", AGAIN) from error
    if not isinstance(content, dict):
        raise _error(path, f"{name} does not hold a JSON object", AGAIN)
    return content


def _error(path: Path, why: str, instead: str) -> ModelError:
    return ModelError(why, doing="loading a model", on=str(path), instead=instead)
