"""Seeing whether the processor waits for a device."""

from contextlib import contextmanager

import pytest

import heatbath as hb

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from torch.utils._python_dispatch import TorchDispatchMode

READS = {"_local_scalar_dense", "is_nonzero", "nonzero", "equal", "unique", "_unique2", "masked_select", "allclose"}
"""What makes a number of Python of a value, or an array whose size depends on values."""


class Waits(TorchDispatchMode):
    """Lists the operations for which a processor waits for its device: reads, and copies that are not told to go on."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.name().partition("::")[2].partition(".")[0]
        indexed = name == "index" and any(i is not None and i.dtype == torch.bool for i in args[1])
        moved = name == "_to_copy" and kwargs.get("device", args[0].device) != args[0].device
        copied = name == "copy_" and args[0].device != args[1].device
        going_on = kwargs.get("non_blocking", copied and len(args) > 2 and args[2])
        if name in READS or indexed or ((moved or copied) and not going_on):
            self.found.append(name)
        return func(*args, **kwargs)


@contextmanager
def no_waiting():
    """On the device "meta", whose tensors have no values, every read fails; here every copy that waits does, too."""
    with Waits() as seen:
        yield
    if seen.found:
        raise AssertionError(f"waited for: {seen.found}")


def on_the_device(sampler, scores, steps=3, **named):
    """A few decisions on tensors without values, nothing of which may be waited for."""
    logits = torch.as_tensor(scores).to("meta")
    state = sampler.init()
    for _ in range(steps):
        with no_waiting():
            choice, state, _ = sampler.step(state, logits, seed=7, **named)
        assert choice.device.type == "meta"
    return choice, state


def unchecked(sampler, scores, steps=1, state=None, seed=7, **named):
    """A few decisions on the processor by the way that tensors on a device go."""
    state = sampler.init() if state is None else state
    choices = []
    for _ in range(steps):
        with hb.core.checks(now=False), Waits() as seen:
            choice, state, _ = sampler.step(state, torch.as_tensor(scores), seed=seed, **named)
        assert seen.found == []
        choices.append(choice)
    return torch.stack(choices, -1), state
