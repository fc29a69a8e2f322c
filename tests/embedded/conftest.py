from collections.abc import Callable, Sequence

import numpy as np
import pytest

from heatbath.embedded import load
from heatbath.types import Model


@pytest.fixture(scope="session")
def model() -> Model:
    """The model that ships with the package."""
    return load()


Write = Callable[..., list[str]]


@pytest.fixture(scope="session")
def write(model: Model) -> Write:
    """Continuations: ``write(prompts, temperature=0.7, tokens=80, seed=0)``, drawn in plain NumPy."""

    def continuations(prompts: Sequence[str], *, temperature: float, tokens: int, seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        scores, cache = model.start([model.tokenizer.encode(prompt) for prompt in prompts])
        texts: list[list[int]] = [[] for _ in prompts]
        running = list(range(len(prompts)))
        for _ in range(tokens):
            tempered = scores.astype(np.float64) / temperature
            shares = np.exp(tempered - tempered.max(-1, keepdims=True)).cumsum(-1)
            drawn = [int((row > rng.random() * row[-1]).argmax()) for row in shares]
            going = [row for row, token in enumerate(drawn) if token not in model.stop_tokens]
            for row in going:
                texts[running[row]].append(drawn[row])
            running = [running[row] for row in going]
            if not running:
                break
            scores, cache = model.step(cache.rows(going), [drawn[row] for row in going])
        return [model.tokenizer.decode(text) for text in texts]

    return continuations
