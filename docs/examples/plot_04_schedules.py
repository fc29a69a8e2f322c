"""
Schedules compared
==================

A schedule is T as a function of the step. It can stand wherever a temperature can, and it has a text form:
``temperature(cosine(1.2, 0.6, 100))``.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb
from heatbath.schedules import cosine, cyclic, exponential, join, linear, logarithmic, step, warm_up

STEPS = 400
cooling = {
    "linear": linear(2.0, 0.02, STEPS),
    "cosine": cosine(2.0, 0.02, STEPS),
    "exponential": exponential(2.0, 0.02, STEPS),
    "logarithmic": logarithmic(2.0),
}
triangle = join([linear(0.5, 1.5, 50), linear(1.5, 0.5, 50)], [50])
made_of_pieces = {
    "step": step([1.8, 1.0, 0.2], [130, 260]),
    "warm_up": warm_up(0.1, cosine(1.2, 0.6, 300), 100),
    "cyclic": cyclic(triangle, 100),
}

# %%
# What cooling is for: to find the lowest place of a rugged landscape. A walker looks at its place and the two beside
# it, and the sampler chooses with scores = −energy. Each schedule gets 300 walkers, which start at the same places and
# share their seeds.

x = np.arange(61)
energy = 0.004 * (x - 38.0) ** 2 + 0.6 * np.sin(x / 1.6) + 0.18 * np.sin(x / 0.7 + 1)
energy -= energy.min()
starts = np.random.default_rng(0).integers(0, len(x), size=300)
schedules = {**cooling, "always T = 0": 0, "always T = 2": 2.0}


def anneal(temperature) -> np.ndarray:
    """Mean energy of the walkers after each step."""
    sampler = hb.chain(hb.temperature(temperature))
    state, place, energies = sampler.init(), starts, []
    for _ in range(STEPS):
        around = np.clip(place[:, None] + np.array([-1, 0, 1]), 0, len(x) - 1)
        choice, state, _ = sampler.step(state, -energy[around], seed=np.arange(300))
        place = around[np.arange(300), choice]
        energies.append(energy[place])
    return np.array(energies)


results = {name: anneal(schedule) for name, schedule in schedules.items()}
for name, energies in results.items():
    last = energies[-1]
    print(f"{name:13} mean energy at the end {last.mean():.2f} ± {last.std(ddof=1) / len(last) ** 0.5:.2f}")

# %%
# Cold from the start, a walker stays in the first valley it meets. Hot for ever, it never settles. Cooling does both,
# one after the other. The logarithmic schedule, the one of the convergence theorems, is still warm when the others are
# done.

figure, axes = plt.subplot_mosaic("AAABBB;DDCCCC", figsize=(9.5, 6.4), height_ratios=[1, 1.05])
count = np.arange(STEPS)
where = {"linear": 210, "cosine": 70, "exponential": 60, "logarithmic": 30, "step": 60, "warm_up": 40, "cyclic": 350}
shift = {"linear": (6, 2), "cosine": (8, 4), "exponential": (8, 0), "logarithmic": (0, -28),
         "step": (0, 5), "warm_up": (0, -28), "cyclic": (0, 8)}  # fmt: skip
for panel, group in (("A", cooling), ("B", made_of_pieces)):
    for name, schedule in group.items():
        [line] = axes[panel].plot(count, schedule(count))
        at = where[name]
        axes[panel].annotate(name, (at, schedule(at)), xytext=shift[name], textcoords="offset points",
                             color=line.get_color(), weight="bold", fontsize=10)  # fmt: skip
    axes[panel].set(xlabel="decision", ylabel="temperature T", xlim=(0, STEPS), ylim=(0, 2.2))
axes["A"].set_title("One formula")
axes["B"].set_title("Made of pieces")

styles = {"always T = 0": ("C4", "--"), "always T = 2": ("C4", ":")}
for number, (name, energies) in enumerate(results.items()):
    colour, dashes = styles.get(name, (f"C{number}", "-"))
    axes["C"].plot(count, energies.mean(axis=1), color=colour, linestyle=dashes, label=name)
axes["C"].set(title="300 walkers looking for the lowest place", xlabel="decision")
axes["C"].set(ylabel="mean energy", xlim=(0, STEPS), ylim=(0, None))
axes["C"].legend(ncols=3, fontsize=10, loc="lower left")
axes["D"].plot(x, energy, color="C4")
axes["D"].plot(x[energy.argmin()], 0, "o", color="C0")
axes["D"].set(title="The landscape", xlabel="place", ylabel="energy", ylim=(-0.3, None))
plt.show()
