"""
Holding entropy: every decision, or the running mean
====================================================

"I want one nat of entropy" can mean two things for a text, and one of them is wrong. Solving *every* position for one
nat heats the places where the model is rightly certain, such as the second half of a word. Holding the *mean* leaves
those places certain and the open ones open.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb
from heatbath.embedded import load

# %%
# A text of the embedded model, and the scores at each of its positions. Both thermostats will see the same ones.

model = load()
sampler = hb.chain(hb.temperature(0.9), hb.min_p(0.02))
row, cache = model.start([model.tokenizer.encode("There was once a king who")])
state, stream = sampler.init(), []
for _ in range(230):
    stream.append(row[0].astype(np.float64))
    token, state, _ = sampler.step(state, row[0], seed=11)
    row, cache = model.step(cache, [int(token)])
stream = np.stack(stream)
model_entropy = hb.entropy(stream)


def follow(thermostat: hb.Thermostat) -> np.ndarray:
    """The T that a thermostat gives at each position."""
    state, temperatures = thermostat.init(), []
    for scores in stream:
        temperature, state = thermostat.step(state, hb.Seen(scores=scores))
        temperatures.append(float(temperature))
    return np.array(temperatures)


target = 1.0
each = follow(hb.hold_entropy(target))
mean = follow(hb.hold_entropy(target, horizon=32, start=0.6))

# %%
# Both have a mean entropy of about one nat. What they do to the certain places could not differ more.

certain = hb.top_probability(stream) > 0.95
for name, T in (("every decision", each), ("running mean", mean)):
    strays = (1 - hb.top_probability(stream, T)[certain]).mean()
    print(f"{name}: T from {T.min():.2f} to {T.max():.2f}, mean entropy {hb.entropy(stream, T).mean():.2f} nats")
    print(f"  a certain place goes another way {strays:.1%} of the time")

# %%
# Left: along the text. Right: each dot is a position; how open the model finds it, and how open the choice was made.

figure, axes = plt.subplot_mosaic("AAAACCC;BBBBCCC", figsize=(9.5, 4.8))
shown = slice(0, 110)
places = np.arange(110)
axes["A"].bar(places, model_entropy[shown], width=1, color="C4", alpha=0.4, label="the model, T = 1")
axes["A"].plot(places, hb.entropy(stream, each)[shown], color="C1", label="every decision")
axes["A"].plot(places, hb.entropy(stream, mean)[shown], color="C0", linewidth=1.3, label="running mean")
axes["A"].set(title="Entropy of the choice", ylabel="nats", xlim=(0, 110), xticklabels=[])
axes["A"].legend(ncols=3, fontsize=9, loc="upper left", columnspacing=1, handlelength=1.2)
axes["A"].set_ylim(0, 1.35 * model_entropy[shown].max())

axes["B"].plot(places, each[shown], color="C1")
axes["B"].plot(places, mean[shown], color="C0")
axes["B"].set(title="Temperature", ylabel="T", yscale="log", xlabel="position in the text, tokens", xlim=(0, 110))
axes["B"].set_yticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
axes["B"].minorticks_off()

axes["C"].plot(model_entropy, hb.entropy(stream, each), "s", color="C1", markersize=3, alpha=0.7)
axes["C"].plot(model_entropy, hb.entropy(stream, mean), "o", color="C0", markersize=4, alpha=0.7)
most = 1.05 * model_entropy.max()
axes["C"].plot([0, most], [0, most], color="C4", linewidth=1, linestyle=":")
axes["C"].text(0.93 * most, 0.95 * most, "T = 1", color="C4", fontsize=10, ha="right")
axes["C"].set(title="Position by position", xlabel="entropy of the model, nats", ylabel="entropy of the choice, nats")
axes["C"].set(xlim=(0, most), ylim=(0, most))
plt.show()
