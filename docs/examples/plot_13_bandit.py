"""
Learning the temperature from rewards
=====================================

Nobody knows which temperature people will like, and asking at nine of them takes nine times as many answers. A bandit
that believes neighbours to be alike needs fewer: every answer says something about the temperatures around it.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb

# %%
# People give a thumb up most often near T = 0.8; the bandit does not know that. It draws T, hears whether the answer
# was liked, and learns.


def liked(temperature):
    return 0.35 + 0.4 * np.exp(-0.5 * ((temperature - 0.8) / 0.45) ** 2)


thermostat = hb.control.thompson(0, 2, seed=7)
rng, state = np.random.default_rng(1), thermostat.init()
played, shown = [], {}
for count in range(1, 1601):
    temperature, state = thermostat.step(state, hb.Seen())
    reward = rng.random() < liked(temperature)
    state = thermostat.learn(state, hb.Outcome(reward=reward, context={"temperature": temperature}))
    played.append(temperature)
    if count in (25, 100, 400, 1600):
        shown[count] = hb.control.learned(thermostat, state)
        print(shown[count])

# %%
# The learned curve with its 95 % band after each of these counts, and below it how often each temperature was played so
# far. Where the bandit has seen enough to know that a temperature is not the best, it stops asking, and the band stays
# wide there: a bandit learns the *best* temperature, not the curve.

figure, axes = plt.subplots(2, 4, figsize=(11, 4.6), sharex=True, height_ratios=[2.4, 1])
for (count, found), above, below in zip(shown.items(), *axes, strict=True):
    above.fill_between(found.temperatures, found.low, found.high, color="C0", alpha=0.25, linewidth=0)
    above.plot(found.temperatures, found.mean, color="C0", label="learned")
    above.plot(found.temperatures, liked(found.temperatures), color="C1", linestyle="--", label="true")
    above.axvline(found.best, color="C4", linewidth=1, linestyle=":")
    above.set(title=f"{count} rewards: sure {found.confidence:.0%}", ylim=(0, 1))
    below.hist(played[:count], bins=np.linspace(0, 2, 33), color="C0")
    below.set(xlabel="T")
axes[0, 0].set(ylabel="share liked")
axes[0, 0].legend(fontsize=8, loc="lower center")
axes[1, 0].set(ylabel="played")
figure.tight_layout()
plt.show()

# %%
# One person may differ from all others. ``from_feedback`` begins at the population's temperature and follows what this
# person says, the less the surer it is; a setting of their own wins.

person, wants = hb.from_feedback(0.8, 0.3), 1.3
state, said = person.init(), []
for _ in range(12):
    temperature, state = person.step(state, hb.Seen())
    off = wants - temperature + 0.15 * rng.logistic()
    word = "too cold" if off > 0.3 else "too hot" if off < -0.3 else "fine"
    state = person.learn(state, hb.Outcome(context={"temperature": temperature, "verdict": word}))
    said.append((temperature, word))
print(hb.control.preferred(person, state))

figure, axis = plt.subplots(figsize=(6.5, 3))
axis.plot(range(1, 13), [temperature for temperature, _ in said], color="C0", marker="o")
for number, (temperature, word) in enumerate(said, start=1):
    axis.annotate(word, (number, temperature), rotation=60, fontsize=7, xytext=(0, 6), textcoords="offset points")
axis.axhline(wants, color="C1", linestyle="--", linewidth=1)
axis.set(xlabel="answer", ylabel="T", title="T as one person likes it", ylim=(0.6, 2))
figure.tight_layout()
plt.show()
