"""What released versions of vLLM and SGLang expect, written down, for machines on which they are not installed.

The names, parameters and defaults are those of vLLM 0.33.0 and SGLang 0.5.23 (`LogitsProcessor` of `vllm.v1.sample.
logits_processor.interface` and of `vllm.v1.worker.gpu.sample.logits_processor.interface`, `CustomLogitProcessor` of
`sglang.srt.sampling.custom_logit_processor`). Where the real ones can be imported, the tests run on them, and compare.
"""

import enum
import importlib
import inspect
import json
import pickle
import sys
import types
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, make_dataclass
from typing import Any

import pytest

VLLM, SGLANG = "0.33.0", "0.5.23"

FIRST = "vllm.v1.sample.logits_processor.interface"
SECOND = "vllm.v1.worker.gpu.sample.logits_processor.interface"
CUSTOM = "sglang.srt.sampling.custom_logit_processor"

METHODS = {
    FIRST: {
        "__init__": "(self, vllm_config, device, is_pin_memory)",
        "apply": "(self, logits)",
        "is_argmax_invariant": "(self)",
        "update_state": "(self, batch_update)",
        "validate_params": "(sampling_params)",
    },
    SECOND: {
        "__init__": "(self, vllm_config, req_states)",
        "add_request": "(self, req_idx, sampling_params)",
        "apply": "(self, logits, ctx)",
        "apply_staged_writes": "(self)",
        "validate_params": "(sampling_params)",
    },
    CUSTOM: {"__call__": "(self, logits, custom_param_list=None)", "from_str": "(json_str)", "to_str": "()"},
}
"""The methods of each class, with their parameters."""

ABSTRACT = {
    FIRST: {"__init__", "apply", "is_argmax_invariant", "update_state"},
    SECOND: {"apply"},
    CUSTOM: {"__call__"},
}

FIELDS = {
    "BatchUpdate": ("batch_size", "removed", "added", "moved"),
    "LogitsContext": (
        "expanded_idx_mapping",
        "idx_mapping",
        "idx_mapping_np",
        "expanded_local_pos",
        "input_ids",
        "pos",
        "seq_lens_upper_bound_np",
    ),
    "LogitsProcRequestState": (
        "device",
        "max_num_reqs",
        "vocab_size",
        "all_token_ids",
        "prompt_len",
        "prefill_len",
        "total_len",
    ),
}
"""The fields of the records that vLLM hands over."""


class FirstProcessor(ABC):
    @classmethod
    def validate_params(cls, sampling_params):
        return None

    @abstractmethod
    def __init__(self, vllm_config, device, is_pin_memory): ...

    @abstractmethod
    def apply(self, logits): ...

    @abstractmethod
    def is_argmax_invariant(self): ...

    @abstractmethod
    def update_state(self, batch_update): ...


class SecondProcessor(ABC):
    def __init__(self, vllm_config, req_states):
        return None

    @classmethod
    def validate_params(cls, sampling_params):
        return None

    def add_request(self, req_idx, sampling_params):
        return True

    def apply_staged_writes(self):
        return None

    @abstractmethod
    def apply(self, logits, ctx): ...


class CustomProcessor(ABC):
    @abstractmethod
    def __call__(self, logits, custom_param_list=None): ...

    @classmethod
    def to_str(cls):
        return json.dumps({"callable": pickle.dumps(cls).hex()})  # as dill does: by its name, where it can be imported

    @classmethod
    def from_str(cls, json_str):
        return pickle.loads(bytes.fromhex(json.loads(json_str)["callable"]))()


class MoveDirectionality(enum.Enum):
    UNIDIRECTIONAL = enum.auto()
    SWAP = enum.auto()


STANDING_IN = {
    FIRST: {
        "LogitsProcessor": FirstProcessor,
        "MoveDirectionality": MoveDirectionality,
        "BatchUpdate": make_dataclass("BatchUpdate", FIELDS["BatchUpdate"]),
    },
    SECOND: {
        "LogitsProcessor": SecondProcessor,
        **{name: make_dataclass(name, FIELDS[name]) for name in ("LogitsContext", "LogitsProcRequestState")},
    },
    CUSTOM: {"CustomLogitProcessor": CustomProcessor},
}


def connected(ours: str, *names: str) -> tuple[Any, ...]:
    """Our module, and the ones of these names that it is connected to.

    They are the real ones, or, where those are not installed, what is written down here, which nobody else gets to see.
    """
    try:
        theirs = [importlib.import_module(name) for name in names]
    except ImportError:
        theirs = [types.ModuleType(name) for name in names]
        for module in theirs:
            vars(module).update(STANDING_IN[module.__name__])
        parents = {name.rsplit(".", count)[0] for name in names for count in range(1, name.count(".") + 1)}
        added = {module.__name__: module for module in theirs}
        added |= {name: types.ModuleType(name) for name in parents if name not in added}
        with pytest.MonkeyPatch.context() as patch:
            for name, module in added.items():
                patch.setitem(sys.modules, name, module)
            sys.modules.pop(ours, None)  # what is left of an import that failed for want of them
            connected = importlib.import_module(ours)
        del sys.modules[ours]
        return connected, *theirs
    return importlib.import_module(ours), *theirs


def needs_real(module: Any, tool: str) -> None:
    """Skip where the module is one of ours that stands in: compared with what is written here, it cannot differ."""
    if module.__spec__ is None:
        pytest.skip(f"{tool} is not installed, and what stands in for it is made of the same table")


def parameters(cls: type, method: str) -> str:
    """The parameters of a method as :data:`METHODS` writes them, without types."""
    signature = inspect.signature(getattr(cls, method))
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))


@dataclass
class SamplingParams:
    """The part of vLLM's and SGLang's class of this name that matters here, with its defaults."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int | None = None
    extra_args: dict[str, Any] | None = None
    custom_params: dict[str, Any] | None = field(default=None)
