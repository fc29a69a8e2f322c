"""Every named difference: what the engine does, live or by its rule, and what its chain does here."""

import inspect
import sys

import numpy as np
import pytest

import heatbath as hb
from heatbath.sampling.orders.table import ENGINES
from tests.sampling.llama import llama
from tests.sampling.orders.llama_chain import common, left_by
from tests.sampling.orders.rows import drawn_from
from tests.sampling.orders.source import functions

INF = np.inf
TIED = np.log(np.array([0.25, 0.25, 0.25, 0.25], np.float32))
OFF = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "temperature": 1.0}


def kept(name, row, text=(), **settings):
    """What the chain of an engine keeps."""
    return np.flatnonzero(drawn_from(getattr(hb.orders, ENGINES[name].function)(**settings), row, text)).tolist()


def by_llama(settings, row):
    """How many options llama.cpp itself keeps."""
    left = left_by(common(ENGINES["llama.cpp"].read(OFF | settings), len(row)), row)
    return np.count_nonzero(left)


def processed(name, row, *given):
    """What transformers' own processor makes of a row."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    library = pytest.importorskip("transformers", reason="transformers is not installed")
    made = getattr(library.generation.logits_process, name)(*given)
    return made(torch.zeros((1, 1), dtype=torch.int64), torch.tensor(np.array([row], np.float32)))[0].numpy()


def difference(name):
    """The function below shows the difference of this name."""

    def mark(function):
        function.shows = name
        return function

    return mark


@difference("float32")
def test_float32_may_miss_a_near_hit():
    row = np.log([0.5, 0.3, 0.2])
    close = float(0.8 + 1e-9)  # float32 has no number between this and 0.8
    assert np.float32(close) == np.float32(0.8)
    assert kept("llama.cpp", row, **OFF | {"top_p": close}) == [0, 1, 2]
    assert kept("llama.cpp", row, **OFF | {"top_p": 0.8}) == [0, 1]


@difference("top-k ties")
def test_top_k_keeps_all_that_tie():
    assert by_llama({"top_k": 2}, TIED) == 2
    for name in ("llama.cpp", "mlx-lm", "vLLM", "SGLang", "ExLlamaV2", "ExLlamaV3", "Ollama MLX"):
        heat = {"temp" if name == "mlx-lm" else "temperature": 0.8}
        off = {"token_repetition_penalty": 1.0} if name == "ExLlamaV2" else {}
        assert kept(name, TIED, **heat, **off, top_k=2, top_p=1.0) == [0, 1, 2, 3], name


@difference("top-p ties")
def test_top_p_keeps_all_that_tie():
    assert by_llama({"top_p": 0.5}, TIED) == 2
    assert np.isfinite(processed("TopPLogitsWarper", TIED, 0.5)).sum() == 2
    for name in ("llama.cpp", "transformers", "vLLM", "TensorRT-LLM", "Ollama MLX", "text-generation-webui"):
        assert kept(name, TIED, **{**ENGINES[name].warm, "top_p": 0.5}) == [0, 1, 2, 3], name


@difference("infinite T")
def test_an_infinite_temperature_beside_a_mask():
    row = np.array([2.0, 1.0, -INF], np.float32)
    with np.errstate(invalid="ignore"):
        assert np.isnan(processed("TemperatureLogitsWarper", row, INF)).any()
        assert np.isnan(left_by(llama().llama_sampler_init_temp(INF), row)).any()
    for name, settings in (
        ("transformers", {"do_sample": True, "temperature": INF}),
        ("llama.cpp", OFF | {"temperature": INF}),
    ):
        sampler = getattr(hb.orders, ENGINES[name].function)(**settings)
        assert drawn_from(sampler, row).tolist() == [0.5, 0.5, 0]


@difference("top_p = 0")
def test_a_top_p_of_0_keeps_every_best_option():
    row = [1.0, 1.0, 0.0]
    assert np.isfinite(processed("TopPLogitsWarper", row, 0.0)).sum() == 1
    assert kept("transformers", row, do_sample=True, top_p=0.0) == [0, 1]


@difference("top-p exact hit")
def test_top_p_stops_at_an_exact_hit():
    row = np.log([0.5, 0.25, 0.25 / 2, 0.25 / 2])
    before = np.array([0.0, 0.5, 0.75, 0.875])
    assert np.flatnonzero(before <= 0.75).tolist() == [0, 1, 2]  # the rule of SGLang on PyTorch: drop what is above
    for name in ("SGLang", "TensorRT-LLM"):
        assert kept(name, row, top_p=0.75) == [0, 1]


@difference("greedy ties")
def test_greedy_takes_the_first_of_the_tied():
    assert str(hb.orders.sglang(temperature=0.0)) == "greedy()"
    assert kept("SGLang", [1.0, 1.0], temperature=0.0) == [0]


@difference("penalty order")
def test_adding_and_multiplying_do_not_change_places():
    settings, row, text = {"presence_penalty": 1.0, "repetition_penalty": 2.0}, [3.0, 0.0], [0]
    state = hb.orders.sglang(**settings).init(text)
    drawn = (state[0], state[1], state[2])
    sampler = hb.chain(*hb.orders.sglang(**settings).steps)
    _, after, _ = sampler.step(drawn, np.array([9.0, 0.0]), seed=0)
    added_first = sampler.scores(after, np.array(row)).scores
    assert added_first.tolist() == [1.0, 0.0]  # (3 - 1) / 2, where the other order gives 3 / 2 - 1


@difference("typical exact hit")
def test_typical_stops_at_an_exact_hit():
    row = np.log([0.5, 0.25, 0.125, 0.125])  # by their distances to the entropy: 0.25, 0.5, and the two of 0.125
    assert by_llama({"typical_p": 0.25}, row) == 2
    assert kept("llama.cpp", row, **OFF | {"typical_p": 0.25}) == [1]


@difference("XTC ties")
def test_xtc_keeps_all_that_tie_with_the_least():
    row, settings = np.log(np.array([0.4, 0.25, 0.25, 0.1], np.float32)), {"xtc_probability": 1.0, "xtc_threshold": 0.2}
    assert by_llama(settings, row) == 2
    assert kept("llama.cpp", row, **OFF | settings) == [1, 2, 3]
    assert kept("text-generation-webui", row, **settings) == [1, 2, 3]


@difference("n-sigma first")
def test_typical_behind_n_sigma():
    settings = {"top_n_sigma": 1.0, "typical_p": 0.5}
    row = np.log(np.array([0.4, 0.21, 0.2, 0.18, 0.01], np.float32))
    assert kept("llama.cpp", row, **OFF | settings) == [1, 2, 3]
    theirs = left_by(common(ENGINES["llama.cpp"].read(OFF | settings), 5), row)
    assert np.flatnonzero(theirs).tolist() != [1, 2, 3]  # no distance is a number, and the order is any
    row = row[[0, 1, 2, 4]]
    wide = {"top_n_sigma": 1.0, "dynatemp_range": 0.5}
    theirs = left_by(common(ENGINES["llama.cpp"].read(OFF | wide), 4), row)
    ours = drawn_from(hb.orders.llama_cpp(**OFF | wide), row)
    assert np.flatnonzero(theirs).tolist() == np.flatnonzero(ours).tolist()
    assert theirs.max() > ours.max()  # of ln 4 the entropy is a smaller share than of ln 3: colder


@difference("breakers")
def test_breakers_are_token_ids():
    row, text, dry = [1.0] * 4, [0, 1, 2, 3, 0, 1], {"dry_multiplier": 1.0}
    for name in ("llama.cpp", "ExLlamaV2", "text-generation-webui"):
        engine = getattr(hb.orders, ENGINES[name].function)
        assert "breakers" not in str(engine(**dry))
        assert "breakers=[1]" in str(engine(**dry, dry_sequence_breakers=[1]))
        with pytest.raises(hb.InputError, match="token id"):
            engine(**dry, dry_sequence_breakers=["\n"])
    one, two = (drawn_from(hb.orders.llama_cpp(**OFF | dry, dry_sequence_breakers=ids), row, text) for ids in ((), [1]))
    assert one[2] < two[2] == 0.25


@difference("tfs_z")
def test_what_does_nothing_there_is_refused_here():
    with pytest.raises(hb.InputError, match=r"tfs_z of llama-cpp-python is no part of a chain: .* does nothing"):
        hb.orders.llama_cpp_python(tfs_z=0.9)
    assert str(hb.orders.llama_cpp_python(tfs_z=1.0)) == str(hb.orders.llama_cpp_python())


@difference("banned end")
def test_the_end_of_a_text_can_be_banned():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    assert np.isfinite(processed("NoBadWordsLogitsProcessor", TIED, [[0], [2]], torch.tensor([0]))).tolist()[0]
    assert kept("transformers", TIED, do_sample=True, bad_words_ids=[[0], [2]]) == [1, 3]


@difference("bad words")
def test_bad_words_are_token_ids():
    for name in ("vLLM", "vLLM V1"):
        assert kept(name, TIED, bad_words=[[0]]) == [1, 2, 3]
        with pytest.raises(hb.InputError, match=r"sequences .*ban_sequences\(\[\[5, 17\]"):
            kept(name, TIED, bad_words=["king"])


@difference("logit bias")
def test_a_bias_is_added_as_it_is():
    row, bias = np.zeros(3), 150.0
    cut = min(100.0, max(-100.0, bias))  # the rule of vLLM's server
    moved = hb.orders.vllm(logit_bias={1: bias}).scores((), row).scores
    assert (moved[1] - moved[0], cut) == (150.0, 100.0)


@difference("bad words across")
def test_bad_words_may_begin_in_the_prompt():
    [theirs] = functions("vllm", "v1/sample/ops/bad_words.py", "_apply_bad_words_single_batch", _SMALLEST_LOGIT=-INF)
    for written, left in (([], [0, 1, 2, 3]), ([1], [0, 1, 3])):
        row = TIED.copy()
        theirs(row, [[1, 2]], written)
        assert np.flatnonzero(np.isfinite(row)).tolist() == left
    assert kept("vLLM", TIED, text=[1], bad_words=[[1, 2]]) == [0, 1, 3]


@difference("top_k = V")
def test_as_many_as_there_are():
    assert kept("mlx-lm", [3.0, 2.0, 1.0], temp=1.0, top_k=3) == [0, 1, 2]


@difference("XTC exact hit")
def test_xtc_counts_an_exact_hit():
    p = np.array([0.5, 0.25, 0.25])
    assert np.count_nonzero(p > 0.25) == 1  # the rule of mlx-lm: too few to remove one
    assert kept("mlx-lm", np.log(p), temp=1.0, xtc_probability=1.0, xtc_threshold=0.25) == [1, 2]


@difference("XTC protection")
def test_xtc_removes_nothing_where_a_protected_option_would_go():
    p, row = np.array([0.4, 0.3, 0.2, 0.1]), np.log([0.4, 0.3, 0.2, 0.1])
    removed = p > p[p > 0.15].min()
    removed[[0]] = False  # the rule of mlx-lm with token 0 special: it stays, the others go
    assert np.flatnonzero(~removed).tolist() == [0, 2, 3]
    xtc = {"xtc_probability": 1.0, "xtc_threshold": 0.15}
    assert kept("mlx-lm", row, temp=1.0, **xtc, xtc_special_tokens=[0]) == [0, 1, 2, 3]
    exl2 = {"token_repetition_penalty": 1.0, "top_p": 0.0, "temperature": 1.0}
    assert kept("ExLlamaV2", row, **exl2, **xtc, xtc_ignore_tokens=[0]) == [0, 1, 2, 3]
    assert kept("text-generation-webui", row, **xtc) == [2, 3]


@difference("XTC per batch")
def test_xtc_decides_for_each_row():
    sampler = hb.orders.mlx_lm(temp=1.0, xtc_probability=0.5, xtc_threshold=0.15)
    left = sampler.scores((), np.log([[0.4, 0.3, 0.2, 0.1]] * 40), seed=0).scores
    assert 5 < np.isfinite(left[:, 0]).sum() < 35


def fills_up(p, limit):
    """ExLlamaV2's top-p on ranked probabilities: what fits is taken, and the least given back when it is too much."""
    held = []
    for option, mass in enumerate(p):
        held.append(option)
        while sum(p[held]) > limit and len(held) > 1:
            held.pop(int(np.argmin(p[held])))
        if len(held) == 1 and mass == p[held[0]] and mass > limit:
            break
    return held


