"""Train the model: `python -m training.train`. Writes training/work/best.pt and training/work/log.jsonl.

Muon moves the matrices of the blocks, AdamW the embedding and the norms. The checkpoint with the lowest held-out loss
of the tales is kept: the tales are few and over-fit first.
"""

import argparse
import json
import math
from dataclasses import dataclass, field
from typing import TextIO

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from training.config import CONFIG, WORK
from training.data import Tale, split
from training.loss import LinearCrossEntropy
from training.model import Network

QUINTIC = (3.4445, -4.7750, 2.0315)  # Newton-Schulz coefficients of Jordan et al. 2024, "Muon"


def orthogonal(update: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrix, roughly: five Newton-Schulz steps on a stack of matrices."""
    a, b, c = QUINTIC
    tall = update.shape[-2] > update.shape[-1]
    x = update.mT if tall else update
    x = (x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


@dataclass
class Muon:
    """Momentum, then the orthogonal part of it (Nesterov form). Matrices of one shape are handled together."""

    groups: list[list[Tensor]]
    momentum: float
    weight_decay: float
    memory: list[Tensor] = field(default_factory=list)

    def step(self, rate: float) -> None:
        """One update at this learning rate."""
        self.memory = self.memory or [torch.zeros(len(group), *group[0].shape) for group in self.groups]
        for group, memory in zip(self.groups, self.memory, strict=True):
            gradient = torch.stack([matrix.grad for matrix in group if matrix.grad is not None])
            memory.lerp_(gradient, 1 - self.momentum)
            rows, columns = group[0].shape
            update = orthogonal(gradient.lerp(memory, self.momentum)) * max(1.0, rows / columns) ** 0.5
            for matrix, change in zip(group, update, strict=True):
                matrix.data.mul_(1 - rate * self.weight_decay).add_(change, alpha=-rate)


def learning_rate(stage: int, step: int) -> float:
    """Share of the full rates at a step of a stage."""
    steps, shares = zip(*CONFIG.stages[stage], strict=True)
    return float(np.interp(step, steps, shares))


@torch.inference_mode()
def bits_per_byte(network: Network, tokenizer: Tokenizer, texts: list[Tale], stride: int | None = None) -> float:
    """Held-out loss: the bits that the texts and their ends cost, by byte of text.

    Each text is cut into windows of the context length, ``stride`` apart (no overlap when None); a token is counted in
    the first window that holds it.
    """
    network.eval()
    context = CONFIG.context
    stride, nats = stride or context, 0.0
    rows: list[list[int]] = []
    counted: list[int] = []
    for tale in texts:
        ids = [*tokenizer.encode(tale.text).ids, 0]
        done = 1
        for start in range(0, len(ids), stride):
            window = ids[start : start + context + 1]
            if start + len(window) <= done:
                break
            rows.append(window + [0] * (context + 1 - len(window)))
            counted.append((done - start, len(window)))
            done = start + len(window)
    for at in range(0, len(rows), 16):
        batch = torch.tensor(rows[at : at + 16])
        losses = F.cross_entropy(network.logits(network(batch[:, :-1])).mT, batch[:, 1:], reduction="none")
        for row, (first, end) in zip(losses, counted[at : at + 16], strict=True):
            nats += row[max(first - 1, 0) : end - 1].double().sum().item()
    network.train()
    return nats / math.log(2) / sum(len(tale.text.encode()) for tale in texts)


def windows(stream: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Stretches of the stream from random places."""
    starts = rng.integers(0, len(stream) - CONFIG.context - 1, size=count)
    return np.stack([stream[start : start + CONFIG.context + 1] for start in starts]).astype(np.int64)


def train(stage: int, network: Network, tokenizer: Tokenizer, held_out: dict[str, list[Tale]], log: TextIO) -> None:
    """One stage: fresh optimiser states, its own schedule; the best checkpoint is kept."""
    rng = np.random.default_rng(CONFIG.seed + stage)
    streams = np.load(WORK / "tokens.npz")
    tales, stories = streams["tales"], streams["stories"]
    matrices = [p for p in network.blocks.parameters() if p.ndim == 2]
    shapes = {p.shape: [q for q in matrices if q.shape == p.shape] for p in matrices}
    muon = Muon(list(shapes.values()), CONFIG.momentum, CONFIG.weight_decay)
    rest = [p for p in network.parameters() if not any(p is q for q in matrices)]
    adam = torch.optim.AdamW(rest, lr=CONFIG.adam_rate, betas=(0.9, 0.95), weight_decay=0.0)
    best, running = math.inf, 0.0
    for step in range(CONFIG.stages[stage][-1][0]):
        from_tales = rng.binomial(CONFIG.batch, CONFIG.tale_share)
        batch = torch.from_numpy(
            np.concatenate((windows(tales, from_tales, rng), windows(stories, CONFIG.batch - from_tales, rng)))
        )
        with torch.autocast("cpu", torch.bfloat16):
            x = network(batch[:, :-1])
        loss = LinearCrossEntropy.apply(x.flatten(0, 1), network.embedding.weight, batch[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CONFIG.clip)
        share = learning_rate(stage, step)
        muon.step(CONFIG.muon_rate * share)
        adam.param_groups[0]["lr"] = CONFIG.adam_rate * share
        adam.step()
        network.zero_grad()
        running += loss.item()
        if (step + 1) % CONFIG.evaluate_every == 0:
            losses = {book: bits_per_byte(network, tokenizer, texts) for book, texts in held_out.items()}
            record = {"stage": stage, "step": step + 1, "train": running / CONFIG.evaluate_every, **losses}
            running, mean = 0.0, (losses["grimm"] + losses["jacobs"]) / 2
            log.write(json.dumps(record) + "\n")
            log.flush()
            print(" ".join(f"{name}={value:.4g}" for name, value in record.items()), flush=True)
            if mean < best:
                best = mean
                torch.save({"stage": stage, "step": step + 1, "weights": network.state_dict()}, WORK / "best.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="two pay only on an idle machine")
    parser.add_argument("--stage", type=int, default=0, help="start here, from training/work/best.pt")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    tokenizer, held_out = Tokenizer.from_file(str(WORK / "tokenizer.json")), split().held_out
    torch.manual_seed(CONFIG.seed)
    network = Network(CONFIG)
    print(f"{sum(p.numel() for p in network.parameters()):,} parameters", flush=True)
    with (WORK / "log.jsonl").open("a" if chosen.stage else "w") as log:
        for stage in range(chosen.stage, len(CONFIG.stages)):
            if stage:
                torch.manual_seed(CONFIG.seed + stage)
                network.load_state_dict(torch.load(WORK / "best.pt")["weights"])
            train(stage, network, tokenizer, held_out, log)


if __name__ == "__main__":
    main()
