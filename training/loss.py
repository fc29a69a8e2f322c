"""Cross-entropy of a linear layer that never holds all logits: their traffic costs a CPU more than the arithmetic."""

from typing import Any

import torch
from torch import Tensor

ROWS = 256  # logits of so many tokens at once stay in the cache of a core


class LinearCrossEntropy(torch.autograd.Function):
    """Mean of ``-log softmax(x @ weight.T)[target]``; the gradients are made on the way, in bfloat16 products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        count = len(x)
        x16, weight16 = x.bfloat16(), weight.bfloat16()
        grad_x, grad_weight = torch.empty_like(x), torch.zeros_like(weight)
        loss = x.new_zeros(())
        for at in range(0, count, ROWS):
            rows, wanted = x16[at : at + ROWS], target[at : at + ROWS, None]
            scores = (rows @ weight16.T).float()
            scores -= scores.amax(-1, keepdim=True)
            right = scores.gather(-1, wanted)
            scores.exp_()
            total = scores.sum(-1, keepdim=True)
            loss += (total.log() - right).sum()
            scores /= total * count
            scores.scatter_add_(-1, wanted, torch.full_like(right, -1 / count))
            error = scores.bfloat16()
            grad_x[at : at + ROWS] = error @ weight16
            grad_weight += error.T @ rows
        ctx.save_for_backward(grad_x, grad_weight)
        return loss / count

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor, None]:
        grad_x, grad_weight = ctx.saved_tensors
        return grad_x * grads[0], grad_weight * grads[0], None
