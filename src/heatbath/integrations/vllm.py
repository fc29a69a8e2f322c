"""heatbath in vLLM: a logits processor for both of its model runners, a chain per request.

Installing heatbath beside vLLM lists the processor under ``vllm.logits_processors``; nothing is to be configured. A
request names its chain in the text form, and leaves vLLM's own sampling settings alone::

    SamplingParams(temperature=1.0, extra_args={"heatbath": "temperature(hold_entropy(1.5)) -> min_p(0.05)"})

Over HTTP that is ``"temperature": 1.0, "vllm_xargs": {"heatbath": "..."}``.
"""

import logging
import sys
import weakref
from collections.abc import Sequence
from typing import Any

from heatbath.errors import InputError, while_doing
from heatbath.integrations.extra import needs
from heatbath.integrations.streams import Stream, as_request, as_sampler, listens, needs_seed, remembers, rescore

with needs("vLLM", "vllm>=0.33"):
    from vllm.v1.sample.logits_processor.interface import LogitsProcessor as FirstInterface
    from vllm.v1.sample.logits_processor.interface import MoveDirectionality
    from vllm.v1.worker.gpu.sample.logits_processor.interface import LogitsProcessor as SecondInterface

__all__ = ["HeatbathLogitsProcessor"]

KEY = "heatbath"
"""The extra argument of a request that holds its chain."""

OFF = {"temperature": (1.0,), "top_k": (0, -1), "top_p": (1.0,), "min_p": (0.0,)}
"""vLLM's sampling settings, at the values at which they do nothing."""

UNKNOWN = -1
"""A token that was drawn, and that nobody has to know."""

log = logging.getLogger("heatbath")


class HeatbathLogitsProcessor(FirstInterface, SecondInterface):  # type: ignore[misc]  # untyped
    """Applies the chain of each request that names one; vLLM draws.

    One class for both interfaces, because vLLM loads what is listed under ``vllm.logits_processors`` into whichever
    runner it starts: the first (``update_state``, ``apply(logits)``) and Model Runner V2 (``add_request``,
    ``apply(logits, context)``).

    Raises:
        InputError: for a request whose chain does not parse, has parameters for several rows, names a token that the
            model has not, or looks at the text (``by_text``, ``by_rule``), which vLLM does not show; that sets
            ``temperature``, ``top_k``, ``top_p`` or ``min_p`` as well, which would act a second time (models bring such
            defaults along, so set ``temperature=1.0``); whose chain draws random numbers of its own, without a
            ``seed``. vLLM answers such a request with status 400, before it shares a batch.

    How to choose: for chains that vLLM does not have. vLLM's own temperature is faster, and on the device alone.
    """

    def __init__(self, vllm_config: Any, device_or_requests: Any, is_pin_memory: bool | None = None) -> None:
        self._requests: Any = device_or_requests if is_pin_memory is None else None
        self._rows: dict[int, _Request] = {}
        self._config = vllm_config  # which keeps its place in memory, and so its id
        self._idle = _second(self)

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuse a request that cannot be served as it is meant."""
        text = _asked(sampling_params)
        if text is None:
            return
        with while_doing("taking a request in vLLM", str(text)):
            sampler = as_request(text, _vocabulary(), seed=sampling_params.seed)
            for name, fine in OFF.items():
                value = getattr(sampling_params, name)
                if value not in fine:
                    raise InputError(
                        f"vLLM would apply {name}={value} behind the chain",
                        instead=f"set {name}={fine[0]}, and write {name} into the chain",
                        field=name,
                    )
            if needs_seed(sampler) and sampling_params.seed is None:
                raise InputError("the chain draws random numbers of its own", instead="set seed", field="seed")

    def is_argmax_invariant(self) -> bool:
        """No: it acts before vLLM's temperature, and for every request."""
        return False

    # The first interface: rows are named by their place in the batch, which changes are told of.

    def update_state(self, batch_update: Any) -> None:
        """Take in the requests that came, went and changed places, in vLLM's order."""
        if batch_update is None:
            return
        for index in batch_update.removed:
            self._rows.pop(index, None)
        for index, params, prompt, output in batch_update.added:
            self._put(index, params, output)
            if index in self._rows:
                self._rows[index].begin([*(prompt or ()), *output], len(prompt or ()))
        for one, other, how in batch_update.moved:
            moved, replaced = self._rows.pop(one, None), self._rows.pop(other, None)
            if moved is not None:
                self._rows[other] = moved
            if replaced is not None and how == MoveDirectionality.SWAP:
                self._rows[one] = replaced

    # The second interface: rows are named by the slot of their request.

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:
        """Begin the request in this slot; whether it has a chain."""
        self._put(req_idx, sampling_params)
        return req_idx in self._rows

    def apply(self, logits: Any, ctx: Any = None) -> Any:
        """The scores from which vLLM is to draw, written over the logits."""
        slots = range(logits.shape[0]) if ctx is None else ctx.idx_mapping_np.tolist()
        requests = [self._rows.get(slot) for slot in slots]
        if not any(requests):
            return logits
        if len(requests) != logits.shape[0]:
            raise InputError(
                "with speculative decoding, several rows belong to one request",
                doing="sampling in vLLM",
                instead="start vLLM without speculative_config, or send no heatbath argument",
            )
        if ctx is not None:
            requests = self._prefilled(requests, ctx)
        streams = [request.stream if request else None for request in requests]
        drawn = [request.drawn() if request else None for request in requests]
        return logits.copy_(rescore(streams, logits, drawn))

    def _put(self, index: int, params: Any, output: list[int] | None = None) -> None:
        self._rows.pop(index, None)
        if not self._idle and _asked(params) is not None:
            self._rows[index] = _Request(params, [] if output is None else output)

    def _prefilled(self, requests: "list[_Request | None]", ctx: Any) -> "list[_Request | None]":
        """The requests whose prompt has been read to its end, with the tokens that their chains look at.

        The second interface shows the rows of the others as well, and keeps all tokens on the device.
        """
        fed = None
        for place, request in enumerate(requests):
            slot, length = int(ctx.idx_mapping_np[place]), int(ctx.seq_lens_upper_bound_np[place])
            if request is None or length < self._requests.prefill_len.np[slot]:
                requests[place] = None
            elif request.stream is None:
                tokens = self._requests.all_token_ids.gpu[slot, :length].tolist() if listens(request.sampler) else ()
                request.begin(tokens, int(self._requests.prompt_len.np[slot]), length)
            elif listens(request.sampler):
                fed = ctx.input_ids.tolist() if fed is None else fed
                request.output.append(fed[place])  # what the model read last is what was drawn last
            else:
                request.output.append(UNKNOWN)
        return requests


