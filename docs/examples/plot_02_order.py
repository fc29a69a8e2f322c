"""
Order matters: cut, then heat; or heat, then cut
================================================

``min_p(0.1) -> temperature(T)`` and ``temperature(T) -> min_p(0.1)`` have the same parts. They are two samplers, and
engines disagree about which of them a request for "temperature T, min-p 0.1" means.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb
from heatbath.embedded import load

model = load()
scores, _ = model.start([model.tokenizer.encode("There was once a poor")])
scores = scores[0].astype(np.float64)


def drawn_from(chain: str) -> np.ndarray:
    """The probabilities that a chain draws from."""
    sampler = hb.parse(chain)
    return hb.softmax(sampler.scores(sampler.init(), scores).scores)


# %%
# Both orders at T = 2. Cutting first keeps what the model itself finds at least a tenth as likely as its best token,
# and heats only that. Heating first brings unlikely tokens closer to the best one, and the same min-p lets many of them
# in.

cut_first = drawn_from("min_p(0.1) -> temperature(2)")
heat_first = drawn_from("temperature(2) -> min_p(0.1)")
plain = drawn_from("temperature(1)")
for name, probabilities in (("cut, then heat", cut_first), ("heat, then cut", heat_first)):
    print(f"{name}: {np.count_nonzero(probabilities)} options kept, the best one has {probabilities.max():.0%}")

# %%
# How many options are kept, at each temperature and in each order. With the cut in front, the number does not depend on
# T at all. Behind the heat, top-p grows to most of the vocabulary; min-p grows as well, but slowly:
# min-p behind T keeps what min-p\ :sup:`T` keeps in front of it.

temperatures = np.geomspace(0.5, 4, 60)
chains = {
    "heat, then top-p 0.9": ("temperature({}) -> top_p(0.9)", "C3", "-"),
    "heat, then min-p 0.1": ("temperature({}) -> min_p(0.1)", "C1", "-"),
    "top-p 0.9, then heat": ("top_p(0.9) -> temperature({})", "C2", "--"),
    "min-p 0.1, then heat": ("min_p(0.1) -> temperature({})", "C0", "--"),
}

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.4))

order = np.argsort(-scores)[:14]
names = [model.tokenizer.token_bytes(int(token)).decode().strip() for token in order]
places = np.arange(len(order))
left.bar(places, plain[order], width=0.85, color="C4", alpha=0.25, label="the model, T = 1")
left.bar(places - 0.2, cut_first[order], width=0.38, color="C0", label="cut, then heat")
left.bar(places + 0.2, heat_first[order], width=0.38, color="C1", label="heat, then cut")
left.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor")
left.set(title="Next token, T = 2, min-p 0.1", ylabel="probability")
left.grid(axis="x", visible=False)
left.legend()

for label, (chain, colour, dashes) in chains.items():
    kept = [np.count_nonzero(drawn_from(chain.format(T))) for T in temperatures]
    right.plot(temperatures, kept, color=colour, linestyle=dashes, label=label)
right.set(xscale="log", yscale="log", xlim=(0.5, 4))
right.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
right.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
right.minorticks_off()
right.set(title="Options kept, of 2,048", xlabel="temperature T", ylabel="options")
right.set_ylim(1, 2 * len(scores))
right.legend(loc="upper left", fontsize=10)
plt.show()
