"""Sample stories from the small teacher: `python -m training.teacher --seed 0 --megabytes 6`.

The teacher is stories260K, a Llama-style model of 260 thousand parameters in the format of llama2.c (version 0): a
header of seven int32, then float32 tensors in a fixed order. A story stands between two tokens 1.

Two kinds of stories are sampled, each half at T = 0.7 and half at T = 0.9:

* plain: from nothing but the start token, the teacher's own distribution;
* opened: continued from openings like "There was once a wolf who". The teacher alone writes about Lily in two stories
  of three; openings widen the cast to that of the fairy tales.
"""

import argparse
import json
import random
import struct
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from training.config import DATA, WORK

TEMPERATURES = (0.7, 0.9)
OPENED = 0.35  # share of stories that continue an opening
START = 1
LONGEST = 511

# fmt: off
HEROES = (
    "king", "queen", "prince", "princess", "wolf", "fox", "bear", "cat", "mouse", "bird", "frog", "fish", "man",
    "woman", "boy", "girl", "witch", "giant", "dragon", "fairy", "hen", "horse", "lion", "rabbit", "dog", "pig", "cow",
    "owl", "farmer",
)
ADJECTIVES = (
    "little", "old", "poor", "clever", "good", "brave", "kind", "proud", "lazy", "wise", "tired", "hungry", "beautiful",
)
# fmt: on
OPENINGS = (
    "There was once a {a} {h}",
    "There was once a {h}",
    "There was once a {h} who",
    "There was once a {h} who had a {g}",
    "There was once a {h} who had three sons",
    "Once upon a time there was a {a} {h}",
    "Once upon a time there lived a {h} and a {g}",
    "A {h} had a {g}",
    "A {a} {h} and a {g}",
    "A certain {h}",
    "The {h}",
    "The {h} said",
    'The {h} said, "',
    "The {a} {h}",
    "One day the {h}",
    "One day a {h} went into the forest",
    "In a castle there lived a {h}",
    "In the forest there lived a {h}",
    "Long ago there lived a {a} {h}",
    "When the {h} came home",
    "Then the {h}",
)


class Teacher(NamedTuple):
    """Weights by layer, and the bytes of each token."""

    heads: int
    kv_heads: int
    embedding: torch.Tensor
    layers: list[dict[str, torch.Tensor]]
    norm: torch.Tensor
    cosine: torch.Tensor
    sine: torch.Tensor
    pieces: list[bytes]
    scores: list[float]


def load(folder: Path) -> Teacher:
    """Read the checkpoint and its tokenizer."""
    raw = (folder / "stories260K.bin").read_bytes()
    dim, hidden, layers, heads, kv_heads, vocabulary, length = struct.unpack("7i", raw[:28])
    flat, at = torch.from_numpy(np.frombuffer(raw, dtype=np.float32, offset=28).copy()), 0

    def take(*shape: int) -> torch.Tensor:
        nonlocal at
        size = int(np.prod(shape))
        at += size
        return flat[at - size : at].view(*shape)

    kv = dim // heads * kv_heads
    embedding = take(vocabulary, dim)
    shapes = {
        "norm_attention": (dim,),
        "q": (dim, dim),
        "k": (kv, dim),
        "v": (kv, dim),
        "o": (dim, dim),
        "norm_feed": (dim,),
        "gate": (hidden, dim),
        "down": (dim, hidden),
        "up": (hidden, dim),
    }
    stacked = {name: take(layers, *shape) for name, shape in shapes.items()}
    norm, half = take(dim), dim // heads // 2
    cosine, sine = take(length, half), take(length, half)
    pieces, scores = _pieces(folder / "tok512.bin", vocabulary)
    by_layer = [{name: tensor[i] for name, tensor in stacked.items()} for i in range(layers)]
    return Teacher(heads, kv_heads, embedding, by_layer, norm, cosine, sine, pieces, scores)


def _pieces(path: Path, vocabulary: int) -> tuple[list[bytes], list[float]]:
    raw, at = path.read_bytes(), 4
    pieces: list[bytes] = []
    scores: list[float] = []
    for _ in range(vocabulary):
        score, size = struct.unpack_from("fi", raw, at)
        piece = raw[at + 8 : at + 8 + size]
        if len(piece) == 6 and piece.startswith(b"<0x"):
            piece = bytes([int(piece[3:5], 16)])
        pieces.append(piece)
        scores.append(score)
        at += 8 + size
    return pieces, scores


def encode(teacher: Teacher, text: str) -> list[int]:
    """Byte-pair encoding by score, as the teacher was trained: a space goes before the text."""
    ids = {piece: i for i, piece in reversed(list(enumerate(teacher.pieces)))}
    tokens = [ids[bytes([byte])] for byte in b" " + text.encode("ascii")]
    while True:
        merges = [
            (teacher.scores[ids[both]], -i, ids[both])
            for i, (a, b) in enumerate(pairwise(tokens))
            if (both := teacher.pieces[a] + teacher.pieces[b]) in ids
        ]
        if not merges:
            return tokens
        _, i, token = max(merges)
        tokens[-i : -i + 2] = [token]


