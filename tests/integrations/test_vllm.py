"""The processor for vLLM, driven as the two model runners of vLLM drive theirs."""

import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import heatbath as hb
from tests.integrations.released import (
    ABSTRACT,
    FIELDS,
    FIRST,
    METHODS,
    SECOND,
    SamplingParams,
    connected,
    needs_real,
    parameters,
)
from tests.integrations.rows import CHAINS, OPTIONS, ROW, UNSERVED, alone, logits, p_values, pick

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

ours, first, second = connected("heatbath.integrations.vllm", FIRST, SECOND)
Processor = ours.HeatbathLogitsProcessor


def params(text, seed=None, **more):
    return SamplingParams(extra_args={"heatbath": text}, seed=seed, **more)


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_the_interface_is_the_one_that_was_written_down(name):
    needs_real(first, "vLLM")
    cls = {FIRST: first, SECOND: second}[name].LogitsProcessor
    assert {method: parameters(cls, method) for method in METHODS[name]} == METHODS[name]
    assert cls.__abstractmethods__ == ABSTRACT[name]
    for record, fields in FIELDS.items():
        for module in (first, second):
            if hasattr(module, record):
                assert tuple(getattr(module, record).__dataclass_fields__) == fields


def test_ours_can_be_called_as_either_runner_calls_it():
    assert issubclass(Processor, first.LogitsProcessor)
    assert issubclass(Processor, second.LogitsProcessor)
    assert not Processor.__abstractmethods__
    config = SimpleNamespace()
    processor = Processor(config, torch.device("cpu"), False)
    assert processor.is_argmax_invariant() is False
    assert processor.apply(scores := torch.zeros(1, 4)) is scores
    processor.apply_staged_writes()


def test_vllm_finds_it():
    listed = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["entry-points"]
    module, _, name = listed["vllm.logits_processors"]["heatbath"].partition(":")
    assert (module, name) == (Processor.__module__, Processor.__name__)


class First:
    """What matters of vLLM's first runner: a batch of rows that it moves about, and lists of tokens that it extends."""

    def __init__(self):
        self.config = SimpleNamespace()
        self.processor = Processor(self.config, torch.device("cpu"), False)
        self.rows = []

    def update(self, removed=(), added=(), moved=()):
        self.processor.update_state(first.BatchUpdate(len(self.rows), list(removed), list(added), list(moved)))

    def step(self, scores, positions, seeds, draw=None):
        """Scores of the requests in the rows; what is drawn is appended."""
        given = self.processor.apply(torch.from_numpy(scores.copy()))
        for row, (output, position, seed) in enumerate(zip(self.rows, positions, seeds, strict=True)):
            if draw is None or draw[row]:
                output.append(pick(given[row], seed=seed, position=position))


@pytest.mark.parametrize("text", CHAINS)
def test_rows_of_the_first_runner_come_go_and_move(text):
    """Three requests: one leaves in the middle, another takes its row, and the rest change places."""
    prompts, scores, seeds = [[1], [2, 3, 2], [4, 5]], logits(3), [0, 1, 2]
    engine, outputs = First(), [[], [], []]
    requests = [
        (params(text, seed), prompt, output) for seed, prompt, output in zip(seeds, prompts, outputs, strict=True)
    ]
    engine.rows = [outputs[0], outputs[1]]
    engine.update(added=[(0, *requests[0]), (1, *requests[1])])
    order = [0, 1]

    def step():
        at = [len(outputs[who]) for who in order]
        engine.step(
            np.stack([scores[place, who] for place, who in zip(at, order, strict=True)]),
            at,
            [seeds[who] for who in order],
        )

    for _ in range(3):
        step()
    engine.processor.update_state(None)
    swap = first.MoveDirectionality.SWAP
    order, engine.rows = [1, 0], [outputs[1], outputs[0]]
    engine.update(moved=[(0, 1, swap)])
    for _ in range(2):
        step()
    order, engine.rows = [2, 0], [outputs[2], outputs[0]]
    engine.update(removed=[0], added=[(0, *requests[2])])
    for _ in range(2):
        step()
    order, engine.rows = [0], [outputs[0]]
    engine.update(removed=[0], moved=[(1, 0, first.MoveDirectionality.UNIDIRECTIONAL)])
    step()
    for who, length in ((0, 8), (1, 5), (2, 2)):
        assert outputs[who] == alone(hb.parse(text), scores[:length, who], prompts[who], seed=seeds[who])


def test_requests_that_name_no_chain_are_left_alone():
    engine = First()
    engine.rows = [[], [], []]
    engine.update(
        added=[(0, SamplingParams(), [1], []), (1, params("top_k(1)"), [1], []), (2, SamplingParams(), [1], [])]
    )
    scores = torch.from_numpy(logits(3)[0])
    before = scores.clone()
    given = engine.processor.apply(scores)
    assert given is scores
    assert torch.equal(given[[0, 2]], before[[0, 2]])
    assert torch.isfinite(given[1]).sum() == 1
    engine.update(added=[(0, SamplingParams(extra_args={"heatbath": None}), [1], [])])
    engine.update(added=[(1, SamplingParams(), [1], [])])  # takes the row of the one that named a chain
    assert torch.equal(engine.processor.apply(before.clone()), before)


