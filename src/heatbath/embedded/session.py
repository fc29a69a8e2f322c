"""An ONNX graph of a causal language model with a cache, whatever its names and types are."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.embedded.cache import KeyValueCache
from heatbath.embedded.directory import EXPORT
from heatbath.embedded.extra import onnxruntime
from heatbath.errors import ModelError

_TYPES: dict[str, type[np.generic]] = {
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(bool)": np.bool_,
}
_PER_CALL = ("input_ids", "attention_mask", "position_ids", "use_cache_branch")


class Part(NamedTuple):
    """Keys or values of one layer: what goes in, what comes out, and its shape beside batch and length."""

    input: str
    output: str
    heads: int
    width: int
    type: type[np.generic]


class Session:
    """A graph that is ready to run.

    Arguments:
        path: the `.onnx` file.
        threads: threads for one call.

    Raises:
        ModelError: the file cannot be read; the graph has no cache, or inputs that a causal language model does not
            have.
    """

    def __init__(self, path: Path, threads: int) -> None:
        library, self._path = onnxruntime(), path
        options = library.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3  # errors only: warnings about a graph help nobody who runs it
        try:
            self._session = library.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise self._error(f"ONNX Runtime cannot read it ({error})", "export the model again") from error
        inputs = {node.name: node for node in self._session.get_inputs()}
        outputs = {node.name: node for node in self._session.get_outputs()}
        self.cache = tuple(self._part(node, outputs) for name, node in inputs.items() if name.startswith("past"))
        if not self.cache or "logits" not in outputs or "input_ids" not in inputs:
            raise self._error(
                f"it is not a language model with a cache: it takes {', '.join(inputs)} and gives {', '.join(outputs)}",
                f"export it with its cache: {EXPORT}",
            )
        parts = {part.input for part in self.cache}
        unknown = [name for name in inputs if name not in parts and name not in _PER_CALL]
        if unknown:
            raise self._error(
                f"its input {unknown[0]} is none of {', '.join(_PER_CALL)}, past_key_values",
                "use a decoder-only model",
            )
        self._types = {name: self._type(inputs[name]) for name in _PER_CALL if name in inputs}
        self._outputs = ["logits", *(part.output for part in self.cache)]
        self.vocabulary: int | None = (
            outputs["logits"].shape[-1] if isinstance(outputs["logits"].shape[-1], int) else None
        )

    @property
    def takes_padding(self) -> bool:
        """Whether rows of different lengths can share a call: only where the graph is told positions and padding."""
        return "position_ids" in self._types and "attention_mask" in self._types

    def empty(self, rows: int) -> KeyValueCache:
        """The cache of texts with no tokens yet."""
        past = tuple(np.zeros((rows, part.heads, 0, part.width), dtype=part.type) for part in self.cache)
        return KeyValueCache(past, (0,) * rows)

    def made(self, cache: KeyValueCache) -> bool:
        """Whether the cache is one of this graph, by its shapes and types."""
        return [(part.heads, part.width, part.type) for part in self.cache] == [
            (past.shape[1], past.shape[3], past.dtype.type) for past in cache.past
        ]

    def run(self, tokens: npt.NDArray[np.int64], cache: KeyValueCache) -> tuple[npt.NDArray[np.float32], KeyValueCache]:
        """Scores after the new tokens of every row, and the cache.

        Arguments:
            tokens: ``(B, new)``; every row has as many new tokens.
            cache: of the B rows; where :attr:`takes_padding` is false, all of one length.

        Returns:
            Scores ``(B, V)`` after the last new token, and the cache with the new tokens in it.
        """
        new = tokens.shape[1]
        values = {
            "input_ids": tokens,
            "attention_mask": cache.attention_mask(new),
            "position_ids": cache.positions(new),
            "use_cache_branch": np.array([max(cache.lengths) > 0]),
        }
        feed: dict[str, npt.NDArray[Any]] = {name: values[name].astype(kind) for name, kind in self._types.items()}
        feed |= {part.input: past for part, past in zip(self.cache, cache.past, strict=True)}
        try:
            logits, *present = self._session.run(self._outputs, feed)
        except Exception as error:
            raise self._error(f"ONNX Runtime failed ({error})", "export the model again", "running a model") from error
        after = KeyValueCache(tuple(present), tuple(length + new for length in cache.lengths))
        return np.ascontiguousarray(logits[:, -1], dtype=np.float32), after

    def _part(self, node: Any, outputs: dict[str, Any]) -> Part:
        output = node.name.replace("past_key_values", "present")
        if output not in outputs:
            raise self._error(f"its input {node.name} has no output {output}", "export it with Optimum's names")
        if len(node.shape) != 4 or not all(isinstance(node.shape[axis], int) for axis in (1, 3)):
            raise self._error(
                f"its input {node.name} has the shape {node.shape}, not (batch, heads, past, head width) with "
                "heads and head width as numbers",
                "export it with a recent Optimum",
            )
        return Part(node.name, output, node.shape[1], node.shape[3], self._type(node))

    def _type(self, node: Any) -> type[np.generic]:
        if node.type not in _TYPES:
            raise self._error(
                f"its input {node.name} is a {node.type}, which NumPy does not have", "export it in float16 or float32"
            )
        return _TYPES[node.type]

    def _error(self, why: str, instead: str, doing: str = "loading a model") -> ModelError:
        return ModelError(why, doing=doing, on=str(self._path), instead=instead)