def _norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.rms_norm(x, weight.shape, weight, 1e-5)


def _rotate(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cosine - b * sine, a * sine + b * cosine), dim=-1).flatten(-2)


def _forward(teacher: Teacher, tokens: torch.Tensor, position: int, cache: list[list[torch.Tensor]]) -> torch.Tensor:
    rows, groups = len(tokens), teacher.kv_heads
    cosine, sine = teacher.cosine[position], teacher.sine[position]
    x = teacher.embedding[tokens]
    for layer, (keys, values) in zip(teacher.layers, cache, strict=True):
        h = _norm(x, layer["norm_attention"])
        q = _rotate((h @ layer["q"].T).view(rows, groups, teacher.heads // groups, -1), cosine, sine)
        keys[:, :, :, position] = _rotate((h @ layer["k"].T).view(rows, groups, -1), cosine, sine)
        values[:, :, position] = (h @ layer["v"].T).view(rows, groups, -1)
        scores = q @ keys[:, :, :, : position + 1] / q.shape[-1] ** 0.5
        x = x + (scores.softmax(-1) @ values[:, :, : position + 1]).reshape(rows, -1) @ layer["o"].T
        h = _norm(x, layer["norm_feed"])
        x = x + (torch.nn.functional.silu(h @ layer["gate"].T) * (h @ layer["up"].T)) @ layer["down"].T
    return _norm(x, teacher.norm) @ teacher.embedding.T


def opening(rng: random.Random) -> str:
    """An opening of a tale, at random."""
    hero, other = rng.sample(HEROES, 2)
    return rng.choice(OPENINGS).format(h=hero, g=other, a=rng.choice(ADJECTIVES))


@torch.inference_mode()
def batch(teacher: Teacher, rows: int, seed: int) -> list[dict[str, object]]:
    """Sample up to ``rows`` stories at once; those not finished after 511 tokens are dropped."""
    generator, rng = torch.Generator().manual_seed(seed), random.Random(seed)
    prompts = [[START] + (encode(teacher, opening(rng)) if rng.random() < OPENED else []) for _ in range(rows)]
    temperature = torch.tensor([TEMPERATURES[i % 2] for i in range(rows)])
    forced = torch.full((rows, LONGEST + 1), -1)
    for i, prompt in enumerate(prompts):
        forced[i, : len(prompt)] = torch.tensor(prompt)
    size, groups = teacher.embedding.shape[1] // teacher.heads, teacher.kv_heads
    cache = [[torch.zeros(rows, groups, size, 512), torch.zeros(rows, groups, 512, size)] for _ in teacher.layers]
    texts, row_of, running = forced.clone(), torch.arange(rows), torch.ones(rows, dtype=torch.bool)
    stories: list[dict[str, object]] = []
    for position in range(LONGEST):
        logits = _forward(teacher, texts[row_of, position], position, cache)
        noise = torch.empty_like(logits).exponential_(generator=generator)
        drawn = ((logits / temperature[row_of, None]).softmax(-1) / noise).argmax(-1)
        token = torch.where(forced[row_of, position + 1] >= 0, forced[row_of, position + 1], drawn)
        texts[row_of, position + 1] = token
        for i in row_of[(token == START) & running].tolist():
            pieces = b"".join(teacher.pieces[t] for t in texts[i, 1 : position + 1].tolist())
            text = pieces.decode("utf-8", errors="replace").strip()
            stories.append({"temperature": TEMPERATURES[i % 2], "opened": len(prompts[i]) > 1, "text": text})
        running &= token != START
        if running.float().mean() < 0.75:  # copying the cache pays only now and then
            row_of = row_of[running]
            cache = [[keys[running], values[running]] for keys, values in cache]
            running = torch.ones(len(row_of), dtype=torch.bool)
        if not len(row_of):
            break
    return [story for story in stories if "\ufffd" not in str(story["text"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="one file per seed: run several at once")
    parser.add_argument("--megabytes", type=float, default=6.0)
    parser.add_argument("--rows", type=int, default=192)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    teacher, written, count = load(DATA / "stories260K"), 0, 0
    WORK.mkdir(exist_ok=True)
    with (WORK / f"stories-{chosen.seed}.jsonl").open("w", encoding="utf-8") as file:
        while written < chosen.megabytes * 1e6:
            for story in batch(teacher, chosen.rows, seed=chosen.seed * 1_000_003 + count):
                file.write(json.dumps(story) + "\n")
                written += len(str(story["text"]).encode())
            count += 1
            file.flush()
            print(f"{count} batches, {written / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
