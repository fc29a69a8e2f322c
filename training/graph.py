"""The ONNX graph of the network, written node by node: plain operators, no exporter, nothing of a machine in the file.

Names follow Optimum's convention, so that any tool for causal language models with a cache can run it::

    input_ids (B, S)  attention_mask (B, P + S)  position_ids (B, S)
    past_key_values.{i}.key/value (B, heads, P, head width)
    -> logits (B, S, V)  present.{i}.key/value (B, heads, P + S, head width)

Weights are stored in float16 and cast to float32 when a session is made (ONNX Runtime folds the casts).
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.config import Config
from training.model import BASE, EPSILON, FORBIDDEN

OPSET = 18


class Graph:
    """Nodes and stored tensors, in order. Every method returns the name of what it added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.stored: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """A node with one output."""
        output = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def split(self, x: str, *sizes: int, axis: int = -1) -> list[str]:
        """Parts of an axis."""
        outputs = [f"Split_{len(self.nodes)}_{i}" for i in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [x, self.integers(*sizes)], outputs, axis=axis))
        return outputs

    def store(self, name: str, value: np.ndarray) -> str:
        """A tensor of the file."""
        self.stored[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def weight(self, name: str, value: np.ndarray) -> str:
        """A tensor stored in float16, as float32."""
        return self.op("Cast", self.store(name, value.astype(np.float16)), name=f"{name}.float32", to=TensorProto.FLOAT)

    def integers(self, *values: int) -> str:
        """A vector of int64."""
        return self.store(f"integers_{'_'.join(map(str, values))}", np.array(values, dtype=np.int64))

    def number(self, value: float) -> str:
        """A float32."""
        return self.store(f"number_{value}", np.array(value, dtype=np.float32))

    def normalise(self, x: str, weight: str) -> str:
        """RMSNorm over the last axis, in the form that ONNX Runtime recognises and runs as one node."""
        mean = self.op("ReduceMean", self.op("Pow", x, self.number(2.0)), self.integers(-1), keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, self.number(EPSILON)))
        return self.op("Mul", self.op("Div", x, root), weight)


