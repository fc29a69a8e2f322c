"""
One knob, many models
=====================

Does one position of the knob do the same to every model? It makes the models' *choices* alike, far more than the same T
does. It does not make their *texts* alike: for one model a choice is a letter, for another a word.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from pydoc_data.topics import topics

import heatbath as hb
from heatbath.embedded import load, load_profile
from heatbath.embedded.ngram import NGramModel

# %%
# Two models, here and now
# ------------------------
#
# The model that comes with the package reads 2048 tokens and has learnt from tales. The other is counted on the spot:
# how often each byte follows the five before it in the manual that comes with Python.

manual = "\n".join(topics.values())
tales, counted = load(), NGramModel(manual[:250_000], order=6)


def write(model, prompts: list[str], T: float, seed: int, length: int) -> list[np.ndarray]:
    """The scores along one continuation of each prompt."""
    sampler = hb.chain(hb.temperature(T))
    row, cache = model.start([model.tokenizer.encode(prompt) for prompt in prompts])
    state, rows = sampler.init(), []
    for _ in range(length):
        rows.append(row)
        tokens, state, _ = sampler.step(state, row, seed=seed)
        row, cache = model.step(cache, tokens.tolist())
    return list(np.stack(rows, axis=1))


# %%
# A profile turns the knob into a T. One ships with the model, the other is measured now, on texts at T = 1. Then both
# models continue *other* prompts, with other seeds, and we look at what was asked for and what came.

lines = [line.strip()[:30] for line in manual[250_000:].splitlines() if len(line) > 60]
heroes = ["king", "wolf", "poor man", "princess", "fox", "miller", "giant", "witch"]
subjects = {
    "heatbath-tales": (tales, load_profile(), [f"{word} {hero}" for hero in heroes for word in ("Then the", "Once a")]),
    "manual, counted": (
        counted,
        hb.Profile.measure(write(counted, lines[:16], 1.0, seed=0, length=120), model="manual, counted"),
        lines[100:116],
    ),
}
here = {}
for asked in (0.8, 1.4, 2.0):
    for name, (model, profile, prompts) in subjects.items():
        T = profile.temperature_for(entropy=asked)
        met = hb.entropy(np.concatenate(write(model, prompts, T, seed=100, length=80)), T).mean()
        here[name, asked] = met
        print(f"{name:16} asked for {asked} nats: T = {T:.2f}, came {met:.2f} nats")

# %%
# Seven models
# ------------
#
# The same for seven models of 65 to 8192 tokens: transformers, a recurrent network, counted models; tales, plays and
# stories. What was measured is stored; the script that does it is named in the file.

stored = json.loads((Path(__file__).parent / "one_knob.json").read_text())
print(stored["command"], f"wrote {stored['texts']} texts of {stored['bytes']} bytes for each of {len(stored['runs'])} runs")
for m in stored["subjects"]:
    print(f"{m['name']:23} {m['kind']:18} {m['vocabulary']:5} tokens of {m['token_bytes']:.1f} bytes, "
          f"{m['entropy']:.1f} nats at T = 1")  # fmt: skip

# %%
# The knob can be set in several units. For each, how far are the models apart at the same position, compared with the
# same raw T? Left of the line the models are closer together than at the same T, right of it further apart. Bars: 95 %
# over resampled texts.

spreads = {(s["knob"], s["profile"], s["effect"]): s for s in stored["spreads"]}
units = {
    "entropy": "nats per token",
    "share": "share of the\nmaximum entropy",
    "top": "probability of\nthe best token",
    "ratio": "ratio to the\nentropy at T = 1",
    "per_byte": "nats per byte",
}
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.8), sharey=True)
shown = (("what the knob is set in", None), ("how the text repeats itself", "repeated"), ("how it surprises a judge", "judged"))
for panel, (title, effect) in zip(axes, shown, strict=True):
    panel.axvline(1, color="C4", linewidth=1)
    for row, unit in enumerate(units):
        for profile, shift, face in (("at T = 1", 0.13, None), ("at each T", -0.13, "none")):
            s = spreads[unit, profile, effect or unit]
            colour = "C0" if s["over_raw"] < 1 else "C1"
            panel.plot(s["interval"], [-row + shift] * 2, color=colour, linewidth=1.5, alpha=0.6)
            panel.plot(s["over_raw"], -row + shift, "o", color=colour, markerfacecolor=face or colour, markersize=7)
    panel.set(title=title, xscale="log", xlim=(0.08, 5))
    panel.set_xticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "same T", "3"])
    panel.minorticks_off()
axes[0].set_yticks([-row for row in range(len(units))], units.values())
axes[0].set_ylabel("unit of the knob")
axes[1].set_xlabel("spread across the models, compared with the same raw T\n(● profile of texts at T = 1,  ○ of texts at each T)")
plt.show()

# %%
# In nats per token, the knob keeps its promise, and the better the closer the profile's texts are to the T in question. But
# the same nats per token are little for a word and very much for a letter, and so the texts are further apart than at the
# same T. Nats *per byte* make the texts most alike: ask a profile for that many nats times the mean length of a token.
#
# Here is both in one picture. Above, how open a choice is. Below, how much the text surprises a model that has counted all
# the training texts. Left the same raw T, right the same position of the knob, in nats per token. The colour is the length of
# a token; crosses were measured on this page.

colours = {m["name"]: "C1" if m["token_bytes"] < 1.5 else "C2" if m["token_bytes"] < 3 else "C0" for m in stored["subjects"]}
marks = dict(zip(colours, "osDv^PX", strict=True))
figure, axes = plt.subplots(2, 2, figsize=(9.5, 8), sharey="row", sharex="col")
for column, knob in enumerate(("temperature", "entropy")):
    for row, effect in enumerate(("entropy", "judged")):
        panel = axes[row, column]
        for name, colour in colours.items():
            runs = [r for r in stored["runs"] if (r["knob"], r["profile"], r["model"]) == (knob, "at T = 1", name)]
            panel.plot([r["position"] for r in runs], [r["effects"][effect][0] for r in runs], color=colour, marker=marks[name],
                       markersize=6, linewidth=1.3, label=name if not column and not row else None)  # fmt: skip
        apart = spreads[knob, "at T = 1", effect]["spread"]
        better = apart <= spreads["temperature", "at T = 1", effect]["spread"]
        panel.text(0.04, 0.95, f"apart by {apart:.2f}", transform=panel.transAxes, va="top", fontsize=15, weight="bold",
                   color="C4" if not column else "C0" if better else "C1")  # fmt: skip
axes[0, 1].plot([0.5, 3.5], [0.5, 3.5], color="C4", linestyle=":", linewidth=1.5)
for (name, asked), met in here.items():
    axes[0, 1].plot(asked, met, "x", color="C4", markersize=8, markeredgewidth=2)
axes[0, 0].set(title="The same raw T", ylabel="a choice: nats per token")
axes[0, 1].set(title="The same position of the knob")
axes[1, 0].set(ylabel="the text: nats per byte, for a judge", xlabel="temperature T")
axes[1, 1].set(xlabel="nats per token that were asked for")
figure.legend(ncols=4, loc="outside lower center", fontsize=10)
plt.show()
