"""heatbath in transformers' continuous batching, which runs here as it does anywhere."""

from collections import Counter

import numpy as np
import pytest

import heatbath as hb
from tests.integrations.rows import UNSERVED, p_values

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from heatbath.integrations.transformers_batching import attach, batch_settings
from training import qwen3

SMALL = {"num_blocks": 8, "page_size": 64, "max_batch_tokens": 64, "use_async_batching": False, "use_cuda_graph": False}
TOKENS = 6


@pytest.fixture(scope="module")
def tales():
    return qwen3.load()


def manager_of(model, settings=None, **batching):
    config = transformers.GenerationConfig(
        **(batch_settings() if settings is None else settings), max_new_tokens=TOKENS, eos_token_id=-1, pad_token_id=0
    )
    batching = transformers.ContinuousBatchingConfig(**SMALL | batching)
    return model.init_continuous_batching(generation_config=config, continuous_batching_config=batching)


def run(manager, requests):
    """The tokens of each request: (prompt, arguments)."""
    manager.start()
    try:
        names = [manager.add_request(prompt, **arguments) for prompt, arguments in requests]
        results = {}
        while len(results) < len(names):
            result = manager.get_result(timeout=1)
            if result is not None and result.is_finished():
                results[result.request_id] = result
    finally:
        manager.stop(block=True)
    return [results[name] for name in names]


def alone(model, text, prompt):
    sampler, ids = hb.parse(text), list(prompt)
    state = sampler.init(prompt)
    for _ in range(TOKENS):
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1].numpy()
        token, state, _ = sampler.step(state, logits, seed=0)
        ids.append(int(token))
    return ids[len(prompt) :]


def test_requests_of_several_chains_get_what_each_gets_alone(tales):
    """Chains with a memory that end in greedy, so that their tokens can be known."""
    usual, own = (
        "penalties(1.3) -> temperature(hold_surprise(1.0, 8)) -> greedy()",
        "penalties(presence=9.0) -> greedy()",
    )
    manager = manager_of(tales)
    attach(manager, usual)
    prompts = [[5, 6, 7], [8, 9], [11]]
    results = run(manager, [(prompts[0], {}), (prompts[1], {}), (prompts[2], {"heatbath": own})])
    for prompt, text, result in zip(prompts, (usual, usual, own), results, strict=True):
        assert result.error is None
        assert result.generated_tokens == alone(tales, text, prompt)


def test_a_bad_request_is_refused_and_its_neighbours_go_on(tales):
    manager, own = manager_of(tales), "penalties(presence=9.0) -> greedy()"
    attach(manager, "greedy()")
    manager.start()
    try:
        names = [manager.add_request([5, 6, 7])]
        for text, why in (UNSERVED | {"temperture(1.2)": "did you mean temperature"}).items():
            with pytest.raises(hb.InputError, match=why):
                manager.add_request([8, 9], heatbath=text)
        with pytest.raises(hb.InputError, match="a seed is an integer"):
            manager.add_request([8, 9], heatbath="xtc(0.1, 0.5)", heatbath_seed=2**70)
        with pytest.raises(hb.InputError, match="none is 999999"):
            manager.add_requests([[8, 9]], heatbath="bans([999999])")
        names.append(manager.add_request([8, 9], heatbath=own))
        results = {}
        while len(results) < len(names):
            result = manager.get_result(timeout=1)
            if result is not None and result.is_finished():
                results[result.request_id] = result
    finally:
        manager.stop(block=True)
    assert results.keys() == set(names)
    assert [results[name].error for name in names] == [None, None]
    assert results[names[0]].generated_tokens == alone(tales, "greedy()", [5, 6, 7])
    assert results[names[1]].generated_tokens == alone(tales, own, [8, 9])


@pytest.mark.parametrize("text", UNSERVED)
def test_a_chain_for_all_requests_is_checked_when_it_is_attached(tales, text):
    with pytest.raises(hb.InputError, match=UNSERVED[text]):
        attach(manager_of(tales), text)


def test_what_a_manager_cannot_do_is_refused(tales):
    settings = batch_settings()
    for wrong, why in (
        (manager_of(tales, settings | {"do_sample": False}), "it takes the likeliest token"),
        (manager_of(tales, settings | {"temperature": 0.7, "top_k": 50}), "it also applies temperature=0.7, top_k=50"),
        (manager_of(tales, use_async_batching=True), "before the last ones are known"),
        (manager_of(tales, varlen_compile_config=transformers.CompileConfig()), "before the last ones are known"),
    ):
        with pytest.raises(hb.InputError, match=why) as caught:
            attach(wrong, "temperature(0.7)")
        assert caught.value.doing == "attaching to continuous batching"
    manager = manager_of(tales)
    with pytest.raises(hb.SpecError):
        attach(manager, "topk(3)")


def test_draws_have_the_right_frequencies(tales):
    """The draw is the manager's."""
    manager = manager_of(tales, max_batch_tokens=64, num_blocks=512, page_size=16)
    manager.generation_config.max_new_tokens = 1
    attach(manager, hb.chain(hb.top_k(16), hb.temperature(0.7)))
    torch.manual_seed(0)
    number = 8000
    results = run(manager, [([5, 6, 7], {}) for _ in range(number)])
    counted = Counter(result.generated_tokens[0] for result in results)
    with torch.no_grad():
        row = tales(torch.tensor([[5, 6, 7]])).logits[0, -1].numpy()
    best = np.sort(np.argsort(row)[-16:])
    right, wrong = p_values(np.array([counted[int(token)] for token in best]), row[best], t=0.7)
    assert counted.total() == sum(counted[int(token)] for token in best) == number
    assert right > 1e-3
    assert wrong < 1e-4
