"""heatbath in mlx-lm: the sampler of its generating functions.

::

    from heatbath.integrations.mlx_lm import HeatbathSampler

    generate(model, tokenizer, prompt, sampler=HeatbathSampler("temperature(0.7) -> min_p(0.05)", seed=7))

mlx-lm gives its sampler the last word, so nothing acts behind the chain. Its ``temp``, ``top_p`` and the like make
another sampler, and have no part in this one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heatbath.errors import InputError, while_doing
from heatbath.integrations.extra import needs
from heatbath.integrations.streams import NO_TEXT, as_sampler
from heatbath.sampling.alone import knowing

with needs("MLX", "heatbath[mlx]"):
    import mlx.core as mx

__all__ = ["HeatbathSampler"]


class HeatbathSampler:
    """A sampler of mlx-lm: log-probabilities ``(B, V)`` in, one token per row out.

    A sampler is not told where a text begins, so make one per generation: its position, and what its chain remembers,
    go on from call to call. The scores are copied to NumPy, in main memory, which is where MLX keeps them as well.

    Arguments:
        chain: a sampler, its text form, or whatever :func:`heatbath.temperature` takes. The scores are
            log-probabilities, none above 0, which matters to :func:`heatbath.sampling.repetition` alone: give that one
            to mlx-lm as a logits processor.
        seed: one integer, row i using ``seed + i``, or one per row.
        prompt: the token ids of the prompt, or one list per row, for chains that look back.

    Raises:
        InputError: the chain does not parse; at a step, the seed is no integer; rows that come or go between calls.

    How to choose: for chains that mlx-lm does not have, and for tokens that can be drawn again: one seed, one text.
    """

    def __init__(self, chain: Any, *, seed: Any, prompt: Sequence[int] | Sequence[Sequence[int]] = ()) -> None:
        self.sampler = as_sampler(chain)
        self._seed = seed
        self._rows: int | None = None
        self._state = self.sampler.init(prompt)

    def __repr__(self) -> str:
        return f"HeatbathSampler({self.sampler}, seed={self._seed})"

    def __call__(self, logprobs: Any) -> Any:
        scores = np.array(logprobs.astype(mx.float32))
        rows = scores.shape[0] if scores.ndim == 2 else None
        with while_doing("sampling in mlx-lm", self.sampler), knowing(NO_TEXT):
            if self._rows is not None and rows != self._rows:
                raise InputError(
                    f"the call before had {self._rows} rows, and this one has {rows}",
                    instead="make one HeatbathSampler per generation, whose rows stay together",
                )
            self._rows = rows
            tokens, self._state, _ = self.sampler.step(self._state, scores, seed=self._seed)
        return mx.array(np.asarray(tokens, dtype=np.uint32))
