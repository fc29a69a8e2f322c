"""The shipped weights as a GGUF file, for llama.cpp: token ids in and out, without a tokenizer."""

from typing import Any

from training import qwen3
from training.config import CONFIG
from training.model import BASE, EPSILON

PLACES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write(path: str, gguf: Any) -> None:
    """Write the file with the gguf package."""
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_context_length(CONFIG.context)
    writer.add_embedding_length(CONFIG.width)
    writer.add_block_count(CONFIG.layers)
    writer.add_feed_forward_length(CONFIG.hidden)
    writer.add_head_count(CONFIG.heads)
    writer.add_head_count_kv(CONFIG.heads)
    writer.add_key_length(CONFIG.width // CONFIG.heads)
    writer.add_value_length(CONFIG.width // CONFIG.heads)
    writer.add_rope_freq_base(BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_tokenizer_model("no_vocab")
    writer.add_vocab_size(CONFIG.vocabulary)
    for name, weight in qwen3.load().state_dict().items():
        place = name.removesuffix(".weight")
        if place == "lm_head":
            continue  # the embedding again
        layer = ""
        if place.startswith("model.layers."):
            _, _, number, place = place.split(".", 3)
            layer = f"blk.{number}."
        writer.add_tensor(f"{layer}{PLACES[place]}.weight", weight.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
