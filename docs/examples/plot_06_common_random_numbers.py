"""
One seed, two temperatures
==========================

The random number of a draw depends on the seed and the position, and on nothing else. Two samplers with one seed
therefore share their luck, and what is left between them is the temperature. Statisticians call this *common random
numbers*.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb

scores = np.log([0.35, 0.25, 0.18, 0.12, 0.07, 0.03])
T = {"cooler": 0.7, "hotter": 1.0}
samplers = {name: hb.chain(hb.temperature(t)) for name, t in T.items()}


def draws(name: str, seeds: np.ndarray) -> np.ndarray:
    """One draw per seed."""
    rows = np.broadcast_to(scores, (len(seeds), len(scores)))
    return samplers[name].step((), rows, seed=seeds).choice


# %%
# The draw is the first option at which the cumulative probability exceeds u. Heating moves the borders a little, so
# most u land on the same option at both temperatures.

seeds = np.arange(100_000)
same = np.mean(draws("cooler", seeds) == draws("hotter", seeds))
independent = np.mean(draws("cooler", seeds) == draws("hotter", seeds + len(seeds)))
print(f"the two temperatures draw the same option: {same:.0%} with one seed, {independent:.0%} with two")

# %%
# Now an experiment. How much more surprising are the draws when hotter? Four hundred times, 50 draws at each
# temperature are compared: once with the same seeds on both sides, once with seeds of their own.

surprisal = -hb.log_softmax(scores)


def experiment(first: int, shared: bool) -> float:
    """Difference of the mean surprisals of 50 draws a side, in nats."""
    cool = np.arange(first, first + 50)
    hot = cool if shared else cool + 50
    return float(surprisal[draws("hotter", hot)].mean() - surprisal[draws("cooler", cool)].mean())


shared = np.array([experiment(100 * i, True) for i in range(400)])
apart = np.array([experiment(100 * i, False) for i in range(400)])
exact = sum(sign * hb.softmax(scores, t) @ surprisal for sign, t in ((1, T["hotter"]), (-1, T["cooler"])))
print(f"exact difference {exact:.3f} nats")
print(f"spread of the estimates: {shared.std():.3f} with shared seeds, {apart.std():.3f} with separate ones")
print(f"shared seeds are worth {apart.var() / shared.var():.0f} times as many draws")

# %%
# Both experiments are right on average. The one with shared seeds is right much sooner.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2), width_ratios=[1, 1.15])

borders = {name: np.concatenate([[0], np.cumsum(hb.softmax(scores, t))]) for name, t in T.items()}
for height, (name, edges) in enumerate(borders.items()):
    for option, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        left.barh(height, high - low, left=low, height=0.5, color=f"C{option % 4}", alpha=0.85 - 0.4 * (option // 4))
        if high - low > 0.045:
            left.text(
                (low + high) / 2, height, "ABCDEF"[option], ha="center", va="center", color="white", weight="bold"
            )
    left.text(0, height + 0.33, f"{name}, T = {T[name]}", va="bottom", weight="bold")
for a, b in zip(borders["cooler"][1:-1], borders["hotter"][1:-1], strict=True):
    left.plot([a, b], [0.25, 0.75], color="C4", linewidth=1)
left.set(title="Where u lands", xlabel="u, the random number", ylim=(-0.4, 1.65), yticks=[], xlim=(0, 1))
left.spines["left"].set_visible(False)
left.grid(visible=False)

bins = np.linspace(exact - 0.35, exact + 0.35, 45)
right.hist(apart, bins=bins, color="C1", alpha=0.55, label="separate seeds")
right.hist(shared, bins=bins, color="C0", alpha=0.65, label="shared seeds")
right.axvline(exact, color="C4", linewidth=1.5, linestyle="--", label="exact")
right.set(
    title="400 experiments of 50 draws a side", xlabel="estimated difference in surprisal, nats", ylabel="experiments"
)
right.legend()
plt.show()
