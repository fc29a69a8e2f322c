"""The network: RMSNorm, rotary positions, SwiGLU, normalised queries and keys, no biases, tied embedding."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.config import Config

EPSILON = 1e-5
BASE = 10_000.0
FORBIDDEN = -1e9


class Past(NamedTuple):
    """Keys and values of one layer, each (batch, heads, past, head width)."""

    key: Tensor
    value: Tensor


def rotary_table(positions: int, size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angle of each position, (positions, size), the halves alike."""
    frequency = BASE ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angle = torch.outer(torch.arange(positions, dtype=torch.float64), frequency)
    angle = torch.cat((angle, angle), dim=-1)
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn the pairs (i, i + size/2) of the last axis."""
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine


def normalise(x: Tensor) -> Tensor:
    """RMSNorm without a weight."""
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON)


class Block(nn.Module):
    """Attention, then the feed-forward network, each added to its input."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, hidden = config.width, config.hidden
        self.heads, self.dropout = config.heads, config.dropout
        self.norm_attention = nn.Parameter(torch.ones(width))
        self.norm_feed = nn.Parameter(torch.ones(width))
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(
        self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor, past: Past | None = None
    ) -> tuple[Tensor, Past]:
        h = normalise(x) * self.norm_attention
        q, k, v = (layer(h).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.q, self.k, self.v))
        q, k = rotate(normalise(q), cosine, sine), rotate(normalise(k), cosine, sine)
        if past is not None:
            k, v = torch.cat((past.key, k), dim=2), torch.cat((past.value, v), dim=2)
        # spelled out: at this size it is faster on a CPU than the fused kernel, and the exported graph is plain
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        mixed = (scores + mask.to(scores.dtype)).softmax(-1) @ v
        x = x + F.dropout(self.o(mixed.transpose(1, 2).flatten(2)), self.dropout, self.training)
        h = normalise(x) * self.norm_feed
        return x + F.dropout(self.down(F.silu(self.gate(h)) * self.up(h)), self.dropout, self.training), Past(k, v)


class Network(nn.Module):
    """Tokens (batch, length) to logits (batch, length, vocabulary)."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.Parameter(torch.ones(config.width))
        for name, table in zip(
            ("cosine", "sine"), rotary_table(config.context, config.width // config.heads), strict=True
        ):
            self.register_buffer(name, table, persistent=False)
        nn.init.normal_(self.embedding.weight, std=0.02)
        for block in self.blocks:
            nn.init.zeros_(block.o.weight)
            nn.init.zeros_(block.down.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """What the last layer makes of whole texts, (batch, length, width), as in training."""
        x = F.dropout(self.embedding(tokens), self.config.dropout, self.training)
        length = tokens.shape[1]
        mask = torch.full((length, length), FORBIDDEN).triu(1)
        for block in self.blocks:
            x, _ = block(x, self.cosine[:length], self.sine[:length], mask)
        return normalise(x) * self.norm

    def logits(self, x: Tensor) -> Tensor:
        """Scores of every token; the embedding is used again."""
        return F.linear(x, self.embedding.weight)

    def step(
        self, tokens: Tensor, attention_mask: Tensor, position_ids: Tensor, past: list[Past]
    ) -> tuple[Tensor, list[Past]]:
        """Logits of the new tokens, keys and values of all; ``attention_mask`` (batch, past + new) is 0 at padding."""
        new, total = tokens.shape[1], attention_mask.shape[1]
        at = torch.arange(total, device=tokens.device)
        causal = at[None, :] <= at[total - new :, None]
        allowed = causal[None] & (attention_mask[:, None, :] > 0)
        mask = torch.where(allowed, 0.0, FORBIDDEN)[:, None]
        cosine, sine = self.cosine[position_ids][:, None], self.sine[position_ids][:, None]
        x, present = self.embedding(tokens), []
        for block, layer in zip(self.blocks, past, strict=True):
            x, longer = block(x, cosine, sine, mask, layer)
            present.append(longer)
        return self.logits(normalise(x) * self.norm), present
