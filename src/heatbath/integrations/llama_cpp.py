"""heatbath in llama-cpp-python: a logits processor that draws.

::

    from heatbath.integrations.llama_cpp import HeatbathLogitsProcessor

    llm = Llama("model.gguf")
    llm("Once upon a time", logits_processor=[HeatbathLogitsProcessor("temperature(0.7) -> min_p(0.05)", seed=7)])

The processor leaves llama.cpp the drawn token alone, so that its own ``temperature``, ``top_k`` and the like, which act
behind it, change nothing, whatever they are.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.integrations.streams import NO_TEXT, as_sampler
from heatbath.sampling.alone import knowing
from heatbath.types import State

__all__ = ["HeatbathLogitsProcessor"]


class HeatbathLogitsProcessor:
    """A logits processor of llama-cpp-python: token ids and scores ``(V,)`` in, scores out.

    A stream begins anew where a call does not go on from the one before by one token, as at the next completion. A
    token that something else forced joins the history; what was learned from the drawn one stays.

    Arguments:
        chain: a sampler, its text form, or whatever :func:`heatbath.temperature` takes.
        seed: an integer. Each stream draws from position 0 on, so one prompt and one seed give one text.

    Raises:
        InputError: the chain does not parse; at a step, the seed is no integer.

    >>> import numpy as np
    >>> from heatbath.integrations.llama_cpp import HeatbathLogitsProcessor
    >>> process = HeatbathLogitsProcessor("temperature(0.7) -> top_k(2)", seed=7)
    >>> process(np.array([4, 5]), np.array([1.0, 2.0, 3.0], dtype=np.float32))
    array([-inf, -inf,   0.], dtype=float32)

    How to choose: for chains that llama.cpp does not have, or to draw the tokens that heatbath draws elsewhere. Needs
    nothing of llama-cpp-python itself: any loop that calls ``process(ids, scores)`` and takes the likeliest will do.
    """

    def __init__(self, chain: Any, *, seed: int) -> None:
        self.sampler = as_sampler(chain)
        self._seed = seed
        self._ids: npt.NDArray[Any] | None = None
        self._state: State = ()

    def __repr__(self) -> str:
        return f"HeatbathLogitsProcessor({self.sampler}, seed={self._seed})"

    def __call__(self, input_ids: Sequence[int] | npt.NDArray[Any], scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
        ids = np.array(input_ids)
        if self._ids is None or not np.array_equal(ids[:-1], self._ids):
            self._state = self.sampler.init(ids.tolist())
        elif self.sampler.looks_back:
            self._state = (*self._state[:2], np.append(self._state[2][:-1], ids[-1]))
        with knowing(NO_TEXT):
            token, self._state, _ = self.sampler.step(self._state, scores, seed=self._seed)
        self._ids = ids
        left = np.full_like(scores, -np.inf)
        left[int(token)] = 0
        return left
