"""Every engine's order: a function for each, by the engine's own names and defaults, and translations between them."""

from heatbath.sampling.orders.engine import Difference, Engine, Setting
from heatbath.sampling.orders.functions import (
    exllamav2,
    exllamav3,
    llama_cpp,
    llama_cpp_python,
    mlx_lm,
    ollama,
    ollama_mlx,
    sglang,
    tensorrt_llm,
    tensorrt_llm_cpp,
    text_generation_webui,
    transformers,
    vllm,
    vllm_v1,
)
from heatbath.sampling.orders.table import ENGINES, engine
from heatbath.sampling.orders.translate import Translation, translate

__all__ = [
    "ENGINES",
    "Difference",
    "Engine",
    "Setting",
    "Translation",
    "engine",
    "exllamav2",
    "exllamav3",
    "llama_cpp",
    "llama_cpp_python",
    "mlx_lm",
    "ollama",
    "ollama_mlx",
    "sglang",
    "tensorrt_llm",
    "tensorrt_llm_cpp",
    "text_generation_webui",
    "transformers",
    "translate",
    "vllm",
    "vllm_v1",
]
