"""Tokens per second of the shipped model: heatbath on ONNX Runtime against the same weights in PyTorch and in NumPy.

`python benchmarks/embedded.py [--quick]`. All three keep a cache and run on one thread; each writes the same number of
greedy tokens after the same prompt. Rounds are interleaved, and time is the processor's own (on one thread and an idle
machine the same as the clock's), so that a busy machine does not blur the ratios.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and PyTorch make their threads

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from heatbath.embedded import load

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "src" / "heatbath" / "embedded" / "weights"
HEADS, EPSILON = 5, 1e-5
PROMPT = "There was once a king who had three sons"
BATCHES = (1, 4, 8)

Step = Callable[[np.ndarray], np.ndarray]  # one token per row in, scores (B, V) out
Figures = dict[tuple[str, int], float]  # by engine and batch
Engine = Callable[[int], Step]  # a number of rows to a step with an empty cache


def weights() -> dict[str, np.ndarray]:
    """The tensors of the shipped graph, as float32."""
    import onnx
    from onnx import numpy_helper

    stored = onnx.load(SHIPPED / "model.onnx").graph.initializer
    return {tensor.name: numpy_helper.to_array(tensor).astype(np.float32) for tensor in stored}


def onnx_runtime() -> Engine:
    model = load()

    def engine(_: int) -> Step:
        cache: Any = None

        def step(tokens: np.ndarray) -> np.ndarray:
            nonlocal cache
            if cache is None:
                scores, cache = model.start([[int(token)] for token in tokens])
            else:
                scores, cache = model.step(cache, tokens.tolist())
            return scores

        return step

    return engine


def pytorch() -> Engine:
    import torch

    sys.path.insert(0, str(ROOT))
    from training.config import CONFIG
    from training.model import Network, Past

    torch.set_num_threads(1)
    network, stored, state = Network(CONFIG).eval(), weights(), {}
    for i in range(CONFIG.layers):
        for names, stack in ((("q", "k", "v"), "qkv"), (("o",), "o"), (("gate", "up"), "gate_up"), (("down",), "down")):
            parts = np.split(stored[f"{i}.{stack}"], len(names), axis=1)
            state |= {
                f"blocks.{i}.{name}.weight": torch.tensor(part.T) for name, part in zip(names, parts, strict=True)
            }
        for norm in ("norm_attention", "norm_feed"):
            state[f"blocks.{i}.{norm}"] = torch.tensor(stored[f"{i}.{norm}"])
    state |= {"embedding.weight": torch.tensor(stored["embedding"]), "norm": torch.tensor(stored["norm"])}
    network.load_state_dict(state)

    def engine(rows: int) -> Step:
        empty = torch.zeros(rows, CONFIG.heads, 0, CONFIG.width // CONFIG.heads)
        past = [Past(empty, empty) for _ in range(CONFIG.layers)]

        @torch.inference_mode()
        def step(tokens: np.ndarray) -> np.ndarray:
            nonlocal past
            length = past[0].key.shape[2]
            column = torch.from_numpy(tokens)[:, None]
            mask, position = torch.ones(rows, length + 1), torch.full((rows, 1), length)
            logits, past = network.step(column, mask, position, past)
            return logits[:, -1].numpy()

        return step

    return engine


def numpy() -> Engine:
    w = weights()
    layers, width = sum(name.endswith(".qkv") for name in w), w["embedding"].shape[1]
    size = width // HEADS
    angle = np.arange(256)[:, None] * 10_000.0 ** (-np.arange(0, size, 2) / size)
    cosine, sine = (f(np.hstack((angle, angle))).astype(np.float32) for f in (np.cos, np.sin))

    def normalise(x: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)

    def rotate(x: np.ndarray, at: int) -> np.ndarray:
        turned = np.concatenate((-x[..., size // 2 :], x[..., : size // 2]), axis=-1)
        return x * cosine[at] + turned * sine[at]

    def engine(rows: int) -> Step:
        keys, values = (np.zeros((layers, rows, HEADS, 256, size), dtype=np.float32) for _ in range(2))
        length = 0

        def step(tokens: np.ndarray) -> np.ndarray:
            nonlocal length
            x = w["embedding"][tokens]
            for i in range(layers):
                qkv = (normalise(x) * w[f"{i}.norm_attention"]) @ w[f"{i}.qkv"]
                q, k, v = qkv.reshape(rows, 3, HEADS, size).swapaxes(0, 1)
                keys[i, :, :, length], values[i, :, :, length] = rotate(normalise(k), length), v
                q = rotate(normalise(q), length)[:, :, None] * np.float32(size**-0.5)
                scores = q @ keys[i, :, :, : length + 1].swapaxes(-1, -2)
                shares = np.exp(scores - scores.max(-1, keepdims=True))
                shares /= shares.sum(-1, keepdims=True)
                x = x + (shares @ values[i, :, :, : length + 1]).reshape(rows, width) @ w[f"{i}.o"]
                gate, up = np.split((normalise(x) * w[f"{i}.norm_feed"]) @ w[f"{i}.gate_up"], 2, axis=-1)
                x = x + (gate / (1 + np.exp(-gate)) * up) @ w[f"{i}.down"]
            length += 1
            return (normalise(x) * w["norm"]) @ w["embedding"].T

        return step

    return engine


def write(step: Step, prompt: list[int], rows: int, tokens: int) -> tuple[float, list[int]]:
    """Tokens per second of all rows together, and the text of the first row."""
    for token in prompt:
        scores = step(np.full(rows, token))
    text = []
    began = time.process_time()
    for _ in range(tokens):
        drawn = scores.argmax(-1)
        text.append(int(drawn[0]))
        scores = step(drawn)
    return rows * tokens / (time.process_time() - began), text


def limit() -> tuple[float, float]:
    """Megabytes of weights, and steps per second if a step were only matrix-vector products over as many bytes."""
    matrices = [value for value in weights().values() if value.ndim == 2]
    vectors = [np.ones(matrix.shape[0], dtype=np.float32) for matrix in matrices]
    times = []
    for _ in range(50):
        began = time.process_time()
        for vector, matrix in zip(vectors, matrices, strict=True):
            vector @ matrix
        times.append(time.process_time() - began)
    return sum(matrix.nbytes for matrix in matrices) / 1e6, 1 / statistics.median(times)


def claims(
    ratio: dict[tuple[str, int], float], speed: dict[tuple[str, int], float]
) -> Iterator[tuple[str, float, float]]:
    """Name, measured and least value of each claim."""
    for rows in BATCHES:
        if ("pytorch", rows) in ratio:
            yield f"embedded.onnx-over-pytorch.batch-{rows}", ratio["pytorch", rows], 1.5
    yield "embedded.onnx-over-numpy.batch-8", ratio["numpy", 8], 1.0
    yield "embedded.batch-8-over-batch-1", speed["onnxruntime", 8] / speed["onnxruntime", 1], 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds; under a minute")
    chosen = parser.parse_args()
    rounds, tokens = (5, 60) if chosen.quick else (15, 200)
    engines: dict[str, Engine] = {"onnxruntime": onnx_runtime(), "numpy": numpy()}
    if importlib.util.find_spec("torch"):
        engines["pytorch"] = pytorch()
    else:
        print("left out: pytorch (not installed)")

    prompt = load().tokenizer.encode(PROMPT)
    runs: dict[tuple[str, int], list[float]] = {(name, rows): [] for rows in BATCHES for name in engines}
    for _ in range(rounds):
        for rows in BATCHES:
            texts = {}
            for name, engine in engines.items():
                speed, texts[name] = write(engine(rows), prompt, rows, tokens)
                runs[name, rows].append(speed)
            assert all(text[:20] == texts["onnxruntime"][:20] for text in texts.values()), "they must do the same work"

    median = {key: statistics.median(values) for key, values in runs.items()}
    ratio = {
        (name, rows): statistics.median(
            ours / theirs for ours, theirs in zip(runs["onnxruntime", rows], runs[name, rows], strict=True)
        )
        for name, rows in runs
    }
    print(f"{rounds} interleaved rounds of {tokens} greedy tokens a row, one thread; median tokens/s, rows together")
    print(f"{'':14}" + "".join(f"{f'batch {rows}':>12}" for rows in BATCHES) + "   onnxruntime is faster by")
    for name in engines:
        faster = "  ".join(f"{ratio[name, rows]:.2f}x" for rows in BATCHES) if name != "onnxruntime" else ""
        print(f"{name:14}" + "".join(f"{median[name, rows]:12.0f}" for rows in BATCHES) + f"   {faster}")
    megabytes, steps = limit()
    print(
        f"physical limit at batch 1: a step reads {megabytes:.1f} MB of weights; matrix-vector products over as many "
        f"bytes take {1e6 / steps:.0f} us, {steps:.0f} tokens/s; onnxruntime reaches "
        f"{median['onnxruntime', 1] / steps:.0%} of that"
    )
    failed = False
    for name, measured, target in claims(ratio, median):
        failed |= measured < target
        print(f"claim {name} {measured:.2f} >={target} {'PASS' if measured >= target else 'FAIL'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