def test_a_token_thrown_away_is_taken_back():
    """The first runner draws for prompts that it has read in part, and forgets the token."""
    text = "temperature(linear(0.0, 3.0, 2)) -> penalties(presence=2.0, prompt=True)"
    engine, output, scores = First(), [], logits(1)
    engine.rows = [output]
    engine.update(added=[(0, params(text), [1, 2], output)])
    for _ in range(2):
        engine.step(scores[0], [0], [0], draw=[False])
    for position in range(5):
        engine.step(scores[position], [position], [0])
    assert output == alone(hb.parse(text), scores[:5, 0], [1, 2], seed=0)


def test_a_request_that_was_interrupted_says_so(caplog):
    engine = First()
    engine.update(added=[(0, params("penalties(presence=1.0)"), [1], [2, 3])])
    assert "resumed a request" in caplog.text
    engine.rows = [[2, 3]]
    given = engine.processor.apply(torch.zeros(1, 5))
    assert given.tolist() == [[0, 0, 0, 0, 0]]  # as a prompt, they are not what presence counts
    caplog.clear()
    engine.update(added=[(0, params("temperature(0.7)"), [1], [2, 3])])
    assert not caplog.text  # a chain that remembers nothing goes on as it was


def test_tokens_that_the_engine_does_not_show_are_asked_for():
    engine, output = First(), []
    engine.update(added=[(0, params("mirostat_v2(1.0)"), [1], output)])
    engine.processor.apply(torch.zeros(1, 5))
    output.append(-1)  # as asynchronous scheduling leaves it
    with pytest.raises(hb.InputError, match="must be told which token was drawn"):
        engine.processor.apply(torch.zeros(1, 5))


def test_the_second_one_of_an_engine_does_nothing():
    """vLLM makes one for the entry point, and another where the processor is asked for by name."""
    engine = First()
    twin = Processor(engine.config, torch.device("cpu"), False)
    for processor in (engine.processor, twin):
        processor.update_state(first.BatchUpdate(1, [], [(0, params("temperature(0.5)"), [1], [])], []))
    scores = torch.tensor([[1.0, 2.0]])
    assert twin.apply(engine.processor.apply(scores)).tolist() == [[-2.0, 0.0]]
    other = First()
    other.update(added=[(0, params("temperature(0.5)"), [1], [])])
    assert other.processor.apply(torch.tensor([[1.0, 2.0]])).tolist() == [[-2.0, 0.0]]


class Second:
    """What matters of Model Runner V2: slots, rows in any order, and tokens kept where the logits are."""

    def __init__(self, slots=6, longest=64):
        self.tokens = torch.zeros(slots, longest, dtype=torch.int32)
        self.prompt, self.prefill = np.zeros(slots, np.int32), np.zeros(slots, np.int32)
        self.length = np.zeros(slots, np.int32)
        states = second.LogitsProcRequestState(
            device=torch.device("cpu"),
            max_num_reqs=slots,
            vocab_size=0,
            all_token_ids=SimpleNamespace(gpu=self.tokens),
            prompt_len=SimpleNamespace(np=self.prompt),
            prefill_len=SimpleNamespace(np=self.prefill),
            total_len=None,
        )
        self.config = SimpleNamespace()
        self.processor = Processor(self.config, states)

    def add(self, slot, request, prompt, output=()):
        tokens = [*prompt, *output]
        self.tokens[slot, : len(tokens)] = torch.tensor(tokens)
        self.prompt[slot], self.prefill[slot], self.length[slot] = len(prompt), len(tokens), len(tokens)
        return self.processor.add_request(slot, request)

    def step(self, slots, scores, seeds, read=None):
        """Draw for these slots, of which ``read`` says how many tokens were read, all where it is None."""
        lengths = self.length[slots] if read is None else np.array(read)
        last = self.tokens[slots, lengths - 1]
        rows = torch.arange(len(slots))
        context = second.LogitsContext(
            torch.tensor(slots),
            torch.tensor(slots),
            np.array(slots),
            torch.zeros_like(rows),
            last,
            torch.from_numpy(lengths - 1),
            lengths,
        )
        given = self.processor.apply(torch.from_numpy(scores.copy()), context)
        for row, slot in enumerate(slots):
            if lengths[row] >= self.prefill[slot]:
                position = int(self.length[slot] - self.prompt[slot])
                self.tokens[slot, self.length[slot]] = pick(given[row], seed=seeds[slot], position=position)
                self.length[slot] += 1

    def output(self, slot):
        return self.tokens[slot, self.prompt[slot] : self.length[slot]].tolist()


