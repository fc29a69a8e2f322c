"""The contracts between the rooms: shapes and promises, no logic.

Shapes are written as NumPy writes them: ``V`` is the number of options (the vocabulary of a language model), ``B`` the
number of rows that are decided together, and ``...`` any leading axes, none included.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

Array = Any  # the libraries share no base class to name
"""An array of the caller's library: NumPy, PyTorch, JAX, CuPy, anything that follows the array API standard."""

Temperature = Any  # the libraries share no base class to name
"""One number, or one number per row (shape ``(...)`` for scores of shape ``(..., V)``); 0 <= T <= inf."""

State = Any  # the libraries share no base class to name
"""What one stream must remember between two decisions. A value: nested tuples of numbers and arrays, never changed in
place and always nested the same way. In a batch, each number has one entry per row (a list, or an array of the
library of the scores) and each array one axis more, the first. With NumPy scores a state of numbers survives JSON as it
is (tuples come back as lists, and both are accepted); arrays of other libraries stay on their device."""


NOTHING: Mapping[str, Any] = MappingProxyType({})
"""No context; nobody can write into it."""


class Glance(Protocol):
    """Rows of scores as the few numbers by which most rules see them, one per row: ``(...)``.

    Whoever has the scores can compute them, and so can a kernel that has only passed over the rows. Entropies are in
    nats; p are the probabilities at the temperature of the glance, which is 1 unless it was asked for by :meth:`at`.
    """

    @property
    def like(self) -> Array:
        """An array of the library, the type and the leading axes of the scores, ``(..., n)``, with any n and values."""
        ...

    @property
    def log_sum(self) -> Array:
        """``-ln p_1``, the surprise that the best option would be."""
        ...

    @property
    def entropy(self) -> Array: ...

    @property
    def heat_capacity(self) -> Array:
        """``dH / d ln T``."""
        ...

    @property
    def top_probability(self) -> Array: ...

    @property
    def margin(self) -> Array:
        """``p_1 - p_2``."""
        ...

    @property
    def options(self) -> Array:
        """How many are not forbidden."""
        ...

    @property
    def largest_entropy(self) -> Array:
        """``ln n`` of n options; 1 where one is left, so that it can be divided by."""
        ...

    @property
    def relative_entropy(self) -> Array: ...

    def at(self, temperature: Temperature) -> Self:
        """The same rows at a temperature, one number or one per row."""
        ...

    def temperature_for(self, *, entropy: Array) -> Array:
        """The T with this entropy, see :func:`heatbath.temperature_for`."""
        ...

    def constant(self) -> Self:
        """The same without gradients."""
        ...


class Seen(NamedTuple):
    """What a thermostat may look at when it decides T."""

    scores: Array | None = None
    """Scores of the options, ``(..., V)``, as they reach the thermostat; None where a use has none to show."""
    context: Mapping[str, Any] = NOTHING
    """Whatever else the caller knows: the text so far ("text"), the rule of a grammar ("rule"), a user, a task, a
    modality. One value for all rows, or a list of one per row."""
    glance: Glance | None = None
    """The numbers of the rows, where whoever asks has measured them and shows no scores."""


class Outcome(NamedTuple):
    """What came of a decision, told to ``learn``: right after it what was chosen, and later, once or never, how good
    that was.
    """

    reward: float | None = None
    """How good it was, higher is better; None when nobody said."""
    choice: Array | None = None
    """The option drawn, ``(...)``."""
    surprisal: Array | None = None
    """-ln p of the choice at T = 1, under the scores that whoever learns was shown, in nats, ``(...)``."""
    surprisal_after: Array | None = None
    """The same under the scores that it handed on."""
    context: Mapping[str, Any] = NOTHING


class Reading(NamedTuple):
    """What people look at: one record that the page, the logs and the stored rows all read.

    Every field is one number per row, in the caller's array library. Entropies and surprisals are in nats.
    """

    temperature: Array
    """The T that was used (the product where a chain has several temperature steps; 1 where it has none)."""
    entropy_before: Array
    """Entropy of softmax(scores) as the model gave them, at T = 1."""
    entropy_after: Array
    """Entropy of the distribution that was drawn from."""
    kept: Array
    """How many options could still be drawn."""
    surprisal: Array
    """-ln p of the choice under the model at T = 1."""
    surprisal_after: Array
    """-ln p of the choice under the distribution that was drawn from."""


class Tokenizer(Protocol):
    """Text to token ids and back."""

    longest: int
    """The most bytes of a text that one token takes in; a text of more than ``n * longest`` bytes has more than ``n``
    tokens, which is known without encoding it."""

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Sequence[int]) -> str: ...

    def token_bytes(self, token: int) -> bytes:
        """The bytes that the token stands for; a token may hold part of a character."""
        ...


class Cache(Protocol):
    """What a model remembers of ``B`` texts: a value; the methods return new caches."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens seen so far, one number per row."""
        ...

    def rows(self, keep: Sequence[int]) -> Self:
        """The cache of these rows only, in this order; a row may be named more than once."""
        ...

    def join(self, other: Self) -> Self:
        """The rows of this cache followed by the rows of the other."""
        ...


class Model(Protocol):
    """Anything that gives scores for the next choice of several texts at once."""

    name: str
    vocabulary: int
    """V, the number of options."""
    context: int
    """The longest text, in tokens."""
    stop_tokens: frozenset[int]
    """Tokens that end a text."""

    @property
    def tokenizer(self) -> Tokenizer: ...

    def start(self, prompts: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.float32], Cache]:
        """Scores after each prompt, ``(B, V)``, and the cache. An empty prompt means the beginning of a text."""
        ...

    def step(self, cache: Any, tokens: Sequence[int]) -> tuple[npt.NDArray[np.float32], Cache]:
        """Scores after one more token per row, ``(B, V)``, and the cache; ``cache`` is one that this model gave."""
        ...
