"""
Looking at an experiment every day
==================================

An A/B test of two temperatures runs, and people look. Each time they look at a textbook interval they have another
chance to be fooled. A *confidence sequence* is an interval that holds at all times together: look as often as you like,
and stop when you like.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb

# %%
# Four hundred experiments in which *nothing is to be found*: both arms get a thumb up in 60 % of the answers. Somebody
# looks after every pair of answers, from the hundredth on.

rng = np.random.default_rng(3)
experiments, length = 400, 4000
cool, warm = ((rng.random((experiments, length)) < 0.6) * 1.0 for _ in range(2))
effect = hb.stats.difference(hb.stats.moments(cool, running=True), hb.stats.moments(warm, running=True))

textbook = hb.stats.fixed_n(effect)
sequence = hb.stats.asymptotic(effect, tuned_for=2 * length)

looks = np.arange(99, length)
fooled = {
    "textbook interval": ~textbook.covers(0.0)[:, looks],
    "confidence sequence": ~sequence.covers(0.0)[:, looks],
}
ever = {name: np.maximum.accumulate(wrong, axis=1).mean(axis=0) for name, wrong in fooled.items()}
for name, share in ever.items():
    print(f"{name}: {share[-1]:.1%} of the experiments found an effect at some time")

# %%
# One of the experiments that the textbook fooled, and the share of all that were fooled so far. At any *single* time
# planned before, the textbook interval is wrong in 5 % of them, as promised; nobody promised anything for all times
# together.

by_textbook, by_sequence = (wrong.mean(axis=1) for wrong in fooled.values())
chosen = int(np.argmax(np.where(by_sequence == 0, by_textbook, 0)))
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2), width_ratios=[1.3, 1])
for name, interval, colour in (("confidence sequence", sequence, "C0"), ("textbook interval", textbook, "C1")):
    low, high = interval.low[chosen, looks], interval.high[chosen, looks]
    left.fill_between(looks + 1, low, high, color=colour, alpha=0.25, linewidth=0)
    left.plot(looks + 1, low, color=colour, linewidth=1.2, label=name)
    left.plot(looks + 1, high, color=colour, linewidth=1.2)
    right.plot(looks + 1, ever[name], color=colour, label=name)
left.axhline(0, color="C4", linewidth=1)
left.set(title="One experiment without an effect", xlabel="answers per arm", ylabel="difference", ylim=(-0.2, 0.3))
left.set_xscale("log")
left.legend(fontsize=9)
right.axhline(0.05, color="C4", linewidth=1, linestyle=":")
right.annotate("5 %", (length, 0.05), ha="right", va="bottom", fontsize=9)
right.set(title="Fooled so far", xlabel="answers per arm", ylabel="share of the experiments", ylim=(0, None))
right.set_xscale("log")
right.legend(loc="upper left", fontsize=9)
plt.show()
