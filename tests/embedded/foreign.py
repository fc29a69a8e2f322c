"""Somebody else's model, made on the spot: one layer, learned positions, two query heads to one key/value head."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

VOCABULARY, WIDTH, HEADS, SIZE, CONTEXT = 257, 8, 2, 4, 24
STOP = 256


class Style(NamedTuple):
    """How exporters differ."""

    position_ids: bool = True
    attention_mask: bool = True
    use_cache_branch: bool = False
    cache_type: int = TensorProto.FLOAT
    id_type: int = TensorProto.INT64
    names_vocabulary: bool = True
    place: str = "model.onnx"


def weights(seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Random tensors."""
    rng = np.random.default_rng(seed)
    shapes = {
        "embedding": (VOCABULARY, WIDTH),
        "positions": (CONTEXT, WIDTH),
        "q": (WIDTH, HEADS * SIZE),
        "k": (WIDTH, SIZE),
        "v": (WIDTH, SIZE),
        "o": (HEADS * SIZE, WIDTH),
    }
    return {name: rng.normal(scale=0.6, size=shape).astype(np.float32) for name, shape in shapes.items()}


def logits(tokens: list[int]) -> npt.NDArray[np.float32]:
    """Scores after the last token of one text, in NumPy."""
    w, length = weights(), len(tokens)
    x = w["embedding"][tokens] + w["positions"][:length]
    q = (x @ w["q"]).reshape(length, HEADS, SIZE).swapaxes(0, 1)
    scores = q @ (x @ w["k"]).T / np.sqrt(SIZE) + np.triu(np.full((length, length), -1e9, dtype=np.float32), 1)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (shares / shares.sum(-1, keepdims=True)) @ (x @ w["v"])
    x = x + mixed.swapaxes(0, 1).reshape(length, -1) @ w["o"]
    last: npt.NDArray[np.float32] = x[-1] @ w["embedding"].T
    return last


def write(directory: Path, style: Style = Style()) -> Path:  # noqa: B008  (a value)
    """A model's directory."""
    (directory / style.place).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(style), directory / style.place)
    alphabet = {character: i for i, character in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    tokenizer.add_special_tokens(["</s>"])
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "config.json").write_text(json.dumps({"n_positions": CONTEXT, "bos_token_id": 0, "eos_token_id": 0}))
    (directory / "generation_config.json").write_text(json.dumps({"eos_token_id": [STOP, 7], "bos_token_id": None}))
    return directory


def graph(style: Style) -> onnx.ModelProto:
    """The ONNX graph in one style."""
    stored: dict[str, Any] = dict(weights())
    stored |= {name: np.array(value) for name, value in {"zero": 0, "one": 1, "two": 2}.items()}
    stored |= {"forbidden": np.float32(-1e9), "nothing": np.float32(0), "scale": np.float32(SIZE**-0.5)}
    stored |= {"axis1": np.array([1]), "axes12": np.array([1, 2]), "flat": np.array([0, 0, -1])}
    stored |= {"q_shape": np.array([0, 0, HEADS, SIZE]), "kv_shape": np.array([0, 0, 1, SIZE])}
    nodes: list[onnx.NodeProto] = []

    def op(kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        output = name or f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    new = op("Gather", op("Shape", "input_ids"), "one")
    past = op("Gather", op("Shape", "past_key_values.0.key"), "two")
    total = op("Add", new, past)
    row = op("Range", past, total, "one")
    allowed = op("LessOrEqual", op("Range", "zero", total, "one"), op("Unsqueeze", row, "axis1"))
    if style.attention_mask:
        allowed = op("And", allowed, op("Unsqueeze", op("Cast", "attention_mask", to=TensorProto.BOOL), "axes12"))
    position = op("Gather", "positions", "position_ids" if style.position_ids else row)
    x = op("Add", op("Gather", "embedding", "input_ids"), position)
    heads = {}
    for part in ("q", "k", "v"):
        shaped = op("Reshape", op("MatMul", x, part), "q_shape" if part == "q" else "kv_shape")
        heads[part] = op("Transpose", shaped, perm=[0, 2, 1, 3])
    for part, long in (("k", "key"), ("v", "value")):
        stored_as = op("Cast", heads[part], to=style.cache_type)
        whole = op("Concat", f"past_key_values.0.{long}", stored_as, axis=2, name=f"present.0.{long}")
        heads[part] = op("Cast", whole, to=TensorProto.FLOAT)
    scores = op("Mul", op("MatMul", heads["q"], op("Transpose", heads["k"], perm=[0, 1, 3, 2])), "scale")
    scores = op("Add", scores, op("Where", allowed, "nothing", "forbidden"))
    mixed = op("Transpose", op("MatMul", op("Softmax", scores, axis=-1), heads["v"]), perm=[0, 2, 1, 3])
    x = op("Add", x, op("MatMul", op("Reshape", mixed, "flat"), "o"))
    result = op("MatMul", x, op("Transpose", "embedding", perm=[1, 0]))
    # a merged graph has two branches; here the branch taken shows in the logits
    told = op("Cast", "use_cache_branch", to=TensorProto.FLOAT) if style.use_cache_branch else "nothing"
    op("Add", result, told, name="logits")

    kinds: dict[str, tuple[int, list[int | str]]] = {"input_ids": (style.id_type, ["batch", "new"])}
    if style.attention_mask:
        kinds["attention_mask"] = (style.id_type, ["batch", "total"])
    if style.position_ids:
        kinds["position_ids"] = (style.id_type, ["batch", "new"])
    if style.use_cache_branch:
        kinds["use_cache_branch"] = (TensorProto.BOOL, [1])
    for long in ("key", "value"):
        kinds[f"past_key_values.0.{long}"] = (style.cache_type, ["batch", 1, "past", SIZE])
    inputs = [helper.make_tensor_value_info(name, *kind) for name, kind in kinds.items()]
    options: int | str = VOCABULARY if style.names_vocabulary else "options"
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "new", options])]
    outputs += [
        helper.make_tensor_value_info(f"present.0.{long}", style.cache_type, ["batch", 1, "total", SIZE])
        for long in ("key", "value")
    ]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items()]
    whole_graph = helper.make_graph(nodes, "foreign", inputs, outputs, tensors)
    model = helper.make_model(whole_graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return model