def _asked(params: Any) -> Any:
    """The chain that a request names, as it wrote it; None where it names none."""
    return (params.extra_args or {}).get(KEY)


def _vocabulary() -> int | None:
    """How many tokens the model has whose request is being taken; None where it cannot be known.

    vLLM shows the parameters of the request alone, inside a call that has the configuration of the model at hand.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        size = getattr(frame.f_locals.get("model_config"), "get_vocab_size", None)
        if size is not None:
            return int(size())
    return None


class _Request:
    """A request that names a chain.

    Arguments:
        params: its sampling parameters.
        output: the tokens drawn for it; vLLM appends to the list.
    """

    def __init__(self, params: Any, output: list[int]) -> None:
        self.sampler = as_sampler(_asked(params))  # which was checked when vLLM took it
        self.output = output
        self.stream: Stream | None = None
        self._seed = params.seed
        self._due = 0

    def begin(self, tokens: Sequence[int], prompt: int, length: int | None = None) -> None:
        """Begin the stream behind these tokens, of which so many are the prompt."""
        if (len(tokens) if length is None else length) > prompt and remembers(self.sampler):
            log.warning(
                "vLLM resumed a request that it had interrupted: %s begins anew, with the tokens so far as its prompt",
                self.sampler,
            )
        self.stream = Stream(self.sampler, tokens, self._seed)
        self._due = len(self.output)

    def drawn(self) -> int | None:
        """The token drawn from the latest scores. Where there is none, they are taken back.

        vLLM asks for scores, and draws, also before a prompt has been read to its end, and throws those tokens away.
        """
        if self.stream is None:
            return None
        if len(self.output) < self._due:
            self.stream.rewind()
        else:
            self._due = len(self.output) + 1
        return self.output[-1] if self.output else None


_running: "weakref.WeakValueDictionary[int, HeatbathLogitsProcessor]" = weakref.WeakValueDictionary()


def _second(processor: HeatbathLogitsProcessor) -> bool:
    """Whether its engine has one already: vLLM makes one for the entry point, and one more where it is asked to."""
    return _running.setdefault(id(processor._config), processor) is not processor
