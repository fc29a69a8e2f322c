"""The shipped network again, in plain NumPy and without a cache: what the logits should be."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Floats = npt.NDArray[np.float64]


def weights(path: Path) -> dict[str, Floats]:
    """The tensors of a graph by name."""
    stored = onnx.load(path).graph.initializer
    return {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in stored}


def logits(weights: dict[str, Floats], tokens: list[int], heads: int) -> Floats:
    """Scores after every token of one text, ``(S, V)``, in float64."""
    x = weights["embedding"][tokens]
    length, width = x.shape
    size = width // heads
    angle = np.arange(length)[:, None] * 10_000.0 ** (-np.arange(0, size, 2) / size)
    cosine, sine = np.cos(np.hstack((angle, angle))), np.sin(np.hstack((angle, angle)))
    later = np.triu(np.full((length, length), -np.inf), 1)
    for layer in range(sum(name.endswith(".qkv") for name in weights)):
        parts = np.split(normalise(x) * weights[f"{layer}.norm_attention"] @ weights[f"{layer}.qkv"], 3, axis=-1)
        q, k, v = (part.reshape(length, heads, size).swapaxes(0, 1) for part in parts)
        q, k = (rotate(normalise(part), cosine, sine) for part in (q, k))
        shares = softmax(q @ k.swapaxes(1, 2) / np.sqrt(size) + later)
        x = x + (shares @ v).swapaxes(0, 1).reshape(length, width) @ weights[f"{layer}.o"]
        gate, up = np.split(normalise(x) * weights[f"{layer}.norm_feed"] @ weights[f"{layer}.gate_up"], 2, axis=-1)
        x = x + (gate / (1 + np.exp(-gate)) * up) @ weights[f"{layer}.down"]
    return normalise(x) * weights["norm"] @ weights["embedding"].T


def normalise(x: Floats) -> Floats:
    """RMSNorm."""
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)


def rotate(x: Floats, cosine: Floats, sine: Floats) -> Floats:
    """Rotary position embedding of the halves."""
    first, second = np.split(x, 2, axis=-1)
    return x * cosine + np.concatenate((-second, first), axis=-1) * sine


def softmax(x: Floats) -> Floats:
    """Along the last axis."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