@difference("top-p fills up")
def test_top_p_of_exllama_stops_before_the_mass():
    p = np.array([0.5, 0.3, 0.15, 0.05])
    exl2 = {"token_repetition_penalty": 1.0, "temperature": 1.0, "top_k": 0}
    assert fills_up(p, 0.71) == [0, 2, 3]
    assert kept("ExLlamaV2", np.log(p), **exl2, top_p=0.71) == [0]
    assert kept("ExLlamaV3", np.log(p), top_p=0.85) == [0, 1]
    assert kept("ExLlamaV3", np.log(p), top_p=0.2) == [0]
    assert kept("vLLM", np.log(p), top_p=0.85) == [0, 1, 2]


@difference("threshold off by one")
def test_min_p_of_exllamav2_is_the_rule():
    exl2 = {"token_repetition_penalty": 1.0, "temperature": 1.0, "top_k": 0, "top_p": 0.0}
    assert kept("ExLlamaV2", np.log([0.5, 0.25, 0.15, 0.1]), **exl2, min_p=0.3) == [0, 1, 2]
    assert kept("ExLlamaV2", np.log([0.5, 0.25, 0.15, 0.1]), **exl2, top_a=0.6) == [0, 1, 2]


@difference("tiny probabilities")
def test_the_tail_counts_as_well():
    p = np.array([0.5, 0.4999993, 5e-7, 2e-7])
    exl2 = {"token_repetition_penalty": 1.0, "temperature": 1.0, "top_k": 0}
    assert np.flatnonzero(p >= 1e-6).tolist() == [0, 1]  # all that its top-p looks at
    assert kept("ExLlamaV2", np.log(p), **exl2, top_p=1 - 1e-7) == [0, 1, 2]


