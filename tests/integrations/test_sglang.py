"""The processor for SGLang, driven as SGLang's sampler drives its own."""

import importlib
import inspect
import re
import sys
import weakref
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest

import heatbath as hb
from tests.integrations.released import ABSTRACT, CUSTOM, METHODS, SamplingParams, connected, needs_real, parameters
from tests.integrations.rows import CHAINS, OPTIONS, ROW, UNSERVED, alone, logits, p_values, pick
from tests.sampling.orders.source import functions

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

ours, theirs = connected("heatbath.integrations.sglang", CUSTOM)
Processor, params = ours.HeatbathLogitProcessor, ours.params
ALL = 1 << 30  # how SGLang writes top_k=-1 once a request is taken in


BATCH = "sglang.srt.managers.schedule_batch"
Abort = namedtuple("Abort", ("message", "status_code", "err_type"))


@pytest.fixture(autouse=True)
def server(monkeypatch):
    """What a server has besides, where SGLang, or all that a server of it needs, is not installed."""
    try:
        importlib.import_module(BATCH)
    except ImportError:
        real = theirs.__spec__ is not None
        parents = [] if real else [BATCH.rsplit(".", count)[0] for count in (3, 2, 1)]
        for name in (*parents, BATCH):
            monkeypatch.setitem(sys.modules, name, SimpleNamespace(FINISH_ABORT=Abort))


class Request:
    """What a processor sees of a request of SGLang."""

    def __init__(self, prompt, sampling_params):
        self.origin_input_ids, self.output_ids, self.extend_end = list(prompt), [], None
        self.to_finish = None
        named = {"top_k": ALL} | {k: ALL if v == -1 else v for k, v in sampling_params.items() if k != "custom_params"}
        self.sampling_params = SamplingParams(**named)
        self.custom = sampling_params.get("custom_params", {}) | {"__req__": weakref.proxy(self)}


def run(requests, scores):
    return Processor()(torch.from_numpy(scores), [request and request.custom for request in requests])


def test_the_interface_is_the_one_that_was_written_down():
    needs_real(theirs, "SGLang")
    cls = theirs.CustomLogitProcessor
    assert {method: parameters(cls, method) for method in METHODS[CUSTOM]} == METHODS[CUSTOM]
    assert cls.__abstractmethods__ == ABSTRACT[CUSTOM]


def test_a_request_is_ended_by_what_was_written_down():
    needs_real(theirs, "SGLang")
    [made] = functions("sglang", "srt/managers/schedule_batch.py", "FINISH_ABORT.__init__")
    assert tuple(inspect.signature(made).parameters)[1:] == Abort._fields


def test_ours_is_one_of_theirs():
    assert issubclass(Processor, theirs.CustomLogitProcessor)
    assert not Processor.__abstractmethods__


def test_what_is_sent_is_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, Processor.__module__, ours)
    text = Processor.to_str()
    assert len(text) < 400  # a reference, which the server resolves, and no code
    assert type(Processor.from_str(text)) is Processor


@pytest.mark.parametrize("text", CHAINS)
def test_interleaved_requests_get_the_tokens_that_each_gets_alone(text):
    prompts, scores = [[1], [2, 3, 2], [4, 5]], logits(3)
    requests = [Request(prompt, params(text, seed=seed)) for seed, prompt in enumerate(prompts)]
    for who in ([0], [0, 1], [1, 0], [2, 0, 1], [1, 2], [2, 1], [1, 2, 0]):
        shown = np.stack([scores[len(requests[one].output_ids), one] for one in who])
        given = run([requests[one] for one in who], shown)  # a new processor each time, as SGLang makes one
        for row, one in zip(given, who, strict=True):
            requests[one].output_ids.append(pick(row, seed=one, position=len(requests[one].output_ids)))
    for one, (request, prompt) in enumerate(zip(requests, prompts, strict=True)):
        output = request.output_ids
        assert output == alone(hb.parse(text), scores[: len(output), one], prompt, seed=one)


