"""heatbath in `transformers`: temperature, truncation and, if wanted, the draw of ``generate``.

What a plain user writes::

    from heatbath.integrations.transformers import HeatbathGenerate

    model.generate(**inputs, custom_generate=HeatbathGenerate("temperature(0.7) -> min_p(0.05)", seed=7))

There, heatbath also draws: one seed per row, whose tokens do not depend on the rows beside it. Where ``generate``
itself is to draw (:class:`HeatbathProcessor`), :func:`settings` turns off what would act behind the chain.
"""

import inspect
from collections.abc import Sequence
from copy import copy
from typing import Any

from heatbath.errors import while_doing
from heatbath.integrations.extra import needs
from heatbath.integrations.streams import Stream, as_sampler, listens, needs_seed, only, rescore
from heatbath.integrations.transformers_call import (
    OFF,
    SettingsWarning,
    check_draws,
    check_mode,
    generating,
    kept_back,
    on_several_gpus,
    warn_unused,
    without_warpers,
)
from heatbath.sampling import Sampler
from heatbath.sampling.alone import TEXT_ONLY, knowing
from heatbath.sampling.random import as_seeds
from heatbath.types import NOTHING

with needs("transformers", "heatbath[transformers]"):
    import torch
    from transformers import LogitsProcessor, LogitsProcessorList

__all__ = ["HeatbathGenerate", "HeatbathProcessor", "SettingsWarning", "settings"]


def settings(chain: Any, *, seed: Any = None, pad_token: int | None = None, tokenizer: Any = None) -> dict[str, Any]:
    """The keyword arguments of ``generate`` with which it samples by the chain alone.

    They set ``do_sample``, ``num_beams`` and every sampling setting of ``generate``, so that Python itself refuses a
    call that sets one of them again, and a model's own defaults do not act behind the chain.

    Arguments:
        chain: like the other arguments, as for :class:`HeatbathProcessor`.
        seed: one number, or one per row.
        pad_token: the token that pads prompts on the left.
        tokenizer: for chains that look at the text.

    Returns:
        the arguments, with a processor that belongs to one ``generate`` call at a time.

    >>> from heatbath.integrations.transformers import settings
    >>> settings("temperature(0.7) -> min_p(0.05)")["logits_processor"]
    [HeatbathProcessor(temperature(0.7) -> min_p(0.05) -> categorical())]

    How to choose: :class:`HeatbathGenerate` unless ``generate`` itself must draw, as where another tool calls it and
    lets you set arguments alone. Both take the compiled kernel where that serves; drawing by it as well costs less than
    handing over scores, from which ``generate`` then draws with a softmax over all of them.
    """
    processor = HeatbathProcessor(chain, seed=seed, pad_token=pad_token, tokenizer=tokenizer)
    return {"do_sample": True, "num_beams": 1, **OFF, "logits_processor": LogitsProcessorList([processor])}