@difference("typical off centre")
def test_typical_of_exllamav2_is_that_of_the_paper():
    p = np.array([0.6, 0.25, 0.1, 0.05])
    off_centre = np.abs(p + np.log(p) - (p * (p + np.log(p))).sum())
    centred = np.abs(-np.log(p) + (p * np.log(p)).sum())
    assert np.argsort(off_centre).tolist() != np.argsort(centred).tolist() or off_centre[0] != centred[0]
    exl2 = {"token_repetition_penalty": 1.0, "temperature": 1.0, "top_k": 0, "top_p": 0.0}
    assert kept("ExLlamaV2", np.log(p), **exl2, typical=0.7) == sorted(np.argsort(centred)[:2].tolist())


@difference("XTC by weights")
def test_a_coin_and_then_a_draw_is_the_mixture():
    p = np.array([0.4, 0.3, 0.2, 0.1])
    sampler = hb.orders.exllamav2(
        token_repetition_penalty=1.0, temperature=1.0, top_k=0, top_p=0.0, xtc_probability=0.5, xtc_threshold=0.15
    )
    mixture = 0.5 * p + 0.5 * np.array([0, 0, 2 / 3, 1 / 3])
    left = hb.softmax(sampler.scores((), np.log([p] * 20000), seed=1).scores).mean(axis=0)
    np.testing.assert_allclose(left, mixture, atol=0.01)


