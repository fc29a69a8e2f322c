"""Those who draw too, each as its users have it draw: one thread, scores in, one option per row out."""

import ctypes
import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

Steps = tuple[tuple[str, float], ...]
"""Names of steps and their parameters."""

Draw = Callable[[], Any]
"""Draws one option per row."""


class Engine(NamedTuple):
    name: str
    prepare: Callable[[Steps, Any], Draw | None]
    """Everything that need not be done again at every draw; None where it has no such step."""


def engines() -> Iterator[Engine]:
    for name, library, make in (
        ("llama.cpp", "llama_cpp", with_llama),
        ("transformers", "transformers", with_transformers),
        ("vLLM", "vllm", with_vllm),
        ("NumPy", "numpy", with_numpy),
        ("SciPy", "scipy", with_scipy),
    ):
        if importlib.util.find_spec(library):
            yield make(name)
        else:
            print(f"left out: {name} is not installed")


def cheaper(steps: Steps) -> Steps:
    """Steps that keep the same before a temperature or min-p, and leave them less to do, put there."""
    moved: list[tuple[str, float]] = []
    for step in steps:
        place = len(moved)
        while step[0] in {"top_k", "top_n_sigma"} and place and moved[place - 1][0] in {"temperature", "min_p"}:
            place -= 1
        moved.insert(place, step)
    return tuple(moved)


@njit(error_model="numpy")
def fill(tokens, row):
    for i in range(row.shape[0]):
        tokens[i].id, tokens[i].logit, tokens[i].p = i, row[i], 0.0


def with_llama(name: str) -> Engine:
    """Its own samplers, and before each draw the array of candidates that it fills from the scores."""
    import llama_cpp as lib

    make = {
        "temperature": lib.llama_sampler_init_temp,
        "top_k": lib.llama_sampler_init_top_k,
        "top_p": lambda p: lib.llama_sampler_init_top_p(p, 1),
        "min_p": lambda p: lib.llama_sampler_init_min_p(p, 1),
        "typical": lambda p: lib.llama_sampler_init_typical(p, 1),
        "top_n_sigma": lib.llama_sampler_init_top_n_sigma,
    }

    @cache
    def chain(steps: Steps) -> Any:
        made = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for step, number in cheaper(steps):
            lib.llama_sampler_chain_add(made, make[step](number))
        lib.llama_sampler_chain_add(made, lib.llama_sampler_init_dist(7))
        return made

    @cache
    def room(options: int) -> np.ndarray:
        return np.empty(options, [("id", np.int32), ("logit", np.float32), ("p", np.float32)])

    def prepare(steps: Steps, rows: np.ndarray) -> Draw:
        made, tokens = chain(steps), room(rows.shape[1])
        data = tokens.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))

        def draw() -> list[int]:
            drawn = []
            for row in rows:
                fill(tokens, row)
                candidates = lib.llama_token_data_array(data=data, size=len(row), selected=-1, sorted=False)
                lib.llama_sampler_apply(made, ctypes.byref(candidates))
                drawn.append(data[candidates.selected].id)
            return drawn

        return draw

    return Engine(name, prepare)


def with_transformers(name: str) -> Engine:
    """The warpers in the order of generate, its softmax and its draw."""
    import torch
    from transformers.generation import logits_process as made

    torch.set_num_threads(1)
    warpers = {
        "temperature": made.TemperatureLogitsWarper,
        "top_k": made.TopKLogitsWarper,
        "top_p": made.TopPLogitsWarper,
        "min_p": made.MinPLogitsWarper,
        "typical": made.TypicalLogitsWarper,
    }

    def prepare(steps: Steps, rows: Any) -> Draw | None:  # an array of NumPy or a tensor
        if any(step not in warpers for step, _ in steps):
            return None
        chain = made.LogitsProcessorList(warpers[step](number) for step, number in steps)
        scores = torch.as_tensor(rows)
        text = torch.zeros((len(rows), 1), dtype=torch.long, device=scores.device)

        @torch.no_grad()
        def draw() -> torch.Tensor:
            shares = torch.nn.functional.softmax(chain(text, scores), dim=-1)
            return torch.multinomial(shares, num_samples=1).squeeze(1)

        return draw

    return Engine(name, prepare)


def with_vllm(name: str) -> Engine:
    """Its PyTorch functions, which it runs where it has no compiled ones; its min-p is elsewhere in the engine."""
    import torch
    from vllm.v1.sample.ops.topk_topp_sampler import apply_top_k_top_p_pytorch, random_sample

    torch.set_num_threads(1)

    def prepare(steps: Steps, rows: np.ndarray) -> Draw | None:
        given = dict(steps)
        if given.keys() - {"temperature", "top_k", "top_p"} or steps[0][0] != "temperature":
            return None
        k = torch.full((len(rows),), int(given["top_k"])) if "top_k" in given else None
        p = torch.full((len(rows),), given["top_p"]) if "top_p" in given else None
        scores = torch.from_numpy(rows)

        @torch.no_grad()
        def draw() -> torch.Tensor:
            kept = apply_top_k_top_p_pytorch(scores / given["temperature"], k, p, allow_cpu_sync=True)
            return random_sample(kept.softmax(-1), {})

        return draw

    return Engine(name, prepare)


def with_numpy(name: str) -> Engine:
    def softmax(scores: np.ndarray) -> np.ndarray:
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return weights

    return by_hand(name, softmax)


def with_scipy(name: str) -> Engine:
    from scipy.special import softmax

    return by_hand(name, lambda scores: softmax(scores, axis=-1))


def by_hand(name: str, softmax: Callable[[np.ndarray], np.ndarray]) -> Engine:
    """What one writes with whole arrays: a sort for top-p, none for the others."""
    rng = np.random.default_rng(7)

    def keep(scores: np.ndarray, measure: np.ndarray, least: np.ndarray) -> np.ndarray:
        return np.where(measure >= least, scores, np.float32(-np.inf))

    def top_k(scores: np.ndarray, k: float) -> np.ndarray:
        return keep(scores, scores, np.partition(scores, -int(k))[:, -int(k), None])

    def top_p(scores: np.ndarray, p: float) -> np.ndarray:
        shares = softmax(scores)
        ranked = np.sort(shares)[:, ::-1]
        last = np.minimum((ranked.cumsum(-1) < p).sum(-1, keepdims=True), scores.shape[1] - 1)
        return keep(scores, shares, np.take_along_axis(ranked, last, -1))

    def min_p(scores: np.ndarray, p: float) -> np.ndarray:
        shares = softmax(scores)
        return keep(scores, shares, np.float32(p) * shares.max(-1, keepdims=True))

    def temper(scores: np.ndarray, t: float) -> np.ndarray:
        return scores / np.float32(t)

    known = {"temperature": temper, "top_k": top_k, "top_p": top_p, "min_p": min_p}

    def prepare(steps: Steps, rows: np.ndarray) -> Draw | None:
        if any(step not in known for step, _ in steps):
            return None

        def draw() -> np.ndarray:
            scores = rows
            for step, number in steps:
                scores = known[step](scores, number)
            mass = softmax(scores).cumsum(-1)
            return (mass > rng.random((len(rows), 1), np.float32) * mass[:, -1:]).argmax(-1)

        return draw

    return Engine(name, prepare)
