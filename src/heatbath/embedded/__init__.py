"""A small language model that ships with the package, and any other in ONNX through the same door.

The shipped model has 1.9 million parameters and was trained by this project on fairy tales (`training/README.md`).
"""

from pathlib import Path

from heatbath.control import Profile
from heatbath.embedded.toy import ToyModel
from heatbath.types import Model

__all__ = ["EMBEDDED", "load", "load_profile"]

EMBEDDED = "heatbath-tales"
"""The name of the shipped model."""
TOY = "toy"
_SHIPPED = Path(__file__).parent / "weights"


def load(path: str | Path | None = None, *, threads: int = 1) -> Model:
    """Load a language model.

    Arguments:
        path: the directory of a causal language model exported to ONNX with its cache, with `tokenizer.json` and
            `config.json`; None for the model that ships with the package; "toy" for
            a toy model of the weather, whose probabilities are known exactly.
        threads: threads for one call, 1 or more.

    Returns:
        The model: scores for the next token of several texts at once.

    Raises:
        ModelError: a file is missing or cannot be used; the message says what to do.
        MissingExtraError: onnxruntime or tokenizers is not installed.

    >>> from heatbath.embedded import load
    >>> model = load()
    >>> model.name, model.vocabulary, model.context
    ('heatbath-tales', 2048, 256)

    How to choose: the shipped model shows what temperature does and needs no download; it writes
    sentences, not stories.
    For text that someone should read, export a larger one:
    `optimum-cli export onnx --task text-generation-with-past --model NAME DIR`.
    """
    from heatbath.embedded.onnx_model import OnnxModel  # what it needs is imported when a model is wanted, not before

    if path == TOY:
        return ToyModel()
    name = EMBEDDED if path is None else None
    return OnnxModel.load(_SHIPPED if path is None else path, name=name, threads=threads)


def load_profile(path: str | Path | None = None) -> Profile | None:
    """The profile that lies beside a model's weights as `profile.json`: its mean effect against T.

    Arguments:
        path: as for :func:`load`.

    Returns:
        The profile, or None where the directory has none.

    Raises:
        InputError: the file holds no profile.

    >>> from heatbath.embedded import load_profile
    >>> profile = load_profile()
    >>> profile.model, 0.3 < profile.temperature_for(entropy=1.0) < 0.8
    ('heatbath-tales', True)

    How to choose: nothing to choose for the shipped model. For another model, measure a profile on prompts like the
    real ones (:meth:`heatbath.Profile.measure`) and save it as `profile.json` in the model's directory.
    """
    if path == TOY:
        return None
    file = (_SHIPPED if path is None else Path(path)) / "profile.json"
    return Profile.load(file) if file.is_file() else None
