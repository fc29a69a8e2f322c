"""
From an effect to a temperature
===============================

One T does not mean the same on two models. A profile, measured once per model, says what each T does to its choices on
average; turned round, it gives the T for an effect.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb
from heatbath.embedded import load
from heatbath.embedded.toy import ToyModel

# %%
# A profile is an average over positions of sample texts: prompts like the real ones, continued at a T near the one in
# question. Each text is one sample, because neighbouring positions resemble each other.


def scores_along(model, prompt: str, seeds: range, length: int = 24) -> list[np.ndarray]:
    """For each seed, the scores at every position of a continuation."""
    sampler = hb.chain(hb.temperature(0.9))
    row, cache = model.start([model.tokenizer.encode(prompt)] * len(seeds))
    state, rows = sampler.init(), []
    for _ in range(length):
        rows.append(row.astype(np.float64))
        tokens, state, _ = sampler.step(state, row, seed=np.array(seeds))
        row, cache = model.step(cache, tokens.tolist())
    return list(np.stack(rows, axis=1))


tales, toy = load(), ToyModel(stop=0)
prompts = ["Once upon a time", "The king said", "There was once a poor", "The wolf"]
samples = [text for i, prompt in enumerate(prompts) for text in scores_along(tales, prompt, range(4 * i, 4 * i + 4))]
profiles = [
    hb.Profile.measure(samples, model="the embedded model"),
    hb.Profile.measure(scores_along(toy, " sun", range(16)), model="the toy weather forecast"),
]

# %%
# Ask both for the same effect.

for target in (0.5, 1.0):
    for profile in profiles:
        print(f"{target} nats on {profile.model}: T = {profile.temperature_for(entropy=target):.2f}")

# %%
# Left, the mean entropy against T, with the range of two standard errors. One target is one horizontal line, and meets
# each model at a T of its own. Right, the same as the probability of the best option.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2))
for number, profile in enumerate(profiles):
    colour = f"C{number}"
    grid = np.array(profile.temperatures[:-1])
    for axes, curve in ((left, profile.entropy), (right, profile.top_probability)):
        mean, error = np.array(curve.mean[:-1]), np.array(curve.error[:-1])
        axes.plot(grid, mean, color=colour, label=profile.model)
        axes.fill_between(grid, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.2, linewidth=0)
    T = profile.temperature_for(entropy=1.0)
    left.plot([0, T], [1.0, 1.0], color="C4", linewidth=1, linestyle=":")
    left.plot([T, T], [0, 1.0], color=colour, linewidth=1.2, linestyle="--")
    left.plot(T, 1.0, "o", color=colour, markersize=7)
    left.text(T + 0.04, 0.55 - 0.3 * number, f"T = {T:.2f}", color=colour, weight="bold")
left.text(0.03, 1.05, "1 nat", color="C4", fontsize=10)
left.set(title="Mean entropy", xlabel="temperature T", ylabel="nats", xlim=(0, 2), ylim=(0, 4.5))
right.set(title="Mean probability of the best option", xlabel="temperature T", xlim=(0, 2), ylim=(0, 1.02))
right.set_ylabel("probability")
left.legend(loc="upper left")
plt.show()
