"""
A temperature for the whole text
================================

Dividing the scores of each token by T prefers what is likely *now*. It does not see what a token leads to: a likely
word with many unlikely endings wins against a rarer one with a single, likely ending. The temperature of the *text*
is another distribution, p(text)\\ :sup:`1/T`, and :func:`heatbath.sampling.power` samples it.
"""

import matplotlib.pyplot as plt
import numpy as np

import heatbath as hb
from heatbath.embedded import load

model = load()
prompt = model.tokenizer.encode("There was once a king who")

# %%
# Continuations of two tokens are few enough to write all of them down: 2048 times 2048. Here is the probability of the
# first token, tempered by itself, and as the first of a text whose two tokens are tempered together.

T = 0.5
scores, cache = model.start([prompt])
first = hb.log_softmax(scores[0].astype(float))
second = np.concatenate(
    [
        hb.log_softmax(model.step(cache.rows([0] * 256), range(begin, begin + 256))[0].astype(float))
        for begin in range(0, model.vocabulary, 256)
    ]
)
both = first[:, None] + second
for stop in model.stop_tokens:  # a text that ends at once has no second token
    both[stop, 1:], both[stop, 0] = -np.inf, first[stop]

per_token = hb.softmax(first, T)
whole_text = hb.softmax(both.ravel(), T).reshape(both.shape).sum(axis=1)
print(f"total variation between the two: {abs(per_token - whole_text).sum() / 2:.2f}")

# %%
# Longer texts cannot be enumerated. ``power`` draws a text, and then makes moves: each redraws the end from a random
# place on, and accepts or refuses it so that in the long run the samples are those of p\ :sup:`1/T`. On two tokens
# that can be seen.

sampled = hb.sampling.power(model, [prompt] * 600, temperature=T, max_tokens=2, moves=24, seed=0).rows
counts = np.bincount([row.tokens[0] for row in sampled], minlength=model.vocabulary) / len(sampled)
print(f"from the samples to the whole text: {abs(counts - whole_text).sum() / 2:.2f}")

# %%
# What is gained on longer texts? ln p says how likely a text is; variety is the share of different pairs among all
# pairs of neighbouring tokens in eight texts.


def measured(rows):
    """Mean ln p per token, and variety."""
    pairs = [pair for row in rows for pair in zip(row.tokens, row.tokens[1:], strict=False)]
    return np.mean([row.log_p / len(row.tokens) for row in rows]), len(set(pairs)) / len(pairs)


def sample(T, moves, n=8):
    """Texts of 24 tokens, in 4 blocks that get so many moves each; without moves, T acts per token."""
    options = {"temperature": T, "max_tokens": 24, "moves": moves, "blocks": 4, "seed": 3}
    return hb.sampling.power(model, [prompt] * n, **options).rows


def likeliest(T, n):
    """Eight texts, each the likeliest of n."""
    rows = sample(T, 0, 8 * n)
    return [max(rows[i : i + n], key=lambda row: row.log_p) for i in range(0, len(rows), n)]


plain = {T: measured(sample(T, 0)) for T in (0.7, 0.5, 0.35, 0.25, 0.15, 0.08)}
moved = {T: sample(T, 8) for T in (0.7, 0.5, 0.35)}
cost = np.mean([row.drawn + row.read for rows in moved.values() for row in rows])
n = round(cost / 24)  # texts that cost as many tokens, drawn or read
best = {T: measured(likeliest(T, n)) for T in (1.0, 0.85, 0.7, 0.5)}
for row in moved[0.35][:3]:
    print(f"ln p {row.log_p:.1f}, {row.acceptance:.0%} accepted:{model.tokenizer.decode(row.tokens)!r}")

# %%
# Left: the first token. What is likely at once ("was") gives way to what goes on well ("lived"). Right: below some T,
# cooling each token makes texts more alike and no likelier; the moves find texts that are likelier and as varied. They
# cost about thirty times as many tokens. Spent on thirty texts at a medium T per token, the likeliest of which is kept,
# they bring about as much here: that is the thing to do where texts shall be likely. But nobody can say which
# distribution it samples; the moves have a target, whatever the number of tokens.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.4), width_ratios=[1.1, 1])
shown = np.argsort(-(per_token + whole_text))[:9]
places = np.arange(len(shown))
left.barh(places - 0.2, per_token[shown], height=0.4, color="C1", label="T = 1/2 per token")
left.barh(places + 0.2, whole_text[shown], height=0.4, color="C0", label="T = 1/2 for the text, exactly")
left.plot(counts[shown], places + 0.2, "o", color="C4", markersize=5, label="600 samples, 24 moves")
left.set_yticks(places, [model.tokenizer.token_bytes(int(token)).decode().strip() or "␣" for token in shown])
left.invert_yaxis()
left.set(title="“There was once a king who …”", xlabel="probability of the first of two tokens")
left.legend(loc="lower right", fontsize=9)

curves = (
    ("per token", plain, "C1", "s"),
    ("text, 4 times 8 moves", {T: measured(rows) for T, rows in moved.items()}, "C0", "o"),
)
for name, curve, colour, mark in (*curves, (f"likeliest of {n}, per token", best, "C2", "^")):
    x, y = zip(*((variety, nats) for nats, variety in curve.values()), strict=True)
    right.plot(x, y, mark, linestyle="-", color=colour, linewidth=1.2, markersize=6, label=name)
    for T, a, b in zip(curve, x, y, strict=True):
        right.annotate(f"{T:g}", (a, b), xytext=(4, 4), textcoords="offset points", fontsize=8, color=colour)
right.set(title="Likely and varied, by T", xlabel="variety: different pairs of tokens", ylabel="ln p per token, nats")
right.legend(loc="lower left", fontsize=9)
plt.show()