@difference("smoothing in batches")
def test_every_row_of_a_batch_is_smoothed_alike():
    sampler = hb.orders.exllamav2(smoothing_factor=0.3)
    left = sampler.scores((), np.array([[3.0, 2.0, 1.0]] * 3)).scores
    assert (left == left[0]).all()


@difference("dry_max_ngram")
def test_dry_compares_as_many_tokens_as_there_are():
    text = [*range(30), 99, *range(30)]
    left = hb.orders.exllamav2(dry_multiplier=1e-6, dry_base=1.75, token_repetition_penalty=1.0)
    scores = (
        left._replace(steps=left.steps[:1]).scores(left._replace(steps=left.steps[:1]).init(text), np.zeros(100)).scores
    )
    assert scores[99] == pytest.approx(-1e-6 * 1.75**28)


@difference("n-sigma of a sample")
def test_sigma_is_that_of_what_is_left():
    assert "sample=True" in str(hb.orders.text_generation_webui(top_n_sigma=1.0))
    row = np.array([8.0, 7.0, 4.0, 3.0, -INF, -INF])
    zeros = np.std(np.where(np.isfinite(row), row, 0), ddof=1)
    assert np.flatnonzero(row >= 8 - zeros).tolist() == [0, 1]
    assert np.flatnonzero(row >= 8 - 1.8 * zeros).tolist() == [0, 1, 2, 3]
    assert kept("text-generation-webui", row, top_n_sigma=1.8) == [0, 1, 2]


@difference("tail of tfs")
def test_what_was_removed_has_no_bend():
    row = np.log([0.5, 0.3, 0.15, 0.05])
    assert kept("text-generation-webui", row, top_k=2, tfs=0.5) == [0, 1]  # two options have no bend
    assert kept("text-generation-webui", np.log([0.4, 0.3, 0.2, 0.1]), tfs=0.9) == [0, 1, 2, 3]  # nor has a line


@difference("adaptive-p and mirostat")
def test_what_stands_behind_a_draw_is_left_out():
    chain = str(hb.orders.text_generation_webui(mirostat_mode=2, xtc_probability=1.0, min_p=0.1))
    assert chain == "min_p(0.1) -> mirostat_v2(3.4657359027997265, renormalised=True) -> categorical()"


def test_every_difference_is_shown():
    shown = {
        each.shows
        for each in vars(sys.modules[__name__]).values()
        if inspect.isfunction(each) and hasattr(each, "shows")
    }
    assert shown == {each.name for engine in ENGINES.values() for each in engine.differences}
