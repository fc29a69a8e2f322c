"""What the service draws is distributed as the model and the sampler say: chi-square, with a negative control."""

from collections import Counter

import httpx
import pytest
from scipy.stats import chi2

REQUESTS, N = 160, 128
SIGNIFICANCE = 1e-3


def expected(toy, text, temperature, keep=None):
    """Probabilities of the first token, from the toy's whole-number weights."""
    weights = toy.weights(toy.tokenizer.encode(text))
    if keep is not None:
        weights = {token: weight for token, weight in weights.items() if weight in sorted(weights.values())[-keep:]}
    heated = {token: weight ** (1 / temperature) for token, weight in weights.items()}
    total = sum(heated.values())
    return {token: weight / total for token, weight in heated.items()}


def p_value(counts, probabilities):
    total = sum(counts.values())
    assert set(counts) <= set(probabilities), "nothing else is ever drawn"
    statistic = sum((counts[token] - total * p) ** 2 / (total * p) for token, p in probabilities.items())
    return chi2.sf(statistic, len(probabilities) - 1)


@pytest.mark.parametrize(
    ("text", "fields", "temperature", "keep"),
    [
        (" sun", {}, 1.0, None),
        ("", {"temperature": 0.5}, 0.5, None),
        (" sun sun", {"temperature": 0.7, "top_k": 4}, 0.7, 4),
    ],
)
def test_first_tokens(server, toy, text, fields, temperature, keep):
    counts = Counter()
    with httpx.Client(base_url=server.url) as client:
        for request in range(REQUESTS):
            body = {"prompt": text, "max_tokens": 1, "n": N, "seed": 1000 * request, "logprobs": 0, **fields}
            for choice in client.post("/v1/completions", json=body, timeout=60).json()["choices"]:
                spelled = choice["logprobs"]["tokens"]
                counts[spelled[0] if spelled else ""] += 1
    tokens = {" sun": 257, " rain": 258, " wind": 259, " fog": 260, "bytes:\\xe9": 234, "": 0}
    counts = Counter({tokens[spelled]: count for spelled, count in counts.items()})
    assert p_value(counts, expected(toy, text, temperature, keep)) > SIGNIFICANCE
    assert p_value(counts, expected(toy, text, temperature * 1.05, keep)) < SIGNIFICANCE, "the test has no power"
