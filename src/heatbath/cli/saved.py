"""Files that ``heatbath diagnose`` reads: arrays of scores, saved answers of an interface, plain text."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from heatbath.cli.screen import as_text, read_bytes
from heatbath.errors import InputError
from heatbath.sampling import Written, read_responses

ARRAYS = (b"\x93NUMPY", b"PK\x03\x04")
"""How .npy and .npz files begin."""

FIELDS = ("logits", "tokens", "logprobs", "mask")


def read_saved(path: str) -> list[Written]:
    """The texts that a file holds; ``-`` is standard input.

    ``.npy``: logits ``(N, V)``; ``.npz``: arrays named as the arguments of :func:`heatbath.sampling.diagnose`; JSON or
    JSONL: answers of OpenAI's interface; anything else: a text.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    where = "standard input" if path == "-" else path
    content = read_bytes() if path == "-" else _bytes(path)
    if content.startswith(ARRAYS):
        return [_arrays(content, where)]
    text = as_text(content, where)
    if text.lstrip().startswith(("{", "[")):
        return read_responses(text)
    if not text.strip():
        raise InputError("there is nothing in it", on=where, instead="send logits, a saved answer, or a text")
    return [Written(text=text)]


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        why = f"it is no file that can be read ({error.strerror})"
        raise InputError(why, on=repr(path), instead="give the path of a file, or - for standard input") from None


def _arrays(content: bytes, where: str) -> Written:
    try:
        loaded: Any = np.load(io.BytesIO(content), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return Written(loaded)
        found = {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"its arrays cannot be read ({error})", on=where, instead="write it with numpy.save") from None
    unknown = sorted(set(found) - set(FIELDS))
    if unknown or not found:
        raise InputError(
            f"it holds {', '.join(unknown) or 'no array'}",
            on=where,
            instead=f"name the arrays {', '.join(FIELDS)}: numpy.savez(path, logits=..., tokens=...)",
        )
    return Written(**found)
