"""
What temperature does to a distribution
=======================================

A language model scores every token that may come next. Here are its scores after one prompt, and what the temperature
makes of them.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb
from heatbath.embedded import load

model = load()
prompt = "Once upon a time there was a little"
scores, _ = model.start([model.tokenizer.encode(prompt)])
scores = scores[0].astype(np.float64)
best = np.argsort(-scores)[:3]
names = [model.tokenizer.token_bytes(int(token)).decode().strip() for token in best]

# %%
# ``softmax`` and the measures take one T per row, so one call covers a whole range of temperatures: the same scores,
# once per T.

temperatures = np.geomspace(0.05, 20, 300)
rows = np.broadcast_to(scores, (len(temperatures), len(scores)))
probabilities = hb.softmax(rows, temperatures)
entropies = hb.entropy(rows, temperatures)
capacities = hb.heat_capacity(rows, temperatures)

# %%
# Towards T = 0 the best option takes everything; towards T = ∞ every one of the 2,048 tokens is as likely as any other.
# What people call "a little warmer" happens in between, and not evenly: the heat capacity, which is the slope of the
# entropy against ln T, says where the knob bites.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4))

for token, name in zip(best, names, strict=True):
    left.plot(temperatures, probabilities[:, token], label=name)
others = 1 - probabilities[:, best].sum(axis=1)
left.plot(temperatures, others, color="C4", linestyle="--", label="all others")
left.set(title="Who is drawn", ylabel="probability", ylim=(0, 1.03))
left.legend(loc="center right")

right.plot(temperatures, entropies, label="entropy")
right.plot(temperatures, capacities, label="heat capacity")
right.axhline(np.log(len(scores)), color="C4", linestyle=":", linewidth=1.2)
right.text(0.055, np.log(len(scores)) + 0.15, "ln 2048: all equally likely", color="C4", fontsize=10)
right.set(title="How open the choice is", ylabel="nats", ylim=(0, None))
right.legend(loc="center left")

for axes in (left, right):
    axes.set(xlabel="temperature T", xscale="log", xlim=(0.05, 20))
    axes.set_xticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
    axes.minorticks_off()
    axes.axvline(1, color="C4", linewidth=0.8)
plt.show()
