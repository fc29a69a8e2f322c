"""How exact are tempered probabilities and entropies? heatbath and its peers against 40-digit arithmetic (mpmath).

Rows of scores up to 1e4 in size, T from 1e-3 to 1e4, with ties, forbidden options and probabilities spread evenly over
thirty decades; one row of 200,000 options. Two errors are reported, the largest of each decade of T: of the
probabilities above 1e-30, relative; of the entropy, in nats. A library that is not installed is left out by name.

    python benchmarks/accuracy.py [--quick]
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import mpmath
import numpy as np

import heatbath as hb

mpmath.mp.dps = 40
DECADES = range(-3, 4)
TARGETS = {"float32": (1e-5, 1e-5), "float64": (1e-12, 1e-12)}


class Case(NamedTuple):
    decade: int
    temperature: float
    scores: np.ndarray  # (V,), as the library under test holds it
    probabilities: np.ndarray
    entropy: float


class Peer(NamedTuple):
    name: str
    dtype: str
    softmax: Callable[[np.ndarray, float], Any]
    entropy: Callable[[np.ndarray, float], Any]
    ours: bool = True
    traced: bool = False  # T reaches the function as a float32: only numbers that it holds are a fair question


def scores(rng: np.random.Generator, temperature: float, size: int) -> np.ndarray:
    """One of four kinds of rows: those that hurt differences, quotients, sums and limits."""
    kind = rng.integers(4)
    if kind == 0:  # probabilities over thirty decades, below a maximum that costs the difference its digits
        row = rng.uniform(-1e4, 1e4) - temperature * rng.uniform(0, 69, size)
    elif kind == 1:  # magnitudes from 1e-6 to 1e4
        row = rng.choice([-1, 1], size) * 10 ** rng.uniform(-6, 4, size)
    elif kind == 2:  # many ties and forbidden options
        row = rng.integers(-20, 20, size) * temperature
        row[rng.random(size) < 0.2] = -np.inf
    else:  # a model's scores
        row = rng.normal(0, 3, size)
    row[rng.integers(size)] = rng.uniform(-10, 10)
    return np.clip(row, -1e4, 1e4, where=row > -np.inf, out=row)


def reference(row: np.ndarray, temperature: float) -> tuple[np.ndarray, float]:
    """Probabilities and entropy of the scores exactly as the floating-point type holds them."""
    t, top = mpmath.mpf(temperature), mpmath.mpf(float(row.max()))
    values, counts = np.unique(row[row > -np.inf], return_counts=True)
    exponents = [(mpmath.mpf(float(value)) - top) / t for value in values]
    weights = [mpmath.exp(q) for q in exponents]
    total = mpmath.fsum(w * int(n) for w, n in zip(weights, counts, strict=True))
    mean = mpmath.fsum(w * q * int(n) for w, q, n in zip(weights, exponents, counts, strict=True)) / total
    by_value = {value: float(w / total) for value, w in zip(values, weights, strict=True)}
    return np.array([by_value.get(value, 0.0) for value in row]), float(mpmath.log(total) - mean)


def cases(dtype: str, rows: int, giant: int) -> list[Case]:
    rng = np.random.default_rng(20)
    made = []
    for decade in DECADES:
        for number in range(rows):
            temperature = float(10 ** rng.uniform(decade, decade + 1))
            temperature = float(np.float32(temperature)) if number % 2 else temperature
            size = giant if decade == 0 and number == 0 else int(rng.choice([1, 2, 10, 100, 1000]))
            row = scores(rng, temperature, size).astype(dtype)
            made.append(Case(decade, temperature, row, *reference(row, temperature)))
    return made


def peers() -> list[Peer]:
    found = [peer for dtype in TARGETS for peer in (*with_numpy(dtype), *with_torch(dtype))]
    return found + with_jax()


def with_numpy(dtype: str) -> list[Peer]:
    ours = Peer("heatbath, NumPy", dtype, hb.softmax, hb.entropy)
    if not installed("scipy"):
        return [ours]
    from scipy.special import entr, softmax

    def plain(x: np.ndarray, t: float) -> np.ndarray:
        return softmax(x / x.dtype.type(t))

    return [ours, Peer("scipy.special", dtype, plain, lambda x, t: entr(plain(x, t)).sum(), ours=False)]


def with_torch(dtype: str) -> list[Peer]:
    if not installed("torch"):
        return []
    import torch

    torch.set_num_threads(1)

    def plain(x: np.ndarray, t: float) -> torch.Tensor:
        return torch.softmax(torch.from_numpy(x) / t, -1)

    return [
        Peer(
            "heatbath, PyTorch",
            dtype,
            lambda x, t: hb.softmax(torch.from_numpy(x), t),
            lambda x, t: hb.entropy(torch.from_numpy(x), t),
        ),
        Peer("torch.softmax", dtype, plain, lambda x, t: torch.special.entr(plain(x, t)).sum(), ours=False),
    ]


def with_jax() -> list[Peer]:
    """JAX in its default, float32."""
    if not installed("jax"):
        return []
    import jax
    import jax.numpy as jnp

    softmax, entropy = jax.jit(hb.softmax), jax.jit(hb.entropy)

    def plain(x: np.ndarray, t: float) -> jax.Array:
        return jax.nn.softmax(jnp.asarray(x) / t)

    return [
        Peer(
            "heatbath, JAX",
            "float32",
            lambda x, t: hb.softmax(jnp.asarray(x), t),
            lambda x, t: hb.entropy(jnp.asarray(x), t),
        ),
        Peer("heatbath, jax.jit", "float32", softmax, entropy, traced=True),
        Peer("jax.nn.softmax", "float32", plain, lambda x, t: jax.scipy.special.entr(plain(x, t)).sum(), ours=False),
    ]


def installed(library: str) -> bool:
    return importlib.util.find_spec(library) is not None


def worst(peer: Peer, all_cases: list[Case]) -> dict[int, tuple[float, float]]:
    found = dict.fromkeys(DECADES, (0.0, 0.0))
    for case in all_cases:
        if peer.traced and case.temperature != float(np.float32(case.temperature)):
            continue
        p = np.asarray(peer.softmax(case.scores, case.temperature), dtype=np.float64)
        large = case.probabilities > 1e-30
        relative = np.abs(p[large] / case.probabilities[large] - 1).max()
        absolute = abs(float(peer.entropy(case.scores, case.temperature)) - case.entropy)
        before = found[case.decade]
        found[case.decade] = (max(before[0], float(relative)), max(before[1], absolute))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows, under a minute")
    quick = parser.parse_args().quick
    for library in ("scipy", "torch", "jax"):
        if not installed(library):
            print(f"left out: {library} is not installed")
    sets = {dtype: cases(dtype, 12 if quick else 100, 20_000 if quick else 200_000) for dtype in TARGETS}
    claims: dict[str, list[float]] = {}
    for what in (0, 1):
        print(
            "\n" + ("largest relative error of probabilities above 1e-30", "largest error of the entropy, nats")[what]
        )
        print(f"{'library':<20}{'type':<9}" + "".join(f"  T 1e{d:+d}.." for d in DECADES))
        for peer in peers():
            errors = worst(peer, sets[peer.dtype])
            print(f"{peer.name:<20}{peer.dtype:<9}" + "".join(f"{errors[d][what]:10.1e}" for d in DECADES))
            if peer.ours:
                key = f"{('probabilities', 'entropy')[what]}_{peer.dtype}"
                claims.setdefault(key, []).append(max(e[what] for e in errors.values()))
    print()
    failed = False
    for key, measured in claims.items():
        target = TARGETS[key.rpartition("_")[2]][key.startswith("entropy")]
        ok = max(measured) <= target
        failed |= not ok
        print(f"claim accuracy_{key} {max(measured):.1e} {target:.0e} {'PASS' if ok else 'FAIL'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
