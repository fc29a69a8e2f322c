"""The tokens so far, for steps that look back: part of the state of a stream.

``(L,)`` for one stream and ``(B, L)`` for several, the latest last, and -1 before the first token of a stream that is
younger than L.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import in_library, is_array
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.types import Array

NO_TOKEN = -1


def begin(prompt: Any, window: float) -> Array:
    """The history after a prompt, or after several, which may differ in length.

    Arguments:
        prompt: token ids ``(P,)``, or one such sequence per row.
        window: how many of the latest tokens are ever looked at; inf: all.
    """
    if is_array(prompt) and not isinstance(prompt, np.ndarray):
        return _begin_in_place(prompt, window)
    several = isinstance(prompt, Sequence | np.ndarray) and len(prompt) > 0 and _is_row(prompt[0])
    rows = [_tokens(row) for row in (prompt if several else [prompt])]
    length = max(map(len, rows)) if window == math.inf else int(window)
    history = np.full((len(rows), length), NO_TOKEN, dtype=np.int64)
    for row, tokens in enumerate(rows):
        latest = tokens[max(len(tokens) - length, 0) :]
        history[row, length - len(latest) :] = latest
    return history if several else history[0]


def _begin_in_place(prompt: Array, window: float) -> Array:
    """The same of an array that is not NumPy's, where it lies; -1 stands for no token there too."""
    xp = namespace(prompt)
    if prompt.ndim not in (1, 2) or not xp.isdtype(prompt.dtype, "integral"):
        raise _no_prompt(f"of type {prompt.dtype} and shape {tuple(prompt.shape)}")
    if window == math.inf:
        return prompt
    device = getattr(prompt, "device", None)
    before = xp.full((*prompt.shape[:-1], int(window)), NO_TOKEN, dtype=prompt.dtype, device=device)
    return xp.concat([before, prompt], axis=-1)[..., -int(window) :]


def _is_row(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def _tokens(prompt: Any) -> Any:
    try:
        tokens = np.asarray(prompt if len(prompt) else np.empty(0, np.int64))
    except (TypeError, ValueError):
        tokens = np.empty(0)
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu" or np.any(tokens < 0):
        raise _no_prompt(show(prompt))
    return tokens


def _no_prompt(shown: str) -> InputError:
    return InputError(
        f"a prompt is a sequence of token ids, not {shown:.60}",
        instead="give the ids of one text, such as [5, 17], or one such list per row",
        field="prompt",
    )


def read(history: Any, scores: Array, window: float) -> Array:
    """The history of a state as an array of the scores' library, one row per row of the scores."""
    xp = namespace(scores)
    tokens = history if hasattr(history, "ndim") else np.asarray(history, dtype=np.int64)
    if namespace(tokens) is not xp:
        tokens = in_library(xp, np.asarray(tokens), scores)
    rows = tuple(scores.shape[:-1])
    if tokens.ndim == 1 and len(rows) == 1:  # one prompt for all rows
        tokens = xp.broadcast_to(tokens, (*rows, tokens.shape[0]))
    if tuple(tokens.shape[:-1]) != rows or (window != math.inf and tokens.shape[-1] != window):
        raise InputError(
            f"the history in the state has shape {tuple(tokens.shape)}, and the scores have shape "
            f"{tuple(scores.shape)}",
            instead="begin with init(prompt), one prompt per row, and carry what sampler.step gave back",
            field="state",
        )
    return tokens


def extend(history: Array, choice: Array, window: float) -> Array:
    """The history with one token more per row."""
    xp = namespace(history)
    tokens = xp.concat([history, xp.astype(choice, history.dtype)[..., None]], axis=-1)
    return tokens if window == math.inf else tokens[..., -int(window) :]
