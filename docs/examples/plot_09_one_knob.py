"""
One knob, many models
=====================

Does one position of the knob do the same to every model? It makes the models' *choices* alike, far more than the same T
does. It does not make their *texts* alike: for one model a choice is a letter, for another a word.
"""

import json
from pathlib import Path
from pydoc_data.topics import topics

import matplotlib.pyplot as plt
import numpy as np

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
# The same for seven models with 65 to 8192 tokens: transformers, a recurrent network, counted ones; of tales, of
# plays and of stories. What was measured is stored beside this page.

stored = json.loads(Path("one_knob.json").read_text())
models = sorted(stored["subjects"], key=lambda m: -m["token_bytes"])
print(f"{stored['command']}: {len(stored['runs'])} runs of {stored['texts']} texts, {stored['bytes']} bytes each")
for m in models:
    print(f"{m['name']:23} {m['kind']:18} {m['vocabulary']:5} tokens, {m['token_bytes']:.1f} bytes each")

# %%
# The knob can be set in several units. Each is asked here for what the raw T from 0.4 to 1.2 give on average. How far
# are the models apart at the same position (the root of the mean variance), compared with the same raw T? Left of the
# line they are closer together. Bars: 95 % over resampled texts.

spreads = {(s["knob"], s["profile"], s["effect"]): s for s in stored["spreads"]}
units = {
    "entropy": "nats per token",
    "share": "share of the\nmaximum entropy",
    "top": "probability of\nthe best token",
    "ratio": "ratio to the\nentropy at T = 1",
    "per_byte": "nats per byte",
}
effects = {"the unit itself": None, "the text: repetition": "repeated", "the text: a judge's surprise": "judged"}
figure, axes = plt.subplots(1, 3, figsize=(9.5, 4.2), sharey=True)
for panel, (title, effect) in zip(axes, effects.items(), strict=True):
    panel.axvline(1, color="C4", linewidth=1)
    for row, unit in enumerate(units):
        for profile, shift, filled in (("at T = 1", 0.13, True), ("at each T", -0.13, False)):
            s = spreads[unit, profile, effect or unit]
            colour = "C0" if s["over_raw"] < 1 else "C1"
            panel.plot(s["interval"], [shift - row] * 2, color=colour, linewidth=1.5, alpha=0.6)
            face = colour if filled else "none"
            panel.plot(s["over_raw"], shift - row, "o", color=colour, markerfacecolor=face, markersize=7)
    panel.set(title=title, xscale="log", xlim=(0.08, 5))
    panel.set_xticks([0.1, 0.3, 1, 3], ["0.1x", "0.3x", "same T", "3x"])
    panel.minorticks_off()
axes[0].set_yticks([-row for row in range(len(units))], units.values())
axes[0].set_ylabel("unit of the knob")
axes[1].set_xlabel(
    "\u2190 models closer together     further apart \u2192\n"
    "\u25cf profile of texts at T = 1    \u25cb profile of texts at each T"
)
plt.show()

# %%
# In each of its units the knob keeps its promise: choices come out more alike than at the same T. The better the
# nearer the profile's texts are to the T in question, for a text at another T leads a model to other places.
#
# The texts are another matter. As many nats per token are little for a word and too much for a letter, so that in
# this unit the models' texts are *further* apart than at the same T. Over all seven, nats **per byte** bring them
# closest: ask a profile for that many nats times the mean length of a token in bytes. That is because plays are
# harder to predict than tales, and are cooled. Among the models of tales alone, nothing clearly beats the same T: at
# T = 1 each imitates the text it was trained on, whatever its tokens are.

of_tales = [m["name"] for m in models if m["text"] == "tales"]
for knob in ("temperature", "entropy", "per_byte"):
    runs = [r for r in stored["runs"] if (r["knob"], r["profile"]) == (knob, "at T = 1") and r["model"] in of_tales]
    judged = [[r["effects"]["judged"][0] for r in runs if r["place"] == place] for place in range(5)]
    apart = np.sqrt(np.var(judged, axis=1, ddof=1).mean())
    print(f"{units.get(knob, 'raw T'):15} {len(of_tales)} models of tales {apart:.2f} nats per byte apart, for a judge")

# %%
# Both in one picture. Above, how open a choice is. Below, how much the text surprises a judge, a model that has
# counted the training texts of all. Left at the same raw T, right at the same position of the knob, in nats per
# token. The colour is the length of a token; crosses were measured on this page.

# sphinx_gallery_thumbnail_number = 2
figure, axes = plt.subplots(2, 2, figsize=(9.5, 8), sharey="row", sharex="col")
for column, knob in enumerate(("temperature", "entropy")):
    for row, effect in enumerate(("entropy", "judged")):
        panel = axes[row, column]
        for m, mark in zip(models, "o^XsvPD", strict=True):
            size, name = m["token_bytes"], m["name"]
            runs = [r for r in stored["runs"] if (r["knob"], r["profile"], r["model"]) == (knob, "at T = 1", name)]
            panel.plot(
                [r["position"] for r in runs],
                [r["effects"][effect][0] for r in runs],
                color="C0" if size > 3 else "C2" if size > 1.5 else "C1",
                marker=mark,
                linewidth=1.3,
                label=f"{name}, {size:.1f} bytes" if row == column == 0 else None,
            )
        apart, raw = (spreads[k, "at T = 1", effect]["spread"] for k in (knob, "temperature"))
        colour = "C4" if knob == "temperature" else "C0" if apart < raw else "C1"
        words = f"{apart:.2f} nats apart"
        panel.text(0.04, 0.95, words, transform=panel.transAxes, va="top", size=15, weight="bold", color=colour)
axes[0, 1].plot([0.5, 3.5], [0.5, 3.5], color="C4", linestyle=":", linewidth=1.5)
axes[0, 1].text(3.55, 2.8, "as asked", color="C4", size=10, ha="right", va="top")
for (_, asked), met in here.items():
    axes[0, 1].plot(asked, met, "x", color="C4", markersize=8, markeredgewidth=2)
axes[0, 0].set_title("The same raw T", size=14)
axes[0, 1].set_title("The same position of the knob", size=14)
axes[0, 0].set(ylabel="a choice: nats per token", xticks=stored["temperatures"])
axes[1, 0].set(ylabel="the text: nats per byte, for a judge", xlabel="temperature T")
axes[1, 1].set(xlabel="nats per token asked for")
figure.legend(ncols=3, loc="outside lower center", fontsize=10)
plt.show()
