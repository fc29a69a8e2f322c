"""Texts that grow and keep the scores that they were drawn from, for ``heatbath diagnose``."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from heatbath.cli.flags import Setting
from heatbath.cli.strand import Strand, grow
from heatbath.sampling import Written
from heatbath.types import Array, Model


@dataclass
class Watched(Strand):
    """A strand that remembers each decision."""

    seen: list[Array] = field(default_factory=list)
    """The model's scores."""
    left: list[Array] = field(default_factory=list)
    """Which options the chain left."""
    chosen: list[int] = field(default_factory=list)

    def draw(self, model: Model, scores: Array) -> int:
        """Grow by one token."""
        handed_on, _, used = self.setting.sampler.scores(
            self.state, scores, seed=self.seed, context=self.context(model)
        )
        token = super().draw(model, scores)
        self.seen.append(scores)
        # T = 0 takes one option and forbids none
        self.left.append(np.isfinite(scores if used is not None and float(used) == 0 else handed_on))
        self.chosen.append(token)
        return token

    @property
    def written(self) -> Written:
        """What is known of it."""
        return Written(np.stack(self.seen), self.chosen, mask=np.stack(self.left))


def watch(model: Model, prompt: str, setting: Setting, seeds: Sequence[int], max_tokens: int) -> list[Watched]:
    """Texts at one setting, to their ends."""
    strands = [Watched(setting, seed) for seed in seeds]
    for _ in grow(model, prompt, strands, max_tokens):
        pass
    return strands


def steady(strands: Sequence[Strand]) -> float | None:
    """The T of all tokens; None where it moved."""
    used = {placed.token.reading.temperature for strand in strands for placed in strand.tokens}
    return used.pop() if len(used) == 1 else None
