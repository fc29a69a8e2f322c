"""What a call of ``generate`` in transformers asks for: its sampling settings, its way of decoding, and what it hides.

Processors and decoding methods are shown tokens and scores alone. What acts on them besides, or makes them of no
effect, is read here.
"""

import sys
import warnings
from types import FrameType
from typing import Any

from heatbath.errors import InputError
from heatbath.integrations.extra import needs
from heatbath.sampling import Sampler

with needs("transformers", "heatbath[transformers]"):
    import torch
    from transformers import GenerationConfig
    from transformers.generation import logits_process
    from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled
    from transformers.integrations.fsdp import is_fsdp_managed_module


class SettingsWarning(UserWarning):
    """A setting of ``generate`` that makes another one of no effect, or acts a second time."""


OFF: dict[str, Any] = {
    "temperature": 1.0,
    "top_h": None,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": None,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
}
"""The sampling settings of ``generate``, each at the value at which it does nothing."""

WARPERS: dict[str, type] = {
    "temperature": logits_process.TemperatureLogitsWarper,
    "top_h": logits_process.TopHLogitsWarper,
    "top_k": logits_process.TopKLogitsWarper,
    "top_p": logits_process.TopPLogitsWarper,
    "min_p": logits_process.MinPLogitsWarper,
    "typical_p": logits_process.TypicalLogitsWarper,
    "epsilon_cutoff": logits_process.EpsilonLogitsWarper,
    "eta_cutoff": logits_process.EtaLogitsWarper,
}
"""What ``generate`` makes of each of them when it samples."""

UNASKED = {"top_k": 50}
"""What ``generate`` sets though nobody asked for it."""


def active(config: Any) -> dict[str, Any]:
    """The sampling settings that generate() acts on when it samples."""
    values = {name: getattr(config, name, off) for name, off in OFF.items()}
    return {
        name: value
        for name, value in values.items()
        if value is not None and value != OFF[name] and not (name in ("top_p", "typical_p") and value >= 1)
    }


def listed(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def check_draws(config: Any, assistant: Any, sampler: Sampler) -> None:
    """Refuse, or warn of, what a generate() call does to the scores of a processor."""
    if config is None:
        return  # called by something else, which is no mistake
    check_mode(config, assistant)
    if not config.do_sample:
        if sampler.draw.made is None or sampler.draw.made.name != "greedy":
            _warn(
                f"{sampler} decides nothing: do_sample is False, so that generate() takes the likeliest token at every "
                "step. Write model.generate(..., **settings(chain))"
            )
    elif again := active(config):
        _warn(
            f"generate() also applies {listed(again)}, behind {sampler}. Write "
            "model.generate(..., **settings(chain)), which turns that off"
        )


def warn_unused(config: Any, usual: Any, sampler: Sampler) -> None:
    """Warn of what somebody asked for; the model's usual settings nobody did."""
    asked = {
        name: value
        for name, value in active(config).items()
        if value not in (UNASKED.get(name), getattr(usual, name, None))
    }
    if asked:
        _warn(f"{listed(asked)} is not used: {sampler} decides. Leave it out, or write it into the chain")


def _warn(text: str) -> None:
    """Warn whoever called ``generate``."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in (
        "heatbath",
        "transformers",
        "torch",
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, SettingsWarning, stacklevel=level)


def check_mode(config: Any, assistant: Any) -> None:
    beams = config.num_beams or 1
    mode = str(config.get_generation_mode(assistant).value)
    if mode not in ("sample", "greedy_search"):
        raise InputError(
            f"generate() decodes by {mode.replace('_', ' ')}, in which no token is drawn from the chain",
            on=f"num_beams={beams}" if beams > 1 else "",
            instead="leave num_beams, assistant_model, prompt_lookup_num_tokens and the like out",
        )


def without_warpers(processors: Any, config: Any) -> list[Any]:
    """The processors without those that generate() made of its sampling settings; it puts these last."""
    left = list(processors)
    for name in active(config) if config.do_sample else ():
        made = [place for place, processor in enumerate(left) if type(processor) is WARPERS[name]]
        if made:
            del left[made[-1]]
    return left


def on_several_gpus(model: Any) -> bool:
    """Whether every process must go on until the last one is done, as generate() decides it."""
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    alone = not several or torch.distributed.get_world_size() == 1
    return not alone and bool(is_deepspeed_zero3_enabled() or is_fsdp_managed_module(model))


def generating() -> tuple[Any, Any]:
    """The configuration and the assistant model of the generate() call inside which this runs, None without.

    A processor is shown tokens and scores alone. To warn of a setting that makes it of no effect, this looks where the
    call keeps it. Nothing but warnings and refusals depends on it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        config = frame.f_locals.get("generation_config")
        if isinstance(config, GenerationConfig):
            return config, frame.f_locals.get("assistant_model")
        frame = frame.f_back
    return None, None


def kept_back(frame: Any) -> dict[str, Any]:
    """What generate() was given and does not hand on to a decoding method that is a callable.

    transformers 5 drops these three silently (a streamer would never end, processes would wait for each other), so they
    are read from the call itself.
    """
    if frame is None or frame.f_code.co_name != "generate":
        return {}
    return {name: frame.f_locals.get(name) for name in ("streamer", "synced_gpus", "assistant_model")}