class HeatbathProcessor(LogitsProcessor):  # type: ignore[misc]  # untyped
    """A logits processor that applies a chain; ``generate`` draws.

    Each row has a state of its own. It begins anew where a call does not go on from the one before by one token per
    row, as at the next ``generate``. Chains that look back or learn see the tokens that were drawn, also those that
    other processors force.

    Arguments:
        chain: a sampler, its text form, or whatever :func:`heatbath.temperature` takes.
        seed: for chains with a step that draws, such as :func:`heatbath.sampling.xtc`: one for all, row i using
            ``seed + i``, or one per row. None: drawn from PyTorch's generator when a stream begins.
        pad_token: the token that pads prompts on the left; penalties then do not count it.
        tokenizer: where given, the chain is told the text so far, ``context["text"]``.

    Raises:
        InputError: the chain does not parse; in ``generate``, beam search, which keeps the likeliest texts and draws
            none.

    Warns:
        SettingsWarning: ``generate`` does not sample, or applies settings of its own behind the chain.

    >>> import torch
    >>> from heatbath.integrations.transformers import HeatbathProcessor
    >>> processor = HeatbathProcessor("top_k(2) -> temperature(0.5)")
    >>> processor(torch.tensor([[4, 5]]), torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[-inf, -2.,  0.]])

    How to choose: through :func:`settings`, which turns off what would act a second time.
    """

    supports_continuous_batching = False  # its rows change between calls, and it is not told whose they are

    def __init__(self, chain: Any, *, seed: Any = None, pad_token: int | None = None, tokenizer: Any = None) -> None:
        self.sampler = as_sampler(chain)
        self._seed, self._pad, self._tokenizer = seed, pad_token, tokenizer
        self._streams: list[Stream] = []
        self._seen: Any = None

    def __repr__(self) -> str:
        return f"HeatbathProcessor({self.sampler})"

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        with while_doing("generating with transformers", self.sampler), _knowing(self._tokenizer):
            if not self._goes_on(input_ids):
                check_draws(*generating(), self.sampler)
                self._begin(input_ids)
            self._seen = input_ids
            tell = listens(self.sampler)
            drawn = input_ids[:, -1].tolist() if tell else [None] * len(self._streams)
            return rescore(self._streams, scores, drawn, _context(self._tokenizer, input_ids))

    def _goes_on(self, input_ids: Any) -> bool:
        seen = self._seen
        return seen is not None and seen.shape == input_ids[:, :-1].shape and torch.equal(seen, input_ids[:, :-1])

    def _begin(self, input_ids: Any) -> None:
        prompts = [_unpadded(row, self._pad) for row in input_ids.tolist()]
        seeds = _seeds(self._seed, len(prompts)) if needs_seed(self.sampler) else [None] * len(prompts)
        self._streams = [Stream(self.sampler, ids, seed) for ids, seed in zip(prompts, seeds, strict=True)]


class HeatbathGenerate:
    """A decoding method for ``generate(custom_generate=...)``: the chain tempers and truncates, and heatbath draws.

    ``do_sample`` and the sampling settings of ``generate`` have no part in it. All else is ``generate``'s own loop:
    processors (before the chain), stopping criteria, streamers, caches, ``return_dict_in_generate`` (its ``scores`` are
    those drawn from), several GPUs. Each call begins new streams, so one object serves many. With
    ``cache_implementation="paged"`` transformers drops ``custom_generate`` without a word, and this is never called:
    :func:`heatbath.integrations.transformers_batching.attach` is for that.

    Arguments:
        chain: a sampler, its text form, or whatever :func:`heatbath.temperature` takes.
        seed: one number, row i using ``seed + i``, or one per row (``num_return_sequences`` included). With one seed
            and the same scores a row draws the same tokens, whatever shares its batch. None: drawn from PyTorch's
            generator at each call, so that ``torch.manual_seed`` decides.
        tokenizer: where given, the chain is told the text so far, ``context["text"]``.

    Raises:
        InputError: the chain does not parse; in ``generate``, beam search, an assistant model, or another way of
            decoding that draws no tokens from the chain.

    Warns:
        SettingsWarning: a sampling setting of the call is not used. (The model's own defaults have no part either, but
            that is no mistake of the caller.)

    >>> import torch
    >>> from transformers import GPT2Config, GPT2LMHeadModel
    >>> from heatbath.integrations.transformers import HeatbathGenerate
    >>> model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=32, n_embd=8, n_layer=1, n_head=1)).eval()
    >>> draws = HeatbathGenerate("temperature(0.7) -> top_k(1)", seed=7)
    >>> model.generate(torch.tensor([[1, 2]]), custom_generate=draws, max_new_tokens=3, eos_token_id=None).shape
    torch.Size([1, 5])

    How to choose: for a temperature that is applied, and once, and for tokens that can be drawn again.
    """

    def __init__(self, chain: Any, *, seed: Any = None, tokenizer: Any = None) -> None:
        self.sampler = as_sampler(chain)
        self._seed, self._tokenizer = seed, tokenizer

    def __repr__(self) -> str:
        return f"HeatbathGenerate({self.sampler})"

    def __call__(
        self,
        model: Any,
        input_ids: Any,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        synced_gpus: bool | None = None,
        streamer: Any = None,
        **model_kwargs: Any,
    ) -> Any:
        """Decode, as ``generate`` asks its decoding methods to; not for calling by hand."""
        caller = inspect.currentframe()
        given = kept_back(caller.f_back if caller else None)
        with while_doing("generating with transformers", self.sampler), _knowing(self._tokenizer):
            check_mode(generation_config, given.get("assistant_model"))
            warn_unused(generation_config, model.generation_config, self.sampler)
            draws = _Draws(
                self.sampler,
                _prompts(input_ids, model, model_kwargs),
                _seeds(self._seed, input_ids.shape[0]),
                self._tokenizer,
                record=bool(generation_config.return_dict_in_generate and generation_config.output_scores),
            )
            if synced_gpus is None:
                synced_gpus = given.get("synced_gpus")
            config = copy(generation_config)
            config.do_sample = False  # the loop takes the likeliest, and only the drawn token is left to it
            result = type(model)._sample(
                model,
                input_ids,
                logits_processor=LogitsProcessorList([*without_warpers(logits_processor, generation_config), draws]),
                stopping_criteria=stopping_criteria,
                generation_config=config,
                synced_gpus=on_several_gpus(model) if synced_gpus is None else synced_gpus,
                streamer=given.get("streamer") if streamer is None else streamer,
                **model_kwargs,
            )
        if draws.record:
            result.scores = tuple(draws.scores[: len(result.scores)])
        return result