def test_a_prompt_that_is_read_in_parts_is_waited_for():
    text = "temperature(linear(0.0, 3.0, 2)) -> penalties(presence=2.0, prompt=True)"
    request, scores = Request([1, 2, 3], params(text)), logits(1)
    request.extend_end = 2
    assert torch.equal(run([request], scores[0]), torch.from_numpy(scores[0]))
    request.extend_end = 3
    for position in range(4):
        request.output_ids.append(pick(run([request], scores[position])[0], seed=0, position=position))
    assert request.output_ids == alone(hb.parse(text), scores[:4, 0], [1, 2, 3], seed=0)


def test_rows_without_a_chain_are_left_alone():
    request, scores = Request([1], params("greedy()")), logits(3)[0]
    given = run([Request([1], {"custom_params": {"other": 1}}), request, None], scores)
    assert torch.equal(given[[0, 2]], torch.from_numpy(scores[[0, 2]]))
    assert torch.isfinite(given[1]).sum() == 1
    assert Processor()(given, None) is given


def test_a_server_that_runs_ahead_is_refused_only_where_tokens_are_needed():
    scores = logits(1)[0]
    for text, needed in (("temperature(linear(1.0, 0.5, 4))", False), ("mirostat_v2(1.0)", True)):
        request = Request([1], params(text))
        run([request], scores)
        if needed:
            assert torch.equal(run([request], scores), torch.from_numpy(scores))
            assert "--disable-overlap-schedule" in request.to_finish.message
        else:
            run([request], scores)
            assert request.to_finish is None


def test_speculative_decoding_is_refused():
    request = Request([1], params(0.7))
    with pytest.raises(hb.InputError, match="several rows belong to one request"):
        run([request, request], logits(2)[0])


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"temperature": 0.6}, "SGLang would apply temperature=0.6 behind the chain"),
        ({"top_k": 20}, "top_k=20"),
        ({"top_p": 0.95}, "top_p=0.95"),
        ({"min_p": 0.1}, r"min_p=0\.1 behind the chain; make sampling_params with"),
        ({"custom_params": {"heatbath": "topk(3)"}}, "did you mean top_k"),
        ({"custom_params": {"heatbath": ["top_k(3)"]}}, "neither the text of a chain nor a number"),
        ({"custom_params": {"heatbath": "xtc(0.1, 0.5)"}}, "give a seed"),
        ({"custom_params": {"heatbath": "xtc(0.1, 0.5)", "heatbath_seed": "7"}}, "a seed is an integer"),
        ({"custom_params": {"heatbath": "bans([40])"}}, "none is 40"),
        *(({"custom_params": {"heatbath": text}}, why) for text, why in UNSERVED.items()),
    ],
    ids=str,
)
def test_a_request_that_cannot_be_served_ends_alone(asked, why):
    wrong, good, scores = Request([1], params(0.7) | asked), Request([1], params("greedy()")), logits(2)[0]
    given = run([wrong, good], scores)
    assert re.search(why, wrong.to_finish.message)
    assert wrong.to_finish.status_code == 400
    assert good.to_finish is None
    assert torch.equal(given[0], torch.from_numpy(scores[0]))
    assert given[1].argmax() == scores[1].argmax()
    assert torch.isfinite(given[1]).sum() == 1


def test_params_are_checked_where_they_are_made():
    assert params("top_k(3)", seed=1)["custom_params"] == {"heatbath": "top_k(3)", "heatbath_seed": 1}
    for wrong in ("topk(3)", "gumbel()", hb.chain(), *UNSERVED):
        with pytest.raises(hb.InputError):
            params(wrong)
    params("bans([40])")
    with pytest.raises(hb.InputError, match="none is 40"):
        params("bans([40])", vocabulary=OPTIONS)


def test_draws_have_the_right_frequencies():
    rows = 10_000
    requests = [Request([1], params("temperature(1.3)")) for _ in range(rows)]
    given = run(requests, np.tile(ROW, (rows, 1)))
    torch.manual_seed(0)
    drawn = torch.multinomial(given.softmax(-1), 1)[:, 0]
    right, wrong = p_values(np.bincount(drawn.numpy(), minlength=len(ROW)))
    assert right > 1e-3
    assert wrong < 1e-4
