"""The shipped weights as a model of transformers: the network is Qwen3's, with weights of 1 where it has none."""

from typing import Any

import onnx
import torch
from onnx import numpy_helper
from transformers import Qwen3Config, Qwen3ForCausalLM

from training.config import CONFIG, SHIPPED, Config
from training.model import BASE, EPSILON


def load(config: Config = CONFIG) -> Any:
    """The shipped model in transformers, ready to generate."""
    stored = onnx.load(SHIPPED / "model.onnx").graph.initializer
    weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).astype("float32")) for tensor in stored}
    head = config.width // config.heads
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=config.vocabulary,
            hidden_size=config.width,
            intermediate_size=config.hidden,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.heads,
            head_dim=head,
            max_position_embeddings=config.context,
            rms_norm_eps=EPSILON,
            rope_parameters={"rope_type": "default", "rope_theta": BASE},
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=0,
        )
    )
    state = {"model.embed_tokens.weight": weights["embedding"], "model.norm.weight": weights["norm"]}
    state["lm_head.weight"] = weights["embedding"]
    for layer in range(config.layers):
        here, there = f"{layer}.", f"model.layers.{layer}."
        qkv = weights[here + "qkv"].T.split(config.width)
        gate, up = weights[here + "gate_up"].T.split(config.hidden)
        for name, weight in zip("qkv", qkv, strict=True):
            state[f"{there}self_attn.{name}_proj.weight"] = weight
        state[there + "self_attn.o_proj.weight"] = weights[here + "o"].T
        state[there + "self_attn.q_norm.weight"] = state[there + "self_attn.k_norm.weight"] = torch.ones(head)
        state[there + "mlp.gate_proj.weight"], state[there + "mlp.up_proj.weight"] = gate, up
        state[there + "mlp.down_proj.weight"] = weights[here + "down"].T
        state[there + "input_layernorm.weight"] = weights[here + "norm_attention"]
        state[there + "post_attention_layernorm.weight"] = weights[here + "norm_feed"]
    model.load_state_dict(state)
    return model.eval()