def _positions(graph: Graph, size: int) -> tuple[str, str]:
    """Cosine and sine of the rotary angles, (B, 1, S, size); the first half of the sine is negated."""
    half = BASE ** (-np.arange(0, size, 2, dtype=np.float64) / size)
    frequency = graph.store("rotary_frequency", np.concatenate((half, half)).astype(np.float32))
    sign = graph.store("rotary_sign", np.repeat([-1, 1], size // 2).astype(np.float32))
    position = graph.op("Cast", graph.op("Unsqueeze", "position_ids", graph.integers(1, 3)), to=TensorProto.FLOAT)
    angle = graph.op("Mul", position, frequency)
    return graph.op("Cos", angle), graph.op("Mul", graph.op("Sin", angle), sign)


def _mask(graph: Graph) -> str:
    """What is added to attention scores, (B, 1, S, P + S): 0 at earlier tokens of the text, FORBIDDEN elsewhere."""
    zero, one = graph.store("zero", np.int64(0)), graph.store("one", np.int64(1))
    total = graph.op("Gather", graph.op("Shape", "attention_mask"), one)
    new = graph.op("Gather", graph.op("Shape", "input_ids"), one)
    at = graph.op("Range", zero, total, one)
    row = graph.op("Unsqueeze", graph.op("Range", graph.op("Sub", total, new), total, one), graph.integers(1))
    seen = graph.op("Unsqueeze", graph.op("Cast", "attention_mask", to=TensorProto.BOOL), graph.integers(1, 2))
    allowed = graph.op("And", graph.op("LessOrEqual", at, row), seen)
    return graph.op("Where", allowed, graph.number(0.0), graph.number(FORBIDDEN))


def _rotate(graph: Graph, x: str, cosine: str, sine: str, size: int) -> str:
    first, second = graph.split(x, size // 2, size // 2)
    swapped = graph.op("Concat", second, first, axis=-1)
    return graph.op("Add", graph.op("Mul", x, cosine), graph.op("Mul", swapped, sine))


def build(config: Config, weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The model as a file, from the weights under the names that `Network` gives them."""
    graph, width, heads = Graph(), config.width, config.heads
    size = width // heads
    cosine, sine = _positions(graph, size)
    mask = _mask(graph)
    # attention divides q . k by sqrt(size); here each of the two is divided by its square root
    scale = graph.store("head_scale", np.full(size, size**-0.25, dtype=np.float32))
    embedding = graph.weight("embedding", weights["embedding.weight"])
    x = graph.op("Gather", embedding, "input_ids")
    for i in range(config.layers):
        own = {name.removeprefix(f"blocks.{i}."): value for name, value in weights.items() if f"blocks.{i}." in name}
        stack = {"qkv": ("q", "k", "v"), "o": ("o",), "gate_up": ("gate", "up"), "down": ("down",)}
        matrix = {
            name: graph.weight(f"{i}.{name}", np.concatenate([own[f"{part}.weight"].T for part in parts], axis=1))
            for name, parts in stack.items()
        }
        h = graph.normalise(x, graph.weight(f"{i}.norm_attention", own["norm_attention"]))
        qk, v = graph.split(graph.op("MatMul", h, matrix["qkv"]), 2 * width, width)
        qk = graph.normalise(graph.op("Reshape", qk, graph.integers(0, 0, 2 * heads, size)), scale)
        qk = _rotate(graph, graph.op("Transpose", qk, perm=[0, 2, 1, 3]), cosine, sine, size)
        q, k = graph.split(qk, heads, heads, axis=1)
        v = graph.op("Transpose", graph.op("Reshape", v, graph.integers(0, 0, heads, size)), perm=[0, 2, 1, 3])
        k = graph.op("Concat", f"past_key_values.{i}.key", k, axis=2, name=f"present.{i}.key")
        v = graph.op("Concat", f"past_key_values.{i}.value", v, axis=2, name=f"present.{i}.value")
        scores = graph.op("Add", graph.op("MatMul", q, graph.op("Transpose", k, perm=[0, 1, 3, 2])), mask)
        mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), v)
        mixed = graph.op("Reshape", graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), graph.integers(0, 0, width))
        x = graph.op("Add", x, graph.op("MatMul", mixed, matrix["o"]))
        h = graph.normalise(x, graph.weight(f"{i}.norm_feed", own["norm_feed"]))
        gate, up = graph.split(graph.op("MatMul", h, matrix["gate_up"]), config.hidden, config.hidden)
        silu = graph.op("Mul", gate, graph.op("Sigmoid", gate))
        x = graph.op("Add", x, graph.op("MatMul", graph.op("Mul", silu, up), matrix["down"]))
    x = graph.normalise(x, graph.weight("norm", weights["norm"]))
    graph.op("MatMul", x, graph.op("Transpose", embedding, perm=[1, 0]), name="logits")
    return _file(graph, config)


def _file(graph: Graph, config: Config) -> onnx.ModelProto:
    size = config.width // config.heads

    def tensor(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    def cache(prefix: str, length: str) -> list[onnx.ValueInfoProto]:
        names = [f"{prefix}.{i}.{part}" for i in range(config.layers) for part in ("key", "value")]
        return [tensor(name, TensorProto.FLOAT, "batch", config.heads, length, size) for name in names]

    inputs = [
        tensor("input_ids", TensorProto.INT64, "batch", "length"),
        tensor("attention_mask", TensorProto.INT64, "batch", "past + length"),
        tensor("position_ids", TensorProto.INT64, "batch", "length"),
        *cache("past_key_values", "past"),
    ]
    outputs = [
        tensor("logits", TensorProto.FLOAT, "batch", "length", config.vocabulary),
        *cache("present", "past + length"),
    ]
    whole = helper.make_graph(graph.nodes, "heatbath", inputs, outputs, list(graph.stored.values()))
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="heatbath")
    model.ir_version = 9
    onnx.checker.check_model(model, full_check=True)
    return model