class _Draws(LogitsProcessor):  # type: ignore[misc]  # untyped
    """Draws, and leaves the loop the drawn token alone."""

    def __init__(
        self, sampler: Sampler, prompts: Sequence[Sequence[int]], seeds: Sequence[int], tokenizer: Any, *, record: bool
    ) -> None:
        self._sampler, self._seeds, self._tokenizer = sampler, seeds, tokenizer
        self._state = sampler.init(prompts)
        self.record = record
        self.scores: list[Any] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        context = _context(self._tokenizer, input_ids)
        if self.record:
            self.scores.append(self._sampler.scores(self._state, scores, seed=self._seeds, context=context).scores)
        choice, self._state, _ = self._sampler.step(self._state, scores, seed=self._seeds, context=context)
        return only(scores, choice)


def _seeds(seed: Any, rows: int) -> list[int]:
    """One seed per row."""
    if seed is None:
        return [int(number) for number in torch.randint(2**62, (rows,))]
    return [int(number) for number in as_seeds(seed, rows)]


def _unpadded(row: list[int], pad: int | None) -> list[int]:
    start = next((place for place, token in enumerate(row) if token != pad), len(row))
    return row[start:]


def _prompts(input_ids: Any, model: Any, model_kwargs: dict[str, Any]) -> list[list[int]]:
    """The tokens of each row, without the padding that the attention mask shows."""
    mask = model_kwargs.get("decoder_attention_mask" if model.config.is_encoder_decoder else "attention_mask")
    if mask is None or mask.shape != input_ids.shape:
        return input_ids.tolist()  # type: ignore[no-any-return]
    rows = zip(input_ids.tolist(), mask.tolist(), strict=True)
    return [[token for token, shown in zip(*row, strict=True) if shown] for row in rows]


def _context(tokenizer: Any, input_ids: Any) -> Any:
    if tokenizer is None:
        return NOTHING
    return {"text": [tokenizer.decode(row, skip_special_tokens=True) for row in input_ids.tolist()]}


def _knowing(tokenizer: Any) -> knowing:
    if tokenizer is not None:
        return knowing(TEXT_ONLY)
    return knowing("without a tokenizer no text is known: give tokenizer=tokenizer along with the chain")
