"""Write the best checkpoint into the package: `python -m training.export`.

Weights are rounded to float16 first, and the held-out losses in training/results.json are those of the rounded weights,
so that it is what anyone measures on the shipped file.
"""

import json
from typing import Any

import onnx
import torch
from tokenizers import Tokenizer

from training.config import CONFIG, ROOT, SHIPPED, WORK
from training.data import split, texts, words
from training.graph import build
from training.model import Network
from training.train import bits_per_byte


def rounded(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights as float16 holds them."""
    return {name: tensor.half().float() for name, tensor in weights.items()}


def first_windows(network: Network, tokenizer: Tokenizer, texts: list[str]) -> dict[str, float]:
    """Nats that a whole window costs: what a test can compute again, with nothing but the shipped model."""
    windows = [tokenizer.encode(text).ids[: CONFIG.context] for text in texts]
    tokens = torch.tensor([window for window in windows if len(window) == CONFIG.context])
    with torch.inference_mode():
        logits = network.eval().logits(network(tokens[:, :-1]))
        nats = torch.nn.functional.cross_entropy(logits.mT, tokens[:, 1:], reduction="none").double()
    return {"texts": len(tokens), "tokens_each": CONFIG.context, "nats_per_token": nats.mean().item()}


def main() -> None:
    checkpoint = torch.load(WORK / "best.pt")
    weights = rounded(checkpoint["weights"])
    network = Network(CONFIG)
    network.load_state_dict(weights)
    tokenizer, parts = Tokenizer.from_file(str(WORK / "tokenizer.json")), split()
    held_out = parts.held_out

    SHIPPED.mkdir(parents=True, exist_ok=True)
    onnx.save(build(CONFIG, {name: tensor.numpy() for name, tensor in weights.items()}), SHIPPED / "model.onnx")
    (SHIPPED / "tokenizer.json").write_text((WORK / "tokenizer.json").read_text(encoding="utf-8"), encoding="utf-8")
    facts = {
        "model_type": "heatbath-tales",
        "vocab_size": CONFIG.vocabulary,
        "num_hidden_layers": CONFIG.layers,
        "num_attention_heads": CONFIG.heads,
        "hidden_size": CONFIG.width,
        "intermediate_size": CONFIG.hidden,
        "max_position_embeddings": CONFIG.context,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "example_prompts": [
            "There was once a",
            "Once upon a time",
            "There was once a king who",
            "The wolf",
            "The princess opened the door and saw a",
        ],
    }
    (SHIPPED / "config.json").write_text(json.dumps(facts, indent=2) + "\n")

    known = {word for text in texts(parts.tales, parts.stories) for word in words(text)}
    (ROOT / "tests" / "embedded" / "words.txt").write_text("\n".join(sorted(known)) + "\n", encoding="utf-8")

    # a stage starts from the best checkpoint of the one before, here its last
    steps = sum(stage[-1][0] for stage in CONFIG.stages[: checkpoint["stage"]]) + checkpoint["step"]
    results: dict[str, Any] = {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "checkpoint": {"stage": checkpoint["stage"], "step": checkpoint["step"]},
        "steps": steps,
        "tokens_seen": steps * CONFIG.batch * CONFIG.context,
        "bits_per_byte": {book: round(bits_per_byte(network, tokenizer, texts), 4) for book, texts in held_out.items()},
        "bits_per_byte_overlapping_windows": {
            book: round(bits_per_byte(network, tokenizer, texts, stride=CONFIG.context // 2), 4)
            for book, texts in held_out.items()
        },
        "first_windows_of_held_out_grimm": first_windows(network, tokenizer, [tale.text for tale in held_out["grimm"]]),
        "text": json.loads((WORK / "counts.json").read_text()),
        "config": CONFIG._asdict(),
    }
    (ROOT / "training" / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results["bits_per_byte"], indent=2))
    print(f"{steps} steps, {(SHIPPED / 'model.onnx').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
