"""Train the networks of the comparison: `python -m training.knob.train [NAME ...]`. Writes training/work/knob/.

Seeded, and nothing counts wall-clock time. The last loss printed is that of the held-out text, in bits per byte.
"""

import argparse
import math
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from torch import Tensor, nn
from torch.nn import functional as F

from heatbath.embedded.tokenizer import JsonTokenizer
from heatbath.types import Model
from heatbath.types import Tokenizer as TokenizerContract
from training.config import WORK, Config
from training.knob.networks import PieceTokenizer, Recurrent, RecurrentModel, of_network
from training.knob.texts import shakespeare, tales
from training.loss import LinearCrossEntropy
from training.model import Network
from training.train import Muon

FOLDER = WORK / "knob"
SEED = 0
BEGIN = "\n"  # what a text begins after


class Recipe(NamedTuple):
    """How one network is made."""

    domain: str
    vocabulary: int
    """Tokens of a byte-level BPE; 0: one token for each character of the text."""
    network: str
    width: int
    hidden: int
    layers: int
    context: int
    batch: int
    steps: int


RECIPES = {
    "shakespeare-characters": Recipe("shakespeare", 0, "transformer", 96, 256, 3, 320, 12, 1200),
    "shakespeare-recurrent": Recipe("shakespeare", 1024, "recurrent", 128, 320, 1, 128, 24, 450),
    "tales-8k": Recipe("tales", 8192, "transformer", 128, 344, 2, 128, 16, 400),
}
DOMAINS = {"shakespeare": shakespeare, "tales": tales}


def tokenizer(name: str, text: str) -> TokenizerContract:
    """The tokenizer of a recipe; a BPE is trained once and kept."""
    recipe, file = RECIPES[name], FOLDER / f"{name}.json"
    if not recipe.vocabulary:
        return PieceTokenizer([character.encode() for character in sorted(set(text))])
    if not file.exists():
        bpe = Tokenizer(BPE())
        bpe.pre_tokenizer, bpe.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
        alphabet = ByteLevel.alphabet()
        trainer = BpeTrainer(vocab_size=recipe.vocabulary, initial_alphabet=alphabet, show_progress=False)
        bpe.train_from_iterator([text], trainer)
        bpe.save(str(file))
    return JsonTokenizer(file)


def network(recipe: Recipe, vocabulary: int) -> Network | Recurrent:
    """Fresh weights."""
    torch.manual_seed(SEED)
    if recipe.network == "recurrent":
        return Recurrent(vocabulary, recipe.width, recipe.hidden)
    sizes = {"layers": recipe.layers, "heads": recipe.width // 32, "width": recipe.width, "hidden": recipe.hidden}
    return Network(Config(vocabulary=vocabulary, context=recipe.context, dropout=0.1, **sizes))


def load(name: str) -> Model:
    """A trained network, as a model."""
    recipe = RECIPES[name]
    tokens = tokenizer(name, DOMAINS[recipe.domain]().train)
    weights = torch.load(FOLDER / f"{name}.pt")
    made = network(recipe, len(weights["embedding.weight"]))
    made.load_state_dict(weights)
    begin = tokens.encode(BEGIN)[0]
    if isinstance(made, Recurrent):
        return RecurrentModel(name, made, tokens, context=2**20, begin=begin)
    return of_network(name, made, tokens, begin)


def size(name: str) -> int:
    """Parameters of a trained network."""
    return sum(part.numel() for part in torch.load(FOLDER / f"{name}.pt").values())


def train(name: str) -> None:
    """Train, and keep the last weights."""
    recipe = RECIPES[name]
    domain = DOMAINS[recipe.domain]()
    tokens = tokenizer(name, domain.train)
    stream = np.array(tokens.encode(domain.train))
    cut = len(stream) * 19 // 20
    held_out, stream = stream[cut:], stream[:cut]
    made = network(recipe, len(tokens.pieces) if isinstance(tokens, PieceTokenizer) else recipe.vocabulary)
    count = sum(p.numel() for p in made.parameters())
    print(f"{name}: {count:,} parameters, {len(stream):,} tokens", flush=True)
    matrices = [p for p in made.blocks.parameters() if p.ndim == 2] if isinstance(made, Network) else []
    rest = [p for p in made.parameters() if not any(p is q for q in matrices)]
    shapes = {p.shape: [q for q in matrices if q.shape == p.shape] for p in matrices}
    muon = Muon(list(shapes.values()), 0.95, 0.05)
    adam = torch.optim.AdamW(rest, lr=3e-3, betas=(0.9, 0.95), weight_decay=0.01)
    rng, running = np.random.default_rng(SEED), 0.0
    for step in range(recipe.steps):
        share = min(1.0, (step + 1) / 30, 1.5 * (1 - step / recipe.steps))
        batch = _windows(stream, recipe.context, recipe.batch, rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=isinstance(made, Network)):
            x = made(batch[:, :-1])
        loss = LinearCrossEntropy.apply(x.float().flatten(0, 1), made.embedding.weight, batch[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(made.parameters(), 1.0)
        muon.step(0.02 * share)
        adam.param_groups[0]["lr"] = 3e-3 * share
        adam.step()
        made.zero_grad()
        running += loss.item()
        if (step + 1) % 50 == 0:
            print(f"{name}: step {step + 1}, {running / 50:.3f} nats per token", flush=True)
            running = 0.0
    written = sum(len(tokens.token_bytes(int(token))) for token in held_out)
    print(f"{name}: held out {_nats(made.eval(), held_out, recipe.context) / math.log(2) / written:.3f} bits per byte")
    torch.save(made.state_dict(), FOLDER / f"{name}.pt")


def _windows(stream: np.ndarray, context: int, count: int, rng: np.random.Generator) -> Tensor:
    starts = rng.integers(0, len(stream) - context, size=count)
    return torch.from_numpy(np.stack([stream[start : start + context] for start in starts]).astype(np.int64))


@torch.inference_mode()
def _nats(made: Network | Recurrent, stream: np.ndarray, context: int) -> float:
    """What the stream costs, in windows side by side."""
    whole = torch.from_numpy(stream[: len(stream) // context * context].astype(np.int64)).view(-1, context)
    nats = 0.0
    for rows in whole.split(16):
        logits = made.logits(made(rows[:, :-1]))
        nats += F.cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten(), reduction="sum").item()
    return nats * len(stream) / (whole.shape[0] * (context - 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"one of {', '.join(RECIPES)}; all where none is given")
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in parser.parse_args().names or RECIPES:
        train(name)


if __name__ == "__main__":
    main()
