"""
What a text tells of its temperature
====================================

A diagnosis of texts that a small model wrote at nine temperatures: which measures clear their limits, and how well
the choices alone tell the T that was used.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb
from heatbath.embedded import load

# %%
# For each T, eight texts, with the scores of each decision kept. A diagnosis needs no more than the scores and the
# tokens.

model, seeds = load(), np.arange(8)


def texts_at(T: float, length: int = 230) -> list[hb.sampling.Written]:
    """Continuations of one prompt."""
    sampler = hb.chain(hb.temperature(T))
    row, cache = model.start([model.tokenizer.encode("Once upon a time")] * len(seeds))
    state, rows, drawn = sampler.init(), [], []
    for _ in range(length):
        tokens, state, _ = sampler.step(state, row, seed=seeds)
        rows.append(row)
        drawn.append(tokens)
        row, cache = model.step(cache, tokens.tolist())
    scores, tokens = np.stack(rows, axis=1), np.stack(drawn, axis=1).tolist()
    return [hb.sampling.Written(logits=each, tokens=ids) for each, ids in zip(scores, tokens, strict=True)]


temperatures = np.array([0.15, 0.3, 0.5, 0.75, 1.0, 1.2, 1.4, 1.7, 2.0])
texts = [texts_at(T) for T in temperatures]
found = [hb.sampling.diagnose(texts=each, wanted={}) for each in texts]  # nobody tells it T
for T, each in zip(temperatures, found, strict=True):
    print(f"T = {T:<4} {each.outcome:10} T that the choices tell: {each.used.low:.2f} to {each.used.high:.2f}")

# %%
# One of them in words.

print(found[1])

# %%
# The same with no more than an interface gives: the log-probabilities of the five best tokens at each decision, of one
# text.


def as_interface(text: hb.sampling.Written) -> hb.sampling.Written:
    """What is left of a text in an answer with ``top_logprobs=5``."""
    logs = hb.log_softmax(text.logits)
    tops = [{int(i): float(row[i]) for i in np.argsort(-row)[:5]} for row in logs]
    return hb.sampling.Written(tokens=text.tokens, top_logprobs=tops)


few = [hb.sampling.diagnose(texts=[as_interface(each[0])], tempered=False) for each in texts]

# %%
# Left, each measure over its limit: above the line there is a verdict, where its interval is. Right, the T that the
# choices tell against the T that was used; bars are intervals of 99 %.

figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.4), width_ratios=(1.25, 1))
looks = {
    "loops": ("C0", "-", "o"),
    "frozen": ("C0", "--", "s"),
    "tail": ("C1", "-", "o"),
    "surprise": ("C1", "--", "s"),
}
for name, (colour, line, marker) in looks.items():
    verdicts = [each.verdict(name) for each in found]
    value, low, high = (np.array([getattr(v, end) for v in verdicts]) for end in ("value", "low", "high"))
    limit = np.array([v.threshold for v in verdicts])
    left.fill_between(temperatures, low / limit, high / limit, color=colour, alpha=0.15, linewidth=0)
    left.plot(temperatures, value / limit, color=colour, linestyle=line, marker=marker, markersize=4, label=name)
left.axhline(1, color="C4", linewidth=1.2)
left.text(1.0, 1.06, "limit", color="C4", ha="center", fontsize=10)
left.text(0.1, 2.72, "T too low", color="C0", weight="bold")
left.text(1.66, 2.72, "T too high", color="C1", weight="bold", ha="right")
left.set(title="Measure over limit", xlabel="temperature T", ylim=(-0.1, 3), xlim=(0.05, 2.1))
left.legend(loc=(0.3, 0.6))

right.plot([0, 2.3], [0, 2.3], color="C4", linewidth=1.2, linestyle=":")
for each, colour, shift, label in (
    (few, "C3", 0.02, "5 best, one text"),
    (found, "C2", -0.02, "all scores, eight texts"),
):
    used = np.array([diagnosis.used for diagnosis in each])
    errors = np.abs(used[:, 1:].T - used[:, 0])
    right.errorbar(temperatures + shift, used[:, 0], errors, fmt="o", color=colour, markersize=4, label=label)
right.set(title="T that the choices tell", xlabel="T that was used", xlim=(0, 2.15), ylim=(0, 2.9))
right.legend(loc="upper left")
plt.show()
