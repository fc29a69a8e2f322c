"""What ``heatbath diagnose`` shows: texts, and what was found."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from heatbath.cli.watched import Watched
from heatbath.control import Profile
from heatbath.sampling import Diagnosis, Written
from heatbath.types import Model

APART = re.compile(r"(?<=[\u3040-\u9fff]) (?=[\u3040-\u9fff])")
"""A blank between two Chinese or Japanese characters."""


class Case(NamedTuple):
    """What was judged, and what was found."""

    name: str
    chain: str | None
    """None where the text was not written here."""
    texts: Sequence[Written]
    prompt: str
    """What the texts continue."""
    strands: Sequence[Watched]
    found: Diagnosis
    model: Model | None
    profile: Profile | None
    """What each T does to this model on average; None where nobody has measured it."""
    own: bool = False
    """Whether the texts are known to be answers of heatbath's own service, by what the file says."""

    def spell(self, passage: Sequence[Any]) -> str:
        """A passage as people read it."""
        if self.model is not None:
            return self.model.tokenizer.decode(passage)
        if any(text.tokens is None for text in self.texts):
            return APART.sub("", " ".join(map(str, passage)))
        return ("" if all(isinstance(token, str) for token in passage) else " ").join(map(str, passage))
