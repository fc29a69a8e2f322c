"""Measure the profile of the shipped model, its mean effect against T: `python -m training.profile`.

Texts are drawn at T = 1 from openings of tales; every position after the opening is measured.
"""

import numpy as np

from heatbath import Profile
from heatbath.embedded import EMBEDDED, load
from training.config import SHIPPED

OPENINGS = ("", "Once upon a time", "There was once a king", "There was once a", "The king said", "The wolf", "One day")
TEXTS_EACH = 8
TOKENS = 128


def main() -> None:
    model, rng = load(), np.random.default_rng(0)
    prompts = [model.tokenizer.encode(opening) for opening in OPENINGS for _ in range(TEXTS_EACH)]
    scores, cache = model.start(prompts)
    rows = [[] for _ in prompts]
    running = list(range(len(prompts)))
    for _ in range(TOKENS):
        for row, own in zip(running, scores, strict=True):
            rows[row].append(own)
        shares = np.exp(scores - scores.max(-1, keepdims=True)).astype(np.float64).cumsum(-1)
        drawn = (shares > rng.random((len(shares), 1)) * shares[:, -1:]).argmax(-1).tolist()
        going = [row for row, token in enumerate(drawn) if token not in model.stop_tokens]
        running = [running[row] for row in going]
        if not running:
            break
        scores, cache = model.step(cache.rows(going), [drawn[row] for row in going])
    profile = Profile.measure([np.stack(own) for own in rows], model=EMBEDDED)
    profile.save(SHIPPED / "profile.json")
    for temperature in (0.2, 0.7, 1.0, 1.6):
        print(temperature, profile.effect(temperature))


if __name__ == "__main__":
    main()
