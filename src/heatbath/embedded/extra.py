"""The two optional libraries that running a model needs, imported when first used."""

from importlib import import_module
from typing import Any

from heatbath.errors import MissingExtraError


def onnxruntime() -> Any:
    """The `onnxruntime` module."""
    return _need("onnxruntime")


def tokenizers() -> Any:
    """The `tokenizers` module."""
    return _need("tokenizers")


def _need(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"the library {name} is not installed", doing="loading a model", instead="pip install 'heatbath[serve]'"
        ) from error
