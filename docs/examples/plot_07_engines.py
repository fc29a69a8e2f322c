"""
One request, five engines
=========================

T = 1.5, top-k 30, top-p 0.8, min-p 0.05: the same four numbers, sent to five engines. They apply them in different
orders and count what reaches 0.8 differently, so that they are five samplers.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb
from heatbath.embedded import load

model = load()
scores, _ = model.start([model.tokenizer.encode("The king said to his")])
scores = scores[0].astype(np.float64)

numbers = {"temperature": 1.5, "top_k": 30, "top_p": 0.8, "min_p": 0.05}
engines = {
    "llama.cpp": hb.orders.llama_cpp(**numbers),
    "ExLlamaV3": hb.orders.exllamav3(**numbers),
    "vLLM": hb.orders.vllm(**numbers),
    "transformers": hb.orders.transformers(do_sample=True, **numbers),
    "SGLang (PyTorch)": hb.orders.sglang(sampling_backend="pytorch", **numbers),
}

# %%
# The order is what ``repr`` shows. llama.cpp cuts what the model itself finds unlikely, and heats the rest; the others
# heat first. vLLM cuts by min-p before it counts the mass, transformers after. SGLang on PyTorch counts the mass of the
# whole distribution. ExLlama leaves out the option with which the mass reaches 0.8.

drawn = {"the model, T = 1": hb.softmax(scores)}
for name, sampler in engines.items():
    drawn[name] = hb.softmax(sampler.scores(sampler.init(), scores).scores)
    print(f"{name:17} keeps {np.count_nonzero(drawn[name]):2}: {sampler}")

# %%
# What it would take to get llama.cpp's tokens out of vLLM: not these numbers.

found = hb.orders.translate("llama.cpp", "vLLM", numbers)
print(found.settings)
print(*found.changed, *found.lost, sep="\n")

# %%
# Each column is a token, the likeliest first, and the area of a disc is its probability: grey for the model itself,
# blue for the engine that cuts and then heats, orange for those that heat and then cut. A dot stands where a token is
# cut that another engine keeps.

kept = np.flatnonzero(sum(drawn[name] for name in engines))
tokens = kept[np.argsort(-scores[kept])]
names = [model.tokenizer.token_bytes(int(token)).decode(errors="replace").strip() or "␣" for token in tokens]

figure, axes = plt.subplots(figsize=(9.5, 4.4))
places = np.arange(len(tokens))
for height, (name, probabilities) in enumerate(reversed(drawn.items())):
    shown = probabilities[tokens]
    there = shown > 0
    colour = {"the model, T = 1": "C4", "llama.cpp": "C0"}.get(name, "C1")
    axes.axhline(height, color="C4", alpha=0.18, linewidth=1, zorder=0)
    axes.scatter(
        places[there], np.full(there.sum(), height), s=2900 * shown[there], color=colour, alpha=0.9, linewidth=0
    )
    axes.scatter(places[~there], np.full((~there).sum(), height), s=5, color="C4", alpha=0.6, linewidth=0)
    if name in engines:
        count = f"{there.sum()} kept, perplexity {hb.perplexity(np.log(np.where(there, shown, 1)[there])):.1f}"
        axes.text(len(tokens) + 0.2, height, count, color=colour, va="center", fontsize=10)
axes.set_yticks(np.arange(len(drawn)), reversed(drawn))
axes.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor")
axes.set(xlim=(-1, len(tokens) - 0.3), ylim=(-0.6, len(drawn) - 0.4))
axes.set_title("The next token after “The king said to his”: T = 1.5, top-k 30, top-p 0.8, min-p 0.05")
axes.grid(visible=False)
axes.spines[:].set_visible(False)
axes.tick_params(length=0)
plt.show()
