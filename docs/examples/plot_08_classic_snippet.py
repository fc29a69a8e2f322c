"""
The classic snippet, and the right one
======================================

The first lines that most people write with a temperature are wrong, and nothing says so in a way that is heard. Here
they are on the model that ships with heatbath, loaded into `transformers`.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import torch
from transformers.utils import logging

import heatbath as hb
from heatbath.embedded import load
from heatbath.integrations.transformers import HeatbathGenerate
from training.qwen3 import load as load_qwen3  # the shipped weights as a model of transformers

model, tokenizer = load_qwen3(), load().tokenizer
inputs = {"input_ids": torch.tensor([tokenizer.encode("Once upon a time")])}
logging.set_verbosity_error()  # the one warning that transformers prints here is easily lost among others


def show(label: str, output: torch.Tensor) -> None:
    """The first row, as text."""
    print(textwrap.fill(f"{label}: {tokenizer.decode(output[0].tolist())}", 100))


# %%
# As everybody writes it, at T = 0.5 and at T = 1.5:

for temperature in (0.5, 1.5):
    show(f"T = {temperature}", model.generate(**inputs, temperature=temperature, max_new_tokens=30))

# %%
# Twice the same text. ``do_sample`` is False unless it is set, so ``generate`` takes the likeliest token at every step,
# and a temperature changes no order. Setting it helps, and hides a second setting: ``top_k`` is 50.

torch.manual_seed(0)
show("T = 1.5", model.generate(**inputs, temperature=1.5, do_sample=True, max_new_tokens=30))

# %%
# With heatbath, the chain says all that happens to the scores, and the seed says the rest.

for temperature in (0.5, 1.5):
    draws = HeatbathGenerate(f"temperature({temperature})", seed=3)
    show(f"T = {temperature}", model.generate(**inputs, custom_generate=draws, max_new_tokens=30))

# %%
# What each of the three really draws from: 4000 first tokens after "Once upon a time there was a", counted by their
# rank among the likeliest. A curve says how many draws fell behind a rank. The classic snippet draws rank 1 and nothing
# else. With ``do_sample=True`` nothing falls behind rank 50, where T = 1.5 puts four draws in ten.

T, many = 1.5, 4000
prompt = torch.tensor([tokenizer.encode("Once upon a time there was a")])
with torch.no_grad():
    asked = hb.softmax(model(prompt).logits[0, -1].double().numpy(), T)
order = np.argsort(-asked)
ways = {
    "temperature=1.5": {"temperature": T},
    "temperature=1.5, do_sample=True": {"temperature": T, "do_sample": True},
    "custom_generate=HeatbathGenerate(1.5, seed=0)": {"custom_generate": HeatbathGenerate(T, seed=0)},
}


def behind(shares: np.ndarray) -> np.ndarray:
    """What lies behind each rank, from rank 1 on."""
    return 1 - np.cumsum(shares[order])


ranks = np.arange(1, len(asked) + 1)
figure, axes = plt.subplots()
axes.plot(ranks, behind(asked), color="C4", linewidth=6, alpha=0.4, label="asked for: T = 1.5")
for number, (written, how) in enumerate(ways.items()):
    drawn = model.generate(prompt.repeat(many, 1), **how, max_new_tokens=1)[:, -1].numpy()
    curve = behind(np.bincount(drawn, minlength=len(asked)) / many)
    axes.plot(ranks, curve, color=("C3", "C1", "C0")[number], linestyle=(":", "--", "-")[number], label=written)
    print(f"{written}: {curve[49]:.0%} of the draws lie behind rank 50; asked for were {behind(asked)[49]:.0%}")
axes.set(
    title="How many draws lie behind a rank", xlabel="rank of the token", ylabel="share of the draws", xscale="log"
)
axes.set(xlim=(1, 2000), ylim=(-0.02, 1))
axes.legend(loc="upper right")
plt.show()
