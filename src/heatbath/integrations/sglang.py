"""heatbath in SGLang: a custom logit processor, a chain per request.

Start the server with ``--enable-custom-logit-processor``, on a machine where heatbath is installed. A request names the
processor and its chain, and leaves SGLang's own sampling settings alone::

    {"text": "Once upon a time",
     "custom_logit_processor": HeatbathLogitProcessor.to_str(),
     "sampling_params": {"temperature": 1.0, "custom_params": {"heatbath": "temperature(0.7) -> min_p(0.05)"}}}
"""

from typing import Any

from heatbath.errors import InputError, while_doing
from heatbath.integrations.extra import needs
from heatbath.integrations.streams import Stream, as_request, needs_seed, rescore
from heatbath.sampling import Sampler

with needs("SGLang", "sglang>=0.5.23"):
    from sglang.srt.sampling.custom_logit_processor import CustomLogitProcessor

__all__ = ["HeatbathLogitProcessor", "params"]

CHAIN, SEED, STATE, REQUEST = "heatbath", "heatbath_seed", "__heatbath__", "__req__"
"""Keys of ``custom_params``: the chain and its seed, as the request gives them; what is remembered of it, as long as
the request lives; and the request itself, which SGLang adds."""

OFF = {"temperature": (1.0,), "top_k": (-1, 1 << 30), "top_p": (1.0,), "min_p": (0.0,)}
"""SGLang's sampling settings, at the values at which they do nothing."""


def params(chain: Any, *, seed: int | None = None) -> dict[str, Any]:
    """The ``sampling_params`` of a request that samples by the chain alone.

    Arguments:
        chain: the text form of a chain, or a number for T.
        seed: for a chain that draws random numbers of its own.

    Raises:
        InputError: the chain does not parse; it draws random numbers of its own, and there is no seed.

    How to choose: always. A server brings the model's own ``temperature`` and ``top_k`` to requests that leave them
    out, and they would act behind the chain.
    """
    _check_seed(as_request(chain), seed)
    own = {CHAIN: chain} if seed is None else {CHAIN: chain, SEED: seed}
    return {"temperature": 1.0, "top_k": -1, "top_p": 1.0, "min_p": 0.0, "custom_params": own}


class HeatbathLogitProcessor(CustomLogitProcessor):  # type: ignore[misc]  # untyped
    """Applies the chain of each request; SGLang draws. Sent with a request as ``HeatbathLogitProcessor.to_str()``.

    What is sent is the name of this class, not its code, so heatbath must be installed where the server runs.

    Raises:
        InputError: a chain that does not parse; a request whose ``temperature``, ``top_k``, ``top_p`` or ``min_p``
            would act behind the chain; a chain that looks back or learns, while the server runs a step ahead of its
            tokens. The error ends the server's batch, so let :func:`params` check before the request is sent.

    How to choose: for chains that SGLang does not have.
    """

    def __call__(self, logits: Any, custom_param_list: list[dict[str, Any]] | None = None) -> Any:
        """The scores from which SGLang is to draw, ``(B, V)``."""
        if not custom_param_list:
            return logits
        with while_doing("sampling in SGLang"):
            requests = [_request(own) for own in custom_param_list]
            known = [id(request) for request in requests if request]
            if len(set(known)) < len(known):
                raise InputError(
                    "with speculative decoding, several rows belong to one request",
                    instead="start the server without a speculative algorithm, or send no heatbath parameter",
                )
            drawn = [request.drawn() if request else None for request in requests]
            return rescore([request.stream if request else None for request in requests], logits, drawn)


class _Request:
    """A request that names a chain, from its first token on.

    Arguments:
        own: its ``custom_params``.
    """

    def __init__(self, own: dict[str, Any]) -> None:
        request, sampler = own[REQUEST], as_request(own[CHAIN])
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


def _request(own: dict[str, Any] | None) -> _Request | None:
    """The request of a row; None where it names no chain, or its prompt is not read to the end yet."""
    if not own or CHAIN not in own:
        return None
    read, prompt = own[REQUEST].extend_end, own[REQUEST].origin_input_ids
    if read is not None and read < len(prompt):
        return None  # a token is drawn here as well, and thrown away
    if STATE not in own:
        own[STATE] = _Request(own)
    return own[STATE]  # type: ignore[no-any-return]


def _check_seed(sampler: Sampler, seed: Any) -> None:
    if needs_seed(sampler) and seed is None:
        raise InputError(
            "the chain draws random numbers of its own",
            on=str(sampler),
            instead="give a seed, as in params(chain, seed=7)",
            field="seed",
        )