@pytest.mark.parametrize("text", CHAINS)
def test_rows_of_the_second_runner_change_their_order(text):
    prompts, scores, seeds = {4: [1], 0: [2, 3, 2], 5: [4, 5]}, logits(6), [0, 1, 2, 3, 4, 5]
    engine = Second()
    for slot in (4, 0):
        assert engine.add(slot, params(text, seed=slot), prompts[slot])

    def step(*slots, read=None):
        at = engine.length[list(slots)] - engine.prompt[list(slots)]
        engine.step(
            list(slots), np.stack([scores[place, slot] for place, slot in zip(at, slots, strict=True)]), seeds, read
        )

    step(4, 0, read=[1, 2])  # the prompt of the second is read in part
    for order in ((0, 4), (4, 0), (4,), (0, 4)):
        step(*order)
    assert engine.add(5, params(text, seed=5), prompts[5])
    for order in ((5, 0), (0, 5)):
        step(*order)
    for slot, prompt in prompts.items():
        output = engine.output(slot)
        assert output == alone(hb.parse(text), scores[: len(output), slot], prompt, seed=slot)
    assert [len(engine.output(slot)) for slot in (4, 0, 5)] == [5, 5, 2]


def test_a_slot_is_recycled_and_one_without_a_chain_declines():
    engine = Second()
    assert engine.add(1, params("greedy()"), [1, 2]) is True
    assert engine.add(1, SamplingParams(), [1, 2]) is False
    scores = logits(1)[0]
    context = second.LogitsContext(*[torch.tensor([1])] * 2, np.array([1]), *[torch.tensor([0])] * 3, np.array([2]))
    assert torch.equal(engine.processor.apply(torch.from_numpy(scores), context), torch.from_numpy(scores))


def test_speculative_decoding_is_refused():
    engine = Second()
    engine.add(1, params(0.7), [1, 2])
    context = second.LogitsContext(*[torch.tensor([1])] * 2, np.array([1]), *[torch.tensor([0])] * 3, np.array([2]))
    with pytest.raises(hb.InputError, match="several rows belong to one request"):
        engine.processor.apply(torch.zeros(3, 5), context)


def test_a_resumed_request_of_the_second_runner_keeps_its_tokens(caplog):
    engine = Second()
    engine.add(2, params("penalties(presence=9.0, prompt=True) -> greedy()"), [1], [0])
    engine.step([2], np.array([[3.0, 2.0, 1.0]], dtype=np.float32), [0] * 6)
    assert engine.output(2) == [0, 2]
    assert "resumed a request" in caplog.text


@pytest.mark.parametrize(
    ("request_params", "why", "field"),
    [
        (params("topk(3)"), "did you mean top_k", None),
        (params(["temperature(0.7)"]), "neither the text of a chain nor a number", "heatbath"),
        (
            params(0.7, temperature=0.6),
            "vLLM would apply temperature=0.6 behind the chain; set temperature=1.0",
            "temperature",
        ),
        (params(0.7, top_k=20), "set top_k=0, and write top_k into the chain", "top_k"),
        (params(0.7, top_p=0.95), "top_p=0.95", "top_p"),
        (params(0.7, min_p=0.1), "min_p=0.1", "min_p"),
        (params("xtc(0.1, 0.5)"), "draws random numbers of its own; set seed", "seed"),
        (params("gumbel()"), "set seed", "seed"),
    ],
    ids=str,
)
def test_a_request_that_cannot_be_served_is_refused(request_params, why, field):
    with pytest.raises(hb.InputError, match=why) as caught:
        Processor.validate_params(request_params)
    assert caught.value.field == field
    assert isinstance(caught.value, ValueError)  # which vLLM turns into status 400


def test_a_chain_that_would_end_the_batch_is_refused_before():
    """Taken as vLLM takes a request: by a call that holds the configuration of the model, and shows the parameters."""

    def verify(sampling_params, model_config):
        assert model_config
        Processor.validate_params(sampling_params)

    model = SimpleNamespace(get_vocab_size=lambda: OPTIONS)
    for text, why in UNSERVED.items():
        for take in (Processor.validate_params, lambda given: verify(given, model)):
            with pytest.raises(hb.InputError, match=why):
                take(params(text))
    verify(params("bans([39])"), model)
    Processor.validate_params(params("bans([40])"))
    with pytest.raises(hb.InputError, match="there are 40 options"):
        verify(params("bans([40])"), model)


@pytest.mark.parametrize(
    "request_params",
    [
        SamplingParams(),
        SamplingParams(temperature=0.2, extra_args={"other": 1}),
        params(0.7, top_k=-1),
        params("greedy()"),
        params("xtc(0.1, 0.5)", seed=3),
    ],
    ids=str,
)
def test_a_request_that_can_be_served_is_taken(request_params):
    Processor.validate_params(request_params)


def test_draws_have_the_right_frequencies():
    """vLLM's own rule for drawing, on what the processor hands it."""
    rows = 10_000
    engine = First()
    engine.update(added=[(row, params("temperature(1.3)"), [1], []) for row in range(rows)])
    given = engine.processor.apply(torch.from_numpy(np.tile(ROW, (rows, 1))))
    torch.manual_seed(0)
    drawn = (given.softmax(-1) / torch.empty_like(given).exponential_()).argmax(-1)
    right, wrong = p_values(np.bincount(drawn.numpy(), minlength=len(ROW)))
    assert right > 1e-3
    assert wrong < 1e-4
