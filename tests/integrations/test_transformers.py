"""heatbath in transformers' generate: the processor, the decoding method, and settings that would undo them."""

import copy
import inspect
import warnings

import numpy as np
import pytest
from scipy import stats

import heatbath as hb
from tests.integrations.rows import CHAINS

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from heatbath.embedded import load
from heatbath.integrations.transformers import HeatbathGenerate, HeatbathProcessor, SettingsWarning, settings
from heatbath.integrations.transformers_call import OFF, WARPERS
from training import qwen3

IDS = torch.tensor([[11, 7, 5], [9, 8, 10]])
PLAIN = {"max_new_tokens": 12, "eos_token_id": None, "pad_token_id": 0}


@pytest.fixture(scope="module")
def gpt2():
    """A random GPT-2 with opinions: its distributions are far from flat."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=40,
        n_positions=64,
        n_embd=16,
        n_layer=2,
        n_head=2,
        initializer_range=0.6,
        bos_token_id=0,
        eos_token_id=0,
    )
    return transformers.GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="module")
def tales():
    """The shipped weights."""
    return qwen3.load()


def logits_after(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, -1].numpy()


def alone(model, sampler, prompt, seed, number):
    """The tokens of one stream, one forward pass after another."""
    state, ids = sampler.init(prompt), list(prompt)
    for _ in range(number):
        token, state, _ = sampler.step(state, logits_after(model, ids), seed=seed)
        ids.append(int(token))
    return ids


def test_the_shipped_weights_give_the_same_logits_in_transformers(tales):
    model = load()
    ids = model.tokenizer.encode("Once upon a time there was a king")
    np.testing.assert_allclose(logits_after(tales, ids), model.start([ids])[0][0], atol=1e-4)


# --- the decoding method


@pytest.mark.parametrize("text", CHAINS)
def test_generate_draws_what_each_row_draws_alone(gpt2, text):
    sampler = hb.parse(text)
    generated = gpt2.generate(IDS, custom_generate=HeatbathGenerate(text, seed=[5, 3]), **PLAIN)
    expected = [alone(gpt2, sampler, row.tolist(), seed, 12) for row, seed in zip(IDS, (5, 3), strict=True)]
    assert generated.tolist() == expected


def test_the_shipped_weights_write_the_same_in_both(tales):
    model = load()
    ids = model.tokenizer.encode("Once upon a time")
    sampler = hb.parse("temperature(0.7) -> top_p(0.9)")
    generated = tales.generate(
        torch.tensor([ids]), custom_generate=HeatbathGenerate(sampler, seed=1), max_new_tokens=20
    )
    (scores, cache), state, tokens = model.start([ids]), sampler.init(), []
    for _ in range(20):
        token, state, _ = sampler.step(state, scores[0], seed=1)
        tokens.append(int(token))
        scores, cache = model.step(cache, tokens[-1:])
    assert generated[0].tolist() == ids + tokens


def test_padding_on_the_left_is_no_part_of_the_prompt(gpt2):
    text = "penalties(presence=20.0, prompt=True) -> greedy()"
    padded, mask = torch.tensor([[0, 0, 11, 7], [9, 8, 10, 5]]), torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]])
    generated = gpt2.generate(padded, attention_mask=mask, custom_generate=HeatbathGenerate(text), **PLAIN)
    lonely = gpt2.generate(torch.tensor([[11, 7]]), custom_generate=HeatbathGenerate(text), **PLAIN)
    assert generated[0, 2:].tolist() == lonely[0].tolist()


def test_rows_that_have_ended_are_padded_and_the_others_go_on(gpt2):
    draws = HeatbathGenerate("penalties(1.2) -> temperature(hold_surprise(2.0, 8))", seed=2)
    free = gpt2.generate(IDS, custom_generate=draws, **PLAIN)
    end = int(free[0, 5])
    ended = gpt2.generate(IDS, custom_generate=draws, **PLAIN | {"eos_token_id": end})
    assert ended[0].tolist() == free[0, :6].tolist() + [0] * (ended.shape[1] - 6)
    until = next((place for place in range(3, 15) if free[1, place] == end), 14)
    assert ended[1, : until + 1].tolist() == free[1, : until + 1].tolist()


def test_one_seed_counts_up_and_none_comes_from_pytorch(gpt2):
    def generate(seed, ids=IDS, **more):
        return gpt2.generate(
            ids, custom_generate=HeatbathGenerate("temperature(2.0)", seed=seed), **PLAIN | more
        ).tolist()

    assert generate(4) == generate([4, 5])
    three = generate(
        4, IDS[:1], num_return_sequences=3, do_sample=True
    )  # which generate() insists on for more than one
    assert three == generate([4, 5, 6], IDS[:1].repeat(3, 1))
    torch.manual_seed(1)
    first, second = generate(None), generate(None)
    torch.manual_seed(1)
    assert first == generate(None)
    assert first != second
    with pytest.raises(hb.InputError, match="3 seeds for 2 rows"):
        generate([1, 2, 3])


class Streamer(transformers.generation.streamers.BaseStreamer):
    def __init__(self):
        self.got, self.ended = [], False

    def put(self, value):
        self.got.append(value.tolist())

    def end(self):
        self.ended = True


def test_a_streamer_gets_every_token_and_the_end(gpt2):
    streamer = Streamer()
    generated = gpt2.generate(
        IDS[:1], custom_generate=HeatbathGenerate("temperature(1.5)", seed=1), streamer=streamer, **PLAIN
    )
    prompt, *tokens = streamer.got
    assert prompt == IDS[:1].tolist()
    assert [token for (token,) in tokens] == generated[0, 3:].tolist()
    assert streamer.ended


def test_transformers_itself_keeps_the_streamer_from_a_callable(gpt2):
    """The reason why it is fetched from the call; once this fails, that can go."""
    seen = {}

    def decode(model, input_ids, logits_processor, stopping_criteria, generation_config, **kwargs):
        seen.update(kwargs)
        return input_ids

    gpt2.generate(IDS[:1], custom_generate=decode, streamer=Streamer(), synced_gpus=True, **PLAIN)
    assert not {"streamer", "synced_gpus"} & set(seen)


@pytest.mark.parametrize("asked", [None, False, True])
def test_processes_that_wait_for_each_other_are_told(gpt2, asked, tmp_path):
    heard = []

    class Heard(type(gpt2)):
        def _has_unfinished_sequences(self, this_peer_finished, synced_gpus, device):
            heard.append(synced_gpus)
            return super()._has_unfinished_sequences(this_peer_finished, synced_gpus, device)

    model = Heard(gpt2.config).eval()
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        model.generate(IDS, custom_generate=HeatbathGenerate(0.7, seed=1), synced_gpus=asked, **PLAIN)
    finally:
        torch.distributed.destroy_process_group()
    assert set(heard) == {bool(asked)}


def test_stopping_criteria_processors_caches_and_dicts_are_those_of_generate(gpt2):
    class Stop(transformers.StoppingCriteria):
        def __call__(self, input_ids, scores, **kwargs):
            return torch.full((input_ids.shape[0],), input_ids.shape[1] >= 6)

    result = gpt2.generate(
        IDS,
        custom_generate=HeatbathGenerate("temperature(0.5) -> top_k(5)", seed=1),
        stopping_criteria=[Stop()],
        suppress_tokens=[3, 4],
        return_dict_in_generate=True,
        output_scores=True,
        output_logits=True,
        **PLAIN,
    )
    assert result.sequences.shape == (2, 6)
    assert len(result.scores) == len(result.logits) == 3
    for scores, raw in zip(result.scores, result.logits, strict=True):
        allowed = raw.clone()
        allowed[:, [3, 4]] = -torch.inf
        expected = hb.chain(hb.temperature(0.5), hb.top_k(5)).scores((), allowed).scores
        torch.testing.assert_close(scores, expected)
    name = "cache" if "cache" in result else "past_key_values"  # as transformers called it before
    carried = {name: result[name], "custom_generate": HeatbathGenerate("top_k(1)", seed=1)}
    again = gpt2.generate(result.sequences, **carried, **PLAIN)
    assert again.tolist() == gpt2.generate(result.sequences, do_sample=False, **PLAIN).tolist()


@pytest.mark.parametrize(
    "asked", [{"num_beams": 2}, {"num_beams": 2, "do_sample": True}, {"prompt_lookup_num_tokens": 2}, "assistant"]
)
def test_what_draws_no_tokens_from_the_chain_is_refused(gpt2, asked):
    asked = {"assistant_model": gpt2} if asked == "assistant" else asked
    with pytest.raises(hb.InputError, match="no token is drawn from the chain") as caught:
        gpt2.generate(IDS[:1], custom_generate=HeatbathGenerate(0.7, seed=1), **asked, **PLAIN)
    assert caught.value.doing == "generating with transformers"


def test_sampling_settings_are_taken_out_and_said(gpt2):
    draws = HeatbathGenerate("temperature(2.0)", seed=1)
    plain = gpt2.generate(IDS, custom_generate=draws, **PLAIN).tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gpt2.generate(IDS, custom_generate=draws, do_sample=True, **PLAIN).tolist() == plain  # top_k=50 as well
    asked = {"do_sample": True, "temperature": 0.1, "top_k": 2, "min_p": 0.3}
    with pytest.warns(SettingsWarning, match=r"temperature=0\.1, top_k=2, min_p=0\.3 is not used") as caught:
        drawn = gpt2.generate(IDS, custom_generate=draws, **asked, **PLAIN)
    assert drawn.tolist() == plain
    assert caught[0].filename == __file__


def test_what_a_model_brings_along_has_no_part_either(gpt2):
    model = copy.deepcopy(gpt2)
    model.generation_config.update(do_sample=True, temperature=0.01, top_p=0.1)
    draws = HeatbathGenerate("temperature(2.0)", seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = model.generate(IDS, custom_generate=draws, **PLAIN)
    assert drawn.tolist() == gpt2.generate(IDS, custom_generate=draws, **PLAIN).tolist()


def test_a_warper_that_the_caller_wrote_himself_stays(gpt2):
    own = transformers.TopKLogitsWarper(1)
    draws = HeatbathGenerate("temperature(5.0)", seed=1)
    greedy = gpt2.generate(IDS, do_sample=False, **PLAIN).tolist()
    for do_sample in (True, False):
        generated = gpt2.generate(IDS, custom_generate=draws, logits_processor=[own], do_sample=do_sample, **PLAIN)
        assert generated.tolist() == greedy


# --- the processor


@pytest.mark.parametrize("text", CHAINS)
def test_the_processor_hands_over_the_scores_of_the_chain(gpt2, text):
    """Its scores at every step are those of the chain that drew the same tokens."""
    torch.manual_seed(3)
    result = gpt2.generate(
        IDS, **settings(text, seed=8), return_dict_in_generate=True, output_scores=True, output_logits=True, **PLAIN
    )
    sampler = hb.parse(text)
    for row in range(2):
        state = sampler.init(IDS[row].tolist())
        for step, (scores, raw) in enumerate(zip(result.scores, result.logits, strict=True)):
            drawn = int(result.sequences[row, 3 + step])
            told = sampler._replace(draw=hb.sampling.Draw(lambda s, chance, drawn=drawn: np.array([drawn])))
            expected = sampler.scores(state, raw[row].numpy(), seed=8 + row).scores
            if text.endswith("greedy()"):
                assert int(scores[row].argmax()) == drawn == int(expected.argmax())
            else:
                np.testing.assert_allclose(scores[row].numpy(), expected, rtol=1e-5, atol=1e-5)
            state = told.step(state, raw[row].numpy(), seed=8 + row).state


def test_each_generate_begins_anew(gpt2):
    arguments = settings("temperature(linear(0.0, 5.0, 12))")
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        runs.append(gpt2.generate(IDS, **arguments, **PLAIN).tolist())
    assert runs[0] == runs[1]
    shorter = {"max_new_tokens": 1}
    greedy = gpt2.generate(IDS, do_sample=False, **PLAIN | shorter).tolist()
    assert gpt2.generate(IDS, **arguments, **PLAIN | shorter).tolist() == greedy


def test_the_processor_leaves_out_padding_when_told_its_token():
    sampler = "penalties(presence=20.0, prompt=True)"
    ids, scores = torch.tensor([[0, 0, 3]]), torch.zeros(1, 5)
    assert HeatbathProcessor(sampler)(ids, scores).tolist() == [[-20, 0, 0, -20, 0]]
    assert HeatbathProcessor(sampler, pad_token=0)(ids, scores).tolist() == [[0, 0, 0, -20, 0]]


@pytest.mark.parametrize(
    "asked", [{"num_beams": 2}, {"num_beams": 3, "do_sample": True}, {"prompt_lookup_num_tokens": 2}, "assistant"]
)
def test_the_processor_refuses_beams_and_drafts(gpt2, asked):
    asked = {"assistant_model": copy.deepcopy(gpt2), "do_sample": True, "top_k": 0} if asked == "assistant" else asked
    with pytest.raises(hb.InputError, match="no token is drawn from the chain"):
        gpt2.generate(IDS[:1], logits_processor=[HeatbathProcessor(0.7)], **asked, **PLAIN)


def test_the_processor_warns_where_nothing_is_drawn_or_something_acts_twice(gpt2):
    with pytest.warns(SettingsWarning, match="decides nothing: do_sample is False") as caught:
        gpt2.generate(IDS, logits_processor=[HeatbathProcessor(0.7)], **PLAIN)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    asked = {"do_sample": True, "temperature": 0.7}
    with pytest.warns(SettingsWarning, match=r"also applies temperature=0\.7, top_k=50"):
        gpt2.generate(IDS, logits_processor=[HeatbathProcessor(0.7)], **asked, **PLAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gpt2.generate(IDS, logits_processor=[HeatbathProcessor("greedy()")], **PLAIN)
        gpt2.generate(IDS, **settings(0.7), **PLAIN)


def test_settings_cannot_be_contradicted(gpt2):
    for again in ({"temperature": 0.7}, {"do_sample": False}, {"top_k": 3}):
        with pytest.raises(TypeError, match="multiple values"):
            gpt2.generate(IDS, **settings(0.7), **again, **PLAIN)


def test_every_sampling_setting_of_generate_is_known_here(gpt2):
    """Whatever generate() would put behind a processor, settings() turns off."""
    config = transformers.GenerationConfig(
        do_sample=True,
        temperature=0.5,
        top_h=0.5,
        top_k=3,
        top_p=0.5,
        min_p=0.1,
        typical_p=0.5,
        epsilon_cutoff=0.1,
        eta_cutoff=0.1,
    )
    made = gpt2._get_logits_processor(config, device="cpu")
    assert {type(warper) for warper in made} == set(WARPERS.values())
    config = transformers.GenerationConfig(**{k: v for k, v in settings(0.7).items() if k != "logits_processor"})
    assert list(gpt2._get_logits_processor(config, device="cpu")) == []
    warper_fields = set(inspect.signature(transformers.GenerationConfig).parameters) | set(vars(config))
    assert set(OFF) <= warper_fields


def test_the_text_so_far_reaches_the_thermostat(tales):
    model = load()
    text = "temperature(by_text([['line_start', 5.0]], 0.001))"

    class Tokenizer:
        def decode(self, ids, skip_special_tokens):
            return model.tokenizer.decode(ids)

    ids = torch.tensor([model.tokenizer.encode("Once upon a time")])
    cold = tales.generate(ids, do_sample=False, max_new_tokens=8)
    assert tales.generate(ids, **settings(text, tokenizer=Tokenizer()), max_new_tokens=8).tolist() == cold.tolist()
    for without in ({"custom_generate": HeatbathGenerate(text, seed=1)}, settings(text)):
        with pytest.raises(hb.InputError, match=r"the context has no text; .* give tokenizer=tokenizer"):
            tales.generate(ids, **without, max_new_tokens=8)
    by_rule = HeatbathGenerate("temperature(by_rule([['s', 5.0]], 0.1))", seed=1, tokenizer=Tokenizer())
    with pytest.raises(hb.InputError, match="no rule; the text so far is all that is known here"):
        tales.generate(ids, custom_generate=by_rule, max_new_tokens=8)
    draws = HeatbathGenerate(text, seed=1, tokenizer=Tokenizer())
    assert tales.generate(ids, custom_generate=draws, max_new_tokens=8).tolist() == cold.tolist()
    with pytest.raises(hb.InputError, match="text"):
        tales.generate(ids, custom_generate=HeatbathGenerate(text, seed=1), max_new_tokens=8)


# --- frequencies

DRAWS = 12_000
CHAIN = "temperature(1.3) -> top_k(12)"


def p_value(counts, logits, t):
    expected = hb.softmax(hb.chain(hb.temperature(t), hb.top_k(12)).scores((), logits.astype(float)).scores)
    kept = expected > 0
    assert counts[~kept].sum() == 0
    return stats.chisquare(counts[kept], DRAWS * expected[kept]).pvalue


def test_paged_generation_does_not_ask_it(tales):
    """As the documentation says. Where this fails, transformers has learned to, and the documentation is to follow."""
    asked = []

    class Asked(HeatbathGenerate):
        def __call__(self, *arguments, **named):
            asked.append(self)
            return super().__call__(*arguments, **named)

    draws, ids = Asked(0.7, seed=7), torch.tensor([[5, 6, 7]])
    tales.generate(ids, custom_generate=draws, **PLAIN)
    assert asked == [draws]
    paged = {"cache_implementation": "paged", "max_new_tokens": 2, "eos_token_id": -1, "pad_token_id": 0}
    small = transformers.ContinuousBatchingConfig(num_blocks=8, page_size=64, max_batch_tokens=64)
    paged |= {"continuous_batching_config": small, "warmup": False}
    assert tales.generate(ids, custom_generate=draws, **paged).shape == (1, 1, 5)
    assert asked == [draws]


@pytest.mark.parametrize("way", ["processor", "custom_generate"])
def test_draws_have_the_right_frequencies(gpt2, way):
    ids = IDS[:1]
    torch.manual_seed(0)
    how = settings(CHAIN) if way == "processor" else {"custom_generate": HeatbathGenerate(CHAIN, seed=0)}
    drawn = gpt2.generate(
        ids, num_return_sequences=DRAWS, **{"do_sample": True} | how, **PLAIN | {"max_new_tokens": 1}
    )[:, -1]
    counts = np.bincount(drawn.numpy(), minlength=40)
    logits = logits_after(gpt2, ids[0].tolist())
    assert p_value(counts, logits, 1.3) > 1e-3
    assert p_value(counts, logits, 1.3 * 1.05) < 1e-4
