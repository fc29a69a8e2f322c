"""heatbath in SGLang: a custom logit processor, a chain per request.

Start the server with ``--enable-custom-logit-processor``, on a machine where heatbath is installed. A request names the
processor and its chain, and leaves SGLang's own sampling settings alone::

    {"text": "Once upon a time",
     "custom_logit_processor": HeatbathLogitProcessor.to_str(),
     "sampling_params": {"temperature": 1.0, "custom_params": {"heatbath": "temperature(0.7) -> min_p(0.05)"}}}
"""

import logging
from http import HTTPStatus
from typing import Any

from heatbath.errors import InputError, while_doing
from heatbath.integrations.extra import needs
from heatbath.integrations.streams import Stream, as_request, needs_seed, rescore
from heatbath.made import show
from heatbath.sampling import Sampler

with needs("SGLang", "sglang>=0.5.23"):
    from sglang.srt.sampling.custom_logit_processor import CustomLogitProcessor

__all__ = ["HeatbathLogitProcessor", "params"]

CHAIN, SEED, STATE, REQUEST = "heatbath", "heatbath_seed", "__heatbath__", "__req__"
"""Keys of ``custom_params``: the chain and its seed, as the request gives them; what is remembered of it, as long as
the request lives; and the request itself, which SGLang adds."""

OFF = {"temperature": (1.0,), "top_k": (-1, 1 << 30), "top_p": (1.0,), "min_p": (0.0,)}
"""SGLang's sampling settings, at the values at which they do nothing."""


log = logging.getLogger("heatbath")


def params(chain: Any, *, seed: int | None = None, vocabulary: int | None = None) -> dict[str, Any]:
    """The ``sampling_params`` of a request that samples by the chain alone.

    Arguments:
        chain: the text form of a chain, or a number for T.
        seed: for a chain that draws random numbers of its own.
        vocabulary: how many tokens the model has, so that one that it has not is refused here.

    Raises:
        InputError: the chain does not parse, has parameters for several rows, names a token that the model has not, or
            looks at the text, which SGLang does not show; it draws random numbers of its own, and there is no seed.

    How to choose: always. A server brings the model's own ``temperature`` and ``top_k`` to requests that leave them
    out, and they would act behind the chain.
    """
    _check_seed(as_request(chain, vocabulary, seed=seed), seed)
    own = {CHAIN: chain} if seed is None else {CHAIN: chain, SEED: seed}
    return {"temperature": 1.0, "top_k": -1, "top_p": 1.0, "min_p": 0.0, "custom_params": own}


class HeatbathLogitProcessor(CustomLogitProcessor):  # type: ignore[misc]  # untyped
    """Applies the chain of each request; SGLang draws. Sent with a request as ``HeatbathLogitProcessor.to_str()``.

    What is sent is the name of this class, not its code, so heatbath must be installed where the server runs.

    A request that cannot be served ends by itself, with status 400 and what is wrong, and the others go on: a chain
    that :func:`params` would have refused; ``temperature``, ``top_k``, ``top_p`` or ``min_p`` that would act behind the
    chain; a chain that looks back or learns, while the server runs a step ahead of its tokens.

    Raises:
        InputError: with speculative decoding, where rows are not requests.

    How to choose: for chains that SGLang does not have.
    """

    def __call__(self, logits: Any, custom_param_list: list[dict[str, Any]] | None = None) -> Any:
        """The scores from which SGLang is to draw, ``(B, V)``."""
        if not custom_param_list:
            return logits
        with while_doing("sampling in SGLang"):
            known = [id(own) for own in custom_param_list if own and CHAIN in own]
            if len(set(known)) < len(known):
                raise InputError(
                    "with speculative decoding, several rows belong to one request",
                    instead="start the server without a speculative algorithm, or send no heatbath parameter",
                )
            streams, drawn = zip(*(_served(own, logits.shape[-1]) for own in custom_param_list), strict=True)
            return rescore(streams, logits, drawn)


class _Request:
    """A request that names a chain, from its first token on.

    Arguments:
        own: its ``custom_params``.
        vocabulary: how many tokens the model has.
    """

    def __init__(self, own: dict[str, Any], vocabulary: int) -> None:
        request, sampler = own[REQUEST], as_request(own[CHAIN], vocabulary, seed=own.get(SEED))
        _check_seed(sampler, own.get(SEED))
        for name, fine in OFF.items():
            if (value := getattr(request.sampling_params, name)) not in fine:
                raise InputError(
                    f"SGLang would apply {name}={value} behind the chain",
                    on=str(own[CHAIN]),
                    instead="make sampling_params with heatbath.integrations.sglang.params",
                    field=name,
                )
        self.stream = Stream(sampler, [*request.origin_input_ids, *request.output_ids], own.get(SEED))
        self._output = request.output_ids
        self._due = len(self._output)

    def drawn(self) -> int | None:
        """The token drawn from the latest scores; None where the chain has no use for it."""
        if not self.stream.waits:
            self._due = len(self._output) + 1
            return None
        if len(self._output) < self._due:
            raise InputError(
                f"{self.stream.sampler} must be told each token, and the server runs a step ahead of them",
                instead="start the server with --disable-overlap-schedule, or use a chain that neither looks back nor "
                "learns",
            )
        self._due += 1
        return int(self._output[-1])


def _served(own: dict[str, Any] | None, vocabulary: int) -> tuple[Stream | None, int | None]:
    """The stream of a row and the token drawn for it last; None where the row is to be left as it is."""
    if not own or CHAIN not in own:
        return None, None
    try:
        with while_doing("taking a request in SGLang", show(own[CHAIN])):
            request = _request(own, vocabulary)
            return (request.stream, request.drawn()) if request else (None, None)
    except InputError as error:
        _end(own[REQUEST], error)
        return None, None


def _end(request: Any, error: InputError) -> None:
    """Let SGLang end this one request with the error; one that left the processor would end the server's batch."""
    from sglang.srt.managers.schedule_batch import FINISH_ABORT  # only a server has it

    log.error("SGLang ends a request: %s", error)
    request.to_finish = FINISH_ABORT(str(error), HTTPStatus.BAD_REQUEST, "BadRequestError")


def _request(own: dict[str, Any], vocabulary: int) -> _Request | None:
    """The request of a row; None where its prompt is not read to the end yet."""
    read, prompt = own[REQUEST].extend_end, own[REQUEST].origin_input_ids
    if read is not None and read < len(prompt):
        return None  # a token is drawn here as well, and thrown away
    if STATE not in own:
        own[STATE] = _Request(own, vocabulary)
    return own[STATE]  # type: ignore[no-any-return]


def _check_seed(sampler: Sampler, seed: Any) -> None:
    if needs_seed(sampler) and seed is None:
        raise InputError(
            "the chain draws random numbers of its own",
            on=str(sampler),
            instead="give a seed, as in params(chain, seed=7)",
            field="seed",
        )
