"""Graphs of other exporters run through the same code; what cannot run is refused in words."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from heatbath.embedded import load
from heatbath.errors import InputError, ModelError
from tests.embedded import foreign

STYLES = {
    "everything": foreign.Style(),
    "no position_ids": foreign.Style(position_ids=False),
    "neither positions nor mask": foreign.Style(position_ids=False, attention_mask=False),
    "positions without mask": foreign.Style(attention_mask=False),
    "float16 cache": foreign.Style(cache_type=TensorProto.FLOAT16),
    "int32 ids": foreign.Style(id_type=TensorProto.INT32),
    "vocabulary not named": foreign.Style(names_vocabulary=False),
    "in a folder": foreign.Style(place="onnx/model.onnx"),
    "merged": foreign.Style(use_cache_branch=True, place="decoder_model_merged.onnx"),
    "merged, in a folder": foreign.Style(use_cache_branch=True, place="onnx/decoder_model_merged.onnx"),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_foreign_model_gives_its_own_logits(tmp_path: Path, style: foreign.Style) -> None:
    model = load(foreign.write(tmp_path, style))
    assert model.vocabulary == foreign.VOCABULARY
    texts = [[3, 1, 4], [1, 5, 9, 2, 6], [5], [3, 5, 8]]
    scores, cache = model.start(texts)
    tolerance = 2e-2 if style.cache_type == TensorProto.FLOAT16 else 1e-4
    expected = np.stack([foreign.logits(text) for text in texts])
    np.testing.assert_allclose(scores, expected, atol=tolerance)
    for token in (7, 100):
        texts = [[*text, token] for text in texts]
        scores, cache = model.step(cache, [token] * len(texts))
        expected = np.stack([foreign.logits(text) for text in texts]) + style.use_cache_branch
        np.testing.assert_allclose(scores, expected, atol=tolerance)
    scores, cache = model.step(cache.rows([2, 0]), [9, 9])
    expected = np.stack([foreign.logits([*texts[row], 9]) for row in (2, 0)]) + style.use_cache_branch
    np.testing.assert_allclose(scores, expected, atol=tolerance)
    assert cache.lengths == (4, 6)


def test_an_empty_prompt_starts_with_the_end_token_where_there_is_no_start_token(tmp_path: Path) -> None:
    directory = foreign.write(tmp_path)
    (directory / "config.json").write_text('{"n_positions": 24}')
    scores, _ = load(directory).start([[]])
    np.testing.assert_allclose(scores[0], foreign.logits([foreign.STOP]), atol=1e-4)
    (directory / "generation_config.json").unlink()
    with pytest.raises(InputError, match=r"on an empty prompt: .* has no token that starts a text; write a prompt"):
        load(directory).start([[]])


def edited(directory: Path, edit: str) -> Path:
    """A model's directory whose graph has one thing wrong."""
    graph = foreign.graph(foreign.Style())
    inputs, outputs = graph.graph.input, graph.graph.output
    past = {node.name: node for node in inputs}["past_key_values.0.key"]
    if edit == "no cache":
        for node in [node for node in inputs if node.name.startswith("past")]:
            inputs.remove(node)
            size = [1, 1, 0, foreign.SIZE]
            graph.graph.initializer.append(helper.make_tensor(node.name, TensorProto.FLOAT, size, []))
    elif edit == "no output":
        outputs.remove({node.name: node for node in outputs}["present.0.key"])
    elif edit == "heads without a number":
        past.type.tensor_type.shape.dim[1].dim_param = "heads"
    elif edit == "another input":
        inputs.append(helper.make_tensor_value_info("encoder_hidden_states", TensorProto.FLOAT, ["batch", 4]))
    elif edit == "a type NumPy lacks":
        inputs.append(helper.make_tensor_value_info("past_key_values.1.key", TensorProto.BFLOAT16, ["b", 1, "p", 4]))
        outputs.append(helper.make_tensor_value_info("present.1.key", TensorProto.BFLOAT16, ["b", 1, "p", 4]))
        graph.graph.node.append(helper.make_node("Identity", ["past_key_values.1.key"], ["present.1.key"]))
    onnx.save(graph, foreign.write(directory) / "model.onnx")
    return directory


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (
            "no cache",
            "it is not a language model with a cache: it takes input_ids, .*; export it with its cache: optimum",
        ),
        ("no output", "its input past_key_values.0.key has no output present.0.key; export it with Optimum's names"),
        (
            "heads without a number",
            r"has the shape \['batch', 'heads', 'past', 4\], not \(batch, heads, past, head width",
        ),
        ("another input", "its input encoder_hidden_states is none of input_ids, .*; use a decoder-only model"),
        ("a type NumPy lacks", r"is a tensor\(bfloat16\), which NumPy does not have; export it in float16 or float32"),
    ],
)
def test_a_graph_that_cannot_run_is_refused(tmp_path: Path, edit: str, why: str) -> None:
    with pytest.raises(ModelError, match=rf"loading a model on .*model\.onnx: .*{why}"):
        load(edited(tmp_path, edit))


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    (foreign.write(tmp_path) / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"loading a model on .*model\.onnx: ONNX Runtime cannot read it"):
        load(tmp_path)


def test_a_call_that_fails_says_so(tmp_path: Path) -> None:
    directory = foreign.write(tmp_path)
    (directory / "config.json").write_text('{"n_positions": 99}')  # the table of positions in the graph ends at 24
    with pytest.raises(ModelError, match=r"running a model on .*model\.onnx: ONNX Runtime failed"):
        load(directory).start([[1] * 30])
