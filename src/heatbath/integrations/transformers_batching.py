"""heatbath in the continuous batching of `transformers`: a chain per request, whose rows come and go.

::

    manager = model.init_continuous_batching(generation_config=GenerationConfig(**batch_settings(), max_new_tokens=40))
    attach(manager, "temperature(0.7) -> min_p(0.05)")
    manager.start()
    manager.add_request(ids)
    manager.add_request(ids, heatbath="temperature(1.2) -> top_p(0.9)")  # a chain of its own
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from heatbath.errors import InputError, while_doing
from heatbath.integrations.extra import needs
from heatbath.integrations.streams import NO_TEXT, Stream, as_request, as_sampler, needs_seed, rescore
from heatbath.integrations.transformers_call import OFF, active, listed
from heatbath.made import show
from heatbath.sampling.alone import check_one_row

with needs("transformers", "transformers>=5.23"):
    import torch
    from transformers.generation.continuous_batching.cb_logits_processors import ContinuousBatchingLogitsProcessor

__all__ = ["attach", "batch_settings"]

CHAIN, SEED = "heatbath", "heatbath_seed"
"""What a request may be added with."""


def batch_settings() -> dict[str, Any]:
    """The arguments of ``GenerationConfig`` with which continuous batching samples by chains alone.

    How to choose: always, with :func:`attach`.
    """
    return {"do_sample": True, **OFF}


def attach(manager: Any, chain: Any) -> None:
    """Let a manager of continuous batching, before it is started, sample by a chain.

    The manager draws. Each request has a state of its own, which learns from the tokens drawn for it. A request added
    with ``heatbath="..."`` has that chain instead, and one with ``heatbath_seed=7`` that seed for a chain that draws
    random numbers of its own. ``manager.add_request`` then refuses, with an InputError, a chain that does not parse or
    that cannot serve one text of this model; behind it, an error would end the whole batch.

    Arguments:
        manager: from ``model.init_continuous_batching(...)``. ``generate_batch`` and ``generate(cache_implementation=
            "paged")`` make managers of their own, and take neither processors nor ``custom_generate``; they cannot be
            reached.
        chain: a sampler, its text form, or whatever :func:`heatbath.temperature` takes.

    Raises:
        InputError: the chain does not parse, has parameters for several rows, names a token that the model has not, or
            looks at the text; the manager does not sample, or applies settings of its own; it is started; it runs
            ahead of its tokens (``use_async_batching``), or by a recording (``use_cuda_graph``, compilation), where no
            Python can act.

    How to choose: for a server in Python that transformers itself runs. With fixed batches take
    :class:`heatbath.integrations.transformers.HeatbathGenerate`, which draws as well.
    """
    sampler = as_sampler(chain)
    config, batching = manager.generation_config, manager.continuous_batching_config
    recorded = any(batching.cuda_graph_booleans) or batching.varlen_compile_config or batching.decode_compile_config
    settings = active(config)
    for wrong, why, instead in (
        (manager.is_running(), "the manager is started", "attach the chain before manager.start()"),
        (
            not config.do_sample,
            "it takes the likeliest token",
            "make it with GenerationConfig(**batch_settings(), ...)",
        ),
        (
            settings,
            f"it also applies {listed(settings)}, before the chain",
            "make it with GenerationConfig(**batch_settings(), ...)",
        ),
        (
            batching.use_async_batching or recorded,
            "it prepares tokens before the last ones are known",
            "make it with ContinuousBatchingConfig(use_async_batching=False, use_cuda_graph=False), uncompiled",
        ),
    ):
        if wrong:
            raise InputError(why, doing="attaching to continuous batching", on=str(sampler), instead=instead)
    vocabulary = manager.model.config.get_text_config().vocab_size
    with while_doing("attaching to continuous batching", sampler):
        check_one_row(sampler, vocabulary, instead=NO_TEXT)
    manager.add_request = _checking(manager.add_request, vocabulary)
    processors = manager.logit_processor
    processors.logits_processor.append(_Processor(sampler))
    processors.tensors_required += 1
    processors.do_processing = True
    processors._retrieve_processors_kwargs()


def _checking(add_request: Callable[..., Any], vocabulary: int) -> Callable[..., Any]:
    """What adds a request, behind a check of its chain: an error of the batch itself ends every request in it."""

    @wraps(add_request)
    def checked(*arguments: Any, **named: Any) -> Any:
        if CHAIN in named or SEED in named:
            with while_doing("adding a request to continuous batching", show(named.get(CHAIN, ""))):
                as_request(named.get(CHAIN, 1.0), vocabulary, seed=named.get(SEED))
        return add_request(*arguments, **named)

    return checked


class _Processor(ContinuousBatchingLogitsProcessor):  # type: ignore[misc]  # untyped
    """Told of the requests of a batch on the host, then shown their scores."""

    supported_kwargs = {CHAIN: str, SEED: int}  # noqa: RUF012  the interface's own form
    ignored_kwargs = ()

    def __init__(self, sampler: Any) -> None:
        self._sampler = sampler
        self._batch: list[Any] = []

    def __repr__(self) -> str:
        return f"heatbath({self._sampler})"

    def fill_defaults(self, int32_tensor: Any) -> None:
        int32_tensor.fill_(0)

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> Any:
        self._batch = [request.state for request in requests_with_new_token]
        return torch.zeros(len(self._batch), dtype=torch.int32)

    def __call__(self, scores: Any, tensor_arg: Any) -> Any:  # noqa: ARG002  what it needs to know is no tensor
        beyond = [None] * (scores.shape[0] - len(self._batch))  # rows that nobody reads, behind those of the requests
        streams = [self._stream(request) for request in self._batch]
        drawn = [request.generated_tokens[-1] if request.generated_tokens else None for request in self._batch]
        return rescore([*streams, *beyond], scores, [*drawn, *beyond])

    def _stream(self, request: Any) -> Stream:
        """The stream of a request, kept with it."""
        if not hasattr(request, "heatbath_stream"):
            given = request.logit_processor_kwargs
            sampler = as_sampler(given[CHAIN]) if CHAIN in given else self._sampler
            seed = given.get(SEED)
            if needs_seed(sampler) and seed is None:
                seed = int(torch.randint(2**62, ()))
            request.heatbath_stream = Stream(sampler, [*request.initial_tokens, *request.generated_tokens], seed)
        return request.heatbath_stream  # type: ignore[no-any-return]
